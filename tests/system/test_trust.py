"""Anyone who can reach a coordinator's port may be a stranger. And whatever ends
a coordinator, it leaves nothing running and nothing undone.
"""

import os
import re

import pytest

import harness
from test_protocol import (CLIENT, COMMAND, Peer, REPLY, SUBMIT, WELCOME,
                           WORKER)

RESULT, ACCEPTED = 12, 10


def job_state(store, job):
    rows = harness.store_rows(store, "SELECT state, reason FROM v_jobs "
                              "WHERE job = ?", job)
    return rows[0] if rows else None


# --- what a stranger may have done ---

JOB = """name: notes
models: {student: 'qwen2.5:0.5b'}
inputs: {text: {desc: A note}}
steps:
  sort:
    predict: Say what the note is about.
    inputs: [text]
    outputs: {topic: {enum: [garden, kitchen]%s}}
data: {examples: %s}
metric: %s
optimizer: {labeled_few_shot: {k: 1}}
"""
ROWS = b'{"text": "a rose", "topic": "garden"}\n' * 40


def notes(metric="{exact_match: topic}", examples="rows.jsonl", more=""):
    return (JOB % (more, examples, metric)).encode()


@pytest.fixture
def stranger(stage):
    coordinator = stage.coordinator(stage.folder / "c.db")
    peer = Peer(coordinator.endpoint)
    peer.hello(role=CLIENT)
    peer.coordinator = coordinator
    yield peer
    peer.close()
    assert coordinator.running, coordinator.result()
    assert coordinator.terminate().status == 0


def submit(peer, job, folder="", **files):
    peer.send(SUBMIT, action="run", options="{}", folder=str(folder),
              files=[{"name": "job.yaml", "data": job},
                     *({"name": name.replace("__", "."), "data": data}
                       for name, data in files.items())])
    return peer.receive(RESULT, deadline_s=180)


def test_naming_a_folder_lets_no_stranger_run_programs(stranger, tmp_path):
    (tmp_path / "metric.sh").write_text(f"touch {tmp_path}/was-here\n")
    (tmp_path / "rows.jsonl").write_bytes(ROWS)
    result = submit(stranger, notes("{exec: {command: [sh, metric.sh]}}"),
                    tmp_path, rows__jsonl=ROWS)
    assert result["status"] == 2 and "--allow-exec" in result["document"]
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize("name", ["/etc/passwd", "../../etc/passwd",
                                  "/dev/ptmx", "passwd"])
def test_naming_a_folder_lets_no_stranger_read_files(stranger, name):
    result = submit(stranger, notes(examples=name), "/etc")
    assert result["status"] == 2
    assert "was sent without the file" in result["document"], result
    assert "root:" not in result["document"]


def test_a_backtracking_pattern_does_not_block_the_coordinator(stranger):
    """800 short rows, each of which makes the pattern backtrack."""
    rows = b"".join(b'{"text": "%d", "topic": "%s!"}\n' % (i, b"a" * 28)
                    for i in range(800))
    job = notes(more="").replace(
        b"{enum: [garden, kitchen]}", b"{type: str, pattern: '^(a|a)*$'}")
    result = submit(stranger, job, rows__jsonl=rows)
    assert result["status"] == 2
    assert "pattern is too costly" in result["document"], result
    stranger.send(COMMAND, verb="jobs", job="", argument="")
    stranger.receive(REPLY)
    # The processor's time counts, since a loaded machine may halt the loop at
    # any turn.
    turns = re.findall(r"\((\d+) ms of processor time\)",
                       stranger.coordinator.errors())
    assert all(int(ms) < 500 for ms in turns), turns


@pytest.mark.parametrize("other", ["digest", "version"])
def test_vanished_workers_have_no_say_in_model_or_server_version(stage, other):
    """Three machines with another model, or another server, have vanished
    without a word. The one that is left does the job."""
    sim = stage.stand_in(slots=2)
    coordinator = stage.coordinator(stage.folder / "c.db")
    tags = harness.get_json(sim.url + "/api/tags")["models"]
    for i in range(3):
        peer = Peer(coordinator.endpoint)
        peer.hello(WORKER, name=f"gone-{i}", slots=2, backend="ollama",
                   server="0.12.0" if other == "version" else
                   "0.0.0-simulated", simulated=1,
                   models=[{"name": m["name"], "context": 32768,
                            "digest": "ab" * 32 if other == "digest" else
                            m["digest"]} for m in tags])
        peer.receive(WELCOME)
        peer.close()
    stage.worker(coordinator.endpoint, sim.url, "here", slots=2)

    def states():
        told = stage.promptcc("workers", "--coordinator",
                              coordinator.endpoint, "--json").json
        return sorted(worker["state"] for worker in told)

    # After a minute they are forgotten.
    harness.wait_until(lambda: states()[0] == "serving" and
                       set(states()[1:]) <= {"silent"},
                       "silence of those who are gone")
    result = stage.promptcc("submit", stage.job(), "--coordinator",
                            coordinator.endpoint, "--wait")
    assert result.status == 0, result


# --- what a coordinator leaves ---

@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_an_unwatched_job_continues_under_the_next_coordinator(stage, how):
    sim = stage.stand_in(slots=2)
    gate = stage.gate(sim)
    gate.hold_after(20)
    store = stage.folder / "c.db"
    coordinator = stage.coordinator(store)
    worker = stage.worker(coordinator.endpoint, gate.url, "w", slots=2)
    job = stage.job()
    submitted = stage.promptcc("submit", job, "--coordinator",
                               coordinator.endpoint)
    assert submitted.status == 0, submitted
    (name,), = harness.store_rows(store, "SELECT job FROM v_jobs")
    assert gate.wait_held(coordinator)
    if how == "kill":
        coordinator.kill()
    else:
        assert coordinator.terminate().status == 0
        state, reason = job_state(store, name)
        assert state == "queued" and "when it starts again" in reason
    gate.release()
    coordinator = stage.coordinator(store, port=coordinator.port)
    harness.wait_until(lambda: job_state(store, name)[0] == "done",
                       "the job is done")
    worker.terminate()
    assert coordinator.terminate().status == 0


def paused_for_want_of_a_worker(stage, store):
    """A job that has paused without a command, and the coordinator."""
    sim = stage.stand_in(slots=2)
    gate = stage.gate(sim)
    gate.hold_after(20)
    coordinator = stage.coordinator(store, "--wait", "1s")
    worker = stage.worker(coordinator.endpoint, gate.url, "w", slots=2)
    submitted = stage.promptcc("submit", stage.job(), "--coordinator",
                               coordinator.endpoint)
    assert submitted.status == 0, submitted
    # It may have paused at the start as well, if the worker was slow.
    harness.wait_until(lambda: gate.held and coordinator.errors().count(
        "job-begun") == coordinator.errors().count("job-waits") + 1,
        "a job that runs and is held")
    before = coordinator.errors().count("job-waits")
    worker.kill()
    gate.release()
    harness.wait_until(
        lambda: coordinator.errors().count("job-waits") > before,
        "a job that waits for another worker")
    assert coordinator.errors().count("another worker") > before
    return sim, coordinator


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_a_self_paused_job_continues_under_the_next_coordinator(stage, how):
    """The workers left first, and then the coordinator. The worker that comes
    in the morning is all that is needed."""
    store = stage.folder / "c.db"
    sim, coordinator = paused_for_want_of_a_worker(stage, store)
    (name,), = harness.store_rows(store, "SELECT job FROM v_jobs")
    if how == "kill":
        coordinator.kill()
    else:
        assert coordinator.terminate().status == 0
    assert job_state(store, name)[0] == "paused"
    coordinator = stage.coordinator(store, port=coordinator.port)
    coordinator.wait_for_line("job-waits: .* another worker", errors=True)
    assert job_state(store, name)[0] == "paused"
    stage.worker(coordinator.endpoint, sim.url, "w", slots=2)
    harness.wait_until(lambda: job_state(store, name)[0] == "done",
                       "the job is done")


def test_a_self_paused_job_stays_paused_after_a_pause_command(stage):
    """`pause` says that the job must not continue on its own, and the next
    coordinator respects that."""
    store = stage.folder / "c.db"
    sim, coordinator = paused_for_want_of_a_worker(stage, store)
    (name,), = harness.store_rows(store, "SELECT job FROM v_jobs")
    paused = stage.promptcc("pause", name, "--coordinator",
                            coordinator.endpoint)
    assert paused.status == 0, paused
    coordinator.kill()
    coordinator = stage.coordinator(store, port=coordinator.port)
    stage.worker(coordinator.endpoint, sim.url, "w", slots=2)
    coordinator.wait_for_line("worker-joined", errors=True)
    stays = stage.promptcc("stop", name, "--coordinator", coordinator.endpoint)
    assert stays.status == 2 and "is not running" in stays.err, stays
    assert "job-waits" not in coordinator.errors()
    assert job_state(store, name)[0] == "paused"


def test_a_job_stopped_by_a_user_stays_stopped(stage):
    sim = stage.stand_in(slots=2)
    gate = stage.gate(sim)
    gate.hold_after(20)
    store = stage.folder / "c.db"
    coordinator = stage.coordinator(store)
    worker = stage.worker(coordinator.endpoint, gate.url, "w", slots=2)
    job = stage.job()
    assert stage.promptcc("submit", job, "--coordinator",
                          coordinator.endpoint).status == 0
    (name,), = harness.store_rows(store, "SELECT job FROM v_jobs")
    assert gate.wait_held(coordinator)
    assert stage.promptcc("stop", name, "--coordinator",
                          coordinator.endpoint).status == 0
    gate.release()
    harness.wait_until(lambda: job_state(store, name)[0] == "stopped",
                       "the job is stopped")
    coordinator.kill()
    coordinator = stage.coordinator(store, port=coordinator.port)
    coordinator.wait_for_line("worker-joined", errors=True)
    assert job_state(store, name)[0] == "stopped"
    worker.terminate()
    assert coordinator.terminate().status == 0


def test_a_killed_coordinator_leaves_no_program_or_folder_behind(
        stage, tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    told = tmp_path / "pid"
    metric = (f"sleep 1000 & echo $! > {told}\n"
              "while read line; do wait; done\n").encode()
    sim = stage.stand_in(slots=2)
    store = stage.folder / "c.db"
    coordinator = stage.coordinator(store, "--allow-exec")
    worker = stage.worker(coordinator.endpoint, sim.url, "w", slots=2)
    peer = Peer(coordinator.endpoint)
    peer.hello(role=CLIENT)
    peer.send(SUBMIT, action="run", options="{}", folder="", files=[
        {"name": "job.yaml",
         "data": notes("{exec: {command: [sh, metric.sh]}}")},
        {"name": "rows.jsonl", "data": ROWS},
        {"name": "metric.sh", "data": metric}])
    peer.receive(ACCEPTED)
    harness.wait_until(lambda: told.exists() and told.read_text().strip(),
                       "the metric runs")
    pid = int(told.read_text())
    assert harness.alive(pid)
    left = list(temporary.glob("promptcc-job-*"))
    assert len(left) == 1
    coordinator.kill()
    peer.close()
    harness.wait_until(lambda: not harness.alive(pid), "the metric's program is gone")
    coordinator = stage.coordinator(store, port=coordinator.port)
    harness.wait_until(lambda: not left[0].exists(), "its folder is gone")
    worker.terminate()
    assert coordinator.terminate().status == 0
    assert list(temporary.glob("promptcc-job-*")) == []


# --- the store under a live run ---

@pytest.mark.parametrize("how", ["unlink", "replace"])
def test_a_deleted_store_is_noticed(stage, how):
    sim = stage.stand_in(slots=2)
    gate = stage.gate(sim)
    gate.hold_after(20)
    job = stage.job()
    store = stage.folder / "s.db"
    run = stage.start("run", job, "--store", store, "--ollama",
                      f"{gate.url},slots=2", "--json")
    assert gate.wait_held(run)
    store.unlink()
    if how == "replace":
        store.write_bytes(b"")
    gate.release()
    result = run.wait()
    assert result.status not in (0, 2), result
    assert "removed, moved or replaced" in result.error["text"], result


def test_two_names_of_one_store_share_one_lock(stage):
    store, other = stage.folder / "c.db", stage.folder / "other.db"
    coordinator = stage.coordinator(store)
    os.link(store, other)
    second = stage.promptcc("coordinator", "--listen", "tcp://127.0.0.1:0",
                            "--store", other)
    assert second.status == 2 and "in use" in second.err, second
    assert coordinator.terminate().status == 0


def test_an_unopened_pipe_does_not_hang_check(stage):
    job = stage.job()
    rows = next(job.parent.glob("*.jsonl"))
    rows.unlink()
    os.mkfifo(rows)
    result = stage.promptcc("check", job)
    assert result.status == 2 and "pipe" in result.err, result
