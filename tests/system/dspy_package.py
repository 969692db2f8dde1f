"""What test_python.py has done in a Python with DSPy. One line of JSON in, one
out, by the name of a function here."""

import json
import pathlib
import sys

import dspy

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "python"))
import promptcc  # noqa: E402
from promptcc.names import predictors_of  # noqa: E402


def render(files):
    """For each [compiled, step, inputs] the messages, in DSPy."""
    messages = []
    for compiled, step, inputs in files:
        program = promptcc.load(compiled)
        predictor = predictors_of(program)[step]
        messages.append(program.adapter.format(predictor.signature,
                                               predictor.demos, inputs))
    return messages


def pick(compiled, questions):
    """The messages of a step with a pool, for each question, in DSPy."""
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


def annotated():
    """An Adapter alone, on signatures that DSPy's users write."""
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
    """Two steps, a dict on the way, and a result of three values."""

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
    """The file's own pipeline, and the exported program with what it holds."""
    lm = dspy.LM("openai/llama3.2:3b", api_base=url + "/v1", api_key="none",
                 temperature=0, max_tokens=200, cache=False)
    with dspy.context(lm=lm, adapter=promptcc.Adapter("chat")):
        return [[dict(program(message=message)) for message in messages]
                for program in (promptcc.load(compiled),
                                promptcc.load(compiled, Shop()))]


def run_alone(compiled, url, messages):
    """The file's own pipeline."""
    lm = dspy.LM("openai/llama3.2:3b", api_base=url + "/v1", api_key="none",
                 temperature=0, max_tokens=200, cache=False)
    with dspy.context(lm=lm):
        program = promptcc.load(compiled)
        return [dict(program(message=message)) for message in messages]


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    print("\n" + json.dumps(globals()[given["do"]](**given.get("with", {}))))
