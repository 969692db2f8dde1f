"""What people get wrong in their first job: messages say what, where, and what
to do."""

import re

import pytest

JOB = """\
name: mood
models:
  student: qwen2.5:7b
inputs:
  text: {desc: What the customer wrote}
steps:
  feel:
    predict: Say how the customer feels.
    inputs: [text]
    outputs:
      mood: {enum: [happy, angry, neutral]}
outputs:
  mood: feel.mood
data:
  examples: rows.csv
metric: {exact_match: mood}
"""
MOODS = ["happy", "angry", "neutral"]
ROWS = "text,mood\n" + "".join(f"message {i},{MOODS[i % 3]}\n"
                               for i in range(40))

# What replaces what; the line, and words of the message.
MISTAKES = {
    "an indentation that fits nothing":
        ("    inputs: [text]", "   inputs: [text]", 9, "in the same column"),
    "a tab": ("  text: {desc", "\ttext: {desc", 5, "indent with blanks"),
    "a quote that is left open":
        ("{desc: What", '{desc: "What', 5, "close the quote"),
    "a brace that is left open":
        ("neutral]}", "neutral]", 12, "above is not closed"),
    "no colon": ("name: mood", "name mood", 1, "a colon and a blank"),
    "no blank behind a colon":
        ("predict: Say", "predict:Say", 8, "a colon and a blank"),
    "a map without braces":
        ("{enum: [happy, angry, neutral]}", "enum: [happy, angry]", 11,
         "map on one line in braces"),
    "labels without brackets":
        ("[happy, angry, neutral]", "happy, angry", 11, "in brackets"),
    "a number with commas":
        ("metric:", "budget: {max_calls: 20,000}\nmetric:", 16,
         "no commas in it"),
    "shares in percent":
        ("rows.csv", "rows.csv\n  split: {train: 50, val: 30, test: 20}", 16,
         "fractions of 1"),
    "a field that the step has not":
        ("feel.mood", "feel.anger", 13, "available here: feel.mood"),
    "a program without its word":
        ("{exact_match: mood}", "{exec: score.py}", 16,
         r"exec: \{command: \[python3"),
    "a template":
        ("customer feels.", "customer feels in {text}", 8,
         "nothing is filled in(.|\\n)*below the instruction"),
    "another template":
        ("customer feels.", "customer feels in {{ text }}", 8,
         "nothing is filled in(.|\\n)*below the instruction"),
}


def check(stage, job=JOB, rows=ROWS):
    folder = stage.folder / "mood"
    folder.mkdir()
    (folder / "job.yaml").write_text(job)
    (folder / "rows.csv").write_bytes(
        rows if isinstance(rows, bytes) else rows.encode())
    return stage.promptcc("check", "mood")


def test_check_accepts_the_first_job(stage):
    result = check(stage)
    assert result.status == 0 and result.out.startswith("mood/job.yaml is fine")
    assert not result.err, result


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_with_its_place_and_remedy(stage, mistake):
    right, wrong, line, words = MISTAKES[mistake]
    assert JOB.count(right) == 1
    result = check(stage, JOB.replace(right, wrong))
    assert re.search(words, result.out + result.err), result
    assert f"mood/job.yaml:{line}:" in result.out + result.err, result


@pytest.mark.parametrize("rows, words", [
    (ROWS.replace("angry", "cross"), "not one of its labels"),
    (ROWS.replace("message", "p\xe4ckchen").encode("latin-1"), "iconv")])
def test_one_cause_on_many_lines_is_reported_three_times(stage, rows, words):
    result = check(stage, rows=rows)
    assert result.status == 2
    assert result.err.count(words) == 3, result
    assert "more lines" in result.err, result


def test_a_job_with_only_train_rows_is_fine_in_one_line(stage):
    result = check(stage, JOB.replace("examples: rows.csv", "train: rows.csv"))
    assert result.out.splitlines()[0].endswith("job.yaml is fine"), result
    assert "examples" not in result.out, result


# Slips in a job file: what replaces what, and words of the one sentence.
WRONG = {
    "a list of a step's inputs that is none":
        ("inputs: [text]", "inputs: text",
         "must be a list of at least one name, such as [message]"),
    "an instruction that begins a comment":
        ("predict: Say", "predict: #1 Say", "put the text in quotes"),
    "a page of the web as data":
        ("examples: rows.csv", "examples: https://example.org/rows.csv",
         "promptcc downloads nothing"),
    "a folder of the home as data":
        ("examples: rows.csv", "examples: ~/rows.csv", "only a shell expands ~"),
    "a folder as data":
        ("examples: rows.csv", "examples: .", "it is a folder: name a file in it"),
    "a list of files":
        ("examples: rows.csv", "examples: [rows.csv, rows.csv]",
         "join the files into one"),
    "a second document": ("name: ", "a: 1\n---\nname: ", "remove it, and the line"),
}


@pytest.mark.parametrize("slip", WRONG)
def test_a_slip_in_a_job_file_is_reported_with_its_remedy(stage, slip):
    old, new, words = WRONG[slip]
    assert old in JOB, JOB
    result = check(stage, JOB.replace(old, new, 1))
    assert result.status == 2 and words in result.err, result


def test_a_csv_file_with_only_a_header_is_reported(stage):
    result = check(stage, JOB, rows="text,mood\n")
    assert "below the line that names the columns" in result.err, result


# Slips on the command line: what is typed, and words of the answer.
SLIPS = {
    "a job in place of what a run makes":
        ("eval mood --compiled mood/job.yaml --simulate",
         "is a job, not a compiled file"),
    "a folder that holds none in place of what a run makes":
        ("eval mood --compiled .. --simulate",
         ".. is a folder without a job in it: name the compiled file"),
    "what a run makes in place of a job":
        ("run done.json --simulate", "done.json is a compiled file, not a job: "
         "name the job"),
    "data in place of a job":
        ("check mood/rows.csv", "rows.csv is data, not a job"),
    "a file in place of the folder to make":
        ("init mood/job.yaml", "cannot make the folder mood/job.yaml"),
    "more programs than an ensemble has":
        ("ensemble" + 33 * " done.json",
         "takes at most 32 arguments, and 33 are given"),
    "two values of one key":
        ("check mood --set name=a --set name=b",
         "`name` is set twice, to `a` and to `b`: only one can count"),
    "a budget that is given twice":
        ("check mood --max-calls 20 --set budget.max_calls=10",
         "`budget.max_calls` is set twice"),
    "a seed that is given twice":
        ("check mood --seed 1 --set optimizer.miprov2.seed=2",
         "both set the optimizer's seed"),
    "an effort that there is not":
        ("check mood --set optimizer.miprov2.auto=huge",
         "use one of: light, medium, heavy"),
    "a program that is not there":
        ("check mood --set metric={exec:{command:[python3,score.py]}}",
         "no such file beside the job"),
    "a budget that is too small":
        ("plan mood --simulate --max-calls 5",
         "calls +none: the budget is too small"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_on_the_command_line_is_reported(stage, slip):
    command, words = SLIPS[slip]
    check(stage)
    (stage.folder / "done.json").write_text(
        '{"sort": {"demos": []}, "metadata": {"promptcc": {"job": "mood"}}}')
    result = stage.promptcc(*command.split())
    assert re.search(words, result.out + result.err), result
