"""The Python package in a real DSPy: the same messages, export and load."""

import json
import pathlib
import random
import subprocess

import pytest

import harness
from test_dspy import dspy_python  # noqa: F401, a fixture

WORDS = ["refund", "Späti", "naïve", "a b", "x\ny", "\"quoted\"", "tab\there",
         "{brace}", "[[ ## odd ## ]]", "emoji 🌻", "\x7f", "back\\slash", ""]


def in_dspy(stage, python, do, **given):
    done = subprocess.run(
        [python, pathlib.Path(__file__).with_name("dspy_package.py")],
        input=json.dumps({"do": do, "with": given}) + "\n", text=True,
        capture_output=True, timeout=600, check=False, cwd=stage.folder,
        env=harness.environment(DSPY_CACHEDIR=str(stage.folder / "cache")))
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


# --- random programs ---

def a_type(rng, depth=0):
    kind = rng.choice(["str", "str", "int", "float", "bool", "enum"] +
                      ["list", "object"] * (depth < 2))
    if kind == "enum":
        labels = rng.sample(["red", "dark blue", "B-2", "yes!", "é"], 3)
        spec = {"enum": labels}
    elif kind == "list":
        spec = {"list": a_type(rng, depth + 1)}
        if rng.random() < 0.3:
            spec["max_length"] = 9
    elif kind == "object":
        spec = {"object": {f"m{i}": a_type(rng, depth + 1)
                           for i in range(rng.randint(1, 3))}}
    else:
        spec = {"type": kind}
        if kind in ("int", "float") and rng.random() < 0.5:
            spec["min"] = rng.choice([0, -5, -0.25 if kind == "float" else 1])
        if kind in ("int", "float") and rng.random() < 0.5:
            spec["max"] = 1000000
        if kind == "str" and rng.random() < 0.3:
            spec["max_length"] = 400
        if kind == "str" and rng.random() < 0.1:
            spec["pattern"] = "^[^z]*"
    if rng.random() < 0.2:
        spec["optional"] = True
    return spec


def a_value(rng, spec):
    if spec.get("optional") and rng.random() < 0.3:
        return None
    if "enum" in spec:
        return rng.choice(spec["enum"])
    if "list" in spec:
        return [a_value(rng, spec["list"]) for _ in range(rng.randint(0, 3))]
    if "object" in spec:
        return {name: a_value(rng, one) for name, one in spec["object"].items()}
    if spec["type"] == "bool":
        return rng.random() < 0.5
    if spec["type"] == "int":
        return rng.randint(1, 1000)
    if spec["type"] == "float":
        return rng.choice([0.5, 1 / 3, 1e-7, 12345.678, 1.0, 7, 2e5])
    return " ".join(rng.sample(WORDS, rng.randint(0, 4)))


def fields(rng, letter):
    made = {}
    for i in range(rng.randint(1, 3)):
        made[f"{letter}_{'abc'[i]}"] = a_type(rng)
        if rng.random() < 0.6:
            made[f"{letter}_{'abc'[i]}"]["desc"] = rng.choice(
                ["What it says", "Größe, in cm", "a; b: c"])
    return made


def a_compiled_file(rng, path):
    """Makes a program of one step with demos, as `run` would write it."""
    inputs, outputs = fields(rng, "in"), fields(rng, "out")
    thinks = rng.random() < 0.4
    kind = "chain_of_thought" if thinks else "predict"
    full = {**inputs, **({"reasoning": {"type": "str"}} if thinks else {}),
            **outputs}
    instruction = "Do it.\n\nAnd \"well\"." if rng.random() < 0.5 else "Sort."
    demos = [{name: a_value(rng, spec) for name, spec in full.items()}
             for _ in range(rng.randint(0, 3))]
    model = {"name": "m", "digest": "", "options":
             {"num_ctx": 4096, "num_predict": 100, "temperature": 0.0}}
    step = {kind: instruction, "inputs": {n: n for n in inputs},
            "outputs": outputs}
    path.write_text(json.dumps({
        "go.predict" if thinks else "go": {
            "traces": [], "train": [], "demos": demos,
            "signature": {"instructions": instruction, "fields": [
                {"prefix": name.replace("_", " ").title() + ":",
                 "description": ""} for name in full]},
            "lm": None},
        "metadata": {"promptcc": {
            "format": 1, "version": "0.1.0", "name": "n", "job": "n-0",
            "optimizer": "labeled_few_shot", "seed": 0, "simulated": False,
            "scores": {}, "models": {"student": model, "teacher": model,
                                     "judge": model},
            "adapter": rng.choice(["chat", "json"]),
            "program": {"inputs": inputs, "steps": {"go": step},
                        "outputs": {n: f"go.{n}" for n in outputs}}}}}))
    # A command-line word becomes a text where a text is allowed, never null.
    return {name: a_value(rng, {**spec, "optional": spec.get("optional") and (
                "list" in spec or "object" in spec)})
            for name, spec in inputs.items()}


def words_of(inputs):
    return [f"{name}={value if isinstance(value, str) else json.dumps(value)}"
            for name, value in inputs.items()]


def test_a_hundred_programs_render_byte_for_byte_like_dspy(stage, dspy_python):
    rng = random.Random(20)
    files, expected = [], []
    for i in range(100):
        path = stage.folder / f"{i}.json"
        inputs = a_compiled_file(rng, path)
        files.append((str(path), "go", inputs))
        shown = stage.promptcc("render", path, "go", *words_of(inputs), "--json")
        assert shown.status == 0, shown
        expected.append(shown.json)
    rendered = in_dspy(stage, dspy_python, "render", files=files)
    for file, theirs, ours in zip(files, rendered, expected):
        assert theirs == ours, file


def test_signatures_in_common_styles_are_exported(stage, dspy_python):
    made = in_dspy(stage, dspy_python, "annotated")
    system, question, answer, live = (one["content"]
                                      for one in made["messages"])
    assert "1. `text`: What came in\n2. `hints` (list of str, or null)" in system
    assert ("1. `topic` (one of: a; b)\n2. `sure` (float, 0 to 1)\n3. `parcel` "
            "(object with number: (int, at least 1), kind: (one of: late; "
            "lost), notes: (list of str))") in system
    assert '[[ ## hints ## ]]\n["y","z"]' in question
    assert '[[ ## sure ## ]]\n1.0' in answer
    assert '{"number":3,"kind":"lost","notes":["é\\n"]}' in answer
    assert live == "[[ ## text ## ]]\nq\n\n[[ ## hints ## ]]\nnull"
    assert (made["topic"], made["sure"]) == ("a", 0.5)
    assert made["parcel"] == {"number": 2, "kind": "late", "notes": []}
    assert made["is_parcel"]


def rows(n):
    rng = random.Random(3)
    return [{"message": rng.choice(harness.FRAMES).format(*rng.sample(words, 2)),
             "topic": topic}
            for topic, words in harness.TOPICS.items() for _ in range(n)]


def test_unusual_programs_metrics_and_replies_are_handled(stage, dspy_python):
    folder = stage.folder / "odd"
    made = in_dspy(stage, dspy_python, "odd", folder=str(folder))
    assert "BestOfN" in made["refused"]["best of n"], made
    assert "dspy.Prediction" in made["refused"]["text"]
    assert "sends only text" in made["refused"]["image"]
    assert made["limits"] == [{"type": "int", "min": 1, "max": 8},
                              {"list": {"type": "float", "min": 0, "max": 1}}]
    assert "contains itself" in made["refused"]["itself"]
    for text, word in zip(made["damaged"], ("not JSON", "no metadata.promptcc",
                                            "not JSON", "no metadata.promptcc",
                                            "is damaged")):
        assert "damaged.json" in text and word in text, made["damaged"]
    assert len(made["demos"]) == 1 and "are not exported" in made["demos"][0]
    assert json.loads(made["whole"].splitlines()[0])["a"] == {
        "town": "x", "level": 1}
    for text, word in zip(made["sets"], ("trainset is empty", "valset is empty",
                                         "example 1 of testset", "the metric is")):
        assert word in text, made["sets"]
    assert made["of numpy"] == {"a": 3, "b": True, "c": [[1.5], [2]]}
    assert made["typed"] == [2, False, "HIGH", "HIGH"]
    assert made["read_as_promptcc_does"] == [{"t": "a"}] * 5 + ["fault"] * 4 + [
        {"o": {"note": "x"}}]
    assert made["ends"] == [{"t": "a"}] * 6 + [{"t": "a [[1]]"}]
    assert made["votes"] == "Caf\u00e9"
    assert made["thoughts"] == ["fault", {"t": "a"}, {"t": "a</think>b"},
                                {"t": "a"}, "fault"]
    assert made["spelt"] == [{"v": "1.10"}, {"t": "\\frac"}, "fault",
                             {"n": 9007199254740993}, "fault", "fault",
                             {"n": 1000}]
    assert made["nulls"] == [{"t": ""}, {"t": None}, {"t": "None"},
                             {"t": "null"}, {"t": None}, {"n": None}]
    assert made["read"] == ["fault", {"t": "b"}, {"t": "a"}] + ["fault"] * 8 + [
        {"n": 2.5}]


def test_output_printed_by_a_metric_is_not_read_as_a_score(stage, dspy_python):
    folder = stage.folder / "job"
    made = in_dspy(stage, dspy_python, "printing", folder=str(folder))
    result = stage.promptcc("check", made["job"])
    assert result.status == 0, result


def test_a_metric_receives_the_types_its_examples_hold(stage, dspy_python):
    made = in_dspy(stage, dspy_python, "own_types",
                   folder=str(stage.folder / "own"))
    folder = pathlib.Path(made["folder"])
    rows = [json.loads(line) for line in
            (folder / "examples.jsonl").read_text().splitlines()]
    asked = [{"example": row, "outputs": {
                 "kinds": row["kinds"], "found": found["found"]}}
             for row, found in ((rows[0], rows[0]), (rows[1], rows[1]),
                                (rows[1], rows[2]))]
    done = subprocess.run(
        [dspy_python, "metric.py", "metric.pkl"], cwd=folder, text=True,
        input="".join(json.dumps(one) + "\n" for one in asked),
        capture_output=True, timeout=600, check=False,
        env=harness.environment(DSPY_CACHEDIR=str(stage.folder / "cache")))
    scores = [json.loads(line)["score"] for line in done.stdout.splitlines()]
    assert scores == [1, 1, 0], done.stderr


def test_a_dspy_program_is_exported_compiled_and_loaded(stage, dspy_python):
    sim = stage.stand_in(slots=4)
    made = in_dspy(stage, dspy_python, "export", folder=str(stage.folder / "job"),
                   rows=rows(8), model="llama3.2:3b")
    assert "more than once" in made["refused"]["twice"]
    assert "`message` of the step `sort`" in made["refused"]["computed"]
    assert "did not ask `reply`" in made["refused"]["sometimes"]

    done = stage.promptcc("run", made["path"], "--ollama", f"{sim.url},slots=4",
                          "--json")
    assert done.status == 0, done
    assert done.json["compiled"]["score"] >= done.json["baseline"]["score"] > 0
    compiled = stage.folder / "job" / "compiled.json"

    messages = [row["message"] for row in rows(2)]
    ours = [stage.promptcc("predict", compiled, "--ollama", sim.url, "--json",
                           f"message={one}").json["outputs"] for one in messages]
    sim.log_path.unlink()
    theirs = in_dspy(stage, dspy_python, "run", compiled=str(compiled),
                     url=sim.url, messages=messages)
    assert theirs == [ours, ours]

    together = in_dspy(stage, dspy_python, "run_together", url=sim.url,
                       compiled=str(compiled), messages=messages)
    assert together["outputs"] == ours
    assert together["refused"] == [
        "the input `message` is missing",
        "there is no input `mesage`, did you mean `message`?",
        "the input `message` is missing",
        "there is no input `colour`; the inputs are message"]


def test_an_export_that_fails_leaves_the_folder_as_it_was(stage, dspy_python):
    """Otherwise an old job file names new examples and another metric."""
    told = in_dspy(stage, dspy_python, "again", folder=str(stage.folder / "job"))
    assert told["files"] == ["examples.jsonl", "job.yaml", "metric.pkl",
                             "metric.py"]
    lock, number, kind = told["refused"]
    assert "lock" in lock and "example 1 of trainset" in number, told
    assert "give a dspy.Module" in kind, told
    assert not told["changed"], told


def test_the_snippets_in_the_documentation_work(stage, dspy_python):
    sim = stage.stand_in(slots=4)
    best, mine = in_dspy(stage, dspy_python, "document", url=sim.url,
                         page=str(harness.ROOT / "docs" / "python.md"),
                         promptcc_program=str(harness.PROMPTCC))
    assert best["response"] and mine["response"]


def test_the_snippet_in_the_package_readme_works(stage, dspy_python):
    sim = stage.stand_in(slots=4)
    best = in_dspy(stage, dspy_python, "short_document", url=sim.url,
                   page=str(harness.ROOT / "python" / "README.md"),
                   promptcc_program=str(harness.PROMPTCC))
    assert best["answer"]
