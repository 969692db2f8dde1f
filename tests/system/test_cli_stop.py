"""What Ctrl-C leaves: files, jobs, and instructions for continuing."""

import json
import re
import signal

import harness


def stop_after(stage, gate, job, k, *words):
    """A run that was stopped by one Ctrl-C after k answers."""
    gate.hold_after(k)
    process = stage.start("run", job, "--ollama", f"{gate.url},slots=2",
                          "--json", *words)
    assert gate.wait_held(process)
    process.signal(signal.SIGINT)
    process.wait_for_line("stopping", errors=True)
    gate.release()
    result = process.wait()
    assert result.status == 130, result
    return result


def score_of(path):
    return json.loads(path.read_text())["metadata"]["promptcc"]["scores"][
        "compiled"]["score"]


def test_hangup_of_the_terminal_stops_a_run_gracefully(stage):
    gate = stage.gate(stage.stand_in())
    job = stage.job()
    gate.hold_after(70)
    process = stage.start("run", job, "--ollama", f"{gate.url},slots=2",
                          "--json")
    assert gate.wait_held(process)
    process.signal(signal.SIGHUP)
    process.wait_for_line("stopping", errors=True)
    process.signal(signal.SIGHUP)  # its shell sends one, and so does the kernel
    gate.release()
    assert process.wait().status == 130
    assert json.loads((job.parent / "compiled.json").read_text())


def test_nohup_keeps_a_run_going(stage):
    gate = stage.gate(stage.stand_in())
    job = stage.job()
    gate.hold_after(20)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = stage.start("run", job, "--ollama", gate.url, "--json")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert gate.wait_held(process)
    process.signal(signal.SIGHUP)
    gate.release()
    assert process.wait().status == 0


def test_a_stopped_run_does_not_replace_the_file_of_another_job(stage):
    gate = stage.gate(stage.stand_in())
    job = stage.job()
    assert stage.promptcc("run", job, "--ollama", gate.url).status == 0
    compiled = job.parent / "compiled.json"
    before = compiled.read_bytes()
    result = stop_after(stage, gate, job, 70, "--seed", "5")
    partial = job.parent / "compiled.partial.json"
    assert compiled.read_bytes() == before
    assert result.json["out"].endswith("compiled.partial.json")
    assert json.loads(partial.read_text())["metadata"]["promptcc"]["job"] == \
        result.json["job"]
    assert "is kept" in result.err and "compiled.partial.json" in result.err


def test_a_stopped_run_does_not_replace_its_own_better_file(stage):
    sim = stage.stand_in()
    gate = stage.gate(sim)
    job = stage.job()
    done = stage.promptcc("run", job, "--ollama", gate.url, "--json")
    assert done.json["compiled"]["score"] > done.json["baseline"]["score"]
    compiled = job.parent / "compiled.json"
    before = compiled.read_bytes()
    # The same job without its history: it begins at the baseline again.
    result = stop_after(stage, gate, job, 70, "--store",
                        stage.folder / "new.db")
    assert result.json["job"] == done.json["job"]
    if result.json["compiled"]["score"] < score_of(compiled):
        assert result.json["out"].endswith("compiled.partial.json"), result
    assert compiled.read_bytes() == before


def test_a_simulated_run_does_not_replace_the_file_of_a_real_model(stage):
    job = stage.job(optimizer=harness.SMALL)
    compiled = job.parent / "compiled.json"
    assert stage.promptcc("run", job, "--simulate").status == 0
    file = json.loads(compiled.read_text())
    del file["metadata"]["promptcc"]["simulated"]
    compiled.write_text(json.dumps(file))
    before = compiled.read_bytes()
    result = stage.promptcc("run", job, "--simulate", "--json")
    assert result.status == 0, result
    assert compiled.read_bytes() == before
    assert result.json["out"].endswith("compiled.partial.json")
    assert "compiled with a real model" in result.err
    assert "compiled.partial.json" in stage.promptcc("run", job,
                                                     "--simulate").out


def test_a_file_that_is_not_a_compiled_file_is_not_replaced(stage):
    gate = stage.gate(stage.stand_in())
    job = stage.job()
    out = job.parent / "mine.json"
    out.write_text('{"mine": true}')
    result = stop_after(stage, gate, job, 70, "--out", out)
    assert out.read_text() == '{"mine": true}'
    assert result.json["out"].endswith("mine.partial.json")
    assert (job.parent / "mine.partial.json").exists()
    done = stage.promptcc("run", job, "--ollama", gate.url, "--out", out)
    assert done.status == 0 and score_of(out) > 0  # as requested


def test_a_default_name_takes_no_file_of_another_program(stage, sim):
    """DSPy people have a compiled.json, and many a folder a report.html."""
    job = stage.job(optimizer="{labeled_few_shot: {k: 1}}")
    mine = {name: stage.folder / name for name in ("report.html",
                                                   "ensemble.json")}
    mine["run"] = compiled = job.parent / "compiled.json"
    for path in mine.values():
        path.write_text('{"mine": true}')
    result = stage.promptcc("run", job, "--ollama", sim.url, "--json")
    assert result.status == 0, result
    partial = job.parent / "compiled.partial.json"
    assert result.json["out"] == str(partial), result
    for words in (["report", job], ["ensemble", partial, partial]):
        refused = stage.promptcc(*words)
        assert refused.status == 2 and "did not write it" in refused.err
    assert {path.read_text() for path in mine.values()} == {'{"mine": true}'}
    # Once it is named it is replaced, and our own file is in nobody's way.
    for path, words in ((mine["report.html"], ["report", job]),
                        (mine["ensemble.json"], ["ensemble", partial, partial]),
                        (compiled, ["run", job, "--ollama", sim.url])):
        assert stage.promptcc(*words, "--out", path).status == 0
        assert stage.promptcc(*words).status == 0
        assert "promptcc" in path.read_text()


def test_a_stopped_run_writes_its_best_if_no_compiled_file_exists(stage):
    gate = stage.gate(stage.stand_in())
    job = stage.job()
    result = stop_after(stage, gate, job, 70)
    assert result.json["out"].endswith("compiled.json")
    assert (job.parent / "compiled.json").exists()
    assert not (job.parent / "compiled.partial.json").exists()


def test_program_as_written_is_best_while_answer_form_is_chosen(stage):
    gate = stage.gate(stage.stand_in())
    job = stage.job(n=100, data="{examples: examples.jsonl, split: "
                                "{train: 0.5, val: 0.5, test: 0}}")
    # Both forms of answer are tried on 32 examples.
    result = stop_after(stage, gate, job, 40, "--set", "adapter=auto")
    assert result.json["compiled"]["n"] == 32, result
    assert result.json["adapter"] is None
    compiled = json.loads((job.parent / "compiled.json").read_text())
    assert compiled["metadata"]["promptcc"]["job"] == result.json["job"]


def test_a_run_stopped_before_any_score_says_why_no_file_exists(stage):
    gate = stage.gate(stage.stand_in())
    job = stage.job()
    result = stop_after(stage, gate, job, 3)
    assert result.json["out"] is None
    assert "no file yet" in result.json["reason"]
    assert not (job.parent / "compiled.json").exists()


def test_resume_remembers_the_output_path(stage):
    sim = stage.stand_in()
    gate = stage.gate(sim)
    job = stage.job()
    out = stage.folder / "there" / "best.json"
    out.parent.mkdir()
    elsewhere = stage.folder / "elsewhere"
    elsewhere.mkdir()
    stopped = stop_after(stage, gate, job, 70, "--out", "there/best.json")
    result = stage.promptcc("resume", "shop", "--store",
                            job.parent / "promptcc.db", "--ollama", sim.url,
                            "--json", cwd=elsewhere)
    assert result.status == 0 and result.json["out"] == str(out), result
    assert score_of(out) >= stopped.json["compiled"]["score"]
    assert list(elsewhere.iterdir()) == []
    named = stage.promptcc("resume", "shop", "--store",
                           job.parent / "promptcc.db", "--ollama", sim.url,
                           "--out", "here.json", cwd=elsewhere)
    assert named.status == 0, named
    assert (elsewhere / "here.json").read_bytes() == out.read_bytes()


def submitted(stage, gate, *words):
    coordinator = stage.coordinator(stage.folder / "s.db")
    stage.worker(coordinator.endpoint, gate.url, "w1", slots=2)
    process = stage.start("submit", stage.job(), "--coordinator",
                          coordinator.endpoint, *words)
    return coordinator, process


def test_interrupting_a_waiting_submit_leaves_the_job_running(stage):
    sim = stage.stand_in()
    gate = stage.gate(sim)
    gate.hold_after(20)
    coordinator, process = submitted(stage, gate, "--wait")
    assert gate.wait_held(process)
    process.signal(signal.SIGINT)
    left = process.wait()
    assert left.status == 130, left
    job = left.out.strip()
    assert re.fullmatch(r"shop-[0-9a-f]{12}", job), left
    assert f"promptcc stop {job} --coordinator" in left.err
    jobs = stage.promptcc("jobs", "--coordinator", coordinator.endpoint,
                          "--json").json
    assert [j["state"] for j in jobs] == ["running"]
    gate.release()
    again = stage.promptcc("submit", stage.folder / "shop", "--coordinator",
                           coordinator.endpoint, "--wait", "--json")
    assert again.status == 0 and again.json["job"] == job, again
    assert sim.repeated() <= harness.copies(stage.folder / "s.db")


def test_a_waiting_submit_gives_up_when_nothing_answers(stage):
    gate = stage.gate(stage.stand_in())
    gate.hold_after(10)
    coordinator, process = submitted(stage, gate, "--wait=1s", "--json")
    left = process.wait()
    if "error" in left.json:  # it took longer until the job was accepted
        left = stage.promptcc("submit", stage.folder / "shop", "--coordinator",
                              coordinator.endpoint, "--wait=30s", "--json")
    assert left.status == 3, left
    assert set(left.json) == {"job"}
    jobs = stage.promptcc("jobs", "--coordinator", coordinator.endpoint,
                          "--json").json
    assert [j["state"] for j in jobs] == ["running"]


def test_history_commands_print_the_same_from_cluster_and_store(stage):
    sim = stage.stand_in()
    store = stage.folder / "s.db"
    coordinator = stage.coordinator(store)
    there = ("--coordinator", coordinator.endpoint)
    stage.worker(coordinator.endpoint, sim.url, "w1", slots=4)
    job = stage.job()
    done = stage.promptcc("submit", job, *there, "--wait", "--json")
    assert done.status == 0, done
    for words in (["jobs"], ["show"], ["trials", "shop"],
                  ["trials", job], ["best", "--limit", "2"],
                  ["query", "SELECT * FROM v_cost"]):
        here = stage.promptcc(*[w for w in words if w != job], "--store", store,
                              "--json")
        far = stage.promptcc(*words, *there, "--json")
        assert here.status == far.status == 0, far
        if words == ["jobs"] and here.json != far.json:
            # The store knows the end a moment before the coordinator's loop.
            harness.wait_until(
                lambda: stage.promptcc(*words, *there, "--json").json ==
                here.json, "the job of the store")
        else:
            assert here.json == far.json, words
    out = stage.folder / "far.json"
    exported = stage.promptcc("export", "shop", *there, "--out", out, "--json")
    assert exported.status == 0, exported
    assert out.read_bytes() == (job.parent / "compiled.json").read_bytes()
    assert exported.json["compiled"] == done.json["compiled"]
    over = stage.promptcc("export", job, *there, "--out", job)
    assert over.status == 2 and "read by this same command" in over.err, over
    wrong = stage.promptcc("query", "SELECT nowhere FROM v_jobs", *there)
    assert wrong.status == 2 and "no such column" in wrong.err, wrong
