"""Field types: converts between DSPy's annotations and the types of a job file.

A *spec* is a field as a job file has it, a dict:

    {"desc": "How sure", "type": "float", "min": 0, "max": 1}
    {"enum": ["refund", "other"]}
    {"list": {"type": "str"}, "max_length": 5}

The fields of a loaded program carry their specs (SPEC_KEY in json_schema_extra).
For any other signature the spec follows from the annotation.
"""

import enum
import types
import typing

import annotated_types
import pydantic

SPEC_KEY = "promptcc"
# The output that a chain_of_thought writes before its answer, as in promptcc.
REASONING = {"desc": "Thoughts, step by step, that lead to the answer",
             "type": "str"}
SCALARS = {str: "str", int: "int", float: "float", bool: "bool"}


class Unsupported(ValueError):
    """Raised for a type or a program that a promptcc job cannot express."""


def spec_of(name, info):
    """Returns the spec of a signature's field."""
    extra = info.json_schema_extra or {}
    if SPEC_KEY in extra:
        return extra[SPEC_KEY]
    _refuse_of_dspy(name, info.annotation)
    spec = {}
    desc = extra.get("desc", "")
    if name == "reasoning" and desc == "${reasoning}":
        return REASONING  # the field that DSPy adds to a ChainOfThought
    if desc and desc != "${%s}" % name:  # DSPy's default description
        spec["desc"] = desc
    try:
        spec.update(type_of(name, info.annotation))
    except Unsupported:
        # Any input can be shown as it is, but an output has to be read.
        if extra.get("__dspy_field_type") != "input":
            raise
        spec["type"] = "str"
    spec.update(_limits(info.metadata, spec))
    if not info.is_required():
        spec["default"] = plain(info.default)
    return spec


def _refuse_of_dspy(name, annotation):
    """Refuses types that DSPy turns into more than text: an Image, a History, a
    Tool."""
    for one in (annotation, *typing.get_args(annotation)):
        if isinstance(one, type) and one.__module__.startswith("dspy."):
            raise Unsupported(
                f"the field `{name}` has DSPy's type {one.__name__}, which has "
                "no place in a job: promptcc sends only text")


def type_of(name, annotation, inside=()):
    """Returns the part of a spec that gives the type. `inside` lists the models
    that contain the field."""
    if annotation in SCALARS:
        return {"type": SCALARS[annotation]}
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        spec = type_of(name, args[0], inside)
        spec.update(_limits(args[1:], spec))
        return spec
    if origin in (typing.Union, types.UnionType):
        rest = [arg for arg in args if arg is not type(None)]
        if len(rest) == 1 and len(args) == 2:
            return {**type_of(name, rest[0], inside), "optional": True}
    if origin is typing.Literal:
        return {"enum": [str(arg) for arg in args]}
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return {"enum": [str(member.value) for member in annotation]}
    if origin is list and len(args) == 1:
        return {"list": type_of(name, args[0], inside)}
    if isinstance(annotation, type) and issubclass(annotation,
                                                   pydantic.BaseModel):
        if annotation in inside:
            raise Unsupported(
                f"the field `{name}` has the type {annotation.__name__}, which "
                "contains itself: a job's types are finite, so define one model "
                "for each level")
        return {"object": {key: _member(key, info, (*inside, annotation))
                           for key, info in annotation.model_fields.items()}}
    raise Unsupported(
        f"the field `{name}` has the type {annotation}, which promptcc does not "
        "know: use str, int, float, bool, Literal, a list or a pydantic model "
        "of these, or None beside one of them")


def _member(name, info, inside):
    spec = {"desc": info.description} if info.description else {}
    spec.update(type_of(name, info.annotation, inside))
    spec.update(_limits(info.metadata, spec))
    return spec


def _limits(metadata, spec):
    """Returns pydantic's limits on the values of this spec. For an int, an
    exclusive limit becomes the next whole number. A job cannot express an
    exclusive limit of a float, so the limit itself stays allowed."""
    has_length = spec.get("type") == "str" or "list" in spec
    step = 1 if spec.get("type") == "int" else 0
    limits = {}
    for one in metadata:
        if isinstance(one, pydantic.fields.FieldInfo):
            limits.update(_limits(one.metadata, spec))
        elif isinstance(one, annotated_types.Ge):
            limits["min"] = one.ge
        elif isinstance(one, annotated_types.Gt):
            limits["min"] = one.gt + step
        elif isinstance(one, annotated_types.Le):
            limits["max"] = one.le
        elif isinstance(one, annotated_types.Lt):
            limits["max"] = one.lt - step
        elif has_length and isinstance(one, annotated_types.MinLen):
            limits["min_length"] = one.min_length
        elif has_length and isinstance(one, annotated_types.MaxLen):
            limits["max_length"] = one.max_length
        elif getattr(one, "pattern", None):
            limits["pattern"] = one.pattern
    return limits


def annotation_of(spec):
    """Returns the annotation of a spec, against which DSPy validates a value.
    The members of an object are left to the adapter, which reads them."""
    if "enum" in spec:
        made = typing.Literal[tuple(spec["enum"])]
    elif "list" in spec:
        made = list[annotation_of(spec["list"])]
    elif "object" in spec:
        made = dict[str, typing.Any]
    else:
        made = {name: kind for kind, name in SCALARS.items()}[spec["type"]]
    return typing.Optional[made] if spec.get("optional") else made


# --- types in words ---

def _number(value):
    return "%.15g" % value


def _range(low, high, unit):
    if low is not None and high is not None:
        return f", {_number(low)} to {_number(high)}{unit}"
    if low is not None:
        return f", at least {_number(low)}{unit}"
    if high is not None:
        return f", at most {_number(high)}{unit}"
    return ""


def _lengths(spec, unit):
    return _range(spec.get("min_length"), spec.get("max_length"), unit)


def _describe_str(spec):
    limits = _lengths(spec, " characters")
    if "pattern" in spec:
        limits += f", matching the pattern {spec['pattern']}"
    return "str" + limits if limits else ""


def _describe_part(spec):
    """Describes a part of another type: by its plain name if it has no limits,
    otherwise in parentheses."""
    limited = set(spec) - {"type", "desc", "from", "default"}
    if spec.get("type") == "str" and not limited:
        return "str"
    if spec.get("type") in ("int", "float") and not limited:
        return describe(spec)
    return f"({describe(spec)})"


def describe(spec):
    """Returns the type in words, as prompts show it: "one of: a; b" or "float,
    0 to 1". A plain str gives an empty string."""
    if "enum" in spec:
        text = "one of: " + "; ".join(spec["enum"])
    elif "list" in spec:
        text = (f"list of {_describe_part(spec['list'])}" +
                _lengths(spec, " items"))
    elif "object" in spec:
        text = "object with " + ", ".join(
            f"{name}: {_describe_part(member)}"
            for name, member in spec["object"].items())
    elif spec["type"] == "str":
        text = _describe_str(spec)
    elif spec["type"] == "bool":
        text = "bool, true or false"
    else:
        text = spec["type"] + _range(spec.get("min"), spec.get("max"), "")
    if spec.get("optional"):
        text = text + ", or null" if text else "str or null"
    return text


def schema(spec):
    """Returns the JSON schema of a value."""
    if "object" in spec:
        members = {}
        for name, member in spec["object"].items():
            members[name] = schema(member)
            if member.get("desc"):
                members[name]["description"] = member["desc"]
        made = {"type": "object", "properties": members,
                "required": list(members), "additionalProperties": False}
    elif "enum" in spec:
        made = {"type": "string", "enum": spec["enum"]}
    elif "list" in spec:
        made = {"type": "array", "items": schema(spec["list"])}
    else:
        made = {"type": {"str": "string", "int": "integer", "float": "number",
                         "bool": "boolean"}[spec["type"]]}
    texts = spec.get("type") == "str"
    for ours, theirs in (("min", "minimum"), ("max", "maximum"),
                         ("min_length", "minLength" if texts else "minItems"),
                         ("max_length", "maxLength" if texts else "maxItems"),
                         ("pattern", "pattern")):
        if ours in spec:
            made[theirs] = spec[ours]
    if spec.get("optional"):
        return {"anyOf": [made, {"type": "null"}]}
    return made


# --- values ---

def typed(annotation, value):
    """Converts a value that has a spec's JSON type to what the annotation asks
    for: a model, a member of an Enum, the 1 of Literal[1, 2]. Raises ValueError
    if the value does not fit."""
    try:
        return pydantic.TypeAdapter(annotation).validate_python(
            _unlabelled(annotation, value))
    except pydantic.ValidationError as error:
        raise ValueError(str(error)) from error


def _unlabelled(annotation, value):
    """Turns labels back into Python values; in a job every label is a text."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _unlabelled(args[0], value)
    if origin in (typing.Union, types.UnionType):
        rest = [arg for arg in args if arg is not type(None)]
        return _unlabelled(rest[0], value) if len(rest) == 1 else value
    if origin is typing.Literal:
        return next((arg for arg in args if str(arg) == value), value)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return next((one.value for one in annotation
                     if str(one.value) == value), value)
    if origin is list and isinstance(value, list):
        return [_unlabelled(args[0], one) for one in value]
    if isinstance(annotation, type) and isinstance(value, dict) and \
            issubclass(annotation, pydantic.BaseModel):
        return {key: _unlabelled(annotation.model_fields[key].annotation, one)
                if key in annotation.model_fields else one
                for key, one in value.items()}
    return value


def kind_of(value):
    """Returns the annotation with which `typed` restores a value from the
    result of `plain`: that of an Enum's member, a model, or a list of these.
    Returns None if JSON can represent the value as it is."""
    if isinstance(value, (enum.Enum, pydantic.BaseModel)):
        return type(value)
    if isinstance(value, (list, tuple)):
        kinds = (kind_of(one) for one in value)
        kind = next((one for one in kinds if one is not None), None)
        return None if kind is None else list[typing.Optional[kind]]
    return None


def plain(value):
    """Returns the value in JSON's types: models as dicts, members of an Enum as
    their values, NumPy's numbers and arrays as numbers and lists."""
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return plain(value.tolist())
    raise Unsupported(f"a value of the type {type(value).__name__} cannot be "
                      f"written as JSON: {value!r:.80}")
