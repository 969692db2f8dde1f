"""The vote of an ensemble, as promptcc counts it."""


def sources(step):
    """All that the step reads."""
    return [one for voters in step["vote"].values() for one in voters] + \
        ([step["choice"]] if "choice" in step else [])


def count(step, values):
    """The step's outputs; values has what its sources gave, None for those that
    failed. The winner is whom `choice` names, else the first who said what most
    say."""
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
    return value.strip().casefold() if isinstance(value, str) else value
