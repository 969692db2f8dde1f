"""The part of test_python.py that runs in a Python with DSPy. It reads one line
of JSON, which names a function of this file, and writes one line."""

import asyncio
import json
import pathlib
import sys

import dspy

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "python"))
import promptcc  # noqa: E402
from promptcc.names import predictors_of  # noqa: E402


def render(files):
    """Returns the messages that DSPy sends for each [compiled, step,
    inputs]."""
    messages = []
    for compiled, step, inputs in files:
        program = promptcc.load(compiled)
        predictor = predictors_of(program)[step]
        messages.append(program.adapter.format(predictor.signature,
                                               predictor.demos, inputs))
    return messages


def pick(compiled, questions):
    """Returns the messages that DSPy sends in a step with a pool, for each
    question."""
    program = promptcc.load(compiled)
    (step, pool), = program.pools.items()
    signature = predictors_of(program)[step].signature
    messages = [program.adapter.format(signature, pool.pick({"message": one}),
                                       {"message": one}) for one in questions]
    try:
        promptcc.load(compiled, Shop())
        refused = ""
    except ValueError as error:
        refused = str(error)
    return {"messages": messages, "refused": refused}


def odd(folder):
    """Exports programs as people write them; reports what is refused, and how
    labels come back."""
    import enum
    import functools
    import warnings
    from typing import Annotated, Literal

    import numpy
    import pydantic
    from promptcc import fields, reading, vote

    class Level(enum.Enum):
        LOW, HIGH = 1, 2

    class Place(pydantic.BaseModel):
        town: str
        level: Level = Level.LOW

    class Calls(dspy.Module):
        def __init__(self, inner, how):
            super().__init__()
            self.inner, self.how = inner, how

        def forward(self, q):
            return self.how(self.inner, q)

    def exported(program, metric=lambda e, p, trace=None: True, a="1"):
        rows = [dspy.Example(q=f"q {i}", a=a).with_inputs("q") for i in range(4)]
        promptcc.export(program, rows, metric, pathlib.Path(folder), model="m:1")
        return (pathlib.Path(folder) / "examples.jsonl").read_text()

    def refusal(program):
        try:
            exported(program)
        except ValueError as error:
            return str(error)
        return ""

    def damaged(text):
        """Returns what load says of such a file."""
        path = pathlib.Path(folder) / "damaged.json"
        path.write_bytes(text)
        try:
            promptcc.load(path)
        except ValueError as error:
            return str(error)
        return ""

    class Tree(pydantic.BaseModel):
        leaves: list["Tree"]

    predict = dspy.Predict("q -> a")
    signature = dspy.Signature("q -> a")
    shown = predict.deepcopy()
    shown.demos = [dspy.Example(q="x", a="y")]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        exported(shown)
    exported(predict, functools.partial(lambda k, e, p, trace=None: True, 3))

    def read(specs, text, as_json=False):
        try:
            return reading.read(specs, text, as_json)
        except ValueError:
            return "fault"

    def refused_set(metric=len, **sets):
        """Returns what export says of such examples, or of such a metric."""
        some = [dspy.Example(q="q", a="x").with_inputs("q")]
        try:
            promptcc.export(predict, metric=metric, model="m:1", folder=folder,
                            **{"trainset": some, **sets})
        except ValueError as error:
            return str(error)
        return ""

    text, number = {"t": {"type": "str"}}, {"n": {"type": "float"}}
    return {
        "refused": {
            "best of n": refusal(dspy.BestOfN(predict, 3, lambda a, p: 1.0, 1.0)),
            "text": refusal(Calls(predict, lambda p, q: p(q=q).a)),
            "image": refusal(dspy.Predict(signature.with_updated_fields(
                "q", type_=dspy.Image))),
            "itself": refusal(dspy.Predict(signature.with_updated_fields(
                "a", type_=Tree))),
        },
        "limits": [fields.type_of("n", one) for one in (
            Annotated[int, pydantic.Field(gt=0, lt=9)],
            list[Annotated[float, pydantic.Field(gt=0, le=1)]])],
        "damaged": [damaged(text) for text in (
            b"", b"[]", b"\xff", b'{"metadata": null}',
            b'{"metadata": {"promptcc": {"format": 3}}}')],
        "demos": [str(one.message) for one in told],
        "whole": exported(dspy.Predict(signature.with_updated_fields(
            "a", type_=Place)), a={"town": "x"}),
        "sets": [refused_set(**sets) for sets in (
            {"trainset": []}, {"valset": []},
            {"testset": [dspy.Example(q="q", a="x")]}, {"metric": None})],
        "of numpy": fields.plain({"a": numpy.int64(3), "b": numpy.bool_(True),
                                  "c": numpy.array([[1.5], [2]])}),
        "typed": [fields.typed(Literal[1, 2], "2"),
                  fields.typed(Literal[True, False], "False"),
                  fields.typed(list[Level], ["2"])[0].name,
                  fields.typed(Place, {"town": "x", "level": "2"}).level.name],
        "read_as_promptcc_does": [
            read(text, "**[[ ## t ## ]]**\na"), read(text, "a<|fim_end|>"),
            read(text, "<|im_start|>assistant\na<|im_end|>\n<|im_start|>user"),
            read(text, "<|think|>b?<|/think|>a"), read(text, "<answer>a</answer>"),
            read(text, "t: a"), read(text, "{'t': 'a'}"),
            read(text, '{"t": "\\ud83d"}', True),
            read({"n": {"type": "int"}}, "7.000"),
            read({"o": {"object": {"note": {"type": "str", "optional": True}}}},
                 '{"o": {"Note": "x"}}', True)],
        "ends": [read(text, "[[ ## t ## ]]\na" + end) for end in (
            " [[completed]]", "[[ ##completed## ]]", "\n[[ ## comp",
            " **[[ ## completed ## ]]**", "\n[[ ## /t ## ]]",
            "\n## completed ##", " [[1]]")],
        "votes": vote.count(
            {"vote": {"n": ["a", "b", "c"]}, "field": "n"},
            {"a": "x", "b": "Caf\u00e9", "c": "cafe\u0301\u200b"})["n"],
        "thoughts": [read(text, one) for one in (
            "[[ ## t ## ]]\na\n<think>b</think>\nc",
            "[[ ## t ## ]]\na\n<think>b</think>", "a</think>b",
            "<|channel|>analysis<|message|>b<|channel|>final<|message|>a",
            # Takes hours if each beginning is looked up to the end.
            "<think>b\n" * 200_000)],
        "spelt": [
            read({"v": {"enum": ["1.1", "1.10"]}}, '{"v": 1.10}', True),
            read(text, '{"t": "\\frac"}', True),
            read(text, '{"t": "\\new\\foo"}', True),
            *(read({"n": {"type": "int"}}, number) for number in (
                "9007199254740993", "9223372036854775808", "1e20", "1e3"))],
        "nulls": [
            read({"t": {"type": "str", "optional": True}}, *one) for one in (
                ("[[ ## t ## ]]\n", False), ("[[ ## t ## ]]\nnull", False),
                ("[[ ## t ## ]]\nNone", False), ('{"t": "null"}', True),
                ('{"t": null}', True))] + [
            read({"n": {"type": "int", "optional": True}}, "[[ ## n ## ]]\nN/A")],
        "read": [
            read(text, "[[ ## t ## ]]\na\n[[ ## t ## ]]\nb"),
            read(text, "[[ ## t ## ]]\n[[ ## t ## ]]\nb"),
            read(text, "[[ ## t ## ]]\na\n[[ ## q ## ]]\n[[ ## t ## ]]\nb"),
            read(text, "<think>is it a"), read(text, "[[ ## x ## ]]\na"),
            read(text, '{"t": "a"} {"t": "b"}'), read(text, "{t}"),
            read(text, '{"t": "a", "t": "b"}', True),
            read(number, "nan"), read(number, "1_000"), read(number, "1e999"),
            read(number, "2.5"),
        ],
    }


def printing(folder):
    def loud(example, prediction, trace=None):
        print("the answer is", prediction.a)
        return True

    rows = [dspy.Example(q=f"q {i}", a="x").with_inputs("q") for i in range(30)]
    job = promptcc.export(dspy.Predict("q -> a"), rows, loud, folder, model="m:1")
    return {"job": str(job)}


def own_types(folder):
    """Exports a metric and types from the user's own files, and examples that
    contain members of an Enum and models."""
    shop = pathlib.Path(folder) / "shop"
    shop.mkdir(parents=True)
    (shop / "__init__.py").touch()
    (shop / "kinds.py").write_text(
        "import enum\nimport pydantic\n"
        "class Kind(enum.Enum):\n    LATE = 'late'\n    LOST = 'lost'\n"
        "class Parcel(pydantic.BaseModel):\n    number: int\n    kind: Kind\n")
    (shop / "score.py").write_text(
        "from . import kinds\n"
        "def metric(example, prediction, trace=None):\n"
        "    assert isinstance(example.hint, kinds.Kind)\n"
        "    assert example.parcel.number > 0\n"
        "    assert example.text.startswith('parcel ')\n"
        "    return (example.kinds == prediction.kinds\n"
        "            and example.found == prediction.found)\n")
    sys.path.insert(0, str(folder))
    from shop import kinds, score
    signature = dspy.Signature({
        "text": (str, dspy.InputField()),
        "parcel": (kinds.Parcel, dspy.InputField()),
        "kinds": (list[kinds.Kind], dspy.OutputField()),
        "found": (kinds.Parcel, dspy.OutputField())})
    rows = [dspy.Example(
        text=f"parcel {i}", hint=kinds.Kind.LOST,
        parcel=kinds.Parcel(number=i + 1, kind=kinds.Kind.LOST),
        kinds=[] if i == 0 else [kinds.Kind.LATE],
        found=kinds.Parcel(number=i + 2, kind=kinds.Kind.LATE)).with_inputs(
            "text", "parcel") for i in range(30)]
    job = promptcc.export(dspy.Predict(signature), rows, score.metric,
                          pathlib.Path(folder) / "job", model="m:1")
    return {"folder": str(job.parent)}


def annotated():
    """Uses an Adapter alone, on signatures as DSPy's users write them."""
    import enum
    from typing import Literal, Optional

    import pydantic

    class Kind(enum.Enum):
        LATE = "late"
        LOST = "lost"

    class Parcel(pydantic.BaseModel):
        number: int = pydantic.Field(ge=1, description="Printed on it")
        kind: Kind
        notes: list[str]

    class Sort(dspy.Signature):
        """Sort it."""
        text: str = dspy.InputField(desc="What came in")
        hints: Optional[list[str]] = dspy.InputField()
        topic: Literal["a", "b"] = dspy.OutputField()
        sure: float = dspy.OutputField(ge=0, le=1)
        parcel: Parcel = dspy.OutputField()

    demo = dspy.Example(text="x", hints=["y", "z"], topic="a", sure=1.0,
                        parcel=Parcel(number=3, kind=Kind.LOST, notes=["é\n"]))
    adapter = promptcc.Adapter("chat")
    messages = adapter.format(Sort, [demo], {"text": "q", "hints": None})
    reply = ('[[ ## topic ## ]]\n**A**\n[[ ## sure ## ]]\n0.5\n[[ ## parcel ## ]]'
             '\n{"number": 2, "kind": "Late", "notes": []}')
    read = adapter.parse(Sort, reply)
    return {"messages": messages, "topic": read["topic"], "sure": read["sure"],
            "parcel": read["parcel"].model_dump(mode="json"),
            "is_parcel": isinstance(read["parcel"], Parcel)}


class Shop(dspy.Module):
    """A program with two steps, a dict between them, and a result of three
    values."""

    def __init__(self):
        super().__init__()
        from typing import Literal
        topic = Literal["delivery", "returns", "opening", "plants"]
        self.sort = dspy.Predict(dspy.Signature(
            "message -> topic", "Sort the message.").with_updated_fields(
                "topic", type_=topic))
        self.reply = dspy.ChainOfThought(dspy.Signature(
            "message, facts: dict -> reply", "Answer it."))

    def forward(self, message):
        topic = self.sort(message=message).topic
        made = self.reply(message=message, facts={"topic": topic})
        return dspy.Prediction(topic=topic, reply=made.reply)


def metric(example, prediction, trace=None):
    return dspy.Prediction(score=float(example.topic == prediction.topic),
                           feedback=f"it is {example.topic}")


def export(folder, rows, model):
    trainset = [dspy.Example(**row).with_inputs("message") for row in rows]
    path = promptcc.export(Shop(), trainset, metric, folder, model=model,
                           optimizer={"labeled_few_shot": {"k": 4}})
    refused = {}
    for name, forward in REFUSED.items():
        program = Shop()
        program.forward = forward.__get__(program)
        try:
            promptcc.export(program, trainset, metric, folder + "-refused",
                            model=model)
        except ValueError as error:
            refused[name] = str(error)
    return {"path": str(path), "refused": refused}


def _twice(self, message):
    self.sort(message=message)
    return self.sort(message=message)


def _computed(self, message):
    return self.sort(message=message.upper())


def _sometimes(self, message):
    return self.sort(message=message)


REFUSED = {"twice": _twice, "computed": _computed, "sometimes": _sometimes}


def run(compiled, url, messages):
    """Runs the file's own pipeline, and the exported program with the file
    loaded into it."""
    lm = dspy.LM("openai/llama3.2:3b", api_base=url + "/v1", api_key="none",
                 temperature=0, max_tokens=200, cache=False)
    with dspy.context(lm=lm, adapter=promptcc.Adapter("chat")):
        return [[dict(program(message=message)) for message in messages]
                for program in (promptcc.load(compiled),
                                promptcc.load(compiled, Shop()))]


def document(page, promptcc_program, url):
    """Runs the snippets of docs/python.md as they are, with `run` between them,
    on rows, a metric and a model of the test."""
    import re
    import subprocess
    take, load, adapt = re.findall(r"^```python\n(.*?)^```",
                                   pathlib.Path(page).read_text(), re.M | re.S)
    asked = [("refund", "I want my money back"), ("delivery", "a late parcel")]
    trainset = [dspy.Example(message=f"{text} {i}", response=label)
                .with_inputs("message") for i in range(15)
                for label, text in asked]

    def metric(example, prediction, trace=None):
        return len(prediction.response) % 2

    names = {"trainset": trainset, "metric": metric}
    exec(take, names)
    subprocess.run([promptcc_program, "run", "care", "--ollama", url, "--quiet",
                    "--max-calls", "200"], check=True, capture_output=True)
    ours = f'"openai/llama3.2:3b", api_base="{url}/v1", api_key="none"'
    assert '"ollama_chat/llama3.2:3b"' in load
    exec(load.replace('"ollama_chat/llama3.2:3b"', ours), names)
    exec(adapt, names)
    assert isinstance(dspy.settings.adapter, promptcc.Adapter)
    return [dict(names[one](message="Where is my parcel?"))
            for one in ("best", "mine")]


def short_document(page, promptcc_program, url):
    """Runs the snippet of python/README.md, and in its middle the command that
    its comment names."""
    import re
    import shlex
    import subprocess
    [text] = re.findall(r"^```python\n(.*?)^```",
                        pathlib.Path(page).read_text(), re.M | re.S)
    export, command, load = re.split(r"^# then: promptcc (.*)\n", text,
                                     flags=re.M)
    names = {"program": dspy.Predict("question -> answer"),
             "metric": lambda example, prediction, trace=None:
                 len(prediction.answer) % 2,
             "trainset": [dspy.Example(question=f"What is {i}?", answer="A")
                          .with_inputs("question") for i in range(30)]}
    exec(export, names)
    subprocess.run([promptcc_program, *shlex.split(command), "--ollama", url,
                    "--quiet", "--max-calls", "200"], check=True,
                   capture_output=True)
    ours = f'"openai/llama3.2:3b", api_base="{url}/v1", api_key="none"'
    assert '"ollama_chat/llama3.2:3b"' in load
    exec(load.replace('"ollama_chat/llama3.2:3b"', ours), names)
    return dict(names["best"](question="Where is my parcel?"))


def run_alone(compiled, url, messages):
    """Runs the file's own pipeline."""
    lm = dspy.LM("openai/llama3.2:3b", api_base=url + "/v1", api_key="none",
                 temperature=0, max_tokens=200, cache=False)
    with dspy.context(lm=lm):
        program = promptcc.load(compiled)
        return [dict(program(message=message)) for message in messages]


def run_together(compiled, url, messages):
    """Runs the file's own pipeline on all messages at the same time, in one
    thread; reports what it says of inputs that do not fit."""
    lm = dspy.LM("openai/llama3.2:3b", api_base=url + "/v1", api_key="none",
                 temperature=0, max_tokens=200, cache=False)
    program = promptcc.load(compiled)

    async def ask():
        return await asyncio.gather(*[program.acall(message=message)
                                      for message in messages])

    def refusal(**inputs):
        try:
            program(**inputs)
        except TypeError as error:
            return str(error)
        return "nothing"

    with dspy.context(lm=lm):
        return {"outputs": [dict(one) for one in asyncio.run(ask())],
                "refused": [refusal(), refusal(mesage="a parcel"),
                            refusal(message=None),
                            refusal(message="a parcel", colour="red")]}


def again(folder):
    """Exports a job, and then others to the same folder, which fail late."""
    import threading
    folder, lock = pathlib.Path(folder), threading.Lock()
    program = dspy.Predict("message, size: float -> topic")

    def examples(size=1.0):
        for text in "abc":
            yield dspy.Example(message=text, size=size, topic="x").with_inputs(
                "message", "size")

    def files():
        return {one.name: one.read_bytes().decode("latin-1")
                for one in folder.iterdir()}

    def refusal(size, metric, program=program):
        try:
            promptcc.export(program, examples(size), metric, folder, model="m")
        except (TypeError, ValueError) as error:
            return str(error)
        return "nothing"

    promptcc.export(program, examples(), len, folder, model="m")
    before = files()
    refused = [refusal(2.0, lambda example, prediction: lock.locked()),
               refusal(float("nan"), len), refusal(2.0, len, dspy.Predict)]
    return {"files": sorted(before), "refused": refused,
            "changed": files() != before}


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    print("\n" + json.dumps(globals()[given["do"]](**given.get("with", {}))))
