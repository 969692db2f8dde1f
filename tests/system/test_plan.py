"""A run takes what `plan` says."""

import pytest

from harness import copies, store_rows, wait_until


def near(estimate, taken):
    return abs(estimate - taken) <= 0.25 * taken


def is_in_time(attempt):
    """Whether one of some attempts foresees the time of all calls, within a
    factor of two. It depends on what else the machine does meanwhile, which
    may halt anything for seconds."""
    return any(0.5 < attempt(name) < 2 for name in "abcde")


@pytest.mark.alone
def test_a_plan_is_close_to_the_calls_tokens_and_work_of_the_run(stage):
    def attempt(name):
        sim = stage.stand_in(slots=2, latency_ms=20, prompt_tokens_per_s=100000,
                             generated_tokens_per_s=10000)
        job = stage.job(f"{name}/shop", n=60, optimizer="{bootstrap_random_"
                        "search: {num_candidate_programs: 4}}")
        server = f"{sim.url},slots=2"
        plan = stage.promptcc("plan", job, "--ollama", server, "--json").json
        measured = len(sim.answered())
        assert plan["measured"]["calls"] == measured > 0
        assert plan["slots"] == 2 and plan["simulated"] is False
        assert not (job.parent / "compiled.json").exists()

        run = stage.promptcc("run", job, "--ollama", server, "--json").json
        taken = run["calls"]["student"] + run["calls"]["teacher"] + measured
        assert near(plan["calls"]["student"] + plan["calls"]["teacher"],
                    taken), (plan, run)
        tokens = store_rows(job.parent / "promptcc.db",
                            "SELECT sum(prompt_tokens), sum(generated_tokens),"
                            " sum(total_us - load_us) FROM calls")[0]
        assert near(plan["tokens"]["prompt"], tokens[0]), (plan, tokens)
        assert near(plan["tokens"]["generated"], tokens[1]), (plan, tokens)
        return plan["hours"] * 3600 * 2e6 / tokens[2]

    assert is_in_time(attempt)


def test_a_run_reuses_the_calls_of_its_plan(stage, sim):
    job = stage.job(n=40)
    stage.promptcc("plan", job, "--ollama", sim.url)
    result = stage.promptcc("run", job, "--ollama", sim.url)
    assert result.status == 0, result
    assert sim.repeated() == 0
    assert "has changed" not in result.err, "a plan is no earlier run"


@pytest.mark.alone
def test_a_plan_on_a_cluster_measures_its_workers(stage):
    def attempt(name):
        sim = stage.stand_in(slots=3, latency_ms=20, prompt_tokens_per_s=100000,
                             generated_tokens_per_s=10000)
        job = stage.job(f"{name}/shop", n=60, optimizer="{bootstrap_random_"
                        "search: {num_candidate_programs: 4}}")
        store = stage.folder / f"cluster-{name}.db"
        coordinator = stage.coordinator(store)
        stage.worker(coordinator.endpoint, sim.url, "one", slots=2)
        stage.worker(coordinator.endpoint, sim.url, "two", slots=1)
        there = ["--coordinator", coordinator.endpoint, "--json"]
        # Another job's calls do not measure this one's.
        other = stage.job(name="other", n=20,
                          instruction="Say " + "much " * 300)
        stage.promptcc("submit", other, "--wait", "--max-calls", "30", *there)
        before = len(sim.answered())
        wait_until(lambda: [w["state"] for w in stage.promptcc(
            "workers", *there).json] == 2 * ["serving"], "two workers")
        result = stage.promptcc("plan", job, *there)
        assert result.status == 0, result
        plan = result.json
        measured = len(sim.answered()) - before
        assert plan["measured"]["calls"] == measured > 0
        assert plan["slots"] == 3 and plan["simulated"] is False
        assert not (job.parent / "promptcc.db").exists(), "nothing is kept here"

        run = stage.promptcc("submit", job, "--wait", *there).json
        taken = run["calls"]["student"] + run["calls"]["teacher"] + measured
        assert near(plan["calls"]["student"] + plan["calls"]["teacher"],
                    taken), (plan, run)
        tokens = store_rows(
            store, "SELECT sum(prompt_tokens), sum(generated_tokens),"
            " sum(total_us - load_us) FROM calls WHERE job_no IN"
            " (SELECT no FROM jobs WHERE name = 'shop')")[0]
        assert near(plan["tokens"]["prompt"], tokens[0]), (plan, tokens)
        assert near(plan["tokens"]["generated"], tokens[1]), (plan, tokens)
        assert sim.repeated() <= copies(store), "the run finds what was asked"
        return plan["hours"] * 3600 * 3e6 / tokens[2]

    assert is_in_time(attempt)


def test_a_plan_for_a_bad_job_says_what_is_wrong(stage, sim):
    job = stage.job(metric="{exact_mach: topic}")
    result = stage.promptcc("plan", job, "--ollama", sim.url)
    assert result.status == 2 and "exact_match" in result.err, result
    assert sim.chats() == []


def test_a_plan_uses_the_folder_for_temporary_files(stage, sim):
    result = stage.promptcc("plan", stage.job(), "--ollama", sim.url, "--json",
                            env={"TMPDIR": str(stage.folder / "none")})
    assert result.status == 1, result
    assert "TMPDIR" in result.error["text"] and "none" in result.error["text"]
    roomy = stage.folder / "roomy"
    roomy.mkdir()
    result = stage.promptcc("plan", stage.job(), "--ollama", sim.url,
                            env={"TMPDIR": str(roomy)})
    assert result.status == 0, result
    assert not list(roomy.iterdir())
