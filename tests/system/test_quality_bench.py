"""bench/quality runs with today's programs, and compares over seeds."""

import importlib
import json
import subprocess
import sys

import harness

QUALITY = harness.ROOT / "bench" / "quality"


def run_grid(out, *words):
    done = subprocess.run(
        [sys.executable, QUALITY / "run.py", "--build", harness.BUILD, "--out",
         out, *words], capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout


def test_grid_is_run_once_and_compared(tmp_path):
    out = tmp_path / "grid.jsonl"
    # `middle` has three steps, so 120 calls do not pay for its baseline.
    words = ("--worlds", "numbers,middle", "--optimizers", "labeled_few_shot",
             "--calls", "120", "--seeds", "1")
    shown = run_grid(out, *words)
    runs = [json.loads(line) for line in out.read_text().splitlines()]
    assert [run["world"] for run in runs] == ["numbers", "middle"]
    assert all(0 < run["held"] < 1 for run in runs)
    assert runs[0]["baseline"] and runs[1]["baseline"] is None
    assert run_grid(out, *words) == shown
    assert len(out.read_text().splitlines()) == len(runs)
    run_grid(out, *words, "--rows", "30", "--teacher", "dull")
    other = [json.loads(line) for line in out.read_text().splitlines()][2:]
    assert [(run["rows"], run["taught_by"]) for run in other] == \
        [(30, "dull")] * 2
    assert run_grid(out, *words) == shown, "those runs are other runs"


def by_seed(*scores):
    return dict(enumerate(scores))


def test_the_difference_is_computed_over_paired_runs(monkeypatch):
    monkeypatch.syspath_prepend(str(QUALITY.parent))
    difference = importlib.import_module("paired").difference
    # By hand: gains of 10, 20 and 30 points; t(2) = 4.30, sd = 10.
    mean, low, high = difference(by_seed(0.5, 0.6, 0.7),
                                 by_seed(0.4, 0.4, 0.4, 0.9))
    assert (round(mean, 6), round(low, 1), round(high, 1)) == (20, -4.8, 44.8)
    assert difference(by_seed(0.5), by_seed(0.4)) is None


def dspy_run(system, seed, after, error=None):
    return {"optimizer": "gepa", "system": system, "seed": seed, "before": 0.25,
            "after": after, "calls": 100 * seed, "tokens": 10, "seconds": 1,
            "error": error}


def test_a_crashed_run_is_named_and_excluded_from_all_figures(monkeypatch):
    """In the comparison with DSPy, a missing package is not an optimizer's
    score."""
    monkeypatch.syspath_prepend(str(harness.ROOT / "bench" / "dspy"))
    compare = importlib.import_module("compare")
    runs = [dspy_run("promptcc", seed, 0.5 + seed / 100) for seed in (1, 2, 3)]
    whole = runs + [dspy_run("dspy", seed, 0.4 + seed / 50) for seed in (1, 2)]
    crashed = dspy_run("dspy", 3, 0.25, "No module named optuna")
    with_it = compare.table(whole + [crashed])
    assert "| 2, 1 crashed | 43.0 (42.0 to 44.0) |" in with_it
    assert with_it.replace(", 1 crashed", "") == compare.table(whole)
    assert compare.comparison(whole + [crashed]) == compare.comparison(whole)
    assert compare.crashes(whole) == ""
    assert compare.crashes([crashed]) == \
        "crashed: gepa in dspy, seed 3: No module named optuna"
    assert "| 0, 1 crashed | - | - |" in compare.table([crashed])
