"""What check says about a job's examples, before anything is paid for."""

import json

import pytest

JOB = """name: told
models: {student: "m:1"%s}
inputs: {text: {desc: A note}}
steps:
  go:
    predict: Decide.
    inputs: [text]
    outputs:
      out: {%s}
data: {examples: rows.jsonl%s}
metric: %s
%s
"""


def rows(*labels):
    return [{"text": f"note {i}", "out": label}
            for i, label in enumerate(labels)]


FOUR = ["a", "b"] * 12

# Each finding's code, with a job that has it and one that does not.
TOLD = {
    "too-few-examples": (dict(rows=rows(*FOUR[:19])), dict(rows=rows(*FOUR[:20]))),
    "rare-labels": (dict(rows=rows(*FOUR), type="enum: [a, b, c]"), {}),
    "unbalanced": (dict(rows=rows(*(["a"] * 20 + ["b"] * 5))), {}),
    "share-lacks-label": (
        dict(rows=rows(*(["a"] * 110 + ["b"])),
             data=", split: {train: 0.4, val: 0.4, test: 0.2}"), {}),
    "loose-type": (dict(type="desc: x"), {}),
    "duplicate-rows": (
        dict(rows=rows(*FOUR) + [{"text": "note 3", "out": "b"}]), {}),
    "conflicting-labels": (
        dict(rows=rows(*FOUR) + [{"text": "note 3", "out": "a"}]), {}),
    "metric-constant": (
        dict(metric="{numeric: {field: out, tolerance: 9}}",
             rows=rows(*([1, 2] * 12)), type="type: int"),
        dict(metric="{numeric: out}",
             rows=rows(*([1, 2] * 12)), type="type: int")),
    "small-budget": (dict(further="budget: {max_calls: 60}"),
                     dict(further="budget: {max_calls: 600}")),
    "no-room-for-demos": (
        dict(models=", options: {num_ctx: 300, num_predict: 200}"),
        dict(rows=[{**row, "nobody": "reads this " * 2000}
                   for row in rows(*FOUR)])),
    "not-described": (dict(metric="{token_f1: out}", type="min_length: 1",
                           rows=rows(*(f"w{i}" for i in range(30)))),
                      dict(metric="{token_f1: out}",
                           type="min_length: 1, desc: A word",
                           rows=rows(*(f"w{i}" for i in range(30))))),
}


def check(stage, folder, rows=rows(*FOUR), type="enum: [a, b]", models="",
          data="", metric="{exact_match: out}", further=""):
    (folder / "job.yaml").write_text(
        JOB % (models, type, data, metric, further))
    (folder / "rows.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows))
    return stage.promptcc("check", folder / "job.yaml", "--json").json


@pytest.mark.parametrize("code", TOLD)
def test_each_finding_is_reported_with_its_remedy(stage, tmp_path, code):
    bad, good = TOLD[code]
    found = [f for f in check(stage, tmp_path, **bad)["findings"]
             if f["code"] == code]
    assert found and all(f["remedy"] for f in found), found
    codes = [f["code"] for f in check(stage, tmp_path, **good)["findings"]]
    assert code not in codes, codes


def test_a_label_as_long_as_a_page_is_named(stage, tmp_path):
    found = check(stage, tmp_path, type=f"enum: [a, b, {'c' * 5000}]")
    texts = [f["text"] for f in found["findings"] if f["code"] == "rare-labels"]
    assert texts and texts[0].count("c") > 100, texts


def test_a_data_file_with_too_many_rows_asks_for_a_sample(stage, tmp_path):
    found = check(stage, tmp_path, rows=[
        {"text": "note " * 200, "out": "a"}] * 50_000)["findings"]
    assert [f["code"] for f in found] == ["no-file"], found
    assert "too long" in found[0]["text"] and "shuf" in found[0]["remedy"]


def test_only_too_few_examples_are_an_error(stage, tmp_path):
    few = check(stage, tmp_path, rows=rows(*FOUR[:19]))
    assert few["ok"] is False
    assert [f["code"] for f in few["findings"]
            if f["level"] == "error"] == ["too-few-examples"]
    # The other finding says it all.
    assert "few-examples" not in [f["code"] for f in few["findings"]]
    assert check(stage, tmp_path)["ok"] is True


def test_labeled_few_shot_accepts_a_data_set_with_few_rows(stage, tmp_path):
    few = check(stage, tmp_path, rows=rows("a", "b"),
                further="optimizer: labeled_few_shot")
    assert few == {"ok": True, "findings": []}


def test_a_program_that_is_already_right_is_reported_as_no_headroom(stage, sim):
    job = stage.job(metric="{regex: {field: topic, pattern: '.'}}")
    before = stage.promptcc("check", job, "--json").json["findings"]
    assert "no-headroom" not in [f["code"] for f in before]
    assert stage.promptcc("run", job, "--ollama", sim.url).status == 0
    after = stage.promptcc("check", job, "--json").json["findings"]
    assert "no-headroom" in [f["code"] for f in after], after


# --- steps whose outputs nobody uses ---

STEPS = """name: steps
models: {student: "m:1"}
inputs: {text: {desc: A note}, lang: {desc: Its language}}
steps:
%s
data: {examples: rows.jsonl}
metric: {exact_match: out}
"""
WHEN = """  go:
    predict: Decide.
    when: {lang: [%s]}
    inputs: [text]
    outputs: {out: {enum: [a, b]}}"""
RETRIEVE = """  look:
    retrieve: docs.jsonl
    inputs: [text]
    k: %s
  go:
    predict: Decide.
    inputs: {text: , found: look.passages}
    outputs: {out: {enum: [a, b]}}"""
EXEC = """  look:
    exec: {command: [python3, look.py], timeout: 120s}
    inputs: [text]
    outputs: {hint: }
  again:
    exec: {command: [python3, again.py], timeout: 120s}
    inputs: {clue: look.hint}
    outputs: {hint: }
  go:
    predict: Decide.
    inputs: {text: , hint: again.hint}
    outputs: {out: {enum: [a, b]}}"""
LOOK = "import sys, json\nfor line in sys.stdin:\n    print(%s, flush=True)\n"
GOOD_LOOK = LOOK % "json.dumps({'outputs': {'hint': 'x'}})"
NAN_LOOK = LOOK % "'{\"outputs\": {\"hint\": NaN}}'"


@pytest.mark.parametrize("code, bad, good", [
    ("never-runs", WHEN % "EN", WHEN % "EN, en"),
    ("too-many-passages", RETRIEVE % 4, RETRIEVE % 3),
    ("too-many-passages", RETRIEVE % "{tune: [2, 4]}",
     RETRIEVE % "{tune: [2, 3]}"),
    ("finds-nothing", (RETRIEVE % 3).replace("[text]", "[lang]", 1),
     RETRIEVE % 3),
    ("step-program", (EXEC, NAN_LOOK, GOOD_LOOK),
     (EXEC, GOOD_LOOK, GOOD_LOOK)),
    ("step-program", (EXEC, GOOD_LOOK, NAN_LOOK),
     (EXEC, GOOD_LOOK, GOOD_LOOK)),
])
def test_a_step_that_has_no_effect_is_reported(stage, tmp_path, code, bad,
                                               good):
    (tmp_path / "rows.jsonl").write_text("".join(
        json.dumps({**row, "lang": "en"}) + "\n" for row in rows(*FOUR)))
    (tmp_path / "docs.jsonl").write_text('{"text": "note"}\n' * 3)
    for job, told in ((bad, True), (good, False)):
        if isinstance(job, tuple):
            job, look, again = job
            (tmp_path / "look.py").write_text(look)
            (tmp_path / "again.py").write_text(again)
        (tmp_path / "job.yaml").write_text(STEPS % job)
        found = stage.promptcc("check", tmp_path, "--json").json
        codes = [one["code"] for one in found["findings"]]
        assert (code in codes) == told, found
