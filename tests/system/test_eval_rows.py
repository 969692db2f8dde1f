"""`eval` keeps the outcome of each row, in the store and in a file."""

import csv
import json

import harness


def evaluate(stage, sim, job, *words):
    result = stage.promptcc("eval", job, "--ollama", f"{sim.url},slots=4",
                            "--json", *words)
    assert result.status == 0, result
    return result.json


def test_rows_are_json_lines_that_add_up_to_the_score(stage, sim, tmp_path):
    job = stage.job()
    out = tmp_path / "rows.jsonl"
    document = evaluate(stage, sim, job, "--rows", out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == document["n"]
    score = sum(row["score"] for row in rows) / len(rows)
    assert abs(score - document["score"]) < 1e-9
    examples = (job.parent / "examples.jsonl").read_text().splitlines()
    for row in rows:
        example = json.loads(examples[row["line"] - 1])
        assert row["inputs"]["message"] == example["message"]
        assert row["labels"]["topic"] == example["topic"]
        assert row["answer"] and row["outcome"] == "done"
    assert [row["row"] for row in rows] == sorted(row["row"] for row in rows)


def test_rows_are_csv_if_the_file_name_ends_in_csv(stage, sim, tmp_path):
    out = tmp_path / "rows.csv"
    document = evaluate(stage, sim, stage.job(), "--rows", out)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == document["n"]
    assert {"row", "inputs", "labels", "answer", "score"} <= set(rows[0])


def test_rows_of_other_data_are_not_mistaken_for_rows_of_the_job(stage, sim,
                                                                 tmp_path):
    job = stage.job()
    other = tmp_path / "other.jsonl"
    lines = (job.parent / "examples.jsonl").read_text().splitlines()
    other.write_text("\n".join(reversed(lines)) + "\n")
    evaluate(stage, sim, job)
    out = tmp_path / "rows.jsonl"
    document = evaluate(stage, sim, job, "--data", other, "--rows", out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert document["n"] == len(rows) == len(lines)
    for row in rows:
        given = json.loads(other.read_text().splitlines()[row["line"] - 1])
        assert row["inputs"]["message"] == given["message"], row


def test_a_second_evaluation_makes_no_call_and_writes_the_same(stage, sim,
                                                               tmp_path):
    job = stage.job()
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    one = evaluate(stage, sim, job, "--rows", first)
    asked = len(sim.chats())
    other = evaluate(stage, sim, job, "--rows", second)
    assert len(sim.chats()) == asked
    assert first.read_text() == second.read_text()
    assert {k: one[k] for k in ("score", "low", "high", "n", "candidate")} == \
        {k: other[k] for k in ("score", "low", "high", "n", "candidate")}
    counts = harness.store_rows(
        job.parent / "promptcc.db",
        "SELECT job LIKE '%-eval', count(*) FROM v_evaluations GROUP BY 1")
    assert [tuple(row) for row in counts] == [(1, one["n"])]


def test_an_unwritable_rows_path_is_reported_before_any_call(stage, sim):
    result = stage.promptcc("eval", stage.job(), "--ollama", sim.url,
                            "--json", "--rows", "nowhere/rows.jsonl")
    assert result.status == 2 and "nowhere/rows.jsonl" in result.error["text"]
    assert sim.chats() == []


def test_data_that_is_too_large_is_refused_with_a_remedy(stage, sim):
    data = stage.folder / "large.jsonl"
    with open(data, "w") as file:
        file.truncate(49 << 20)
    result = stage.promptcc("eval", stage.job(), "--ollama", sim.url, "--json",
                            "--data", data)
    assert result.status == 2, result
    assert "over 48 MiB" in result.error["text"], result
    assert "shuf -n 1000" in result.error["text"], result


def test_a_file_that_cannot_be_written_is_the_only_document(stage, sim):
    """It says which one was written."""
    rows = stage.folder / "rows.jsonl"
    failed = stage.promptcc("eval", stage.job(), "--ollama", sim.url, "--json",
                            "--rows", rows, "--junit", "/dev/full",
                            cwd=stage.folder)
    assert failed.status == 1, failed
    assert "cannot write /dev/full" in failed.error["text"], failed
    assert f"{rows.name} is written" in failed.error["text"], failed
    assert "another place with --rows or --junit" in failed.err, failed
    assert rows.read_text(), failed
