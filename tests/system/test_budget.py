"""Budgets bind: no call is made that would exceed them, and where a run ends
does not depend on its machines."""

import json

import pytest

import harness
from harness import run


def compiled(job):
    return (job.parent / "compiled.json").read_bytes()


@pytest.mark.parametrize("optimizer", [harness.SMALL, harness.MIPRO])
@pytest.mark.parametrize("calls", [20, 30, 45, 70])
def test_calls_never_exceed_max_calls(stage, sim, optimizer, calls):
    job = stage.job(optimizer=optimizer)
    result = run(stage, sim, job, "--max-calls", calls)
    assert result.status == 0, result
    assert result.json["finish_reason"] == "budget"
    assert sim.stats()["answered"] <= calls
    assert sum(result.json["calls"][role] for role in
               ("student", "teacher", "judge")) == sim.stats()["answered"]
    # One slot ends at the same point as sixteen.
    other = stage.job("other/shop", optimizer=optimizer)
    wide = run(stage, sim, other, "--max-calls", calls, slots=16)
    assert sim.stats()["answered"] <= 2 * calls
    assert wide.json["baseline"] == result.json["baseline"]
    assert wide.json["compiled"] == result.json["compiled"]
    assert compiled(job) == compiled(other)


def test_test_share_is_measured_when_the_budget_leaves_room(stage, sim):
    result = run(stage, sim, stage.job(), "--max-calls", 45)
    assert result.json["test"]["compiled"]["n"] > 0, result
    assert "reason" not in result.json


def test_a_small_budget_still_runs_the_trials_it_can_pay(stage):
    # Of the 300 calls, 64 choose the form of answer, 132 are kept for the test
    # share and 28 for the proof. Forty runs of the program as written, from
    # which an optimizer would learn, could cost more than what is left.
    stage.promptcc("init", "job", "--template", "intent_200")
    result = stage.promptcc("run", "job", "--simulate", "--json",
                            "--max-calls", 300)
    assert result.status == 0, result
    assert result.json["trials"] > 10, result
    assert sum(result.json["calls"][role]
               for role in ("student", "teacher")) <= 300


def test_a_budget_below_the_baseline_cost_is_reported_without_any_call(stage,
                                                                       sim):
    job = stage.job()
    result = stage.promptcc("run", job, "--ollama", sim.url, "--max-calls", 5)
    assert result.status == 0, result
    assert "the budget is 5 calls; 0 are used" in result.out, result
    assert "the baseline is not scored" in result.out
    assert sim.stats()["chats"] == 0
    # The program as written can be used, but replaces nothing.
    assert json.loads(compiled(job))["sort"]["demos"] == []
    assert run(stage, sim, job, "--max-calls", 60).status == 0
    good = compiled(job)
    assert run(stage, sim, job, "--seed", 5, "--max-calls", 5).status == 0
    assert compiled(job) == good
    assert (job.parent / "compiled.partial.json").exists()


def test_small_budget_result_does_not_depend_on_earlier_runs(stage, sim):
    """The store knows the model's digest from a run that asked the model. The
    file of a run that asks nobody contains no digest anyway."""
    def small(store):
        result = run(stage, sim, job, "--max-calls", 5, "--store", store,
                     "--out", f"{store}.json")
        assert result.status == 0, result
        return json.loads((stage.folder / f"{store}.json").read_text())

    job = stage.job()
    fresh = small("fresh.db")
    assert run(stage, sim, job, "--max-calls", 60, "--store",
               "used.db").status == 0
    assert small("used.db") == fresh
    assert fresh["metadata"]["promptcc"]["models"]["student"]["digest"] == ""


def test_the_error_names_the_budget_that_is_too_small(stage, sim):
    job = stage.job()
    first = stage.promptcc("run", job, "--ollama", sim.url, "--max-calls", 60)
    assert first.status == 0, first
    again = stage.promptcc("run", job, "--ollama", sim.url, "--max-calls", 60,
                           "--max-tokens", 10, "--store", "other.db")
    assert "budget of tokens" in again.out or "the budget is 10 tokens" in \
        again.out, again
    assert "and this run has no score" in again.err, again
    one = stage.promptcc("run", job, "--ollama", sim.url, "--max-calls", 1,
                         "--store", "third.db")
    assert "the budget is 1 call; 0 are used" in one.out, one


def test_tokens_never_exceed_the_token_budget(stage, sim):
    job = stage.job()
    result = run(stage, sim, job, "--max-tokens", 20000)
    assert result.status == 0, result
    assert result.json["finish_reason"] == "budget"
    stats = sim.stats()
    assert 0 < stats["prompt_tokens"] + stats["generated_tokens"] <= 20000


def test_a_run_ended_by_its_budget_continues_after_kills(stage, sim):
    whole = stage.job("whole/shop")
    assert run(stage, sim, whole, "--max-calls", 60).status == 0
    job = stage.job("killed/shop")
    gate = stage.gate(sim)
    for passed in (7, 13, 11):
        gate.hold_after(passed)
        process = stage.start("run", job, "--ollama", f"{gate.url},slots=3",
                              "--json", "--max-calls", 60)
        gate.wait_held(process)
        process.kill()
        gate.release()
    result = run(stage, gate, job, "--max-calls", 60)
    assert result.status == 0, result
    assert compiled(job) == compiled(whole)
    # With more to spend, it ends like a run that never had a budget.
    free = stage.job("free/shop")
    assert run(stage, sim, free).json["finish_reason"] == "trials_done"
    again = run(stage, sim, job)
    assert again.json["finish_reason"] == "trials_done"
    assert compiled(job) == compiled(free)


@pytest.mark.parametrize("optimizer", [
    "screen_and_race", "miprov2", "gepa", "copro", "simba",
    "bootstrap_random_search", "bootstrap_few_shot", "labeled_few_shot"])
def test_every_optimizer_continues_with_a_larger_budget_without_paying_twice(
        stage, sim, optimizer):
    job = stage.job("more/shop", optimizer=optimizer)
    assert run(stage, sim, job, "--max-calls", 50).status == 0
    assert run(stage, sim, job, "--max-calls", 90).status == 0
    assert sim.stats()["answered_repeated"] == 0
    other = stage.job("once/shop", optimizer=optimizer)
    assert run(stage, sim, other, "--max-calls", 90).status == 0
    assert compiled(job) == compiled(other)


def test_max_time_interrupts_work_in_progress(stage):
    def six_seconds():
        sim = stage.stand_in(slots=2, latency_ms=400)
        job = stage.job(f"{stage.name('six')}/shop")
        result = run(stage, sim, job, "--max-time", "6s")
        return result.status != 3 and (sim, job, result)

    # A machine that is too slow for a single answer pauses the job.
    sim, job, result = harness.wait_until(six_seconds, "an answer in time")
    assert result.status == 0, result
    document = result.json
    assert document["finish_reason"] == "budget"
    # The run measures this itself, so that a slow start does not count.
    assert document["wall_s"] >= 5.9, document
    # In 6 s two slots begin two calls every 0.4 s; the whole job has 60 or
    # more.
    assert sim.stats()["chats"] <= 32, sim.stats()
    # The same command has no time left: it finds the same result and asks
    # nothing.
    paid = sim.stats()["chats"]
    again = run(stage, sim, job, "--max-time", "6s")
    assert again.json["finish_reason"] == "budget"
    for key in ("baseline", "compiled", "test", "trials"):
        assert again.json[key] == document[key]
    assert sim.stats()["chats"] == paid
    # With more time, the run continues.
    more = run(stage, sim, job, "--max-time", "120s")
    assert more.json["finish_reason"] == "trials_done"
    assert json.loads(compiled(job))


def test_time_without_a_server_does_not_count_against_max_time(stage):
    """Otherwise the run ended with exit 0 and a file, and nobody knew why."""
    port = stage.reserve_port()
    job = stage.job()
    url = f"http://127.0.0.1:{port}"
    alone = stage.promptcc("run", job, "--ollama", url, "--max-time", "2s")
    assert alone.status == 3, alone
    assert f"no model server answered for 2 s at {url}; start one" in alone.err
    assert not (job.parent / "compiled.json").exists()
    # The full time is available once a server comes.
    sim = stage.stand_in(port=port)
    (wall_s,), = harness.store_rows(job.parent / "promptcc.db",
                                    "SELECT wall_s FROM v_jobs")
    assert wall_s == 0
    again = run(stage, sim, job, "--max-time", "120s")
    assert again.status == 0 and again.json["calls"]["student"] > 0, again


def test_advice_for_an_openai_server_does_not_mention_ollama(stage):
    url = f"http://127.0.0.1:{stage.reserve_port()}"
    result = stage.pauses("run", stage.job(), "--openai", url,
                          says=f" s at {url}; start it and run the same")
    assert "ollama serve" not in result.err, result


def test_a_silent_server_is_reported_when_max_time_runs_out(stage):
    sim = stage.stand_in(slots=1, latency_ms=600_000)
    job = stage.job()
    for most in ("2s", "20s", "100s"):
        result = run(stage, sim, job, "--max-time", most)
        if result.status != 3:  # the server was met in time
            break
    assert result.json["finish_reason"] == "budget", result
    assert "no call was answered in that time" in result.json["reason"], result


@pytest.mark.parametrize("tokens", [39000, 51000])
def test_a_replay_repeats_the_trials_and_scores_of_the_run(stage, sim, tokens):
    # A trial that the budget cuts short leaves rows without a score. The proof
    # may score its candidate on these later.
    job = stage.job(n=20, optimizer="{screen_and_race: "
                    "{evaluations: 100, max_demos: 0}}")
    first = run(stage, sim, job, "--max-tokens", tokens)
    assert first.status == 0, first
    states = "SELECT number, state, score, n FROM trials ORDER BY number"
    before = harness.store_rows(job.parent / "promptcc.db", states)
    again = run(stage, sim, job, "--max-tokens", tokens)
    assert again.json["trials"] == first.json["trials"]
    assert harness.store_rows(job.parent / "promptcc.db", states) == before
