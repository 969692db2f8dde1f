"""The names that the predictors of a DSPy program have in a job."""

import re


def step_name(path):
    """Turns a predictor's path in the program into a step's name:
    `respond.predict` of a ChainOfThought becomes `respond`. A program that is a
    single module is `answer`."""
    name = re.sub(r"(^|\.)_?predict$|^self$", "", path)
    name = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "answer"
    return f"step_{name}" if name[0].isdigit() else name


def predictors_of(program):
    """Returns {step name: predictor}, in the program's order."""
    found = {}
    for path, predictor in program.named_predictors():
        name = step_name(path)
        if name in found:
            raise ValueError(f"two predictors of the program would both be the "
                             f"step `{name}`: rename one of them")
        found[name] = predictor
    return found
