"""Loads a compiled file into a real DSPy program, and scores it if asked to.

Runs in a Python that has DSPy; test_dspy.py talks to it in JSON. Input:

    {"compiled": PATH,
     "steps": [{"name", "cot": bool, "instructions", "inputs": [NAME...],
                "outputs": {NAME: [LABEL...] or null}}...],
     "score": null or {"url", "model", "rows": PATH, "label": NAME}}

Output: {"loaded": {PREDICTOR: {"instructions", "demos", "fields": [[PREFIX,
DESCRIPTION]...]}}, "plain": SCORE, "compiled": SCORE}. Scores are from 0 to 1
and are those of the first step alone.
"""

import json
import sys
from typing import Literal

import dspy


def signature(step):
    fields = {name: (str, dspy.InputField()) for name in step["inputs"]}
    for name, labels in step["outputs"].items():
        kind = Literal[tuple(labels)] if labels else str
        fields[name] = (kind, dspy.OutputField())
    return dspy.make_signature(fields, step["instructions"])


class Program(dspy.Module):
    def __init__(self, steps):
        super().__init__()
        for step in steps:
            kind = dspy.ChainOfThought if step["cot"] else dspy.Predict
            setattr(self, step["name"], kind(signature(step)))


def loaded(program):
    return {name: {
        "instructions": predictor.signature.instructions,
        "demos": [dict(demo) for demo in predictor.demos],
        "fields": [[field.json_schema_extra["prefix"],
                    field.json_schema_extra["desc"]]
                   for field in predictor.signature.fields.values()],
    } for name, predictor in program.named_predictors()}


def score(predictor, spec):
    with open(spec["rows"]) as lines:
        rows = [json.loads(line) for line in lines]
    label = spec["label"]
    devset = [dspy.Example(**row).with_inputs(*(k for k in row if k != label))
              for row in rows]
    evaluate = dspy.Evaluate(
        devset=devset, num_threads=4, display_progress=False,
        max_errors=len(devset),  # a reply that DSPy cannot read scores 0
        metric=lambda row, made, trace=None:
            row[label].strip().lower() == str(made[label]).strip().lower())
    return evaluate(predictor).score / 100


def main():
    spec = json.load(sys.stdin)
    plain, program = Program(spec["steps"]), Program(spec["steps"])
    program.load(spec["compiled"])
    out = {"dspy": dspy.__version__, "loaded": loaded(program)}
    if spec["score"]:
        server = spec["score"]
        dspy.configure(lm=dspy.LM(
            "openai/" + server["model"], api_base=server["url"] + "/v1",
            api_key="none", temperature=0, max_tokens=300, cache=False))
        first = spec["steps"][0]["name"]
        out["plain"] = score(getattr(plain, first), server)
        out["compiled"] = score(getattr(program, first), server)
    print("\n" + json.dumps(out))


main()
