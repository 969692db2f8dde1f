"""Reads the values out of a reply's text.

promptcc itself reads many more forms (docs/replies.md). This module reads the
form that was asked for, and the common departures from it: thoughts before the
answer, JSON in fences or where sections were asked for, labels in another case
or in quotes. A reply that is in doubt is an error, and the question is then
asked once more.
"""

import json
import math
import re

MARKER = re.compile(  # with the emphasis that some models put around it
    r"([*_`]{0,3})\[\[ ## (\w+) ## \]\]\1|"
    r"(?:^[*_`]+)?\[\[ ## (\w+) ## \]\](?:[*_`]+$)?", re.M | re.A)
# What may be an end marker in another spelling, or a part of one.
END = re.compile(
    r"[*_`]{0,3}(\[ ?\[|\[(?= *#)|^##)([^][\n]*)\]? ?\]?[*_`]*\Z", re.M)
THOUGHTS = [
    *((f"<{tag}>", f"</{tag}>") for tag in (
        "think", "thinking", "thought", "thoughts", "reasoning", "reflection",
        "scratchpad", "seed:think")),
    *((f"<|{tag}|>", f"<|/{tag}|>") for tag in (
        "think", "thinking", "thought", "reasoning")),
    ("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"),
    ("<|channel>thought", "<channel|>"), ("<unused94>thought", "<unused95>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
]
BEGINS = "|".join(f"({re.escape(begin)})" for begin, _ in THOUGHTS)
BEGIN = re.compile(BEGINS, re.I)  # its group says which of THOUGHTS begins
THOUGHT_BEGIN = re.compile(f"^(?:{BEGINS})", re.M | re.I)
ENDS = [re.compile(re.escape(end), re.I) for _, end in THOUGHTS]
# A closing tag on its own, unless a sentence only mentions it.
THOUGHT_END = re.compile(
    r"\A.*(?:" + "|".join(
        rf"(?:^[ \t]*{re.escape(end)}|"
        rf"{re.escape(end)}(?=[ \t]*(?:$|[\r{{<]|\[\[|```)))"
        if end.startswith("</") else re.escape(end) for _, end in THOUGHTS) +
    ")", re.S | re.M | re.I)
THOUGHT = "\0"  # stands for a thought within the text
BLANK = " \t\r\n\v\f" + THOUGHT
TOKEN = (r"(?:<[|｜](?![^>]*(?:think|thought|box))[^\s|｜]{1,36}[|｜]>|</?s>|"
         r"<(?:bos|eos|pad|start_of_turn|end_of_turn|turn\|)>|"
         r"\[/INST\]|\[EOS\])")
ROLE = r"(?:assistant|model|final)?"
TURN_BEGIN = re.compile(rf"^(?:{TOKEN}{ROLE}\s*)+")
TURN_END = re.compile(rf"\s*{TOKEN}\s*(?:(?:{TOKEN}|Human:|User:).*)?$", re.S)
FRAME = re.compile(r"^<(answer|response|\|begin_of_box\|)>(.*)"
                   r"<(?:/\1|\|end_of_box\|)>$", re.S)
WHOLE_FENCE = re.compile(r"^```[a-z]*\n(.*)\n```$", re.S)
FENCE = re.compile(r"```[a-z]*\n(.*?)```", re.S)


def read(specs, text, as_json):
    """Returns {name: value} of every output. Raises ValueError that says what
    is wrong."""
    if not _is_text(text):
        raise ValueError("the reply is not valid Unicode text")
    text = THOUGHT_END.sub("", _without_thoughts(text)).strip(BLANK)
    text = TURN_END.sub("", TURN_BEGIN.sub("", text)).strip(BLANK)
    text = FRAME.sub(r"\2", text).strip(BLANK)
    unended = THOUGHT_BEGIN.search(text)
    text = text[:unended.start()].strip(BLANK) if unended else text
    if not text:
        raise ValueError("the reply is empty")
    found = _from_json(specs, text) if as_json else _sections(specs, text)
    if not found:
        found = _sections(specs, text) if as_json else _from_json(specs, text)
    if not found and len(specs) == 1 and not as_json and \
            _is_bare(next(iter(specs)), text):
        found = {next(iter(specs)): Written(text)}
    missing = [name for name in specs if name not in found]
    if missing:
        raise ValueError(f"the reply has no {', '.join(missing)}")
    return {name: value_of(name, spec, found[name])
            for name, spec in specs.items()}


def _without_thoughts(text):
    """Puts THOUGHT in the place of every thought that has an end. What has none
    after one beginning has none after a later one, so no text takes long."""
    kept, at, endless = [], 0, set()
    for begin in BEGIN.finditer(text):
        which = begin.lastindex - 1
        if begin.start() < at or which in endless:
            continue
        end = ENDS[which].search(text, begin.end())
        if end:
            kept += [text[at:begin.start()], THOUGHT]
            at = end.end()
        else:
            endless.add(which)
    return "".join(kept) + text[at:]


def _is_bare(name, text):
    """Returns False for a text with markers, or with this name before a value:
    such a text was meant to have parts."""
    return not re.search(r"\[ *(?:##|\[)", text) and not re.search(
        rf"(?:\b|_){name}[\"'*`]*\s*[:=>]|^#+ *{name}\b", text, re.I | re.M)


def _is_text(text):
    """Returns False if the text contains NUL or half of a surrogate pair, which
    JSON's escapes can make."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _sections(specs, text):
    text = WHOLE_FENCE.sub(r"\1", text)
    found, marks = {}, list(MARKER.finditer(text))
    for mark, after in zip(marks, marks[1:] + [None]):
        end = after.start() if after else len(text)
        name = mark[2] or mark[3]
        if name == "completed" or (found and name not in specs):
            break  # what follows is another exchange
        if name not in specs:
            continue
        value = Written(_without_end(name, text[mark.end():end].strip(BLANK)))
        before = found.setdefault(name, value)
        if before and value and before != value:
            raise ValueError(f"there is more than one section {name}")
        found[name] = before or value
    return found


class Written(str):
    """What a model wrote outside of JSON."""


def _without_end(name, value):
    """Returns the value without an end marker that is incomplete or spelt in
    another way, or the [[ ## /name ## ]] that some models write."""
    end = END.search(value)
    if not end:
        return value
    word = end[2].strip(" #").casefold()
    part = ("#" in end[1] + end[2] and end[1] != "##" and
            "completed".startswith(word))
    if not part and word not in ("completed", f"/{name}".casefold()):
        return value
    return value[:end.start()].strip(BLANK)


def _from_json(specs, text):
    text = text.replace(THOUGHT, "")
    candidates = [text, *FENCE.findall(text)]
    first, last = text.find("{"), text.rfind("}")
    if 0 <= first < last:
        candidates.append(text[first:last + 1])
    for one in candidates:
        try:
            value = _loads(one)
        except ValueError:
            continue
        if isinstance(value, dict):
            return {name: value[name] for name in specs if name in value}
    return {}


class Spelt(float):
    """A number of JSON that str gives back as the model wrote it: 1.10 is not
    the label 1.1."""

    def __new__(cls, text):
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __str__(self):
        return self.text


def _loads(text):
    return json.loads(text, object_pairs_hook=_members, parse_float=Spelt)


def _members(pairs):
    """Returns the object. The same key with two values leaves it unknown which
    one was meant, so that is an error."""
    made = {}
    for key, value in pairs:
        if made.setdefault(key, value) != value:
            raise ValueError(f"`{key}` appears twice with different values")
    return made


# --- one value ---

def value_of(name, spec, given):
    """Converts a text, or a value of JSON, to the field's type."""
    if isinstance(given, str) and THOUGHT in given:
        raise _bad(name, given.replace(THOUGHT, "..."),
                   "certain: more text follows a thought")
    if spec.get("optional") and _is_null(name, spec, given):
        return None
    kind = next((key for key in ("enum", "list", "object") if key in spec),
                spec.get("type"))
    value = READERS[kind](name, spec, given)
    _check(name, spec, value)
    return value


def _is_null(name, spec, given):
    """`null` is null. So are an empty text and "None" where they are not a
    value anyway."""
    if not isinstance(given, str):
        return given is None
    if spec.get("type") != "str":
        return given.strip().casefold() in ("null", "none", "n/a", "")
    if isinstance(given, Written) and given == "null":
        return True
    if given.strip().casefold() not in ("null", "none", "n/a", ""):
        return False
    try:
        _check(name, spec, given)
    except ValueError:
        return True
    return False


def _bad(name, given, what):
    return ValueError(f"`{name}` is {given!r:.60}, which is not {what}")


def _text(name, spec, given):
    if not isinstance(given, str) or given.strip() == "{%s}" % name or \
            not _is_text(given):
        raise _bad(name, given, "a text")
    return str(given) if isinstance(given, Written) else _restored(name, given)


def _restored(name, text):
    """JSON reads a single backslash before b or f, as in \\frac, as a control
    character that nobody means. If another may be meant as it is, the text is
    in doubt."""
    if "\b" not in text and "\f" not in text:
        return text
    if re.search(r"[\n\r\t][A-Za-z]", text):
        raise _bad(name, text, "certain: double each backslash")
    return text.replace("\b", r"\b").replace("\f", r"\f")


def _number(name, spec, given):
    if isinstance(given, bool) or not isinstance(given, (str, int, float)):
        raise _bad(name, given, "a number")
    text = str(given).strip()
    try:
        value = float(text)
    except ValueError:
        raise _bad(name, given, "a number") from None
    if "_" in text or not math.isfinite(value):
        raise _bad(name, given, "a number")
    if spec["type"] == "float":
        return value
    # In half of the world, 5.000 is five thousand.
    if value != int(value) or re.fullmatch(r"[+-]?[1-9]\d{0,2}\.000", text):
        raise _bad(name, given, "a whole number")
    exact = re.fullmatch(r"[+-]?\d+", text)  # a float would round it
    whole, limit = (int(text), 2**63) if exact else (int(value), 2**53)
    if not -limit <= whole < limit:
        raise _bad(name, given, "a whole number")
    return whole


def _bool(name, spec, given):
    words = {"true": True, "yes": True, "1": True,
             "false": False, "no": False, "0": False}
    value = words.get(_bare(str(given)))
    if value is None:
        raise _bad(name, given, "a truth value")
    return value


def _bare(text):
    return re.sub(r"[\s_-]+", " ", text.strip(" \t\r\n*`\"'.").casefold())


def _label(name, spec, given):
    if given in spec["enum"]:
        return given
    same = [label for label in spec["enum"] if _bare(label) == _bare(str(given))]
    if len(same) != 1:
        raise _bad(name, given, f"one of {'; '.join(spec['enum'])}")
    return same[0]


def _parsed(given):
    if not isinstance(given, str):
        return given
    for text in (given, *FENCE.findall(given)):
        try:
            return _loads(text)
        except ValueError:
            pass
    return None


def _list(name, spec, given):
    value = _parsed(given)
    if not isinstance(value, list):
        raise _bad(name, given, "a list")
    return [value_of(name, spec["list"], one) for one in value]


def _object(name, spec, given):
    value = _parsed(given)
    if not isinstance(value, dict):
        raise _bad(name, given, "an object")
    names = {key: _member(spec["object"], value, key) for key in spec["object"]}
    missing = [key for key, member in spec["object"].items()
               if names[key] is None and not member.get("optional")]
    if missing:
        raise ValueError(f"`{name}` has no member {', '.join(missing)}")
    return {key: value_of(f"{name}.{key}", member, value.get(names[key]))
            for key, member in spec["object"].items()}


def _member(members, value, key):
    """Returns the key in `value` that stands for this member, ignoring case and
    separators."""
    same = [one for one in value
            if one not in members and _bare(one) == _bare(key)]
    return key if key in value else same[0] if len(same) == 1 else None


READERS = {"str": _text, "int": _number, "float": _number, "bool": _bool,
           "enum": _label, "list": _list, "object": _object}


def _check(name, spec, value):
    if "min" in spec and value < spec["min"]:
        raise ValueError(f"`{name}` is {value}, below {spec['min']}")
    if "max" in spec and value > spec["max"]:
        raise ValueError(f"`{name}` is {value}, above {spec['max']}")
    if "min_length" in spec and len(value) < spec["min_length"]:
        raise ValueError(f"`{name}` is shorter than {spec['min_length']}")
    if "max_length" in spec and len(value) > spec["max_length"]:
        raise ValueError(f"`{name}` is longer than {spec['max_length']}")
    if "pattern" in spec and not re.search(spec["pattern"], value):
        raise ValueError(f"`{name}` does not match {spec['pattern']}")


