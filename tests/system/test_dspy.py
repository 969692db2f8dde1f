"""The compiled file in real DSPy (PyPI `dspy`): it loads, and it scores.

Needs a Python with DSPy: PROMPTCC_DSPY_PYTHON, or .venv/bin/python here.
"""

import json
import os
import pathlib
import subprocess

import pytest

import harness

VERSION = "3.4.1"
OPTIMIZERS = {
    "bootstrap_few_shot": "{bootstrap_few_shot: {max_bootstrapped_demos: 4, "
                          "max_labeled_demos: 16}}",
    "miprov2": "{miprov2: {auto: light, seed: 9}}",
}


@pytest.fixture(scope="session")
def dspy_python():
    python = pathlib.Path(os.environ.get(
        "PROMPTCC_DSPY_PYTHON", harness.ROOT / ".venv" / "bin" / "python"))
    if not python.exists():
        pytest.skip(f"needs DSPy: {python} is missing (python3 -m venv .venv "
                    f"&& .venv/bin/pip install dspy=={VERSION})")
    found = subprocess.run([python, "-c", "import dspy"], capture_output=True,
                           check=False)
    if found.returncode != 0:
        pytest.skip(f"needs DSPy: {python} cannot import it (pip install "
                    f"dspy=={VERSION})")
    return python


def in_dspy(stage, python, compiled, steps, score=None):
    spec = {"compiled": str(compiled), "steps": steps, "score": score}
    program = pathlib.Path(__file__).with_name("dspy_program.py")
    done = subprocess.run(
        [python, program], input=json.dumps(spec), capture_output=True,
        text=True, timeout=600, check=False, cwd=stage.folder,
        env=harness.environment(DSPY_CACHEDIR=str(stage.folder / "cache")))
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def predictors(compiled):
    """Returns the predictors in the form of in_dspy, read from the file
    itself."""
    return {name: {
        "instructions": part["signature"]["instructions"],
        "demos": part["demos"],
        "fields": [[field["prefix"], field["description"]]
                   for field in part["signature"]["fields"]],
    } for name, part in json.loads(compiled.read_text()).items()
        if name != "metadata"}


def test_dspy_loads_every_predictor_unchanged(stage, sim, dspy_python):
    job = stage.job(more_steps=harness.SECOND_STEP)
    result = stage.promptcc("run", job, "--ollama", sim.url)
    assert result.status == 0, result
    compiled = job.parent / "compiled.json"
    topics = ["delivery", "returns", "opening", "plants"]
    found = in_dspy(stage, dspy_python, compiled, [
        {"name": "sort", "cot": False, "instructions": "Sort.",
         "inputs": ["message"], "outputs": {"topic": topics}},
        {"name": "answer", "cot": True, "instructions": "Answer.",
         "inputs": ["message", "topic"], "outputs": {"reply": None}},
    ])
    in_file = predictors(compiled)
    assert set(in_file) == {"sort", "answer.predict"}
    assert found["loaded"] == in_file
    assert in_file["sort"]["demos"] and in_file["answer.predict"]["demos"]
    assert [prefix for prefix, _ in in_file["answer.predict"]["fields"]] == [
        "Message:", "Topic:", "Reasoning:", "Reply:"]
    for topic in topics:  # these replace DSPy's own descriptions
        assert topic in in_file["sort"]["fields"][1][1]


@pytest.mark.long
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_scores_from_promptcc_hold_in_dspy(stage, support, dspy_python,
                                           optimizer):
    # DSPy does not send num_ctx.
    sim = stage.stand_in(slots=4, num_ctx=8192)
    job = harness.write_support_job(stage.folder / "support",
                                    OPTIMIZERS[optimizer])
    servers = ("--ollama", f"{sim.url},slots=4", "--json")
    result = stage.promptcc("run", job, *servers)
    assert result.status == 0, result
    compiled = job.parent / "compiled.json"
    rows = support / "heldout.jsonl"
    ours = [stage.promptcc("eval", job, "--data", rows, *servers, *more).json
            for more in ((), ("--compiled", compiled))]

    labels = sorted({json.loads(line)["intent"] for line in rows.open()})
    theirs = in_dspy(stage, dspy_python, compiled, [
        {"name": "classify", "cot": False,
         "instructions": "Classify the message.", "inputs": ["user_message"],
         "outputs": {"intent": labels}},
    ], {"url": sim.url, "model": "llama3.2:3b", "rows": str(rows),
        "label": "intent"})
    print(f"{optimizer}, 200 held-out questions, simulated: promptcc "
          f"{ours[0]['score']:.3f} -> {ours[1]['score']:.3f}, DSPy "
          f"{theirs['dspy']} {theirs['plain']:.3f} -> "
          f"{theirs['compiled']:.3f}")
    assert theirs["loaded"] == predictors(compiled)
    assert ours[1]["score"] > ours[0]["score"]
    assert theirs["compiled"] > theirs["plain"]
