"""Loads a compiled file as a DSPy program."""

import contextlib
import difflib
import json
import pathlib

import dspy
from dspy.utils.exceptions import AdapterParseError

from . import fields, vote
from .adapter import Adapter
from .names import predictors_of
from .pool import Pool

KINDS = {"predict": dspy.Predict, "chain_of_thought": dspy.ChainOfThought}


def load(compiled, program=None):
    """Returns a DSPy program that is ready to run, from a compiled file.

    Without `program`, builds the file's own pipeline with its steps as modules.
    It runs under the Adapter that the file was measured with.

    `program` is the program from which the job was exported. A copy of it gets
    the file's instructions and demos; configure the Adapter yourself. A file
    that picks its demos for each question (`demos.nearest`) can only be loaded
    without `program`.
    """
    document, about = _read(compiled)
    copy = None if program is None else program.deepcopy()
    try:
        return _build(compiled, document, about, copy)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{compiled} is damaged, or was changed by hand: what it "
                         f"says of its steps does not fit together "
                         f"({type(error).__name__}: {error})") from error


def _read(compiled):
    """Returns the document and its metadata."""
    try:
        # promptcc also accepts a byte order mark.
        text = pathlib.Path(compiled).read_text(encoding="utf-8-sig")
        document = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{compiled} is not JSON ({error}), and so not a "
                         "compiled file of promptcc") from error
    about = document
    for key in ("metadata", "promptcc"):
        about = about.get(key) if isinstance(about, dict) else None
    if not isinstance(about, dict):
        raise ValueError(f"{compiled} is not a compiled file of promptcc: it has no "
                         "metadata.promptcc")
    return document, about


def _build(compiled, document, about, program):
    if about["format"] > 3:
        raise ValueError(f"{compiled} was written by a newer promptcc "
                         f"({about['version']}): update this package")
    near = [name for name, pool in about.get("pools", {}).items()
            if pool.get("by", "words") != "words"]
    if near:
        raise ValueError(f"{compiled} picks the demos of {', '.join(near)} by "
                         "embeddings, which this package cannot do: run it "
                         "with `promptcc serve`")
    if program is not None and about.get("pools"):
        raise ValueError(f"{compiled} picks the demos of "
                         f"{', '.join(about['pools'])} for each question, which "
                         "a program of your own cannot do: load the file "
                         "without `program`")
    if program is not None:
        return _into(program, document, about["program"], compiled)
    return Compiled(document, about)


def _into(copy, document, pipeline, compiled):
    for step, predictor in predictors_of(copy).items():
        state = document.get(step, document.get(step + ".predict"))
        specs = _step_specs(pipeline, step) if state is not None else {}
        if set(specs) != set(predictor.signature.fields):
            raise ValueError(f"{compiled} was compiled from another program: it "
                             f"has no step `{step}` with the fields "
                             f"{', '.join(predictor.signature.fields)}")
        for name, spec in specs.items():
            field = predictor.signature.fields[name]
            field.json_schema_extra[fields.SPEC_KEY] = spec
        predictor.signature = predictor.signature.with_instructions(
            state["signature"]["instructions"])
        predictor.demos = [dspy.Example(**demo) for demo in state["demos"]]
    return copy


def _step_specs(pipeline, name):
    """Returns {field: spec} of a step that asks a model, inputs before
    outputs."""
    step = pipeline["steps"][name]
    specs = {field: _source_spec(pipeline, source)
             for field, source in step["inputs"].items()}
    if "chain_of_thought" in step:
        specs["reasoning"] = fields.REASONING
    return {**specs, **step["outputs"]}


def _source_spec(pipeline, source):
    """Returns the spec of what an input reads: an input of the program, an
    output of a step, or a composed value."""
    if source in pipeline["inputs"]:
        return pipeline["inputs"][source]
    name, _, field = source.partition(".")
    if not field:
        return {"object": {key: _source_spec(pipeline, one) for key, one in
                           pipeline["steps"][name]["compose"].items()}}
    return _step_specs(pipeline, name)[field]


class Compiled(dspy.Module):
    """The pipeline of a compiled file. `adapter` is the one that the file was
    measured with, and `metadata` is the file's metadata.promptcc."""

    def __init__(self, document, about):
        super().__init__()
        self.metadata = about
        self.adapter = Adapter(about["adapter"])
        self.inputs = about["program"]["inputs"]
        self.outputs = about["program"]["outputs"]
        self.pools = {
            name: Pool(list(about["program"]["steps"][name]["inputs"]), pool)
            for name, pool in about.get("pools", {}).items()}
        self.order = []
        self.composed = {}
        self.votes = {}
        for name, step in about["program"]["steps"].items():
            self._add(name, step, document, about)

    def _add(self, name, step, document, about):
        self.order.append(name)
        kind = next((key for key in KINDS if key in step), None)
        if kind is not None and "when" not in step:
            state = document[name if kind == "predict" else name + ".predict"]
            setattr(self, name, _predictor(
                KINDS[kind], _step_specs(about["program"], name),
                list(step["inputs"]), state))
        elif "vote" in step and "when" not in step:
            self.votes[name] = step
            self.composed[name] = {one: one for one in vote.sources(step)}
            return
        elif "compose" not in step or "when" in step:
            raise fields.Unsupported(
                f"the step `{name}` cannot run in DSPy: only predict, "
                "chain_of_thought, compose and vote without `when` can. Run the file "
                "with `promptcc predict`, or serve it with `promptcc serve`")
        self.composed[name] = step.get("compose", step.get("inputs"))

    def forward(self, **given):
        values = self._values(given)
        with dspy.context(adapter=self.adapter):
            for name, made in self._asked(values):
                with self._may_fail(values):
                    self._take(name, getattr(self, name)(**made), values)
        return self._prediction(values)

    async def aforward(self, **given):
        """What `await program.acall(...)` runs."""
        values = self._values(given)
        with dspy.context(adapter=self.adapter):
            for name, made in self._asked(values):
                with self._may_fail(values):
                    self._take(name, await getattr(self, name).acall(**made),
                               values)
        return self._prediction(values)

    def _values(self, given):
        """Returns the inputs by name. As in `promptcc predict`, an input that is
        not there would only make the model guess, so that is an error."""
        for name in given:
            if name not in self.inputs:
                near = difflib.get_close_matches(name, self.inputs, 1)
                raise TypeError(f"there is no input `{name}`" + (
                    f", did you mean `{near[0]}`?" if near else
                    f"; the inputs are {', '.join(self.inputs)}"))
        values = {name: spec.get("default") if given.get(name) is None
                  else given[name] for name, spec in self.inputs.items()}
        for name, spec in self.inputs.items():
            if values[name] is None and not spec.get("optional"):
                raise TypeError(f"the input `{name}` is missing")
        return values

    def _asked(self, values):
        """Yields the steps that ask a model, each with what its module is
        called with. The answer to one is taken before the next is wanted."""
        for name in self._sorted():
            made = self._prepare(name, values)
            if made is not None:
                yield name, made

    def _prepare(self, name, values):
        """Returns what the step's module is called with. Returns None if the
        step asks no model, after it has been done, or cannot be asked."""
        if name in self.votes:
            self._vote(name, values)
            return None
        if any(source not in values for source in self.composed[name].values()):
            return None  # it reads from a voter that failed
        made = {key: values[source] for key, source in
                self.composed[name].items()}
        if not hasattr(self, name):
            values[name] = made
            return None
        if name in self.pools:
            made["demos"] = self.pools[name].pick(made)
        return made

    def _vote(self, name, values):
        made = vote.count(self.votes[name], values)
        if made[self.votes[name]["field"]] is None:
            raise values["failure"]
        self._take(name, made, values)

    def _take(self, name, answer, values):
        values.update({f"{name}.{key}": one for key, one in answer.items()})

    @contextlib.contextmanager
    def _may_fail(self, values):
        """A voter may fail; any other step ends the run."""
        try:
            yield
        except AdapterParseError as error:
            if not self.votes:
                raise
            values["failure"] = error

    def _prediction(self, values):
        return dspy.Prediction(**{name: values[source] for name, source in
                                  self.outputs.items()})

    def _sorted(self):
        """Returns the steps, each after those that it reads."""
        left, done = list(self.order), []
        while left:
            name = next(one for one in left if not any(
                source.partition(".")[0] in left and source not in self.inputs
                for source in self.composed[one].values()))
            left.remove(name)
            done.append(name)
        return done


def _predictor(kind, specs, inputs, state):
    thinks = kind is dspy.ChainOfThought
    made = {}
    for name, spec in specs.items():
        if not (thinks and name == "reasoning"):  # DSPy adds its own
            made[name] = _field(dspy.InputField if name in inputs else
                                dspy.OutputField, spec)
    module = kind(dspy.make_signature(made, state["signature"]["instructions"]))
    predictor = module.predict if thinks else module
    predictor.demos = [dspy.Example(**demo) for demo in state["demos"]]
    return module


def _field(kind, spec):
    info = kind(desc=spec.get("desc") or None)
    info.json_schema_extra[fields.SPEC_KEY] = spec
    return fields.annotation_of(spec), info
