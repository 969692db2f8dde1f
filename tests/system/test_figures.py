"""A figure is the same wherever it is shown."""

import json
import re

import harness


def run(stage, sim, job, *words):
    return stage.promptcc("run", job, "--ollama", f"{sim.url},slots=1", *words)


def shown(result):
    """Returns (trial, trials, calls, reused) of each line of progress."""
    lines = re.findall(r"trial (\d+)(?: of (\d+))?,.*? ([\d,]+) calls?, "
                       r"([\d,]+) reused", result.err)
    return [tuple(int(n.replace(",", "") or 0) for n in line)
            for line in lines]


def notes(job):
    return [text for text, in harness.store_rows(
        job.parent / "promptcc.db", "SELECT text FROM events WHERE kind = 'note'")]


def test_progress_and_document_agree_across_sessions(stage):
    sim = stage.stand_in(latency_ms=40)
    job = stage.job(optimizer=harness.MIPRO)
    gate = stage.gate(sim)
    gate.hold_after(60)
    process = stage.start("run", job, "--ollama", f"{gate.url},slots=1")
    assert gate.wait_held(process)
    process.kill()
    gate.release()
    resumed = run(stage, sim, job, "--json")
    assert resumed.status == 0, resumed
    document = resumed.json
    calls = sum(document["calls"][role] for role in
                ("student", "teacher", "judge", "exec"))
    # What was in flight at the kill is asked again: one in the slot, one held.
    assert calls <= sim.stats()["answered"] <= calls + 2
    # Run it again, now that everything is in the store.
    lines = shown(resumed) + shown(run(stage, sim, job, "--json"))
    assert lines, resumed
    for trial, trials, done, reused in lines:
        assert trial <= document["trials"]
        assert trials == 0 or trial <= trials <= document["trials"]
        assert done <= calls
        assert reused <= document["calls"]["reused"]
    trials = stage.promptcc("trials", document["job"], "--store",
                            job.parent / "promptcc.db", "--json").json
    assert len(trials) == document["trials"]


def test_there_is_only_one_best_and_its_trial_is_named(stage):
    sim = stage.stand_in(latency_ms=40)
    job = stage.job(optimizer=harness.MIPRO)
    events = job.parent / "events.jsonl"
    result = run(stage, sim, job, "--json", "--on-event",
                 f"cat >> {events}")
    assert result.status == 0, result
    told = [json.loads(line) for line in events.read_text().splitlines()]
    told = [event for event in told if event["event"] == "best"]
    store = job.parent / "promptcc.db"
    (trial, score, low, high, n, baseline), = harness.store_rows(
        store, "SELECT trial, score, low, high, n, baseline FROM bests")
    scores = dict(harness.store_rows(store, "SELECT number, score FROM trials"))
    assert all(scores[event["trial"]] == event["score"] for event in told)
    assert all(event["trial"] > 1 for event in told)  # 1 is the baseline
    best = stage.promptcc("best", job, "--json").json[0]
    assert (best["trial"], best["score"], best["baseline"], best["n"]) == \
        (trial, score, baseline, n)
    both = result.json["same_rows"]
    assert (both["compiled"]["score"], both["compiled"]["low"],
            both["compiled"]["high"]) == (score, low, high)
    assert both["baseline"]["score"] == baseline


def test_what_ships_leads_the_list_if_the_budget_ended_the_search(stage):
    """The last rows of a small budget are scored row by row, not as a trial.
    Whether that decides depends on the search, but not what must hold."""
    job = harness.ROOT / "jobs" / "legal_clauses"
    for calls in (500, 600, 700):
        store = stage.folder / f"{calls}.db"
        result = stage.promptcc("run", job, "--simulate", "--json", "--store", store,
                                "--out", stage.folder / "best.json", "--max-calls", calls)
        assert result.status == 0, result
        both = result.json["same_rows"]
        first = stage.promptcc("best", "--store", store, "--json").json[0]
        assert (first["score"], first["baseline"], first["n"]) == \
            (both["compiled"]["score"], both["baseline"]["score"],
             both["compiled"]["n"]), (calls, first, both)
        listed, = stage.promptcc("jobs", "--store", store, "--json").json
        assert {key: listed[key] for key in both["compiled"]} == both["compiled"]


def test_demos_are_counted_by_origin(stage, sim):
    job = stage.job(optimizer="{bootstrap_few_shot: {max_bootstrapped_demos: 2,"
                              " max_labeled_demos: 5}}")
    result = run(stage, sim, job)
    assert result.status == 0, result
    assert "5 demos: 2 from runs of the teacher, 3 labelled" in notes(job)


def test_a_larger_budget_does_not_lower_the_count_of_reused_calls(stage, sim):
    job = stage.job(n=60, optimizer="{bootstrap_random_search: {}}")
    reused = []
    for calls in (150, 300):
        result = stage.promptcc("run", job, "--ollama", f"{sim.url},slots=2",
                                "--set", f"budget.max_calls={calls}", "--json")
        assert result.status == 0, result
        reused.append(result.json["calls"]["reused"])
    assert 0 < reused[0] <= reused[1], reused


def test_a_run_without_a_readable_reply_says_so(stage):
    sim = stage.stand_in()
    job = stage.job(metric="{exact_match: topic}",
                    optimizer="{labeled_few_shot: {k: 2}}")
    text = job.read_text().replace("num_predict: 200", "num_predict: 1")
    job.write_text(text)
    result = run(stage, sim, job)
    assert result.status == 0, result
    assert re.search(r"none of the \d+ replies could be read: \d+ cut at "
                     r"num_predict; they scored 0", result.out), result
    assert re.search(r"example \d+: \S", result.out), result
    assert "a larger `num_predict` (most were cut off by it)" in \
        " ".join(result.out.split()), result
    assert any("none of the 20 answers of the baseline could be read" in note
               for note in notes(job))
    document = run(stage, sim, job, "--json").json
    assert document["faults"] == {"cut": document["model_faults"]}
    assert document["fault_example"]["reply"]


class Cutting(harness.Gate):
    """Cuts the replies to one step at their beginning."""

    def _answer(self, handler, status, reply):
        if handler.path == "/api/chat" and b"Say what the message" in handler.body:
            document = json.loads(reply)
            document["message"]["content"] = "I would rather talk"
            document["done_reason"] = "length"
            reply = json.dumps(document).encode()
        harness.Gate._answer(handler, status, reply)

    def _forward(self, handler, body):
        handler.body = body or b""  # the gate serves several at a time
        super()._forward(handler, body)


def test_the_reply_shown_is_the_one_that_failed(stage, sim):
    gate = Cutting(sim.url)
    stage.gates.append(gate)
    job = stage.job(more_steps="""\
  answer:
    predict: Write a short answer.
    inputs: [message]
    outputs: {reply: }
outputs: {topic: sort.topic, reply: answer.reply}
""", metric="{fields: [topic, reply]}", optimizer="{labeled_few_shot: {k: 2}}")
    rows = harness.rows(24)
    harness.write_rows(job.parent / "examples.jsonl",
                       [{**row, "reply": "x"} for row in rows])
    document = run(stage, gate, job, "--json").json
    assert document["fault_example"]["reply"] == "I would rather talk"
    assert run(stage, gate, job, "--json").json == document | {
        "wall_s": document["wall_s"]}, "a replay"
    answers = harness.store_rows(job.parent / "promptcc.db", "SELECT DISTINCT "
                                 "answer FROM v_evaluations")
    assert answers == [("I would rather talk",)]


def test_a_trial_on_rows_unseen_by_the_baseline_has_no_baseline(stage, sim):
    job = stage.job(optimizer=harness.GEPA, data="{examples: examples.jsonl, "
                    "split: {train: 0.5, val: 0.5, separate: true}}")
    assert run(stage, sim, job).status == 0
    trials = stage.promptcc("trials", job, "--json").json
    kinds = {trial["kind"]: trial for trial in trials}
    assert kinds["baseline"]["baseline"] == kinds["baseline"]["score"]
    assert kinds["minibatch"]["baseline"] is None
    assert kinds["minibatch"]["score"] is not None


def test_switching_from_simulation_to_a_model_is_not_a_job_change(stage):
    """What has changed is reported while there is still time to read it."""
    job = stage.job(optimizer="{labeled_few_shot: {k: 1}}")
    assert stage.promptcc("run", job, "--simulate", "--quiet").status == 0
    waits = ["--ollama", "http://127.0.0.1:1", "--wait", "1s"]
    assert "has changed" not in stage.promptcc("run", job, *waits).err
    other = stage.promptcc("run", job, *waits, "--set",
                           "optimizer.labeled_few_shot.k=2").err
    assert "has changed: optimizer.labeled_few_shot.k\n" in other
    # This also applies to a run that is over in an instant. It does not wait
    # for the next look at the job's progress, since by then something else may
    # be reported.
    for k in range(3, 11):
        quick = stage.promptcc("run", job, "--simulate", "--set",
                               f"optimizer.labeled_few_shot.k={k}").err
        assert "has changed: optimizer.labeled_few_shot.k\n" in quick, quick
