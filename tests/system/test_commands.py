"""eval, predict, render, the history, init, and Ctrl-C."""

import json
import re
import shlex
import signal
import sqlite3

import pytest

import harness


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished job with two steps, and its stand-in. Tests only add to it."""
    stage = harness.Stage(tmp_path_factory.mktemp("done"))
    try:
        stage.sim = stage.stand_in(slots=2)
        stage.job_file = stage.job(n=40, more_steps=harness.SECOND_STEP)
        stage.compiled = stage.job_file.parent / "compiled.json"
        stage.store = stage.job_file.parent / "promptcc.db"
        result = stage.promptcc("run", stage.job_file, "--ollama",
                                stage.sim.url, "--json")
        assert result.status == 0, result
        stage.document = result.json
        yield stage
    finally:
        stage.close()


def evaluate(done, *words):
    return done.promptcc("eval", done.job_file, "--ollama", done.sim.url,
                         "--json", *words)


def history(done, command, *words):
    result = done.promptcc(command, *words, "--store", done.store, "--json")
    assert result.status == 0, result
    return result.json


# --- eval ---

def test_eval_scores_the_program_as_written_on_the_test_share(done):
    result = evaluate(done)
    assert result.status == 0, result
    document = result.json
    test = done.document["test"]["baseline"]
    assert {k: document[k] for k in test} == test
    assert type(document["model_faults"]) is int
    assert set(document["calls"]) >= {"student", "teacher", "judge", "reused",
                                      "hedged"}
    assert document["calls"]["student"] == 0
    assert document["calls"]["reused"] == test["n"]
    assert set(document["tokens"]) == {"prompt", "prompt_cached", "generated"}
    assert type(document["wall_s"]) is float


def test_eval_scores_a_compiled_file(done):
    document = evaluate(done, "--compiled", done.compiled).json
    test = done.document["test"]["compiled"]
    assert {k: document[k] for k in test} == test


def test_eval_scores_every_row_of_another_file(done):
    made = harness.rows(60)[40:]
    data = harness.write_rows(done.folder / "heldout.jsonl", made)
    plain = evaluate(done, "--data", data).json
    better = evaluate(done, "--data", data, "--compiled", done.compiled).json
    assert plain["n"] == better["n"] == 20
    for document in (plain, better):
        assert document["calls"]["student"] + document["calls"]["reused"] >= 20
        assert document["tokens"]["prompt"] > 20 * 50
        assert document["tokens"]["generated"] >= 20
    assert better["score"] > plain["score"]
    assert plain["calls"]["student"] >= 20  # only the measured step


def test_eval_reports_each_bad_row_once_with_a_caret(done):
    rows = harness.rows(3)
    for row in rows[1:]:
        row["topic"] += "s"
    data = harness.write_rows(done.folder / "bad.jsonl", rows)
    result = done.promptcc("eval", done.job_file, "--ollama", done.sim.url,
                           "--data", data)
    assert result.status == 2, result
    for line in (2, 3):
        assert result.err.count(f"bad.jsonl:{line}:") == 1, result
    assert len(re.findall(r"^ +\| +\^", result.err, re.M)) == 2, result


def test_eval_runs_all_steps_on_request(done):
    data = harness.write_rows(done.folder / "three.jsonl",
                              harness.rows(53)[50:])
    few = evaluate(done, "--data", data).json
    all_steps = evaluate(done, "--data", data, "--all-steps").json
    assert few["calls"]["student"] + few["calls"]["reused"] == 3
    assert all_steps["calls"]["student"] + all_steps["calls"]["reused"] == 6
    assert all_steps["score"] == few["score"]


@pytest.mark.parametrize("limit, status", [("0.01", 0), ("1", 100),
                                           ("100%", 100), ("0", 0)])
def test_eval_fail_below_sets_the_exit_status(done, limit, status):
    result = evaluate(done, "--compiled", done.compiled, "--fail-below", limit)
    assert result.status == status, result
    assert type(result.json["score"]) is float


def test_eval_reads_old_dspy_files(done):
    new = json.loads(done.compiled.read_text())
    old = {}
    for name in ("sort", "answer.predict"):
        signature = new[name]["signature"]
        old[name.removesuffix(".predict")] = {
            "lm": None, "traces": [], "train": [], "demos": new[name]["demos"],
            "signature_instructions": signature["instructions"],
            "signature_prefix": signature["fields"][-1]["prefix"],
        }
        if name != "sort":
            was = old[name.removesuffix(".predict")]
            was["extended_signature_instructions"] = \
                was.pop("signature_instructions")
            was["extended_signature_prefix"] = was.pop("signature_prefix")
    path = done.folder / "old.json"
    path.write_text(json.dumps(old))
    document = evaluate(done, "--compiled", path).json
    test = done.document["test"]["compiled"]
    assert {k: document[k] for k in test} == test


# --- predict and render ---

def predict(done, *words, **how):
    return done.promptcc("predict", done.compiled, "--ollama", done.sim.url,
                         *words, **how)


MESSAGE = "Where is my parcel, and who is the courier?"


def test_predict_needs_only_the_compiled_file(done):
    alone = done.folder / "alone"
    alone.mkdir(exist_ok=True)
    copy = alone / "compiled.json"
    copy.write_bytes(done.compiled.read_bytes())
    result = done.promptcc("predict", copy, f"message={MESSAGE}", "--json",
                           "--ollama", done.sim.url, cwd=alone)
    assert result.status == 0, result
    outputs = result.json.get("outputs", result.json)
    assert set(outputs) == {"topic", "reply"}
    assert outputs["topic"] in harness.TOPICS and outputs["reply"]
    assert [p.name for p in alone.iterdir()] == ["compiled.json"]
    plain = predict(done, f"message={MESSAGE}")
    assert plain.status == 0 and outputs["topic"] in plain.out, plain
    assert "simulated" in plain.out + plain.err


def test_predict_reads_and_writes_json_lines(done):
    rows = harness.rows(12, labelled=False)
    given = harness.write_rows(done.folder / "in.jsonl", rows)
    out = done.folder / "out.jsonl"
    result = predict(done, "--input", given, "--output", out)
    assert result.status == 0, result
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == 12
    outputs = [line.get("outputs", line) for line in lines]
    assert all(o["topic"] in harness.TOPICS and o["reply"] for o in outputs)

    piped = predict(done, "--input", "-", stdin=given.read_text())
    assert piped.status == 0, piped
    assert piped.out == out.read_text()


def test_predict_reports_missing_and_unknown_inputs(done):
    missing = predict(done, "--json")
    assert missing.status == 2, missing
    assert "write message=VALUE" in missing.error["text"], missing
    assert "--input" in missing.error["text"], missing
    unknown = predict(done, "mesage=hello", "--json")
    assert unknown.status == 2, unknown
    assert "message" in unknown.error["text"]


def test_predict_reports_an_input_given_twice(done):
    result = done.promptcc("predict", done.compiled, "--simulate",
                           "message=a", "message=b")
    assert result.status == 2 and "`message` is given twice" in result.err, result


def test_predict_refuses_a_job_in_place_of_a_compiled_file(done):
    for job, words in [
            (done.job_file, "`promptcc run` compiles it"),
            (done.job_file.parent, f"the one in it, {done.compiled}?")]:
        result = done.promptcc("predict", job, "--simulate", "message=a")
        assert result.status == 2, result
        assert "not a compiled file: " in result.err and words in result.err


def test_predict_names_the_unreachable_server(done):
    url = f"http://127.0.0.1:{done.reserve_port()}"
    result = done.promptcc("predict", done.compiled, "message=hi", "--ollama",
                           url, "--json", "--wait", "1s")
    assert result.status == 3, result
    assert url.removeprefix("http://") in result.error["text"]


def test_render_prints_what_the_server_receives(done):
    gate = done.gate(done.sim)
    try:
        predicted = done.promptcc("predict", done.compiled,
                                  f"message={MESSAGE}", "--ollama", gate.url,
                                  "--json")
        assert predicted.status == 0, predicted
        outputs = predicted.json.get("outputs", predicted.json)
        sent = {("reply" in json.dumps(r["messages"][0])): r["messages"]
                for r in gate.requests}
        shown = done.promptcc("render", done.compiled, "sort",
                              f"message={MESSAGE}", "--json")
        assert shown.status == 0, shown
        messages = shown.json
        messages = messages.get("messages", messages) if \
            isinstance(messages, dict) else messages
        assert messages == sent[False]
        shown = done.promptcc("render", done.compiled, "answer",
                              f"message={MESSAGE}", f"topic={outputs['topic']}",
                              "--json").json
        messages = shown.get("messages", shown) if isinstance(shown, dict) \
            else shown
        assert messages == sent[True]
    finally:
        gate.release()


@pytest.mark.parametrize("spec, given", [
    ({"default": MESSAGE}, MESSAGE), ({"optional": True}, "null")])
def test_render_fills_in_what_predict_would(done, tmp_path, spec, given):
    whole = done.promptcc("render", done.compiled, "answer", "topic=returns",
                          f"message={given}", "--json")
    document = json.loads(done.compiled.read_text())
    inputs = document["metadata"]["promptcc"]["program"]["inputs"]
    inputs["message"].update(spec)
    (tmp_path / "compiled.json").write_text(json.dumps(document))
    short = done.promptcc("render", tmp_path / "compiled.json", "answer",
                          "topic=returns", "--json")
    assert whole.status == short.status == 0, (whole, short)
    assert short.json[-1] == whole.json[-1]


def test_render_prints_readable_messages(done):
    result = done.promptcc("render", done.compiled, "sort",
                           f"message={MESSAGE}")
    assert result.status == 0, result
    assert MESSAGE in result.out and "[[ ## topic ## ]]" in result.out
    unknown = done.promptcc("render", done.compiled, "srt", "message=x")
    assert unknown.status == 2 and "sort" in unknown.err, unknown


# --- the history ---

def test_trials_are_listed_with_all_their_fields(done):
    trials = history(done, "trials", done.document["job"])
    # Two trials choose the form of answer.
    assert [t["kind"] for t in trials].index("baseline") == 2
    assert [t["trial"] for t in trials] == sorted(t["trial"] for t in trials)
    for trial in trials:
        assert set(trial) >= {
            "trial", "state", "kind", "score", "n", "candidate",
            "instructions", "demos", "calls", "tokens", "started", "finished"}
        assert trial["kind"] in ("baseline", "minibatch", "full", "pruned")
        assert trial["state"] == "done"
        assert type(trial["instructions"]) is dict
        assert type(trial["demos"]) is dict and "sort" in trial["demos"]


def test_a_job_is_found_by_id_prefix_name_folder_and_file(done):
    evaluate(done)  # has its own history, which is not meant here
    trials = history(done, "trials", done.document["job"])
    elsewhere = done.folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    for name, folder in (("shop", elsewhere), (done.document["job"][:8],
                                               elsewhere),
                         ("shop", done.folder), ("shop/job.yaml", done.folder),
                         (done.job_file.parent, elsewhere)):
        result = done.promptcc("trials", name, "--store", done.store, "--json",
                               cwd=folder)
        assert result.status == 0, result
        assert result.json == trials


def test_best_is_what_was_compiled(done):
    best = history(done, "best", done.document["job"])
    text = json.dumps(best)
    first = best[0] if isinstance(best, list) else best
    assert f"{done.document['compiled']['score']:.6}" in text
    assert first


def test_best_keeps_the_lines_of_an_instruction(stage):
    job = stage.job(instruction='"Sort the mail:\\n\\n- by topic\\n- alone"')
    assert stage.promptcc("run", job, "--simulate", "--quiet", "--optimizer",
                          "labeled_few_shot").status == 0
    shown = stage.promptcc("best", job)
    assert ":\n  Sort the mail:\n\n  - by topic\n  - alone\n" in shown.out, shown


def test_jobs_and_show_print_the_result(done):
    jobs = history(done, "jobs")
    mine = next(j for j in jobs if j["job"] == done.document["job"])
    assert mine["state"] == "done" and mine["reason"] is not None
    assert mine["score"] == done.document["compiled"]["score"]
    shown = history(done, "show", done.document["job"])
    assert shown["job"] == done.document["job"]
    assert shown["state"] == "done"


def test_an_unknown_job_is_reported(done):
    result = done.promptcc("show", "shoop", "--store", done.store, "--json")
    assert result.status == 2, result
    assert "shoop" in result.error["text"]


def test_export_reproduces_the_compiled_file(done):
    out = done.folder / "exported.json"
    result = done.promptcc("export", done.document["job"], "--store",
                           done.store, "--out", out)
    assert result.status == 0, result
    assert out.read_bytes() == done.compiled.read_bytes()


def test_a_job_of_another_version_is_exported_without_replay(done):
    store = done.folder / "older.db"
    with sqlite3.connect(done.store) as db, sqlite3.connect(store) as copy:
        db.backup(copy)
        copy.execute("UPDATE jobs SET replay_version = 1")
    out = done.folder / "older.json"
    exported = done.promptcc("export", "shop", "--store", store, "--out", out)
    assert exported.status == 0, exported
    assert out.read_bytes() == done.compiled.read_bytes()
    jobs = len(done.promptcc("jobs", "--store", store, "--json").json)
    resumed = done.promptcc("resume", done.document["job"], "--store", store,
                            "--json")
    assert resumed.status == 2, resumed
    assert "another version" in resumed.error["text"]
    assert len(done.promptcc("jobs", "--store", store, "--json").json) == jobs


def test_export_does_not_overwrite_the_job_file_or_another_program(done):
    over = done.promptcc("export", done.job_file, "--out", done.job_file)
    assert over.status == 2 and "read by this same command" in over.err, over
    store, place = done.folder / "kept.db", done.folder / "kept"
    with sqlite3.connect(done.store) as db, sqlite3.connect(store) as copy:
        db.backup(copy)
        copy.execute("UPDATE jobs SET replay_version = 1")
    place.mkdir()
    (place / "compiled.json").write_text('{"other": 1}')
    kept = done.promptcc("export", "shop", "--store", store, cwd=place)
    assert kept.status == 0 and "is kept" in kept.err, kept
    assert (place / "compiled.json").read_text() == '{"other": 1}'
    partial = place / "compiled.partial.json"
    assert partial.read_bytes() == done.compiled.read_bytes()


def test_query_never_writes_to_the_store(done):
    rows = history(done, "query",
                   "SELECT role, sum(calls) AS calls FROM v_cost GROUP BY role")
    assert {"role", "calls"} <= set(rows[0])
    for sql in ("UPDATE jobs SET score = 1", "DELETE FROM calls",
                "DROP TABLE calls", "PRAGMA user_version = 5", "VACUUM",
                "ATTACH 'other.db' AS o", "INSERT INTO meta VALUES ('a', 'b')",
                "SELECT 1; DELETE FROM calls"):
        result = done.promptcc("query", sql, "--store", done.store, "--json")
        assert result.status == 2, result
        assert result.error["text"]
    assert history(done, "query", "SELECT count(*) AS n FROM jobs")[0]["n"] >= 1


def test_every_query_of_the_handbook_works(done):
    text = (harness.ROOT / "docs" / "store.md").read_text()
    [block] = re.findall(r"```sql\n(.*?)```", text, re.S)
    block = re.sub(r"--.*", "", block)
    queries = [q.strip() for q in block.split(";") if "SELECT" in q]
    assert len(queries) >= 4
    for sql in queries:
        history(done, "query", sql)


def test_any_sqlite_tool_reads_the_store(done):
    with sqlite3.connect(f"file:{done.store}?mode=ro", uri=True) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_jobs_reports_a_missing_store_without_creating_it(done):
    result = done.promptcc("jobs", "--store", done.folder / "no.db", "--json")
    assert result.status == 2, result
    assert "no.db" in result.error["text"]
    assert not (done.folder / "no.db").exists()


# --- init ---

@pytest.mark.parametrize("template", [None, "customer_care",
                                      "drug_interactions"])
def test_init_writes_a_job_that_runs(stage, template):
    words = ["--template", template] if template else []
    made = stage.promptcc("init", "mine", *words)
    assert made.status == 0, made
    checked = stage.promptcc("check", "mine/job.yaml", "--json")
    assert checked.status == 0 and checked.json["ok"], checked
    result = stage.promptcc("run", "mine", "--simulate", "--json", "--optimizer",
                            "labeled_few_shot")
    assert result.status == 0, result
    again = stage.promptcc("init", "mine", *words)
    assert again.status == 2 and "mine" in again.err, again  # nothing is lost


def test_commands_to_copy_are_quoted_for_a_shell(stage):
    made = stage.promptcc("init", "it's mine").out
    [check] = [line for line in made.splitlines() if "promptcc check" in line]
    assert shlex.split(check, comments=False)[2] == "it's mine", made
    ran = stage.promptcc("run", "it's mine", "--simulate", "--optimizer",
                         "labeled_few_shot", "--out", "my result.json").out
    [try_it] = [line for line in ran.splitlines() if "promptcc predict" in line]
    assert shlex.split(try_it)[2] == "my result.json", ran


def test_init_lists_the_available_templates(stage):
    result = stage.promptcc("init", "mine", "--template", "custmer_care")
    assert result.status == 2, result
    assert "did you mean `customer_care`?" in result.err, result
    told = stage.promptcc("init", "--help").out
    wrong = stage.promptcc("init", "mine", "--template", "nothing").err
    for name in re.split(", | or ", wrong.split("it takes ")[1].strip()):
        assert re.search(rf"\b{name}\b", told), f"{name} is not in --help"


# --- Ctrl-C ---

def interrupted(stage, gate, job, k):
    gate.hold_after(k)
    process = stage.start("run", job, "--ollama", f"{gate.url},slots=2",
                          "--json")
    assert gate.wait_held(process)
    return process


def test_one_interrupt_exports_the_best_and_the_next_run_finishes(stage, sim):
    alone = stage.job("alone/shop")
    assert stage.promptcc("run", alone, "--ollama", sim.url).status == 0
    before = sim.repeated()
    gate = stage.gate(sim)
    job = stage.job()
    process = interrupted(stage, gate, job, 60)
    process.signal(signal.SIGINT)
    process.wait_for_line("stopping", errors=True)
    gate.release()
    result = process.wait()
    assert result.status == 130, result
    assert result.json["finish_reason"] == "stopped"
    compiled = job.parent / "compiled.json"
    best = json.loads(compiled.read_text())
    assert best["metadata"]["promptcc"]["scores"]["compiled"] == \
        result.json["compiled"]
    assert result.json["compiled"]["score"] >= result.json["baseline"]["score"]
    shown = stage.promptcc("show", "--store", job.parent / "promptcc.db")
    report = shown.out.split("\n\n", 1)[1]
    assert report.count("run the same command again") == 1, shown

    final = stage.promptcc("run", job, "--ollama", gate.url, "--json")
    assert final.status == 0, final
    assert compiled.read_bytes() == (alone.parent / "compiled.json").read_bytes()
    assert sim.repeated() - before <= len(sim.answered()) / 2 + 3


def test_exporting_a_killed_job_leaves_it_to_the_next_coordinator(stage, sim):
    """`export` gives the best program so far. The next coordinator still takes
    the job up, as one that was running."""
    gate = stage.gate(sim)
    store, out = stage.folder / "cluster.db", stage.folder / "so-far.json"
    first = stage.coordinator(store)
    stage.worker(first.endpoint, gate.url, "w", slots=2)
    gate.hold_after(60)
    told = stage.promptcc("submit", stage.job(), "--coordinator",
                          first.endpoint, "--json")
    assert told.status == 0, told
    harness.wait_until(lambda: gate.held, "a job under way")

    def state():
        [job] = stage.promptcc("jobs", "--store", store, "--json").json
        return job["state"]

    harness.wait_until(lambda: state() == "running", "a job that runs")
    first.kill()
    looked = stage.promptcc("export", "--store", store, "--out", out)
    assert looked.status in (0, 1) and out.exists() == (looked.status == 0)
    assert state() == "running"
    gate.release()
    second = stage.coordinator(store)
    stage.worker(second.endpoint, gate.url, "w2", slots=2)
    harness.wait_until(lambda: state() == "done", "the end of the job")


def test_a_second_interrupt_exits_at_once_and_loses_nothing(stage, sim):
    alone = stage.job("alone/shop")
    undisturbed = stage.promptcc("run", alone, "--ollama", sim.url, "--json")
    assert undisturbed.status == 0, undisturbed
    gate = stage.gate(sim)
    job = stage.job()
    process = interrupted(stage, gate, job, 40)
    process.signal(signal.SIGINT)
    process.wait_for_line("stopping", errors=True)
    process.signal(signal.SIGINT)
    result = process.wait(28)  # the call that is held lasts 30 s
    assert result.status == 130, result
    gate.release()
    final = stage.promptcc("run", job, "--ollama", gate.url, "--json")
    assert final.status == 0, final
    assert (job.parent / "compiled.json").read_bytes() == \
        (alone.parent / "compiled.json").read_bytes()
    assert final.json["calls"]["student"] == \
        undisturbed.json["calls"]["student"] > 100


def test_a_frozen_server_does_not_delay_an_interrupt(stage, sim):
    """The call in flight hangs; a single Ctrl-C still ends the run."""
    gate = stage.gate(sim)
    process = interrupted(stage, gate, stage.job(), 30)
    process.signal(signal.SIGINT)
    result = process.wait(30)
    assert result.status == 130, result
    assert result.json["finish_reason"] == "stopped"


def test_errors_name_the_variable_a_value_came_from(done):
    """Exported for one command, and in the way of another."""
    def told(name, value, *words):
        result = done.promptcc(*words, env={name: value})
        assert result.status == 2, result
        return result.err

    assert "it comes from the variable PROMPTCC_OUT" in told(
        "PROMPTCC_OUT", "best.json", "report", done.job_file)
    assert "it comes from the variable PROMPTCC_STORE" in told(
        "PROMPTCC_STORE", "/nowhere/else.db", "jobs")
    assert "variable" not in told("PROMPTCC_STORE", "/nowhere/else.db", "jobs",
                                  "--store", "/nowhere/at/all.db")


def test_operands_take_precedence_over_environment_variables(done):
    result = done.promptcc("query", "SELECT 1 AS one", "--store", done.store,
                           "--csv", env={"PROMPTCC_FILE": "/nowhere.sql"})
    assert result.out == "one\n1\n", result
    inputs = [f"{name}=hello" for name in json.loads(
        done.compiled.read_text())["metadata"]["promptcc"]["program"]["inputs"]]
    result = done.promptcc("predict", done.compiled, *inputs, "--simulate",
                           env={"PROMPTCC_INPUT": "/nowhere.jsonl"})
    assert result.status == 0, result


def test_no_environment_variable_removes_a_job(stage, sim):
    job = stage.job(optimizer="{labeled_few_shot: {k: 1}}")
    done = stage.promptcc("run", job, "--ollama", sim.url, "--json").json
    jobs = ["jobs", "--store", job.parent / "promptcc.db", "--json"]
    assert stage.promptcc(*jobs, env={"PROMPTCC_REMOVE": done["job"]}
                          ).status == 0
    assert [row["job"] for row in stage.promptcc(*jobs).json] == [done["job"]]


def test_the_command_ensemble_suggests_works_for_names_with_spaces(done,
                                                                   tmp_path):
    out = tmp_path / "the two.json"
    result = done.promptcc("ensemble", done.compiled, done.compiled, "--out",
                           out)
    assert result.status == 0, result
    advised = re.search("`promptcc eval JOB (.*?)` says", result.err)[1]
    assert shlex.split(advised) == ["--compiled", str(out)]
