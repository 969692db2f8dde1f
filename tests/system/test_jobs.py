"""The jobs that ship with promptcc, each from its first step to its compiled
file."""

import json
import shutil

import pytest

import harness

JOBS = sorted(path.relative_to(harness.ROOT / "jobs") for path in
              (harness.ROOT / "jobs").glob("*/*.yaml"))
# The number of rows, the field of the label, and the number of labels.
DATA = {
    "customer_care/examples.jsonl": (160, "intent", 5),
    "intent_200/examples.jsonl": (200, "intent", 8),
    "legal_clauses/excerpts.jsonl": (40, "clause_type", 8),
    "product_metadata/listings.jsonl": (60, "category", 8),
    "drug_interactions/questions.jsonl": (60, "verdict", 3),
    "support_unlabelled/messages.jsonl": (50, None, 0),
}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", sorted(DATA))
def test_shipped_data_is_complete_balanced_and_free_of_duplicates(name):
    n, label, kinds = DATA[name]
    rows = lines(harness.ROOT / "jobs" / name)
    assert len(rows) == n
    texts = [next(iter(row.values())) for row in rows]
    assert len(set(texts)) == n
    if label is None:
        assert all(len(row) == 1 for row in rows)
        return
    counts = {}
    for row in rows:
        counts[row[label]] = counts.get(row[label], 0) + 1
    assert len(counts) == kinds
    assert max(counts.values()) < 2 * min(counts.values()), counts


@pytest.mark.parametrize("path", JOBS, ids=str)
def test_shipped_jobs_run_from_start_to_end(stage, path):
    shutil.copytree(harness.ROOT / "jobs" / path.parent, stage.folder / "job",
                    ignore=shutil.ignore_patterns("*.db*", "compiled*"))
    job = stage.folder / "job" / path.name
    checked = stage.promptcc("check", job, "--json")
    assert checked.status == 0 and checked.json["ok"], checked
    assert not [finding for finding in checked.json["findings"]
                if finding["level"] == "warning"], checked.json
    # The baseline, and as much of a search as a few hundred calls pay for.
    result = stage.promptcc("run", job, "--simulate", "--json", "--quiet",
                            "--max-calls", "320")
    assert result.status == 0, result
    assert 0 < result.json["baseline"]["score"] <= 1
    # The stand-in sometimes misses the form, as models do.
    assert result.json["model_faults"] < result.json["compiled"]["n"] / 5
    compiled = stage.folder / "job" / "compiled.json"
    first = lines_of_inputs(stage, job)
    predicted = stage.promptcc("predict", compiled, "--simulate", "--json",
                               *(f"{key}={value}" for key, value in
                                 first.items()))
    assert predicted.status == 0, predicted
    assert all(value is not None for value in
               predicted.json["outputs"].values())


def lines_of_inputs(stage, job):
    """Returns the inputs of the first row, without its labels."""
    compiled = json.loads((job.parent / "compiled.json").read_text())
    inputs = compiled["metadata"]["promptcc"]["program"]["inputs"]
    data = [line.split(":")[1].split("#")[0].strip() for line in
            job.read_text().splitlines() if line.strip().startswith("examples:")]
    row = lines(job.parent / data[0])[0]
    return {key: row[key] for key in inputs if key in row}


def test_every_job_has_its_page():
    text = (harness.ROOT / "docs" / "jobs.md").read_text()
    for name in {path.parent.name for path in JOBS} - {"small"}:
        assert f"jobs/{name}.md" in text, name
