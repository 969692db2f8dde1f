"""Exports a DSPy program as a job folder of promptcc.

To find out how values flow through a program, it is run once with a stand-in
for every value: each output of each predictor gets a unique text. Where that
text arrives as an input of another predictor, or in the result, the job gets a
connection. So `forward` may be written in any way that passes values on as they
are, or puts them into a dict. A job has no step for what Python computes from a
value; such a program is refused, and the error names the place.
"""

import functools
import inspect
import json
import pathlib
import sys
import warnings

import cloudpickle
import dspy
import yaml
from dspy.adapters.base import Adapter as Base

from . import fields
from .names import predictors_of

TOKEN = "\u27e6promptcc:%s\u27e7"


def export(program, trainset, metric, folder="job", *, name=None, model=None,
           teacher=None, valset=None, testset=None, optimizer=None,
           budget=None, options=None):
    """Writes `folder`: job.yaml, the examples, and the metric as a program.

    program    a dspy.Module of Predict and ChainOfThought modules
    trainset   dspy.Examples with inputs; also for valset and testset. Without
               these two, the job splits the examples itself
    metric     metric(example, prediction, trace=None), or with the arguments of
               dspy.GEPA; returns a truth value, a number from 0 to 1, or a
               prediction with `score` and `feedback`
    model      the student, by its name on the model server; by default the
               model of the configured LM
    optimizer  as in a job file, for example {"gepa": {"auto": "light"}}

    Returns the path of the job file. If the export fails, the folder stays as it
    was.
    """
    sets = _checked(trainset=trainset, valset=valset, testset=testset)
    if not isinstance(program, dspy.Module):
        raise ValueError(f"the program is {program!r:.80}: give a dspy.Module, not "
                         "its class or its signature")
    if not callable(metric):
        raise ValueError(f"the metric is {metric!r:.80}: give a function that "
                         "scores an example and a prediction")
    flow = _Flow(program, sets["trainset"][0])
    folder = pathlib.Path(folder)
    data, files = _data(flow, sets)
    job = {"name": name or _job_name(folder),
           "models": _models(program, model, teacher, options),
           "inputs": flow.inputs, "steps": flow.steps, "outputs": flow.outputs,
           "data": data,
           "metric": {"exec": {"command": [sys.executable, "metric.py",
                                           "metric.pkl"]}}}
    if optimizer is not None:
        job["optimizer"] = optimizer
    if budget is not None:
        job["budget"] = budget
    files["metric.py"] = PROGRAM.encode()
    files["metric.pkl"] = _pickled(metric, flow,
                                   [row for rows in sets.values() for row in rows])
    files["job.yaml"] = yaml.safe_dump(job, sort_keys=False, allow_unicode=True,
                                       width=100).encode()
    _write(folder, files)
    return folder / "job.yaml"


def _write(folder, files):
    """Writes all files, {name: bytes}, or leaves the folder as it was: half a new
    job beside half an old one would be a job that nobody meant."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {folder / (name + ".part"): folder / name for name in files}
    try:
        for part, whole in parts.items():
            part.write_bytes(files[whole.name])
        for part, whole in parts.items():
            part.replace(whole)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _checked(**sets):
    """Returns the given sets as lists. Raises ValueError if one is empty, or if
    an example does not say what its inputs are."""
    checked = {}
    for name, rows in sets.items():
        if rows is None and name != "trainset":
            continue
        rows = list(rows or [])
        if not rows:
            raise ValueError(f"{name} is empty: give it examples"
                             + (", or leave it out" if name != "trainset" else ""))
        for number, row in enumerate(rows, 1):
            if not getattr(row, "_input_keys", None):
                raise ValueError(
                    f"example {number} of {name} does not say what its inputs are: "
                    "make it with dspy.Example(...).with_inputs(...)")
        checked[name] = rows
    return checked


def _job_name(folder):
    return folder.resolve().name


def _models(program, model, teacher, options):
    if model is None:
        lms = {id(lm): lm for lm in
               (one.lm or dspy.settings.lm for one in program.predictors())
               if lm is not None}
        if len(lms) != 1:
            raise ValueError("for which model should the job compile? Give "
                             "model=..., or configure one LM for the whole program")
        model = next(iter(lms.values())).model.partition("/")[2] or \
            next(iter(lms.values())).model
    models = {"student": model}
    if teacher is not None:
        models["teacher"] = teacher
    if options is not None:
        models["options"] = options
    return models


# --- how values flow ---

class _Trace(Base):
    """Answers every question with a text that names its field."""

    def __init__(self):
        super().__init__()
        self.calls = {}

    def __call__(self, lm, lm_kwargs, signature, demos, inputs):
        step = lm.promptcc_step
        if step in self.calls:
            raise fields.Unsupported(
                f"the program asks `{step}` more than once: a job has no loops. "
                "Make a separate module for each time")
        self.calls[step] = signature, dict(inputs)
        return [{name: TOKEN % f"{step}.{name}"
                 for name in signature.output_fields}]


class _NoModel(dspy.BaseLM):
    def __init__(self, step):
        super().__init__(model="none")
        self.promptcc_step = step


class _Flow:
    """The inputs, steps and outputs, as in a job file."""

    def __init__(self, program, example):
        _refuse_modules(program)
        _tell_demos(program)
        names = list(example.inputs().keys())
        self.inputs = {name: {"type": "str"} for name in names}
        self.steps, self.outputs, self.annotations = {}, {}, {}
        self.composed = {}
        trace, result, idle = self._run(program, names)
        self.tokens = {TOKEN % name: name for name in names}
        self.tokens.update({TOKEN % f"{step}.{field}": f"{step}.{field}"
                            for step, (signature, _) in trace.calls.items()
                            for field in signature.output_fields})
        for step, (signature, given) in trace.calls.items():
            self._add_step(step, signature, given)
        self._add_outputs(result)
        if idle:
            raise fields.Unsupported(
                f"the program did not ask `{min(idle)}` when it was followed: "
                "steps that run only sometimes have no place in an exported job")

    def _run(self, program, names):
        copy = program.deepcopy()
        predictors = predictors_of(copy)
        self.reasons = {step for step, one in predictors.items()
                        if _reasons(copy, one)}
        for step, predictor in predictors.items():
            predictor.lm = _NoModel(step)
        trace = _Trace()
        try:
            with dspy.context(adapter=trace, trace=[],
                              warn_on_type_mismatch=False):
                result = copy(**{name: TOKEN % name for name in names})
        except fields.Unsupported:
            raise
        except Exception as error:
            raise fields.Unsupported(
                "the program could not be followed: it failed when every value "
                f"was a text that only names its field ({error}). A job hands "
                "values on as they are") from error
        return trace, result, set(predictors) - set(trace.calls)

    def _source(self, value, where, wish):
        """Returns the source of a value: an input, a step's field, or a
        composed value."""
        if isinstance(value, str) and value in self.tokens:
            return self.tokens[value]
        if isinstance(value, dict) and value:
            return self._compose(value, where, wish)
        raise fields.Unsupported(
            f"{where} is computed in Python ({value!r:.80}): a job hands values "
            "on as they are, or as a dict of values. Let a module compute it, "
            "or pass in the values that it is computed from")

    def _compose(self, value, where, wish):
        entries = {key: self._source(one, f"{where}, `{key}`", key)
                   for key, one in value.items()}
        for name, known in self.composed.items():
            if known == entries:
                return name
        name = wish
        while name in self.steps or name in self.inputs:
            name += "_"
        self.composed[name] = entries
        self.steps[name] = {"compose": entries}
        return name

    def _add_step(self, step, signature, given):
        sources = {}
        for name, info in signature.input_fields.items():
            if name not in given:
                raise fields.Unsupported(f"the step `{step}` gets no `{name}`")
            sources[name] = self._source(given[name],
                                         f"`{name}` of the step `{step}`", name)
            if sources[name] in self.inputs:
                self._note_input(sources[name], name, info)
        outputs = {name: fields.spec_of(name, info) for name, info in
                   signature.output_fields.items()
                   if not (step in self.reasons and name == "reasoning")}
        for name, info in signature.output_fields.items():
            self.annotations[f"{step}.{name}"] = info.annotation
        kind = "chain_of_thought" if step in self.reasons else "predict"
        self.steps[step] = {kind: signature.instructions, "inputs": sources,
                            "outputs": outputs}

    def _note_input(self, source, name, info):
        """Takes an input's spec from the first step that reads it."""
        spec = fields.spec_of(name, info)
        if self.inputs[source] == {"type": "str"}:
            self.inputs[source] = spec

    def _add_outputs(self, result):
        if not hasattr(result, "items"):
            raise fields.Unsupported(
                f"the program returns {type(result).__name__}: a job's program "
                "returns a dspy.Prediction, such as dspy.Prediction(answer=...)")
        for name, value in dict(result).items():
            source = self._source(value, f"the result `{name}`", name)
            step, _, field = source.partition(".")
            if not (field == "reasoning" and step in self.reasons):
                self.outputs[name] = source
        if not self.outputs:
            raise fields.Unsupported("the program returns no result")


def _refuse_modules(program):
    """Refuses BestOfN, ReAct and other modules that do more than their
    predictors show."""
    for name, module in program.named_sub_modules():
        if type(module).__module__.startswith("dspy.") and not isinstance(
                module, (dspy.Predict, dspy.ChainOfThought)):
            raise fields.Unsupported(
                f"`{name}` is a {type(module).__name__}: a job is made of "
                "Predict and ChainOfThought, and of modules of your own that "
                "call them")


def _tell_demos(program):
    given = [name for name, one in predictors_of(program).items() if one.demos]
    if given:
        warnings.warn(
            f"the demos of {', '.join(given)} are not exported: a job chooses its "
            "own from the examples, and its baseline has none", stacklevel=4)


def _reasons(program, predictor):
    return any(isinstance(module, dspy.ChainOfThought) and
               module.predict is predictor
               for _, module in program.named_sub_modules())


# --- data ---

def _data(flow, sets):
    """Returns `data` of the job file, and the files that it names."""
    if list(sets) == ["trainset"]:
        return ({"examples": "examples.jsonl"},
                {"examples.jsonl": _lines(flow, "trainset", sets["trainset"])})
    data = {name.removesuffix("set"): f"{name.removesuffix('set')}.jsonl"
            for name in sets}
    return data, {data[name.removesuffix("set")]: _lines(flow, name, rows)
                  for name, rows in sets.items()}


def _whole(flow, name, value):
    """Returns a label with the members that its model sets by default."""
    annotation = flow.annotations.get(flow.outputs.get(name))
    try:
        return value if annotation is None else fields.typed(annotation, value)
    except ValueError:
        return value  # promptcc reports what is wrong, and where


def _lines(flow, name, rows):
    lines = []
    for number, row in enumerate(rows, 1):
        try:
            whole = {key: fields.plain(_whole(flow, key, value))
                     for key, value in dict(row).items()}
            lines.append(json.dumps(whole, ensure_ascii=False, allow_nan=False)
                         .encode() + b"\n")
        except ValueError as error:
            raise fields.Unsupported(
                f"example {number} of {name}: {error}") from error
    return b"".join(lines)


# --- the metric ---

PROGRAM = '''\
"""The metric of the exported program: reads and writes lines of JSON."""

import json
import os
import sys

# What the metric prints goes to standard error, so that it does not mix with the
# answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import cloudpickle
import dspy

with open(sys.argv[1], "rb") as file:
    saved = cloudpickle.load(file)


def typed(kinds, values):
    """Returns the values as Python objects: members of an Enum, models."""
    return {name: value if value is None or name not in kinds
            else saved["typed"](kinds[name], value)
            for name, value in values.items()}


def result(given):
    if not hasattr(given, "keys"):
        if given is None or isinstance(given, str):
            raise TypeError(f"the metric returned {given!r:.80}; it must return True "
                            "or False, a number from 0 to 1, or a prediction "
                            "with `score` and `feedback`")
        return {"score": float(given)}
    made = {"score": float(given["score"])}
    if given.get("feedback"):
        made["feedback"] = str(given["feedback"])
    return made


for line in sys.stdin:
    asked = json.loads(line)
    example = dspy.Example(**typed(saved["kinds"], asked["example"]))
    outputs = typed(saved["annotations"], asked["outputs"])
    given = saved["metric"](example.with_inputs(*saved["inputs"]),
                            dspy.Prediction(**outputs),
                            *[None] * saved["nones"])
    print(json.dumps(result(given)), file=answers, flush=True)
'''


def _pickled(metric, flow, rows):
    """Returns the metric and what it needs, as the program reads it."""
    saved = {"metric": metric, "typed": fields.typed,
             "inputs": list(rows[0].inputs().keys()),
             "nones": _required(metric) - 2, "kinds": _kinds(rows),
             "annotations": {name: flow.annotations[source] for name, source in
                             flow.outputs.items() if source in flow.annotations}}
    known = cloudpickle.list_registry_pickle_by_value()
    own = [module for name, module in list(sys.modules.items())
           if name not in known and _is_own(module)]
    try:
        for module in own:
            cloudpickle.register_pickle_by_value(module)
        return cloudpickle.dumps(saved)
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _kinds(rows):
    """Returns {field: annotation} of the values in the examples that JSON
    cannot represent."""
    kinds = {}
    for row in rows:
        for name, value in dict(row).items():
            kind = fields.kind_of(value)
            if kind is not None:
                kinds.setdefault(name, kind)
    return kinds


def _is_own(module):
    """Returns True for a module of the user's (or of this package), which the
    metric's process may not find."""
    path = getattr(module, "__file__", None)
    return path is not None and "site-packages" not in path and \
        "dist-packages" not in path and module.__name__ != "__main__" and \
        module.__name__.partition(".")[0] not in sys.stdlib_module_names


def _required(metric):
    """Returns the number of arguments that the metric requires: two, or the
    five of GEPA."""
    parameters = inspect.signature(metric).parameters.values()
    return max(2, sum(one.default is one.empty and one.kind in
                      (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
                      for one in parameters))
