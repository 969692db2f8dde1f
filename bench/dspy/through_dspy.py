"""Runs DSPy's own optimizer on the problem of a folder; for compare.py.

    through_dspy.py FOLDER OPTIMIZER SEED URL THREADS

Prints {"seconds", "before", "after", "error"}: the scores on test.jsonl of the
program as written and of the compiled one. It asks URL for its figures when the
search is over and the test begins, so that both are counted apart: as "search"
and "all".
"""

import json
import os
import pathlib
import sys
import time
import urllib.request
from typing import Literal

import dspy


def read(path):
    with open(path) as lines:
        return [dspy.Example(**json.loads(line)).with_inputs("message")
                for line in lines]


def figures(url):
    with urllib.request.urlopen(url + "/sim/stats") as answer:
        return json.load(answer)


class Classify(dspy.Signature):
    """Say which intent the message has."""
    message: str = dspy.InputField(desc="What the customer wrote")
    intent: str = dspy.OutputField()


class Extract(dspy.Signature):
    """Pick out what the message is about."""
    message: str = dspy.InputField(desc="What the customer wrote")
    topic: str = dspy.OutputField(desc="The thing that it is about")


class Respond(dspy.Signature):
    """Answer the customer."""
    message: str = dspy.InputField(desc="What the customer wrote")
    intent: str = dspy.InputField()
    topic: str = dspy.InputField()
    response: str = dspy.OutputField(desc="A short and friendly answer")


class Desk(dspy.Module):
    def __init__(self, labels):
        self.classify = dspy.Predict(Classify.with_updated_fields(
            "intent", type_=Literal[tuple(labels)]))
        self.extract = dspy.Predict(Extract)
        self.respond = dspy.ChainOfThought(Respond)

    def forward(self, message):
        intent = self.classify(message=message).intent
        topic = self.extract(message=message).topic
        made = self.respond(message=message, intent=intent, topic=topic)
        return dspy.Prediction(intent=intent, topic=topic,
                               response=made.response)


def same(row, made):
    return float(str(made.intent).strip().lower() == row.intent.lower())


def score(row, made, trace=None):
    return same(row, made)


def score_and_tell(row, made, trace=None, name=None, name_trace=None):
    if same(row, made):
        return dspy.Prediction(score=1.0, feedback="This is right.")
    return dspy.Prediction(
        score=0.0, feedback=f"`intent` is `{made.intent}`, "
                            f"but `{row.intent}` is right.")


def search(name, seed, threads, teacher, program, train, val):
    if name == "miprov2":
        return dspy.MIPROv2(
            metric=score, prompt_model=teacher, auto="light", seed=seed,
            teacher_settings={"lm": teacher}, num_threads=threads,
            max_errors=10 * len(val),
        ).compile(program, trainset=train, valset=val)
    if name == "bootstrap_random_search":
        return dspy.BootstrapFewShotWithRandomSearch(
            metric=score, teacher_settings={"lm": teacher},
            num_threads=threads, max_errors=10 * len(val),
        ).compile(program, trainset=train, valset=val)
    if name == "copro":
        return dspy.COPRO(metric=score, prompt_model=teacher).compile(
            program, trainset=val, eval_kwargs={"num_threads": threads})
    if name == "simba":
        return dspy.SIMBA(
            metric=score, prompt_model=teacher, num_threads=threads,
        ).compile(program, trainset=train + val, seed=seed)
    return dspy.GEPA(
        metric=score_and_tell, auto="light", reflection_lm=teacher, seed=seed,
        num_threads=threads).compile(program, trainset=train, valset=val)


def main(folder, optimizer, seed, url, threads):
    folder = pathlib.Path(folder)
    train, val, test = (read(folder / f"{name}.jsonl")
                        for name in ("train", "val", "test"))
    how = {"api_base": url + "/v1", "api_key": "none", "max_tokens": 1000,
           "num_retries": 5}
    student = dspy.LM("openai/student:14b", temperature=0, **how)
    teacher = dspy.LM("openai/teacher:70b", temperature=(
        1 if optimizer == "gepa" else 0), **how)
    dspy.configure(lm=student)
    program = Desk(dict.fromkeys(row.intent for row in train + val))
    threads = int(threads)
    evaluate = dspy.Evaluate(devset=test, metric=score, num_threads=threads,
                             display_progress=False, max_errors=len(test))

    out = {"error": None}
    start = time.monotonic()
    try:
        made = search(optimizer, int(seed), threads, teacher, program,
                      train, val)
    except Exception as fault:  # a crash is a result, too
        out["error"] = f"{type(fault).__name__}: {fault}"[:200]
        made = program
    out["seconds"] = time.monotonic() - start
    out["search"] = figures(url)
    out["before"] = evaluate(program).score / 100
    out["after"] = evaluate(made).score / 100
    if os.environ.get("SHOW"):
        for name, predictor in made.named_predictors():
            print(name, repr(predictor.signature.instructions),
                  len(predictor.demos), file=sys.stderr)
    print("RESULT " + json.dumps(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
