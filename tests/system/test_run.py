"""`promptcc run` as a whole: job file in, compiled file and document out."""

import json
import shutil
import signal
import time

import pytest

import harness
from harness import run


def is_score(value):
    """Checks that it is a score with its interval."""
    assert {key: type(value[key]) for key in ("score", "low", "high", "n")} == {
        "score": float, "low": float, "high": float, "n": int}
    assert 0 <= value["low"] <= value["score"] <= value["high"] <= 1
    return True


def test_run_prints_the_document_and_writes_the_file(stage, sim):
    job = stage.job()
    result = run(stage, sim, job)
    assert result.status == 0, result
    document = result.json
    assert document["job"].startswith("shop-") and len(document["job"]) == 17
    assert document["finish_reason"] == "trials_done"
    assert is_score(document["baseline"]) and is_score(document["compiled"])
    assert document["compiled"]["score"] > document["baseline"]["score"]
    assert is_score(document["test"]["baseline"])
    assert is_score(document["test"]["compiled"])
    assert 0 <= document["test"]["p_value"] <= 1
    for key in ("student", "teacher", "judge", "reused", "hedged"):
        assert type(document["calls"][key]) is int
    stats = sim.stats()
    assert sum(document["calls"][role] for role in
               ("student", "teacher", "judge")) == stats["answered"]
    assert document["tokens"]["prompt"] == stats["prompt_tokens"]
    assert document["tokens"]["generated"] == stats["generated_tokens"]
    assert document["tokens"]["prompt_cached"] is None
    assert type(document["wall_s"]) is float
    assert document["skipped_steps"] == []
    assert document["out"] == str(job.parent / "compiled.json")
    compiled = json.loads((job.parent / "compiled.json").read_text())
    assert compiled["metadata"]["promptcc"]["job"] == document["job"]
    assert compiled["metadata"]["promptcc"]["simulated"] is True
    assert compiled["metadata"]["promptcc"]["scores"]["compiled"] == \
        document["compiled"]


def test_a_finished_job_prints_the_same_result_without_new_calls(stage, sim):
    job = stage.job()
    first = run(stage, sim, job)
    paid = sim.stats()["answered"]
    before = (job.parent / "compiled.json").read_bytes()
    (job.parent / "compiled.json").unlink()
    second = run(stage, sim, job)
    assert second.status == 0, second
    assert second.json == first.json
    assert (job.parent / "compiled.json").read_bytes() == before
    assert sim.stats()["answered"] == paid


def test_two_undisturbed_runs_are_equal_byte_for_byte(stage, sim):
    first, second = stage.job("one/shop"), stage.job("two/shop")
    assert run(stage, sim, first).status == 0
    assert run(stage, sim, second).status == 0
    assert (first.parent / "compiled.json").read_bytes() == \
        (second.parent / "compiled.json").read_bytes()
    assert sim.repeated() == len(sim.answered()) / 2


def test_no_call_is_sent_twice_within_a_run(stage, sim):
    assert run(stage, sim, stage.job(optimizer=harness.MIPRO)).status == 0
    assert sim.repeated() == 0


def test_skipped_steps_are_named_and_still_get_demos(stage, sim):
    job = stage.job(more_steps=harness.SECOND_STEP)
    result = run(stage, sim, job)
    assert result.status == 0, result
    assert result.json["skipped_steps"] == ["answer"]
    compiled = json.loads((job.parent / "compiled.json").read_text())
    demos = compiled["answer.predict"]["demos"]
    assert demos and all(demo["reply"] for demo in demos)
    assert compiled["metadata"]["promptcc"]["unmeasured_steps"] == ["answer"]


@pytest.mark.parametrize("optimizer", ["labeled_few_shot", "bootstrap_few_shot"])
def test_the_optimizer_can_be_named_on_the_command_line(stage, sim, optimizer):
    result = run(stage, sim, stage.job(), "--optimizer", optimizer)
    assert result.status == 0, result
    compiled = json.loads((stage.folder / "shop/compiled.json").read_text())
    assert compiled["metadata"]["promptcc"]["optimizer"].startswith(optimizer)


def test_out_and_store_are_written_to_the_given_paths(stage, sim):
    job = stage.job()
    out, store = stage.folder / "best.json", stage.folder / "history.db"
    result = run(stage, sim, job, "--out", out, "--store", store)
    assert result.status == 0, result
    assert result.json["out"] == str(out)
    assert json.loads(out.read_text())["sort"]["demos"]
    assert harness.store_rows(store, "SELECT count(*) FROM jobs") == [(1,)]
    assert sorted(p.name for p in job.parent.iterdir()) == ["examples.jsonl",
                                                            "job.yaml"]


def test_environment_variables_apply_and_options_override_them(stage, sim):
    job = stage.job()
    store = stage.folder / "from-environment.db"
    env = {"PROMPTCC_STORE": str(store), "PROMPTCC_SEED": "5"}
    result = run(stage, sim, job, env=env)
    assert result.status == 0, result
    again = run(stage, sim, job, "--seed", 6, env=env)
    assert again.json["job"] != result.json["job"]
    seeds = harness.store_rows(store, "SELECT seed FROM jobs ORDER BY no")
    assert seeds == [(5,), (6,)]


def test_a_larger_budget_continues_the_same_job(stage, sim):
    job = stage.job()
    whole = stage.job("whole/shop")
    assert run(stage, sim, whole).status == 0
    small = run(stage, sim, job, "--max-calls", 10)
    assert small.status == 0, small
    assert small.json["finish_reason"] == "budget"
    grown = run(stage, sim, job)
    assert grown.json["job"] == small.json["job"]
    assert grown.json["finish_reason"] == "trials_done"
    assert (job.parent / "compiled.json").read_bytes() == \
        (whole.parent / "compiled.json").read_bytes()


def test_a_larger_budget_diverges_where_the_smaller_had_fewer_rows(stage):
    """A small budget leaves fewer rows to learn from, so its later trials
    differ from those of a larger one."""
    made, ids = {}, set()
    for name, budgets in (("grown", (300, 500)), ("whole", (500,))):
        folder = stage.folder / name
        shutil.copytree(harness.ROOT / "jobs/intent_200", folder)
        for calls in budgets:
            result = stage.promptcc("run", folder, "--simulate", "--json",
                                    "--max-calls", calls)
            assert result.status == 0, result
            ids.add(result.json["job"])
        trials = stage.promptcc("trials", folder, "--json").json
        made[name] = ((folder / "compiled.json").read_bytes(),
                      [(t["trial"], t["candidate"], t["score"])
                       for t in trials])
    assert len(ids) == 1, ids
    assert made["grown"][0] == made["whole"][0]
    assert [t[::2] for t in made["grown"][1]] == \
        [t[::2] for t in made["whole"][1]]


def test_every_simulated_result_is_marked_as_simulated(stage):
    job = stage.job()
    result = stage.promptcc("run", job, "--simulate")
    assert result.status == 0, result
    assert "simulated" in result.out + result.err
    text = (job.parent / "compiled.json").read_text()
    assert json.loads(text)["metadata"]["promptcc"]["simulated"] is True


def test_an_openai_server_serves_the_same_job(stage, sim):
    job = stage.job()
    job.write_text(job.read_text().replace("models: {", "models: {revision: one, "))
    result = stage.promptcc("run", job, "--openai", f"{sim.url},slots=2",
                            "--json")
    assert result.status == 0, result
    assert {r["path"] for r in sim.chats()} == {"/v1/chat/completions"}


def test_a_server_without_the_jobs_models_is_named(stage, sim):
    """Otherwise the run takes twice as long as it should, and nobody knows."""
    other = stage.stand_in(slots=2, model="other:1b")
    name = other.url.removeprefix("http://")
    word = (f"worker {name} is not used: it has no model of the job: run "
            "`ollama pull qwen2.5:0.5b` there")

    def told():  # unless the run was over before the other worker joined
        job = stage.job(f"{stage.name('told')}/shop")
        result = stage.promptcc("run", job, "--ollama", sim.url, "--ollama",
                                other.url)
        assert result.status == 0, result
        return result if word in result.err else None

    result = harness.wait_until(told, "word about the other server")
    assert result.err.count("is not used") == result.err.count(word), result


def test_quiet_keeps_standard_error_empty_but_for_warnings(stage, sim):
    job = stage.job(n=40)
    result = run(stage, sim, job, "--quiet")
    assert result.status == 0, result
    assert result.err == ""


@pytest.mark.long
def test_a_run_that_was_halted_for_longer_than_it_waits_continues(stage, sim):
    """Ctrl-Z and `fg`. Nobody could have answered meanwhile."""
    gate = stage.gate(sim)
    gate.hold_after(20)
    process = stage.start("run", stage.job(), "--ollama", gate.url, "--json",
                          "--wait", "20s")
    assert gate.wait_held(process)
    process.signal(signal.SIGSTOP)
    time.sleep(22)
    gate.release()
    process.signal(signal.SIGCONT)
    result = process.wait()
    assert result.status == 0, result
