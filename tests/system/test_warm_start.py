"""A run that begins with the program of an earlier run, and short prompts."""

import json

SEARCH = "{bootstrap_random_search: {num_candidate_programs: 3}}"


def run(stage, sim, job, *words):
    result = stage.promptcc("run", job, "--ollama", sim.url, "--json", *words)
    assert result.status == 0, result
    return result.json


def test_an_earlier_program_is_the_first_candidate(stage, sim):
    job = stage.job(n=40, optimizer=SEARCH)
    first = run(stage, sim, job)
    compiled = job.parent / "compiled.json"
    other = stage.job("other", n=40, optimizer="{labeled_few_shot: {k: 1}}")
    second = run(stage, sim, other, "--from", compiled)
    assert second["job"] != first["job"]
    assert second["compiled"]["score"] >= first["compiled"]["score"]
    # Its demos are rows of the data, and it is not scored on them.
    assert second["compiled"]["n"] == first["compiled"]["n"]
    trials = stage.promptcc("trials", "--store", other.parent / "promptcc.db",
                            "--json").json
    assert any(t["kind"] == "full" for t in trials)


def test_a_job_in_the_store_can_be_the_first_candidate(stage, sim):
    job = stage.job(n=40, optimizer=SEARCH)
    first = run(stage, sim, job)
    second = run(stage, sim, job, "--from", first["job"], "--optimizer",
                 "bootstrap_few_shot", "--out", job.parent / "second.json")
    assert second["compiled"]["score"] >= first["compiled"]["score"]
    result = stage.promptcc("run", job, "--from", "nothing-of-the-sort",
                            "--ollama", sim.url)
    assert result.status == 2 and "neither a file nor a job" in result.err


def test_a_program_that_does_not_fit_the_job_is_refused(stage, sim):
    job = stage.job(n=40, optimizer=SEARCH)
    run(stage, sim, job)
    text = (job.parent / "compiled.json").read_text()
    newer = json.loads(text)
    newer["metadata"]["promptcc"]["format"] = 99
    paid = len(sim.answered())
    for wrong, words in ((text.replace('"sort', '"other'), "the program lacks"),
                         (json.dumps(newer), "by a newer promptcc"),
                         (text[:300], "not valid JSON")):
        (job.parent / "wrong.json").write_text(wrong)
        found = stage.promptcc("check", job, "--set", "from=wrong.json")
        assert found.status == 2 and words in found.err, found
        result = stage.promptcc("run", job, "--from", job.parent / "wrong.json",
                                "--ollama", sim.url, "--seed", 8)
        assert result.status == 2 and words in result.err, result
        # `submit` begins a search as well, and gets the same advice.
        assert "begin without --from" in result.err, result
        assert "promptcc run" not in result.err, result
    assert len(sim.answered()) == paid  # nothing is paid for before that


def test_prompts_respect_max_prompt_tokens_and_the_front_is_reported(stage,
                                                                     sim):
    job = stage.job(n=40, optimizer=SEARCH)
    free = run(stage, sim, job)
    front = free["front"]
    assert front and [p["prompt_tokens"] for p in front] == \
        sorted(p["prompt_tokens"] for p in front)
    assert [p["score"] for p in front] == sorted(p["score"] for p in front)
    bound = front[0]["prompt_tokens"] + 60
    short = run(stage, sim, job, "--max-prompt-tokens", bound, "--out",
                job.parent / "short.json")
    assert all(p["prompt_tokens"] <= bound for p in short["front"]), short
    demos = [len(step.get("demos", []))
             for step in json.loads((job.parent / "short.json").read_text())
             .values() if isinstance(step, dict)]
    assert max(demos) < 16
