"""Several compiled programs as one: made, scored and run, in C and in DSPy."""

import json

import pytest

import harness
from test_dspy import dspy_python  # noqa: F401, a fixture
from test_python import in_dspy
from test_serve import Server


@pytest.fixture(name="made", scope="module")
def make(tmp_path_factory):
    """Makes a job with two steps, and three compiled files of it."""
    stage = harness.Stage(tmp_path_factory.mktemp("ensemble"))
    job = stage.job(student="llama3.2:3b", more_steps=harness.SECOND_STEP,
                    optimizer="{labeled_few_shot: {k: 4}}")
    files = []
    for seed in (1, 2, 3):
        files.append(stage.folder / f"{seed}.json")
        done = stage.promptcc("run", job, "--simulate", "--seed", seed, "--out",
                              files[-1], "--set", "adapter=chat")
        assert done.status == 0, done
    yield stage, job, files
    stage.close()


def ensemble(stage, files, *words, out="ensemble.json"):
    path = stage.folder / out
    done = stage.promptcc("ensemble", *files, "--out", path, *words)
    assert done.status == 0, done
    return path


def answers(stage, path, url, rows):
    asked = stage.folder / "asked.jsonl"
    harness.write_rows(asked, rows)
    done = stage.promptcc("predict", path, "--ollama", f"{url},slots=2",
                          "--input", asked)
    assert done.status == 0, done
    return [json.loads(line)["outputs"] for line in done.out.splitlines()]


def test_a_file_that_is_named_twice_is_noticed(made):
    stage, _, files = made
    link = stage.folder / "link.json"
    link.symlink_to(files[0])
    done = stage.promptcc("ensemble", files[0], files[1], link, "--json",
                          "--out", stage.folder / "twins.json")
    assert done.status == 0 and done.json["members"] == 3, done
    assert f"warning: {link} is the same file as {files[0]}" in done.err, done
    assert done.err.count("warning") == 1, done


def test_ensemble_gives_the_majority_answer(made, sim):
    stage, _, files = made
    rows = [{"message": row["message"]} for row in harness.rows(12)]
    path = ensemble(stage, files)
    each = [answers(stage, file, sim.url, rows) for file in files]
    for i, got in enumerate(answers(stage, path, sim.url, rows)):
        said = [one[i]["topic"] for one in each]
        most = max(said, key=said.count)
        if said.count(most) == 1:
            most = said[0]
        assert got["topic"] == most, (said, got)
        # The reply comes from the first member that gave this answer.
        assert got == each[said.index(most)][i]
    server = Server(stage, path, sim.url)
    assert server.ask("POST", "/predict", rows[0])[1]["outputs"] == got_first(
        stage, path, sim.url, rows)


def got_first(stage, path, url, rows):
    return answers(stage, path, url, rows[:1])[0]


def test_eval_scores_an_ensemble_and_runs_only_steps_the_metric_reads(made):
    stage, job, files = made
    path = ensemble(stage, files)
    words = ["--simulate", "--json", "--store", stage.folder / "eval.db"]
    for file in files:
        one = stage.promptcc("eval", job, *words, "--compiled", file).json
    whole = stage.promptcc("eval", job, *words, "--compiled", path)
    assert whole.status == 0, whole
    assert whole.json["n"] == one["n"] > 0
    # The members' answers are stored already, and the topic needs no reply.
    assert whole.json["calls"]["student"] == 0
    assert whole.json["calls"]["reused"] == 3 * one["n"]
    again = stage.promptcc("eval", job, *words, "--compiled", path)
    assert again.json["score"] == whole.json["score"]


def test_size_picks_the_best_members_and_the_file_lists_them(made):
    stage, _, files = made
    path = ensemble(stage, files, "--size", 2, "--field", "topic",
                    out="two.json")
    about = json.loads(path.read_text())["metadata"]["promptcc"]
    scores = [json.loads(file.read_text())["metadata"]["promptcc"]["scores"]
              ["compiled"]["score"] for file in files]
    kept = [one["score"] for one in about["ensemble"]["members"]]
    assert sorted(kept, reverse=True) == sorted(scores, reverse=True)[:2]
    assert about["ensemble"]["reduce_fn"] == "majority"
    assert about["optimizer"] == "ensemble" and about["simulated"] is True
    assert about["scores"] is None
    text = path.read_bytes()
    assert ensemble(stage, files, "--size", 2, "--field", "topic",
                    out="two.json").read_bytes() == text
    shown = stage.promptcc("render", path, "sort_2", "message=x", "--json")
    assert shown.status == 0, shown


def test_a_judge_sees_all_answers(made, sim):
    stage, _, files = made
    path = ensemble(stage, files, "--reduce-fn", "judge", out="judged.json")
    row = {"message": "Where is my parcel?"}
    plain = ensemble(stage, files)
    assert answers(stage, plain, sim.url, [row])
    before = len(sim.chats())
    assert answers(stage, path, sim.url, [row])
    assert len(sim.chats()) - before > before, "one more has answered"
    shown = stage.promptcc("render", path, "judge", "--json").json
    for number in (1, 2, 3):
        assert f"answer_{number}_" in shown[0]["content"]


def test_incompatible_members_are_refused(made, stage):
    mine, job, files = made
    other = stage.job(student="qwen2.5:0.5b")
    assert stage.promptcc("run", other, "--simulate", "--max-calls",
                          "60").status == 0
    for words, what in [
            ([files[0], other.parent / "compiled.json"], "their model"),
            ([files[0]], "COMPILED"),
            ([*files, "--field", "nothing"], "no such output"),
            ([*files, "--size", "1"], "--size"),
            ([*files, "--out", files[0]], "would be lost")]:
        done = mine.promptcc("ensemble", *words)
        assert done.status == 2 and what in done.err, done
    changed = mine.folder / "changed.json"
    changed.write_text(files[1].read_text().replace('"num_ctx": 4096',
                                                    '"num_ctx": 2048'))
    done = mine.promptcc("ensemble", files[0], changed)
    assert done.status == 2 and "options of their model" in done.err, done


def test_the_python_package_counts_votes_identically(made, dspy_python, sim):
    stage, _, files = made
    path = ensemble(stage, files)
    rows = [{"message": row["message"]} for row in harness.rows(6)]
    theirs = in_dspy(stage, dspy_python, "run_alone", compiled=str(path),
                     url=sim.url, messages=[row["message"] for row in rows])
    assert theirs == answers(stage, path, sim.url, rows)
