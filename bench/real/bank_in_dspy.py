"""Runs DSPy's own optimizer on the bank's questions; for compare.py.

    bank_in_dspy.py FOLDER OPTIMIZER SEED URL THREADS MODEL

OPTIMIZER is one of bench/dspy/through_dspy.py, or `none` for the program as
written. Prints {"search": figures of what the search sent, "right": [0 or 1 for
each row of test.jsonl], "error"}.
"""

import json
import pathlib
import sys
from typing import Literal

import dspy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "dspy"))
import through_dspy  # noqa: E402


class SchemaLM(dspy.LM):
    """An LM whose server enforces a JSON schema. DSPy cannot know that of a
    model outside its catalog, and would then send no schema."""

    supports_response_schema = True
    supported_params = {"response_format", "temperature", "max_tokens"}


class Classify(dspy.Signature):
    """Classify the message."""
    message: str = dspy.InputField(desc="Question of a customer of a bank")
    intent: str = dspy.OutputField()


def right_rows(program, rows, threads):
    evaluate = dspy.Evaluate(devset=rows, metric=through_dspy.score,
                             num_threads=threads, display_progress=False,
                             max_errors=len(rows))
    return [int(bool(score)) for _, _, score in evaluate(program).results]


def main(folder, optimizer, seed, url, threads, model):
    folder, threads = pathlib.Path(folder), int(threads)
    train, val, test = (through_dspy.read(folder / f"{name}.jsonl")
                        for name in ("train", "val", "test"))
    how = {"api_base": url + "/v1", "api_key": "none", "num_retries": 5}
    student = SchemaLM("openai/" + model, temperature=0, max_tokens=60, **how)
    teacher = SchemaLM("openai/" + model, max_tokens=512, temperature=(
        1 if optimizer == "gepa" else 0), **how)
    dspy.configure(lm=student, adapter=dspy.JSONAdapter())
    labels = tuple(dict.fromkeys(row.intent for row in train))
    program = dspy.Predict(Classify.with_updated_fields(
        "intent", type_=Literal[labels]))

    out = {"error": None}
    try:
        made = program if optimizer == "none" else through_dspy.search(
            optimizer, int(seed), threads, teacher, program, train, val)
    except Exception as fault:  # a crash is a result, too
        out["error"] = f"{type(fault).__name__}: {fault}"[:200]
        made = program
    out["search"] = through_dspy.figures(url)
    out["right"] = right_rows(made, test, threads)
    out["instruction"] = made.signature.instructions
    out["demos"] = len(made.demos)
    print("RESULT " + json.dumps(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
