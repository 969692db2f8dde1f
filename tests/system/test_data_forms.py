"""Data as people have it. Each form of a file either works, or is refused in
one sentence that names the place and the remedy."""

import csv
import json
import re
import subprocess

import pytest

JOB = """name: forms
models: {student: "m:1"}
inputs:
  text: {desc: What was written%(text)s}
steps:
  go:
    predict: Decide.
    inputs: [text]
    outputs:
      label: {%(label)s}
data: {examples: "%(file)s"}
metric: {exact_match: label}
"""

GOOD_BAD = "enum: [good, bad]"
WARM = [{"text": "warm", "label": "good"}, {"text": "cold", "label": "bad"}]
LINES = "".join(json.dumps(row) + "\n" for row in WARM)


def write(folder, file, content, label=GOOD_BAD, text=""):
    if isinstance(content, str):
        content = content.encode()
    (folder / file).write_bytes(content)
    job = folder / "job.yaml"
    job.write_text(JOB % {"file": file, "label": label, "text": text})
    return job


# What works: the file, its bytes, the label's type, the rest of the input.
FINE = {
    "json lines": ("r.jsonl", LINES),
    "json lines of no ending": ("rows", LINES),
    "json lines named csv": ("r.csv", LINES),
    "a list": ("r.json", json.dumps(WARM)),
    "a list over several lines": ("r.json", json.dumps(WARM, indent=2)),
    "a list named jsonl": ("r.jsonl", json.dumps(WARM, indent=1)),
    "a list with a row a line": (
        "r.json", "[\n" + ",\n".join(json.dumps(r) for r in WARM) + "\n]\n"),
    "a wrapper": ("r.json", json.dumps({"version": 1, "data": WARM})),
    "a wrapper over several lines": (
        "r.json", json.dumps({"meta": {"n": 2}, "rows": WARM}, indent=2)),
    "a wrapper with a row a line": (
        "r.json", '{"rows": [\n' + ",\n".join(json.dumps(r) for r in WARM) +
        "\n]}\n"),
    "a wrapper with another list": (
        "r.json", json.dumps({"tags": [{"name": "x"}], "data": WARM})),
    "objects over several lines": (
        "r.json", "\n".join(json.dumps(row, indent=2) for row in WARM)),
    "a byte order mark": ("r.jsonl", b"\xef\xbb\xbf" + LINES.encode()),
    "marks of files that were joined": (
        "r.jsonl", b"\xef\xbb\xbf\xef\xbb\xbf" + LINES.encode() +
        b'\xef\xbb\xbf{"text": "x", "label": "bad"}\n'),
    "two marks before a table": (
        "r.csv", b"\xef\xbb\xbf\xef\xbb\xbftext,label\nwarm,good\ncold,bad\n"),
    "lines that end in a comma": ("r.jsonl", LINES.replace("}\n", "}, \n")),
    "crlf and blank lines": ("r.jsonl", LINES.replace("\n", "\r\n\r\n")),
    "utf-16 with a mark": ("r.jsonl", LINES.encode("utf-16")),
    "utf-16 big end first": (
        "r.jsonl", b"\xfe\xff" + LINES.encode("utf-16-be")),
    "utf-16 without a mark": ("r.csv", "text,label\nwärm,good\n"
                              .encode("utf-16-le")),
    "utf-32": ("r.jsonl", LINES.encode("utf-32")),
    "csv": ("r.csv", "text,label\nwarm,good\ncold,bad\n"),
    "csv of no ending": ("rows.txt", "text,label\nwarm,good\n"),
    "csv with a mark": ("r.csv", b"\xef\xbb\xbftext,label\nwarm,good\n"),
    "csv with a mark and quotes": (
        "r.csv", b'\xef\xbb\xbf"text","label"\r\n"wa\r\nrm","good"\r\n'),
    "csv with columns in another order": ("r.csv", "label,x,text\ngood,1,a\n"),
    "semicolons": ("r.csv", "text;label\nwarm, and funny;good\n"),
    "excel's first line": ("r.csv", "sep=;\r\ntext;label\r\nwarm;good\r\n"),
    "excel's first line in quotes": (
        "r.csv", '"sep=;"\r\ntext;label\r\nwarm;good\r\n'),
    "blanks before quotes": (
        "r.csv", 'text, label\n"warm, and so", "good"\n"cold" , bad\n'),
    "a no-break space behind a column's name": (
        "r.csv", "text\u00a0,label\nwarm,good\n"),
    "empty cells behind a row": ("r.csv", "text,label\nwarm,good,,\n"),
    "a table of markdown": (
        "r.md", "| text | label |\n|:---|-----|\n| warm | good |\n"),
    "bars": ("r.txt", "text|label\nwarm|good\n"),
    "tabs": ("r.tsv", "text\tlabel\nwarm, and funny\tgood\n"),
    "tabs named csv": ("r.csv", "text\tlabel\nwarm, and funny\tgood\n"),
    "tabs with quotes as letters": (
        "r.tsv", 'text\tlabel\n"Warm" he said\tgood\n5" disk\tbad\n'),
    "tabs with quoted cells": (
        "r.tsv", 'text\tlabel\n"wa\trm ""so"""\tgood\n'),
    "a pandas index": ("r.csv", ",text,label\n0,warm,good\n1,cold,bad\n"),
    "two columns of one name that nothing reads": (
        "r.csv", "text,x,x,label\nwarm,1,2,good\n"),
    "nan in a column that nothing reads": (
        "r.jsonl", '{"text": "a", "label": "good", "x": NaN}\n'),
    "an infinity deep in one": (
        "r.jsonl", '{"text": "a", "label": "good", "x": {"y": [-Infinity]}}'),
    "a 64-bit id that nothing reads": (
        "r.jsonl", '{"text": "a", "label": "good", "id": '
        "18446744073709551615}\n"),
    "a number beyond all doubles": (
        "r.jsonl", '{"text": "NaN", "label": "good", "x": -1e999}\n'),
    "integer labels": ("r.jsonl", '{"text": "a", "label": 1}\n', "enum: [0, 1]"),
    "real labels of a table": (
        "r.csv", "text,label\na,1.0\nb,0.0\n", "enum: [0, 1]"),
    "true and false as labels": (
        "r.jsonl", '{"text": "a", "label": true}\n', "enum: [true, false]"),
    "labels with a point": (
        "r.jsonl", '{"text": "a", "label": 1.0}\n{"text": "b", "label": 0.5}\n'
        '{"text": "c", "label": 1}\n', "enum: [0.5, 1.0]"),
    "labels of another case": ("r.csv", "text,label\na,Good\nb, BAD\n"),
    "a bool as 0 and 1": (
        "r.jsonl", '{"text": "a", "label": 1}\n{"text": "b", "label": "no"}',
        "type: bool"),
    "bools as models say them": (
        "r.csv", "text,label\na,on\nb,OFF\nc,T\nd,n\n", "type: bool"),
    "bools as pandas writes them beside a missing one": (
        "r.csv", "text,label\na,1.0\nb,0.0\n", "type: bool"),
    "what a spreadsheet has below its rows": (
        "r.csv", "text;label;\r\nwarm;good;\r\n;;\r\ncold;bad;\r\n"
        ";;\r\n;;\r\n"),
    "empty records of another width": (
        "r.csv", "text,label\nwarm,good\n,,,,\n , \n"),
    "a bool as False": ("r.csv", "text,label\na,False\n", "type: bool"),
    "a whole number as pandas writes it": (
        "r.csv", "text,label\na,3.0\n", "type: int"),
    "numbers in quotes": (
        "r.jsonl", '{"text": "a", "label": " 2.5"}\n', "type: float"),
    "a number where a text is": (
        "r.jsonl", '{"text": 42, "label": "good"}\n'),
    "an empty cell of an optional label": (
        "r.csv", "text,label\na,\nb,3\n", "type: int, optional: true"),
    "a null of an optional label": (
        "r.jsonl", '{"text": "a", "label": null}\n{"text": "b", "label": 3}\n',
        "type: int, optional: true"),
    "an empty cell of a text": ("r.csv", "text,label\n,good\n"),
    "a key with a blank": (
        "r.jsonl", '{"Customer message": "a", "label": "good"}\n', GOOD_BAD,
        ', from: "Customer message"'),
    "a key with a dash, in a table": (
        "r.csv", "label,user-text\ngood,a\n", GOOD_BAD, ", from: user-text"),
    "a key of other letters": (
        "r.csv", "текст,label\na,good\n", GOOD_BAD, ", from: текст"),
    "an escaped key of other letters": (
        "r.json", json.dumps([{"données": "a", "label": "good"}]), GOOD_BAD,
        ", from: données"),
    "a nested value": (
        "r.jsonl", '{"fields": {"question": "a"}, "label": "good"}\n',
        GOOD_BAD, ", from: fields.question"),
    "a nested value of a wrapped list": (
        "r.json", json.dumps({"n": 1, "rows": [
            {"row_idx": 0, "row": {"text": "a"}, "label": "good"}]}),
        GOOD_BAD, ", from: row.text"),
    "a key with a dot": (
        "r.csv", "fields.question,label\na,good\n", GOOD_BAD,
        ", from: fields.question"),
    "a label under another key": (
        "r.jsonl", '{"text": "a", "answers": {"gold": "bad"}}\n',
        GOOD_BAD + ", from: answers.gold"),
    "an input and a label whose keys are each other's names": (
        "r.jsonl", '{"text": "good", "label": "a"}\n',
        GOOD_BAD + ", from: text", ", from: label"),
}


def errors_of(stage, job, *words):
    """Returns the codes of the errors that check reports. These tests ignore
    the one for too few examples."""
    findings = stage.promptcc("check", job, "--json", *words).json["findings"]
    return [f["code"] for f in findings if f["level"] == "error"]


@pytest.mark.parametrize("name", FINE)
def test_check_accepts_valid_data(stage, tmp_path, name):
    job = write(tmp_path, *FINE[name])
    assert errors_of(stage, job) in ([], ["too-few-examples"])


# What is refused: the same, then the place and words of the message.
REFUSED = {
    "latin-1": (
        ("r.jsonl", '{"text": "wärm", "label": "good"}'.encode("latin-1")),
        "r.jsonl:1:1: ", "not UTF-8 text.*iconv -f WINDOWS-1252"),
    "latin-1 in a table": (
        ("r.csv", "text,label\nwärm,good\n".encode("latin-1")),
        "r.csv:2:1: ", "cell of `text` is not UTF-8.*iconv"),
    "a title above the table": (
        ("r.csv", "My export;;\n;;\ntext;label;n\nwarm;good;1\n"),
        "r.csv:1:1: ", "line 3 does: delete the lines above it"),
    "a line of words above it": (
        ("r.csv", "Survey, 2024\ntext\tlabel\nwarm\tgood\n"),
        "r.csv:1:1: ", "line 2 does: delete"),
    "a tar archive": (
        ("r.csv", b"r.csv" + bytes(252) + b"ustar" + bytes(250)),
        "r.csv: ", "tar xf"),
    "yaml": (
        ("r.yaml", "- text: warm\n  label: good\n"), "r.yaml: ",
        "not from YAML.*one JSON object per line"),
    "a zip": (("r.csv", b"PK\x03\x04abcdef"), "r.csv: ", "Excel.*save"),
    "gzip": (("r.jsonl", b"\x1f\x8b\x08\x00abcdef"), "r.jsonl: ", "gunzip"),
    "parquet": (("r.json", b"PAR1abcdefgh"), "r.json: ", "to_json"),
    "python's dict": (
        ("r.jsonl", "{'text': 'a', 'label': 'good'}\n"),
        "r.jsonl:1:2: ", "json.dumps"),
    "several lists": (
        ("r.json", json.dumps({"train": WARM, "test": WARM})),
        "r.json: ", "several lists of rows.*jq"),
    "a table by columns": (
        ("r.json", json.dumps({"text": {"0": "a"}, "label": {"0": "good"}})),
        "r.json: ", "stored by columns.*orient='records'"),
    "a list that does not end": (
        ("r.json", "[" + json.dumps(WARM[0]) + ",\n"),
        "r.json:2:1: ", "a `]` is missing"),
    "an example that does not end": (
        ("r.json", "[\n" + json.dumps(WARM[0])[:-1] + "\n"),
        "r.json:2:1: ", "ends inside this row"),
    "a first line that is broken among others": (
        ("r.jsonl", '{"text": "a",\n' + LINES), "r.jsonl:1:", "not JSON"),
    "a list of texts": (
        ("r.json", '["warm"]'), "r.json:1:2: ",
        "a row must be a JSON object, {...}"),
    "text behind a list": (
        ("r.json", json.dumps(WARM) + "\n" + json.dumps(WARM)),
        "r.json:1:69: ", "more text after the end of the list"),
    "nan in a column that is read": (
        ("r.jsonl", '{"text": NaN, "label": "good"}\n'),
        "r.jsonl:1:10: ", "`text` is NaN, which no field can hold"),
    "a number too large in one": (
        ("r.jsonl", '{"label": "good", "text": 18446744073709551616}\n'),
        "r.jsonl:1:27: ", "too large to keep: write it in quotes"),
    "a caret under a json value": (
        ("r.jsonl", '{"text": "ä", "label":  "goood"}\n'),
        "r.jsonl:1:25: ", "did you mean `good`"),
    "a caret under a cell": (
        ("r.csv", 'text,label\n"a, b",goood\n'), "r.csv:2:8: ",
        "did you mean `good`"),
    "a caret on a later line of a record": (
        ("r.csv", 'text,label\n"a\nb",goood\n'), "r.csv:3:4: ",
        "did you mean `good`"),
    "a caret in a list of several lines": (
        ("r.json", '[\n  {\n    "text": "a",\n    "label": "goood"\n  }\n]'),
        "r.json:4:14: ", "did you mean `good`"),
    "a caret under a nested value": (
        ("r.jsonl", '{"text": "a", "x": {"gold": "goood"}}\n',
         GOOD_BAD + ", from: x.gold"), "r.jsonl:1:29: ", "did you mean `good`"),
    "no head line": (
        ("r.csv", "text,good\ncold,bad\n"), "r.csv:1:1: ",
        "no column `label`: the first line must name the columns"),
    "a column of a slip": (
        ("r.csv", "txt,label\nwarm,good\n"), "r.csv:1:1: ",
        "if `txt` is it, give its field `from: txt`"),
    "a column of another name": (
        ("r.csv", "label,Customer message\ngood,a\n"), "r.csv:1:1: ",
        "no column `text`.*`from:`"),
    "a path that leads nowhere": (
        ("r.jsonl", '{"fields": {}, "label": "good"}\n', GOOD_BAD,
         ", from: fields.question"), "r.jsonl:1:1: ",
        "there is no `fields.question` in this row"),
    "two columns of one name": (
        ("r.csv", "text,label,label\na,good,bad\n"), "r.csv:1:6: ",
        "column 3 of the header repeats the name"),
    "a row that is too short": (
        ("r.csv", "text,label\na\n"), "r.csv:2:1: ",
        "the row has 1 cell, the header 2: a cell that is empty"),
    "a row that is too long": (
        ("r.csv", "text;label\na; b;good\n"), "r.csv:2:1: ",
        "the row has 3 cells, the header 2: a cell that contains `;` needs quotes"),
    "a backslash before a quote": (
        ("r.csv", 'text,label\n"say \\"hi\\"",good\n'), "r.csv:2:1: ",
        "double the quotes inside"),
    "a page of html": (
        ("r.csv", "<!DOCTYPE html><html></html>"), "r.csv: ", "HTML"),
    "a pointer of git lfs": (
        ("r.jsonl", "version https://git-lfs.github.com/spec/v1\noid x\n"),
        "r.jsonl: ", "git lfs pull"),
    "a pickle": (("r.pkl", b"\x80\x04\x95\x00"), "r.pkl: ", "json.dumps"),
    "pandas' split": (
        ("r.json", json.dumps({"columns": ["text", "label"], "index": [0],
                               "data": [["a", "good"]]})),
        "r.json: ", "stored by columns.*orient='records'"),
    "a table by lists": (
        ("r.json", json.dumps({"text": ["a", "b"], "label": "good"})),
        "r.json:1:10: ", "one object per row"),
    "a path through a list": (
        ("r.jsonl", '{"messages": [{"content": "a"}], "label": "good"}\n',
         GOOD_BAD, ", from: messages.0.content"), "r.jsonl:1:1: ",
        "`messages` is a list, and a path can only go through objects"),
    "rows under names of their own": (
        ("r.json", json.dumps({"0": WARM[0], "1": WARM[1]})),
        "r.json: ", "each row is under a key.*orient='records'"),
    "rows under names over several lines": (
        ("r.json", json.dumps({"a": WARM[0], "b": WARM[1]}, indent=1)),
        "r.json: ", "each row is under a key.*jq"),
    "too many columns": (
        ("r.csv", "text,label" + ",x" * 2100 + "\na,good" + ",1" * 2100 + "\n"),
        "r.csv: ", "the head line: .*more than 2048 cells.*nothing reads"),
    "rows two objects deep": (
        ("r.json", json.dumps({"data": {"train": WARM}})),
        "r.json: ", "two objects deep.*jq"),
    "rows that are wrapped each": (
        ("r.jsonl", '{"row": {"text": "a"}, "label": "good"}\n'),
        "r.jsonl:1:18: ", "if `row.text` is it, give its field `from: row.text`"),
    "a key of another name": (
        ("r.jsonl", '{"question": "a", "label": "good"}\n'), "r.jsonl:1:1: ",
        "`text` is missing; the row has `question`, `label`: if one of these is it"),
    "a nul byte": (
        ("r.jsonl", '{"text": "a\0", "label": "good"}\n'), "r.jsonl:1:1: ",
        "NUL byte.*tr -d"),
    "a nul that is escaped": (
        ("r.jsonl", '{"text": "a\\u0000", "label": "good"}\n'),
        "r.jsonl:1:18: ", "u0000, which no field can hold"),
    "a table named jsonl": (
        ("r.jsonl", "text,label\n"), "r.jsonl:1:",
        "is this a table\\? Its name must not end in .json"),
    "two objects on a line": (
        ("r.jsonl", LINES.replace("\n", " ") + "\n"), "r.jsonl:1:",
        "more after the end of the row: write one object per line"),
    "old mac's line ends in json": (
        ("r.jsonl", LINES.replace("\n", "\r")), "r.jsonl:1:", "in CR only"),
    "a decimal comma": (
        ("r.csv", "text;label\na;1,5\n", "type: float"), "r.csv:2:3: ",
        "not a number: write the bare number"),
    "a list that is no json": (
        ("r.csv", "text;label\na;x, y\n", "list: str"), "r.csv:2:3: ",
        "not a list: write it as JSON"),
    "a label that is far from all": (
        ("r.csv", "text,label\na,x\n"), "r.csv:2:3: ",
        "not one of its labels \\(good; bad\\)"),
    "a quote inside a cell": (
        ("r.csv", 'text,label\n5" disk,good\n'), "r.csv:2:1: ",
        "double the quotes"),
    "a cell that does not end": (
        ("r.csv", 'text,label\n"a,good\n'), "r.csv:2:1: ",
        "a quoted cell does not end"),
    "old mac's line ends": (
        ("r.csv", "text,label\ra,good\r"), "r.csv: ", "in CR only"),
    "a table of an old Mac with a line end in a cell": (
        ("r.csv", 'text,label\r"a\nb",good\r'), "r.csv: ", "in CR only"),
    "a bool in another language": (
        ("r.csv", "text,label\na,ja\n", "type: bool"), "r.csv:2:3: ",
        "not true or false: write true or false, yes or no, 1 or 0"),
    "a record of empty texts": (
        ("r.csv", 'text,label\n"",""\n'), "r.csv:2:4: ",
        "not one of its labels"),
    "a real where a text is": (
        ("r.jsonl", '{"text": 4.50, "label": "good"}\n'), "r.jsonl:1:10: ",
        "not a text: write it in quotes"),
    "a real that is no whole number": (
        ("r.csv", "text,label\na,3.5\n", "type: int"), "r.csv:2:3: ",
        "not a whole number"),
    "a point before thousands": (
        ("r.csv", "text;label\na;1.000\n", "type: int"), "r.csv:2:3: ",
        "not a whole number: write the bare number"),
    "a number that is no label": (
        ("r.jsonl", '{"text": "a", "label": 2}\n', "enum: [0, 1]"),
        "r.jsonl:1:24: ", "not one of its labels"),
    "nothing": (("r.jsonl", ""), "r.jsonl: ", "contains no examples"),
    "nothing but blanks": (
        ("rows", "\n \n\t\n"), "rows: ", "contains no examples"),
    "a mark of UTF-16 alone": (
        ("rows", b"\xff\xfe"), "rows: ", "contains no examples"),
    "a program": (
        ("r.csv", b"\x7fELF\x02\x01\x01\0\rtext"), "r.csv: ",
        "not text but binary data: write the rows"),
    "zero bytes": (("r.csv", bytes(5000)), "r.csv: ", "binary data"),
    "an image": (("r.csv", b"\x89PNG\r\n\x1a\n\0\0"), "r.csv: ", "an image"),
    "a key that is twice in a row": (
        ("r.jsonl", '{"text": "a", "label": "good", "x": 1, "x": 2}\n'),
        "r.jsonl:1:", "the row has the name `x` twice"),
    "an empty list": (("r.json", "[]"), "r.json: ", "contains no examples"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_check_refuses_invalid_data_with_place_and_remedy(stage, tmp_path,
                                                          name):
    content, place, words = REFUSED[name]
    job = write(tmp_path, *content)
    result = stage.promptcc("check", job)
    errors = [line for line in result.err.splitlines() if ": error: " in line]
    assert result.status == 2 and len(errors) == 1, result
    assert errors[0].startswith(f"{tmp_path}/{place}"), result
    assert re.search(words, errors[0]), result


def test_the_caret_is_under_the_value(stage, tmp_path):
    job = write(tmp_path, "r.jsonl", '{"text": "a", "label": "goood"}\n')
    lines = stage.promptcc("check", job).err.splitlines()
    at = next(i for i, line in enumerate(lines) if "^" in line)
    mark = lines[at].index("^"), lines[at].rindex("^") + 1
    assert lines[at - 1][slice(*mark)] == '"goood"', lines


def test_skip_bad_skips_a_row_that_is_not_utf8(stage, tmp_path):
    good = "".join('{"text": "%d", "label": "good"}\n' % i for i in range(20))
    job = write(tmp_path, "r.jsonl", good.encode() +
                '{"text": "ä", "label": "good"}\n'.encode("latin-1"))
    result = stage.promptcc("check", job, "--set", "skip_bad=true")
    assert result.status == 0 and "left out  1 bad row" in result.out, result


def test_check_does_not_hang_on_a_pipe_without_a_writer(stage, tmp_path):
    job = write(tmp_path, "r.jsonl", "")
    (tmp_path / "r.jsonl").unlink()
    subprocess.run(["mkfifo", tmp_path / "r.jsonl"], check=True)
    result = stage.promptcc("check", job)
    assert result.status == 2 and "r.jsonl" in result.err, result


# A program that answers what the row's text says, as JSON.
ECHO = """import json, sys
for line in sys.stdin:
    value = json.loads(json.loads(line)["inputs"]["text"])
    print(json.dumps({"outputs": {"out": value}}), flush=True)
"""

COMPARED = """name: compared
models: {student: "m:1"}
inputs: {text: }
steps:
  go:
    exec: {command: [python3, echo.py]}
    inputs: [text]
    outputs: {out: {%s}}
  whole:
    compose: {value: go.out}
  ask:
    predict: Ask.
    inputs: [text]
    outputs: {other: }
outputs: {out: go.out, whole: whole, other: ask.other}
data: {examples: %s}
metric: %s
"""

# The output's type and the metric; what the program says, and the label.
SAME = {
    "bools": ("type: bool", "{exact_match: {field: out, label: gold}}",
              [(True, "yes"), (True, "1"), (False, "FALSE")]),
    "lists": ("list: str", "{exact_match: {field: out, label: gold}}",
              [(["a", "b"], '["a", "b"]'), ([], "[]")]),
    "sets": ("list: str", "{set_f1: {field: out, label: gold}}",
             [(["a", "b"], '["b", "a"]'), (["a", "b"], "b, a")]),
    "objects": ("object: {a: int}", "{exact_match: {field: out, label: gold}}",
                [({"a": 1}, '{"a": 1}')]),
    "nulls": ("type: float, optional: true",
              "{exact_match: {field: out, label: gold}}",
              [(None, ""), (1.5, "1.5")]),
    "composed values": ("type: int", "{exact_match: whole}",
                        [(1, '{"value": 1}')]),
    "composed values in another column": (
        "type: int", "{exact_match: {field: whole, label: gold}}",
        [(1, '{"value": 1}')]),
}


@pytest.mark.parametrize("name", SAME)
def test_a_label_in_a_cell_is_compared_as_what_it_means(stage, tmp_path, name):
    output, metric, pairs = SAME[name]
    (tmp_path / "echo.py").write_text(ECHO)
    (tmp_path / "job.yaml").write_text(COMPARED % (output, "r.csv", metric))
    column = "gold" if "gold" in metric else "whole"
    with open(tmp_path / "r.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", column])
        rows.writerows([json.dumps(said), label] for said, label in pairs)
    result = stage.promptcc("eval", tmp_path / "job.yaml", "--simulate",
                            "--data", tmp_path / "r.csv", "--json")
    assert result.status == 0, result
    assert result.json["score"] == 1.0, result


def test_a_label_that_no_composed_value_equals_is_reported(stage, tmp_path):
    (tmp_path / "echo.py").write_text(ECHO)
    (tmp_path / "job.yaml").write_text(
        COMPARED % ("type: int", "r.jsonl", "{exact_match: whole}"))
    (tmp_path / "r.jsonl").write_text('{"text": "1", "whole": "one"}\n')
    result = stage.promptcc("check", tmp_path / "job.yaml")
    assert result.status == 2 and "every score would be 0" in result.err, result
