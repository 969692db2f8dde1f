"""`watch` follows a job of a cluster until it ends, and changes nothing."""

import re
import signal

import harness


def cluster(stage, sim, **more):
    coordinator = stage.coordinator(stage.folder / "store.db")
    stage.worker(coordinator.endpoint, sim.url, "one", slots=2)
    return coordinator


def submit(stage, coordinator, job):
    done = stage.promptcc("submit", job, "--coordinator", coordinator.endpoint)
    assert done.status == 0, done
    return done.out.strip()


def test_watch_ends_with_the_job_and_prints_its_result(stage, sim):
    gate = stage.gate(sim)
    coordinator = cluster(stage, gate)
    gate.hold_after(3)
    job = submit(stage, coordinator, stage.job())
    watch = stage.start("watch", "shop", "--coordinator", coordinator.endpoint)
    watch.wait_for_line("call", errors=True)
    assert watch.running
    gate.release()
    done = watch.wait()
    assert done.status == 0 and job in done.out and "compiled" in done.out, done
    again = stage.promptcc("watch", "shop", "--coordinator",
                           coordinator.endpoint, "--json")
    assert again.status == 0 and again.json["job"] == job
    assert again.json["state"] == "done"


def test_a_job_of_a_cluster_may_be_named_by_its_folder(stage, sim):
    """Every command takes the job file or its folder for an ID. A folder
    without a job.yaml is not taken for one."""
    gate = stage.gate(sim)
    coordinator = cluster(stage, gate)
    there = ("--coordinator", coordinator.endpoint)
    gate.hold_after(0)
    job = stage.job()
    full = submit(stage, coordinator, job)
    (stage.folder / full).mkdir()
    for word in (job, job.parent, full):
        for verb, state in (("pause", "paused"), ("resume", "running"),
                            ("stop", "stopped")):
            done = stage.promptcc(verb, word, *there, "--json")
            assert done.status == 0 and done.json["job"] == full, done
            harness.wait_until(
                lambda: stage.promptcc("show", word, *there, "--json").json[
                    "state"] == state, state)
        watched = stage.promptcc("watch", word, *there, "--quiet", "--json")
        assert watched.json["job"] == full, watched
        assert stage.promptcc("resume", word, *there).status == 0
    job.write_text("nonsense")
    for verb in ("pause", "watch"):
        done = stage.promptcc(verb, job, *there)
        assert done.status == 2 and "has mistakes" in done.err, done


def test_ctrl_c_leaves_the_job_alone(stage, sim):
    gate = stage.gate(sim)
    coordinator = cluster(stage, gate)
    gate.hold_after(0)
    submit(stage, coordinator, stage.job())
    watch = stage.start("watch", "shop", "--coordinator", coordinator.endpoint)
    harness.wait_until(lambda: gate.held, "call")
    watch.wait_for_line("trial|baseline|call", errors=True)
    watch.signal(signal.SIGINT)
    done = watch.wait()
    assert done.status == 130 and "The job continues" in done.err, done
    assert re.search(rf"^  promptcc stop shop-\w+ --coordinator "
                     rf"{coordinator.endpoint}$", done.err, re.M), done
    shown = stage.promptcc("show", "shop", "--coordinator",
                           coordinator.endpoint, "--json").json
    assert shown["state"] == "running"


def test_watch_waits_for_an_absent_coordinator(stage, sim):
    gate = stage.gate(sim)
    coordinator = cluster(stage, gate)
    gate.hold_after(2)
    submit(stage, coordinator, stage.job())
    watch = stage.start("watch", "shop", "--coordinator", coordinator.endpoint)
    watch.wait_for_line("call", errors=True)
    coordinator.kill()
    watch.wait_for_line("does not answer", errors=True)
    gate.release()
    stage.coordinator(stage.folder / "store.db", port=coordinator.port)
    done = watch.wait()
    assert done.status == 0 and "the coordinator is back" in done.err, done


def test_watch_ends_if_its_job_was_removed(stage, sim):
    gate = stage.gate(sim)
    store = stage.folder / "store.db"
    coordinator = cluster(stage, gate)
    gate.hold_after(2)
    job = submit(stage, coordinator, stage.job())
    watch = stage.start("watch", "shop", "--coordinator", coordinator.endpoint)
    watch.wait_for_line("call", errors=True)
    coordinator.kill()
    removed = stage.promptcc("jobs", "--remove", job, "--store", store)
    assert removed.status == 0, removed
    stage.coordinator(store, port=coordinator.port)
    done = watch.wait()
    assert done.status == 2 and "has no jobs yet" in done.err, done
    assert done.err.count("the coordinator is back") == 1, done


def test_watch_ends_if_its_key_is_revoked(stage, sim):
    """No waiting would help, so it does not say that it waits for ever."""
    gate = stage.gate(sim)
    keys = stage.keys()
    coordinator = stage.coordinator(stage.folder / "store.db", "--keys", keys)
    stage.worker(coordinator.endpoint, gate.url, "one", "--keys", keys)
    there = ("--coordinator", coordinator.endpoint, "--keys", keys / "ann.key")
    gate.hold_after(2)
    sent = stage.promptcc("submit", stage.job(), *there)
    assert sent.status == 0, sent
    watch = stage.start("watch", "shop", *there)
    watch.wait_for_line("call", errors=True)
    gone = stage.promptcc("keys", "revoke", "ann", "--keys", keys)
    assert gone.status == 0, gone
    done = watch.wait()
    assert done.status == 2 and "does not allow this key" in done.err, done
    assert "the coordinator is back" not in done.err, done


def test_watch_reports_a_missing_job_or_coordinator(stage, sim):
    coordinator = cluster(stage, sim)
    done = stage.promptcc("watch", "nothing", "--coordinator",
                          coordinator.endpoint)
    assert done.status == 2 and "has no jobs yet" in done.err
    nobody = stage.promptcc("watch", "shop")
    assert nobody.status == 2 and "--coordinator" in nobody.err


def test_jobs_shows_the_progress_of_running_jobs(stage, sim):
    gate = stage.gate(sim)
    coordinator = cluster(stage, gate)
    gate.hold_after(30)
    submit(stage, coordinator, stage.job())
    there = ("--coordinator", coordinator.endpoint)
    harness.wait_until(lambda: gate.held, "call")

    def far():
        row, = stage.promptcc("jobs", *there, "--json").json
        return row.get("progress", 0) > 0 and "left_ms" in row and row

    row = harness.wait_until(far, "progress")
    assert row["progress"] < 1 and row["left_ms"] >= 0
    head, line = stage.promptcc("jobs", *there).out.splitlines()
    assert head.split()[4:6] == ["DONE", "LEFT"]
    assert re.search(r" \d+\.\d %  +\d+:\d\d ", line), line
    gate.release()
    harness.wait_until(lambda: stage.promptcc("show", "shop", *there, "--json")
                       .json["state"] == "done", "end")

    # The store knows the end a moment before the coordinator's loop.
    def over():
        row, = stage.promptcc("jobs", *there, "--json").json
        return "progress" not in row and "left_ms" not in row

    harness.wait_until(over, "a job without progress")
    assert "LEFT" not in stage.promptcc("jobs", *there).out
