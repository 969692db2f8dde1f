"""The vote of an ensemble, counted as promptcc does it."""

import unicodedata


def sources(step):
    """Returns everything that the step reads."""
    return [one for voters in step["vote"].values() for one in voters] + \
        ([step["choice"]] if "choice" in step else [])


def count(step, values):
    """Returns the step's outputs. `values` holds what its sources gave, None
    for those that failed. The winner is the voter that `choice` names;
    otherwise the first of the voters that gave the most common answer."""
    said = [values.get(one) for one in step["vote"][step["field"]]]
    choice = values.get(step.get("choice"))
    if isinstance(choice, int) and 1 <= choice <= len(said) and \
            said[choice - 1] is not None:
        winner = choice - 1
    else:
        keys = [_key(one) for one in said]
        votes = [0 if one is None else keys.count(key)
                 for one, key in zip(said, keys)]
        winner = votes.index(max(votes))
    return {name: values.get(voters[winner])
            for name, voters in step["vote"].items()}


def _key(value):
    """Returns what is the same for values that count as one: texts that differ
    only in case, in surrounding white space, in invisible characters or in how
    an accent is written."""
    if not isinstance(value, str):
        return value
    seen = "".join(one for one in value if unicodedata.category(one) != "Cf")
    folded = unicodedata.normalize("NFC", seen).casefold()
    return unicodedata.normalize("NFC", folded).replace("\r\n", "\n").replace(
        "\u00a0", " ").strip()
