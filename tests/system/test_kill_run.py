"""kill -9 of `promptcc run` at any point: the same bytes, nothing paid twice.

The gate lets k answers pass and holds every request after them. So the kill
comes while slots are full, in whatever state the k-th answer has led to.
"""

import pytest

import harness

SLOTS = 2
POINTS = [0, 1, 2, 3, 5, 8, 13, 21, 40, 70, 95, 105]


def start(stage, url, job):
    return stage.start("run", job, "--ollama", f"{url},slots={SLOTS}", "--json")


def undisturbed(stage, sim, optimizer):
    job = stage.job("undisturbed/shop", optimizer=optimizer)
    result = start(stage, sim.url, job).wait()
    assert result.status == 0, result
    return result.json, (job.parent / "compiled.json").read_bytes()


def kill_after(stage, gate, job, k):
    """Starts the run and kills it after k more answers have passed. Returns the
    calls that the store contains then, or None if the run had ended before."""
    gate.hold_after(k)
    process = start(stage, gate.url, job)
    if not gate.wait_held(process):
        return None
    process.kill()
    gate.release()
    return harness.committed_calls(job.parent / "promptcc.db")


def check_the_end(stage, gate, job, document, compiled):
    result = start(stage, gate.url, job).wait()
    assert result.status == 0, result
    assert (job.parent / "compiled.json").read_bytes() == compiled
    differ = {"calls", "tokens", "wall_s", "out"}
    assert {k: v for k, v in result.json.items() if k not in differ} == \
        {k: v for k, v in document.items() if k not in differ}
    assert result.json["calls"]["student"] == document["calls"]["student"]
    assert result.json["calls"]["teacher"] == document["calls"]["teacher"]


@pytest.mark.parametrize("optimizer",
                         [harness.SMALL, harness.MIPRO, harness.GEPA,
                          harness.RACE],
                         ids=["random_search", "miprov2", "gepa",
                              "screen_and_race"])
def test_a_run_killed_at_any_point_ends_with_the_same_bytes(stage, optimizer):
    document, compiled = undisturbed(stage, stage.stand_in(slots=SLOTS),
                                     optimizer)
    for k in POINTS:
        sim = stage.stand_in(slots=SLOTS)
        gate = stage.gate(sim)
        job = stage.job(f"killed-{k}/shop", optimizer=optimizer)
        committed = kill_after(stage, gate, job, k)
        assert committed is not None, f"fewer than {k} calls in the run"
        assert k - SLOTS - 1 <= len(committed) <= k
        sent_before = len(gate.requests)

        check_the_end(stage, gate, job, document, compiled)

        sent_after = {harness.call_of(r) for r in gate.requests[sent_before:]}
        assert not sent_after & committed, f"after {k}: paid for twice"
        assert sim.repeated() <= SLOTS + 1, f"after {k}"
        sim.terminate()


@pytest.mark.parametrize("optimizer, least", [
    (harness.SMALL, 10), (harness.SIMBA, 8), (harness.COPRO, 2),
], ids=["random_search", "simba", "copro"])
def test_a_run_killed_repeatedly_ends_with_the_same_bytes(stage, optimizer,
                                                          least):
    document, compiled = undisturbed(stage, stage.stand_in(slots=SLOTS),
                                     optimizer)
    sim = stage.stand_in(slots=SLOTS)
    gate = stage.gate(sim)
    job = stage.job(optimizer=optimizer)
    kills = 0
    while kill_after(stage, gate, job, 9) is not None:
        kills += 1
        assert kills < 40, "the run does not get ahead"
    gate.release()
    check_the_end(stage, gate, job, document, compiled)
    assert kills >= least
    assert sim.repeated() <= kills * (SLOTS + 1)


def test_a_run_killed_while_writing_its_result_repeats_no_call(stage, sim):
    document, compiled = undisturbed(stage, sim, harness.SMALL)
    paid = len(sim.answered())
    job = stage.job()
    process = start(stage, sim.url, job)
    harness.wait_until(lambda: len(sim.answered()) >= 2 * paid
                       or not process.running, "last answer")
    process.kill()
    result = start(stage, sim.url, job).wait()
    assert result.status == 0, result
    assert (job.parent / "compiled.json").read_bytes() == compiled
    assert len(sim.answered()) <= 2 * paid + SLOTS + 1


def test_a_run_survives_a_model_server_that_dies_and_returns(stage):
    document, compiled = undisturbed(stage, stage.stand_in(slots=SLOTS),
                                     harness.SMALL)
    sim = stage.stand_in(slots=SLOTS, latency_ms=5)
    job = stage.job()
    process = start(stage, sim.url, job)
    for k in (0, 10, 60):
        harness.wait_until(lambda: len(sim.answered()) >= k, f"{k} answers")
        sim.kill()
        sim = sim.restart()
    result = process.wait()
    assert result.status == 0, result
    assert (job.parent / "compiled.json").read_bytes() == compiled
    assert sim.repeated() <= 3 * (SLOTS + 1)
