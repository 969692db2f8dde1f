"""What a predictor of a DSPy program is called in a job."""

import re


def step_name(path):
    """A predictor's path in the program as a step's name: `respond.predict` of
    a ChainOfThought is `respond`; a program that is one module is `answer`."""
    name = re.sub(r"(^|\.)_?predict$|^self$", "", path)
    name = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "answer"
    return f"step_{name}" if name[0].isdigit() else name


def predictors_of(program):
    """{step name: predictor}, in the program's order."""
    found = {}
    for path, predictor in program.named_predictors():
        name = step_name(path)
        if name in found:
            raise ValueError(f"two predictors of the program would both be the "
                             f"step `{name}`: rename one of them")
        found[name] = predictor
    return found
