"""A job on real customers' questions: what was learned holds on questions that
no optimizer and no prompt has seen."""

import json

import pytest

import harness


def held_out(stage, sim, job, *words):
    result = stage.promptcc("eval", job, "--data",
                            harness.SUPPORT / "heldout.jsonl", "--ollama",
                            f"{sim.url},slots=4", "--json", *words)
    assert result.status == 0, result
    assert result.json["n"] == 200
    return result.json


@pytest.mark.parametrize("optimizer", [
    "{miprov2: {auto: light, seed: 9}}",
    "{bootstrap_random_search: {num_candidate_programs: 4}}",
    "{gepa: {auto: medium}}",
], ids=["miprov2", "bootstrap_random_search", "gepa"])
def test_optimizing_improves_the_score_on_unseen_questions(stage, support,
                                                           optimizer):
    sim = stage.stand_in(slots=4)
    job = harness.write_support_job(stage.folder / "support", optimizer)
    result = stage.promptcc("run", job, "--ollama", f"{sim.url},slots=4",
                            "--json")
    assert result.status == 0, result
    assert result.json["compiled"]["low"] > result.json["baseline"]["score"]

    plain = held_out(stage, sim, job)
    compiled = held_out(stage, sim, job, "--compiled",
                        job.parent / "compiled.json")
    print(f"held-out: {plain['score']:.3f} as written, "
          f"{compiled['score']:.3f} compiled")
    assert compiled["low"] > plain["high"]

    seen = json.loads((job.parent / "compiled.json").read_text())
    text = json.dumps(seen["classify"])
    for line in (support / "heldout.jsonl").open():
        message = json.loads(line)["user_message"]
        assert len(message) < 20 or json.dumps(message)[1:-1] not in text


@pytest.mark.parametrize("optimizer", [
    "{miprov2: {auto: light, seed: 9}}", "{gepa: {max_metric_calls: 300}}",
], ids=["miprov2", "gepa"])
def test_the_support_job_gives_the_same_result_on_a_cluster(stage, support,
                                                            optimizer):
    """Sixteen workers, and a fifth of the requests fail."""
    alone = harness.write_support_job(stage.folder / "alone", optimizer)
    calm = stage.stand_in(slots=4)
    assert stage.promptcc("run", alone, "--ollama",
                          f"{calm.url},slots=4").status == 0
    wild = stage.stand_in(slots=4, fault_rate=0.2, seed=3)
    coordinator = stage.coordinator(stage.folder / "c.db")
    for i in range(16):
        stage.worker(coordinator.endpoint, wild.url, f"w{i}")
    job = harness.write_support_job(stage.folder / "cluster", optimizer)
    result = stage.promptcc("submit", job, "--coordinator",
                            coordinator.endpoint, "--wait", "--json")
    assert result.status == 0, result
    assert (job.parent / "compiled.json").read_bytes() == \
        (alone.parent / "compiled.json").read_bytes()
    assert wild.stats()["faults"] > 40
