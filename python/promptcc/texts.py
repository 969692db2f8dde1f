"""JSON as promptcc writes it: without spaces or escapes for Unicode, and each
number with the fewest of 15 to 17 digits that read back as the same number."""

import json


def _real(value):
    for digits in (15, 16, 17):
        text = "%.*g" % (digits, value)
        if float(text) == value:
            break
    return text if "." in text or "e" in text else text + ".0"


def json_text(value):
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(str(key))}:{json_text(one)}"
                              for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, float):
        return _real(value)
    return json.dumps(value, ensure_ascii=False)


def value_text(value):
    """Returns a value as a prompt shows it: a text as it is, anything else as
    JSON."""
    return value if isinstance(value, str) else json_text(value)
