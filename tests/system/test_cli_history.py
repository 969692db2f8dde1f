"""The history on the command line: views, query, old stores, removal."""

import csv
import io
import json
import re
import sqlite3

import pytest

import harness


class Done:
    """A finished run, shared by the tests of this file."""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    stage = harness.Stage(tmp_path_factory.mktemp("history"))
    done = Done()
    done.stage = stage
    done.sim = stage.stand_in()
    done.job = stage.job()
    done.store = done.job.parent / "promptcc.db"
    result = stage.promptcc("run", done.job, "--ollama", done.sim.url, "--json")
    assert result.status == 0, result
    done.document = result.json
    yield done
    stage.close()


def query(done, *words, **how):
    return done.stage.promptcc("query", *words, "--store", done.store, **how)


# --- views ---

def test_an_evaluation_shows_its_row_and_reason(done):
    rows = query(done, "SELECT * FROM v_evaluations", "--json").json
    assert rows
    lines = (done.job.parent / "data.jsonl").read_text().splitlines() \
        if (done.job.parent / "data.jsonl").exists() else None
    for row in rows:
        inputs, labels = json.loads(row["inputs"]), json.loads(row["labels"])
        assert set(inputs) == {"message"} and labels["topic"], row
        assert row["share"] in ("train", "val", "test", "train, val"), row
        assert row["answer"], row
        assert row["line"] == row["row"] + 1, row
        if lines:
            assert json.loads(lines[row["row"]])["message"] == \
                inputs["message"]
        if row["score"] < 1:
            assert row["reason"], row


def old_store(path):
    """Makes a store of version 1, as the first release left it."""
    with sqlite3.connect(path) as db:
        db.executescript(
            (harness.ROOT / "store" / "schema_1.sql").read_text())
        db.executescript("""
            PRAGMA application_id = 1885561649; PRAGMA user_version = 1;
            PRAGMA journal_mode = WAL;
            INSERT INTO meta VALUES('written_by', 'promptcc 0.1.0');
            INSERT INTO jobs VALUES(1, 'old-1', 'old', 'old/job.yaml', '{}', '',
              9, 1, 0, 'done', '', 0.5, '{"finish_reason": "trials_done"}', 10,
              0, 1, 1);
            INSERT INTO splits VALUES(1, 'train', '[0,2]'), (1, 'val', '[0]'),
              (1, 'test', '[1]');
        """)


def test_an_old_store_is_read_and_upgraded(done):
    stage = done.stage
    path = stage.folder / "old.db"
    old_store(path)
    for command in ("trials", "best", "show", "jobs"):
        shown = stage.promptcc(command, "--store", path, "--json")
        assert shown.status == 0, shown
    assert shown.json[0]["job"] == "old-1", shown
    run = stage.promptcc("run", done.job, "--ollama", done.sim.url, "--store",
                         path, "--json")
    assert run.status == 0, run
    assert run.json["compiled"] == done.document["compiled"]
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (11,)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("SELECT row, share FROM examples WHERE job_no = 1"
                          " ORDER BY row").fetchall() == \
            [(0, "train, val"), (1, "test"), (2, "train")]


def test_outdated_views_are_recreated(done):
    stage = done.stage
    path = stage.folder / "views.db"
    with sqlite3.connect(done.store) as source, sqlite3.connect(path) as copy:
        source.backup(copy)
        copy.executescript("DROP VIEW v_cost;"
                           "CREATE VIEW v_cost AS SELECT 1 AS one;"
                           "UPDATE meta SET value = 'x' WHERE key = 'views'")
    stage.promptcc("run", done.job, "--ollama", done.sim.url, "--store", path)
    rows = stage.promptcc("query", "SELECT * FROM v_cost", "--store", path,
                          "--json").json
    assert rows and "calls" in rows[0]


def test_an_unfinished_job_shows_its_best_score_so_far(done):
    """The score is the job's best so far. In the store of an older promptcc,
    which does not record that, it comes from the trials."""
    stage = done.stage
    path = stage.folder / "running.db"
    with sqlite3.connect(done.store) as source, sqlite3.connect(path) as copy:
        source.backup(copy)
        copy.execute("UPDATE jobs SET score = NULL, document = NULL")
    [best] = stage.promptcc("query", "SELECT score, n FROM v_best WHERE rank = 1",
                            "--store", path, "--json").json
    for without in ("", "DELETE FROM bests"):
        with sqlite3.connect(path) as db:
            db.executescript(without)
        [job] = stage.promptcc("jobs", "--store", path, "--json").json
        assert (job["score"], job["n"]) == (best["score"], best["n"]), job
        assert job["low"] < job["score"] < job["high"], job


# --- query ---

def test_query_prints_vertical_and_csv_output(done):
    sql = "SELECT job, state, reason FROM v_jobs"
    tall = query(done, sql, "--vertical").out
    assert re.search(r"^--- 1 ---\njob     shop-\w+\nstate   done$", tall,
                     re.M), tall
    rows = list(csv.DictReader(io.StringIO(query(done, sql, "--csv").out)))
    assert rows[0]["job"] == done.document["job"]
    texts = query(done, "SELECT messages FROM v_calls LIMIT 2", "--csv").out
    whole = query(done, "SELECT messages FROM v_calls LIMIT 2", "--json").json
    assert [r["messages"] for r in csv.DictReader(io.StringIO(texts))] == \
        [r["messages"] for r in whole]


def test_query_reads_sql_from_a_file_and_from_standard_input(done):
    path = done.stage.folder / "q.sql"
    path.write_text("-- how many\nSELECT count(*) AS n\nFROM v_jobs;\n")
    wanted = [{"n": 1}]
    assert query(done, "--file", path, "--json").json == wanted
    assert query(done, "--file", "-", "--json",
                 stdin=path.read_text()).json == wanted
    both = query(done, "SELECT 1", "--file", path)
    assert both.status == 2 and "--file" in both.err, both
    neither = query(done)
    assert neither.status == 2 and "--file" in neither.err, neither


@pytest.mark.parametrize("sql, hint", [
    ("SELECT * FROM v_evaluation", "did you mean `v_evaluations`?"),
    ("SELECT share, scroe FROM v_evaluations", "did you mean `score`?"),
    ("SELECT e.anwser FROM v_evaluations e", "did you mean `answer`?"),
    ("SELECT zzz FROM v_cost", "model_s"),
    ("SELECT * FROM zzz", "v_jobs"),
])
def test_an_unknown_name_in_a_query_is_answered_with_the_known_ones(done, sql,
                                                                    hint):
    result = query(done, sql)
    assert result.status == 2 and hint in result.err, result


# --- which job ---

@pytest.mark.parametrize("command", ["trials", "best", "show", "export"])
def test_the_newest_job_with_results_is_used_when_no_name_is_given(done,
                                                                   command):
    words = ["--out", done.stage.folder / "again.json"] \
        if command == "export" else []
    named = done.stage.promptcc(command, done.document["job"], "--store",
                                done.store, "--json", *words)
    unnamed = done.stage.promptcc(command, "--store", done.store, "--json",
                                  *words)
    assert named.status == unnamed.status == 0, unnamed
    assert named.json == unnamed.json


def test_the_newest_job_does_not_depend_on_the_clock(done):
    store = done.stage.folder / "clock.db"
    for words in ([], ["--seed", "7"]):
        result = done.stage.promptcc("run", done.job, "--ollama", done.sim.url,
                                     "--store", store, "--out",
                                     done.stage.folder / "clock.json",
                                     "--json", *words)
        assert result.status == 0, result
    # The first job ran while the clock was 30 years ahead.
    with sqlite3.connect(store) as db:
        first = db.execute("UPDATE jobs SET created_ms = created_ms + 1e12,"
                           " updated_ms = updated_ms + 1e12"
                           " WHERE no = 1 RETURNING id").fetchone()[0]
    shown = done.stage.promptcc("show", "--store", store, "--json").json
    assert first != result.json["job"] == shown["job"], shown


def test_a_folder_selects_its_own_job_in_a_shared_store(stage, sim):
    store = stage.folder / "all.db"
    names = {}
    for name in ("one", "two", "t_o"):
        job = stage.job(name, optimizer="{labeled_few_shot: {k: 2}}")
        if name == "t_o":  # `_` in a name stands only for itself
            job = job.rename(job.parent / "jo_.yaml")
        result = stage.promptcc("run", job, "--store", store, "--json",
                                "--ollama", sim.url)
        assert result.status == 0, result
        names[job] = names[job.parent] = result.json["job"]
    for path, name in names.items():
        shown = stage.promptcc("show", path, "--store", store, "--json")
        if path.name != "t_o":
            assert shown.json["job"] == name, (path, shown)
    other = stage.job("other")
    shown = stage.promptcc("show", other, "--store", store)
    assert shown.status == 2 and "no job has been run from" in shown.err, shown


def test_a_store_one_folder_below_is_suggested(done):
    """A run in a job's folder left the store there, and people ask from the
    folder above."""
    below = done.store.relative_to(done.job.parents[1])
    asked = done.stage.promptcc("jobs", cwd=done.job.parents[1])
    assert asked.status == 2, asked
    assert f"but there is one at {below}: name it with --store {below}" in asked.err
    named = done.stage.promptcc("jobs", "--store", below, "--json",
                                cwd=done.job.parents[1])
    assert named.json[0]["job"] == done.document["job"]


def test_a_killed_job_is_shown_as_abandoned(stage, sim):
    gate = stage.gate(sim)
    gate.hold_after(5)
    job = stage.job()
    running = stage.start("run", job, "--ollama", gate.url)
    gate.wait_held(running)
    for held, words in ((True, ""), (False, "nothing is working on it now")):
        if not held:
            running.kill()
        jobs = stage.promptcc("jobs", "--store", job.parent / "promptcc.db",
                              "--json").json
        assert [j["state"] for j in jobs] == ["running"]
        assert (jobs[0]["reason"] or "").startswith(words), jobs
        assert bool(jobs[0]["reason"]) != held, jobs


def test_an_empty_store_file_is_reported_as_empty(done):
    store = done.stage.folder / "empty.db"
    store.touch()
    result = done.stage.promptcc("show", "--store", store)
    assert result.status == 2 and "is empty" in result.err, result


# --- workers ---

def test_workers_of_finished_runs_are_shown_on_request(done):
    now = done.stage.promptcc("workers", "--store", done.store, "--json")
    assert now.status == 0 and now.json == [], now
    every = done.stage.promptcc("workers", "--store", done.store, "--all",
                                "--json").json
    assert [w["state"] for w in every] == ["left"]


# --- removing ---

def tables(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        names = [n for n, in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {n: db.execute(f"SELECT count(*) FROM {n}").fetchone()[0]
                for n in names}


def test_a_removed_job_leaves_nothing_behind(stage):
    sim = stage.stand_in()
    job = stage.job()
    store = job.parent / "promptcc.db"
    assert stage.promptcc("run", job, "--ollama", sim.url).status == 0
    refused = stage.promptcc("jobs", "--remove", "shop", "--store", store, "--csv")
    assert refused.status == 2 and "--json" in refused.err, refused
    removed = stage.promptcc("jobs", "--remove", "shop", "--store", store,
                             "--json")
    assert removed.status == 0 and removed.json[0]["kept"] == 0, removed
    left = {k: v for k, v in tables(store).items() if v > 0}
    assert set(left) <= {"meta", "workers", "call_kinds"}, left
    assert stage.promptcc("jobs", "--store", store, "--json").json == []


def test_among_equal_trials_the_one_the_search_picks_is_listed_first(stage):
    """22/46 - 13/46 and 23/46 - 14/46 are the same gain, but two different
    doubles."""
    job = harness.write_job(stage.folder / "equals")
    run = stage.promptcc("run", job, "--simulate", "--json")
    assert run.status == 0, run
    store = job.parent / "promptcc.db"
    equals = sorted([(22 / 46, 13 / 46), (23 / 46, 14 / 46)],
                    key=lambda pair: pair[0] - pair[1])
    with sqlite3.connect(store) as db:
        db.execute("DELETE FROM bests")  # as in an older store
        trials = [no for no, in db.execute(
            "SELECT min(number) FROM trials WHERE kind IN ('baseline', 'full')"
            " AND state = 'done' GROUP BY candidate_id ORDER BY 1 LIMIT 2")]
        assert len(trials) == 2
        db.execute("UPDATE trials SET score = 0, baseline = 0.5")
        for trial, pair in zip(trials, equals):
            db.execute("UPDATE trials SET score = ?, baseline = ?"
                       " WHERE number = ?", (*pair, trial))
    best = stage.promptcc("best", "--store", store, "--json").json
    assert [row["trial"] for row in best[:2]] == trials, best


def test_a_job_without_a_score_shows_none(stage, sim):
    job = harness.write_job(stage.folder / "unscored", student="missing")
    run = stage.promptcc("run", job, "--ollama", sim.url, "--quiet")
    assert run.status != 0, run
    rows = stage.promptcc("query", "SELECT score FROM v_jobs", "--json",
                          "--store", job.parent / "promptcc.db").json
    assert rows == [{"score": None}]


def test_removing_a_job_leaves_other_jobs_intact(stage):
    sim = stage.stand_in()
    job = stage.job()
    store = job.parent / "promptcc.db"
    first = stage.promptcc("run", job, "--ollama", sim.url, "--json").json
    second = stage.promptcc("run", job, "--ollama", sim.url, "--seed", "4",
                            "--json").json
    compiled = (job.parent / "compiled.json").read_bytes()
    removed = stage.promptcc("jobs", "--remove", first["job"], "--store", store)
    assert removed.status == 0 and "kept" in removed.out, removed
    jobs = stage.promptcc("jobs", "--store", store, "--json").json
    assert [j["job"] for j in jobs] == [second["job"]]
    before = len(sim.answered())
    again = stage.promptcc("run", job, "--ollama", sim.url, "--seed", "4",
                           "--json")
    assert again.status == 0, again
    assert len(sim.answered()) == before
    assert (job.parent / "compiled.json").read_bytes() == compiled
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    back = stage.promptcc("run", job, "--ollama", sim.url, "--json")
    assert back.status == 0, back
    assert back.json["compiled"] == first["compiled"], back
    assert len(stage.promptcc("jobs", "--store", store, "--json").json) == 2


def two_jobs(stage):
    """Returns the store, and the ids of its jobs, which have one name."""
    job = stage.job()
    runs = [stage.promptcc("run", job, "--simulate", "--seed", seed, "--json",
                           cwd=job.parent) for seed in (3, 4)]
    return job.parent / "promptcc.db", [run.json["job"] for run in runs]


def test_each_job_to_remove_is_reported(stage):
    store, (first, second) = two_jobs(stage)
    words = ("jobs", "--store", store, "--remove", first, "--remove", "nowhere",
             "--remove", second)
    done = stage.promptcc(*words, "--json")
    assert done.status == 2 and done.json["error"]["code"] == "input", done
    removed, [refused] = done.json["removed"], done.json["refused"]
    assert [one["job"] for one in removed] == [first, second], done
    assert refused == {"job": "nowhere", "error": done.json["error"]}, done
    assert "`nowhere` is not removed" in done.err, done
    assert stage.promptcc("jobs", "--store", store, "--json").json == []


def test_each_job_to_remove_is_reported_to_people(stage):
    store, (first, second) = two_jobs(stage)
    done = stage.promptcc("jobs", "--store", store, "--remove", "nowhere",
                          "--remove", first)
    assert done.status == 2 and done.out.startswith(f"removed {first}: "), done
    assert "`nowhere` is not removed: " in done.err, done
    assert [job["job"] for job in stage.promptcc(
        "jobs", "--store", store, "--json").json] == [second]


def test_a_job_that_is_named_twice_is_removed_once(stage):
    """The name means the newest job, and then it would mean the other."""
    store, (first, second) = two_jobs(stage)
    done = stage.promptcc("jobs", "--store", store, "--remove", "shop",
                          "--remove", "shop", "--remove", second)
    assert done.status == 0 and done.out.count("removed") == 1, done
    assert [job["job"] for job in stage.promptcc(
        "jobs", "--store", store, "--json").json] == [first]


def test_removing_from_a_store_that_is_not_there_makes_none(stage):
    store = stage.folder / "typo.db"
    done = stage.promptcc("jobs", "--store", store, "--remove", "x", "--json")
    assert done.status == 2 and "typo.db" in done.error["text"], done
    assert not store.exists()


def test_a_job_is_not_removed_while_a_coordinator_has_the_store(stage):
    store = stage.folder / "s.db"
    stage.coordinator(store)
    result = stage.promptcc("jobs", "--remove", "x", "--store", store, "--json")
    assert result.status == 2 and result.error["code"] == "busy", result
