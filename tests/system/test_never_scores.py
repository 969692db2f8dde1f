"""A metric that no answer can satisfy is reported before a model is asked."""

import json
import re

import pytest

JOB = """name: reach
models: {student: "m:1"}
inputs: {text: }
steps:
  go:
    predict: Decide.
    inputs: [text]
    outputs:
      out: {%s}
data: {examples: rows.jsonl}
metric: %s
"""


def check(stage, folder, output, metric, labels):
    (folder / "job.yaml").write_text(JOB % (output, metric))
    (folder / "rows.jsonl").write_text("".join(
        json.dumps({"text": f"row {i}", **label}) + "\n"
        for i, label in enumerate(labels)))
    return stage.promptcc("check", folder / "job.yaml")


def has_errors(result):
    """Returns whether there are errors other than too few examples, which all
    these jobs have."""
    return any(": error: " in line and "can be told from chance" not in line
               for line in result.err.splitlines())


def outs(*values):
    return [{"out": value} for value in values]


def golds(*values):
    return [{"gold": value} for value in values]


# The output's type, the metric, the labels; then the level and words of the
# finding.
NEVER = {
    "numbers that are sentences": (
        "", "{numeric: out}", outs("It is 3.\n#### 3", "So 4."),
        "error", "rows.jsonl:1:.*every score would be 0.*2 of 2.*numbers"),
    "some numbers that are none": (
        "", "{numeric: out}", outs("3", "four", "5"),
        "warning", "rows.jsonl:2:.*1 of 3.*four"),
    "a text beside a float": (
        "type: float", "{exact_match: {field: out, label: gold}}",
        golds("high", "low"), "error", "2 of 2.*no value.*high"),
    "a label outside the enum, in another column": (
        "enum: [a, b]", "{exact_match: {field: out, label: gold}}",
        golds("A.", "B."), "error", "2 of 2"),
    "a label longer than the output may be": (
        "max_length: 3", "{exact_match: {field: out, label: gold}}",
        golds("much too long", "ok"), "warning", "1 of 2.*much too long"),
    "a label above the maximum": (
        "type: int, max: 5", "{numeric: {field: out, label: gold}}",
        golds(7, 8), "error", "2 of 2"),
    "a text that the output cannot hold": (
        "max_length: 3", "{contains: {field: out, label: gold}}",
        golds("longer"), "error", "1 of 1"),
    "a pattern that no label of the enum matches": (
        "enum: [a, b]", "{regex: {field: out, pattern: '^[0-9]'}}",
        outs("a", "b"), "warning", "2 of 2 examples by `regex`"),
    "a pattern that the right answers do not match": (
        "", "{regex: {field: out, pattern: '^[0-9]'}}", outs("x"),
        "warning", "not even their right answers do"),
    "a part of a weighted metric": (
        "", "{weighted: [{weight: 1, exact_match: out}, "
            "{weight: 1, numeric: out}]}", outs("a", "b"),
        "warning", "a part of the metric would always be 0.*2 of 2"),
}

FINE = {
    "numbers as texts": ("", "{numeric: out}", outs("3", "1,250.5")),
    "a number as a text beside a float": (
        "type: float", "{exact_match: {field: out, label: gold}}",
        golds("3", "2.50")),
    "labels of an enum in another case": (
        "enum: [a, b]", "{exact_match: {field: out, label: gold}}",
        golds("A", "B")),
    "a list of right answers": (
        "", "{token_f1: {field: out, label: gold}}", golds(["a b", "c"])),
    "items in a text": (
        "", "{set_f1: {field: out, label: gold}}", golds(["a", "b"])),
    "a pattern without a right answer": (
        "", "{regex: {field: out, pattern: '^[0-9]'}}", [{}, {}]),
    "texts that the answer must hold": (
        "", "{contains: {field: out, text: [please]}}", [{}]),
    "two fields at once": (
        "enum: [a, b]", "{exact_match: [out]}", outs("a", "b")),
    "items in a text beside a list": (
        "list: str", "{set_f1: {field: out, label: gold}}",
        golds("a, b", "c")),
    "numbers in a text beside a list": (
        "list: float", "{set_f1: {field: out, label: gold}}", golds("1, 2")),
    "items in a text beside a list of labels": (
        "list: {enum: [a, b, c]}", "{set_f1: {field: out, label: gold}}",
        golds("A, B")),
    "an item that a list must hold": (
        "list: str", "{contains: {field: out, label: gold}}", golds("a")),
    "a bool written in words": (
        "type: bool", "{exact_match: {field: out, label: gold}}",
        golds("yes", "no", 1)),
    "a bool beside labels": (
        "enum: ['true', 'false']", "{exact_match: {field: out, label: gold}}",
        golds(True, False)),
    "a number in the text of another": (
        "", "{contains: {field: out, label: gold}}", golds(5)),
}


@pytest.mark.parametrize("name", NEVER)
def test_a_metric_that_can_never_score_is_reported(stage, tmp_path, name):
    output, metric, labels, level, words = NEVER[name]
    result = check(stage, tmp_path, output, metric, labels)
    found = [line for line in result.err.splitlines()
             if f": {level}: " in line and "can score" in line]
    assert len(found) == 1 and re.search(words, found[0]), result
    assert has_errors(result) == (level == "error"), result


@pytest.mark.parametrize("name", FINE)
def test_a_metric_that_can_score_is_not_reported(stage, tmp_path, name):
    result = check(stage, tmp_path, *FINE[name])
    assert not has_errors(result) and "can score" not in result.err, result


def test_run_makes_no_call_if_the_score_must_be_0(stage, sim, tmp_path):
    check(stage, tmp_path, "", "{numeric: out}", outs("a", "b"))
    result = stage.promptcc("run", tmp_path / "job.yaml", "--ollama", sim.url)
    assert result.status == 2 and "every score would be 0" in result.err, result
    assert sim.chats() == []


# --- programs of the metric, and the context ---

GOOD = """import json, sys
for line in sys.stdin:
    d = json.loads(line)
    print(int(d["example"]["out"] == d["outputs"]["out"]), flush=True)
"""

SILENT = "import sys\nfor l in sys.stdin: pass\n"
PROGRAMS = {
    "is missing": (None, "error", "metric.py|python"),
    "dies at once": ("import nonsense\n", "error",
                     "does not answer.*|No module named"),
    "talks nonsense": ("import sys\nfor l in sys.stdin: print('ok', "
                       "flush=True)\n", "error", "does not answer"),
    "says nothing": (SILENT, "error", "does not answer"),
    "scores all alike": ("import sys\nfor l in sys.stdin: print(1, "
                         "flush=True)\n", "warning", "the same score, 1"),
    "scores right ones 0": (GOOD.replace("==", "!="), "warning",
                            "which are right, the score 0"),
}


def check_program(stage, folder, program):
    if program is not None:
        (folder / "metric.py").write_text(program)
    command = "[python3, metric.py]" if program is not None else "[./metric.py]"
    # Only a program that says nothing is waited for as long as that.
    timeout = "5s" if program == SILENT else "120s"
    return check(stage, folder, "", "{exec: {command: %s, timeout: %s}}"
                 % (command, timeout), outs("a", "b"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_check_tries_the_metric_program(stage, tmp_path, name):
    program, level, words = PROGRAMS[name]
    result = check_program(stage, tmp_path, program)
    found = [line for line in result.err.splitlines()
             if f": {level}: " in line and re.search(words, line)]
    assert found, result
    assert has_errors(result) == (level == "error"), result


def test_a_good_program_of_the_user_is_not_mentioned(stage, tmp_path):
    result = check_program(stage, tmp_path, GOOD)
    assert not has_errors(result) and "metric" not in result.err, result


def test_a_traceback_of_the_metric_program_is_shown(stage, tmp_path):
    result = check_program(stage, tmp_path, "import nonsense\n")
    assert "No module named 'nonsense'" in result.err, result


def test_a_prompt_and_reply_that_exceed_the_context_are_reported(stage,
                                                                 tmp_path):
    job = tmp_path / "job.yaml"
    assert not has_errors(check(stage, tmp_path, "enum: [a, b]",
                                "{exact_match: out}", outs("a", "b")))
    result = stage.promptcc("check", job, "--set", "models.options.num_ctx=256",
                            "--set", "models.options.num_predict=200")
    assert re.search("warning: the longest prompt of step `go` needs about "
                     r"\d+ tokens, and num_ctx less num_predict leaves 56",
                     result.err), result
