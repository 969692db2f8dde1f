"""promptcc's messages in DSPy.

Adapter("chat") and Adapter("json") write exactly what `promptcc render` prints,
byte for byte: one system message (fields, form, instruction and, once more, the
labels), the demos as turns, then the question. If a reply cannot be read, the
adapter asks once more, under the JSON schema of the outputs, as promptcc does.

    dspy.configure(lm=lm, adapter=promptcc.Adapter("chat"))
"""

from dspy.adapters.base import Adapter as Base
from dspy.utils.exceptions import AdapterParseError

from . import fields, reading
from .texts import json_text, value_text

FORMS = ("chat", "json")


class Adapter(Base):
    """Writes prompts and reads replies as promptcc does. `form` is "chat"
    (sections under markers) or "json" (an object under a schema), like
    `adapter` in a job file."""

    def __init__(self, form="chat", callbacks=None):
        super().__init__(callbacks=callbacks)
        if form not in FORMS:
            raise ValueError(f"there is no form {form!r}: use "
                             f"{' or '.join(map(repr, FORMS))}")
        self.form = form

    def format(self, signature, demos, inputs):
        messages = [_message("system", self._system(signature))]
        for demo in demos:
            demo = _values(signature, demo)
            messages += [_message("user", _question(signature, demo)),
                         _message("assistant", self._answer(signature, demo))]
        question = _question(signature, _values(signature, inputs))
        return messages + [_message("user", question + self._reminder(signature))]

    def parse(self, signature, completion):
        specs = _specs(signature.output_fields)
        try:
            values = reading.read(specs, completion, self.form == "json")
            return {name: fields.typed(
                        signature.output_fields[name].annotation, value)
                    for name, value in values.items()}
        except ValueError as error:
            raise AdapterParseError(
                adapter_name="promptcc.Adapter", signature=signature,
                lm_response=completion, message=str(error)) from error

    def __call__(self, lm, lm_kwargs, signature, demos, inputs):
        try:
            return super().__call__(lm, self._kwargs(lm_kwargs, signature),
                                    signature, demos, inputs)
        except AdapterParseError:
            return self._repair().ask(lm, lm_kwargs, signature, demos, inputs)

    async def acall(self, lm, lm_kwargs, signature, demos, inputs):
        try:
            return await super().acall(
                lm, self._kwargs(lm_kwargs, signature), signature, demos, inputs)
        except AdapterParseError:
            return await self._repair().aask(lm, lm_kwargs, signature, demos,
                                             inputs)

    # --- where the two forms differ ---

    def _kwargs(self, lm_kwargs, signature):
        if self.form != "json":
            return lm_kwargs
        return {**lm_kwargs, "response_format": response_format(signature)}

    def _repair(self):
        return _Repair(self.form, self.callbacks)

    def _reminder(self, signature):
        return ""

    def _system(self, signature):
        task = "Your task: " + signature.instructions
        if self.form == "json":
            return task + "\n\n" + _fields(signature, quotes=True) + \
                _json_form(signature)
        return (_fields(signature) + _chat_form(signature) + task +
                _choices(signature))

    def _answer(self, signature, values):
        names = [name for name in signature.output_fields if name in values]
        if self.form == "chat":
            return (_sections(names, values) + "[[ ## completed ## ]]")
        return "{" + ", ".join(f'"{name}": {json_text(values[name])}'
                               for name in names) + "}"


class _Repair(Adapter):
    """Asks the question again, for an object under the schema, whatever form
    the first attempt had. The bad reply is not shown, since small models copy
    it."""

    def _reminder(self, signature):
        keys = ", ".join(f'"{name}"' for name in signature.output_fields)
        return (f"\n\nAnswer with one JSON object, with the keys {keys}. Write "
                "that object and nothing else, each value as its output field "
                "asks for it.")

    def parse(self, signature, completion):
        return Adapter("json").parse(signature, completion)

    def ask(self, lm, lm_kwargs, signature, demos, inputs):
        return Base.__call__(self, lm, self._schema(lm_kwargs, signature),
                             signature, demos, inputs)

    async def aask(self, lm, lm_kwargs, signature, demos, inputs):
        return await Base.acall(self, lm, self._schema(lm_kwargs, signature),
                                signature, demos, inputs)

    @staticmethod
    def _schema(lm_kwargs, signature):
        return {**lm_kwargs, "response_format": response_format(signature)}


def response_format(signature):
    """Returns the response format that constrains a server to the outputs'
    schema."""
    specs = _specs(signature.output_fields)
    schema = {"type": "object",
              "properties": {name: fields.schema(spec)
                             for name, spec in specs.items()},
              "required": list(specs), "additionalProperties": False}
    return {"type": "json_schema",
            "json_schema": {"name": "reply", "strict": True, "schema": schema}}


# --- pieces ---

def _message(role, content):
    return {"role": role, "content": content}


def _specs(infos):
    return {name: fields.spec_of(name, info) for name, info in infos.items()}


def _values(signature, given):
    """Returns the values of the signature's fields in JSON's types. A value is
    left out, with its section, if it is missing, or None in a field that is not
    optional."""
    values = {}
    for name, info in signature.fields.items():
        if name not in given:
            continue
        if given[name] is None and not fields.spec_of(name, info).get("optional"):
            continue
        values[name] = fields.plain(given[name])
    return values


def _sections(names, values):
    return "".join(f"[[ ## {name} ## ]]\n{value_text(values[name])}\n\n"
                   for name in names)


def _question(signature, values):
    names = [name for name in signature.input_fields if name in values]
    return _sections(names, values).rstrip("\n") or "Answer."


def _fields(signature, quotes=False):
    """quotes: whether the labels of the outputs are quoted, as in JSON."""
    return (_field_list("Input fields:\n", signature.input_fields,
                        fields.describe) +
            _field_list("Output fields:\n", signature.output_fields,
                        _describe_quoted if quotes else fields.describe))


def _field_list(heading, infos, describe):
    if not infos:
        return ""
    lines = []
    for number, (name, spec) in enumerate(_specs(infos).items(), 1):
        kind, desc = describe(spec), spec.get("desc", "")
        lines.append(f"{number}. `{name}`" + (f" ({kind})" if kind else "") +
                     (f": {desc}" if desc else "") + "\n")
    return heading + "".join(lines) + "\n"


def _describe_quoted(spec):
    if "enum" in spec:
        return "one of: " + _labels(spec, "; ")
    return fields.describe(spec)


def _labels(spec, between):
    return (between.join(map(json_text, spec["enum"])) +
            (", or null" if spec.get("optional") else ""))


def _choices(signature):
    """Returns the labels once more; they follow the task of the chat form."""
    lines = [f"`{name}` is {fields.describe(spec)}" for name, spec in
             _specs(signature.output_fields).items() if "enum" in spec]
    return "\n\n" + "\n".join(lines) if lines else ""


def _template(infos):
    return "".join(f"[[ ## {name} ## ]]\n{{{name}}}\n\n" for name in infos)


def _chat_form(signature):
    first = next(iter(signature.output_fields))
    return ("Every exchange has this form, with the values filled in:\n\n" +
            _template(signature.input_fields) +
            _template(signature.output_fields) +
            "[[ ## completed ## ]]\n\nThe user writes what comes before "
            f"[[ ## {first} ## ]]; you answer with the rest.\n\n")


def _json_form(signature):
    text = ""
    if signature.input_fields:
        text = ("The user gives the input fields like this:\n\n" +
                _template(signature.input_fields))
    specs = _specs(signature.output_fields)
    places = [_json_place(name, spec, number == len(specs))
              for number, (name, spec) in enumerate(specs.items(), 1)]
    return (text + "Answer with the output fields as one JSON object with these "
            "keys in this order, and nothing else:\n\n{\n" +
            "".join(places) + "}")


def _json_place(name, spec, last):
    """Returns the place of a value, with its labels beside it."""
    quote = '"' if spec.get("type") == "str" or "enum" in spec else ""
    note = (f"   (exactly one of: {_labels(spec, ', ')})" if "enum" in spec
            else "")
    return (f'  "{name}": {quote}{{{name}}}{quote}' + ("" if last else ",") +
            note + "\n")
