"""Who may work for a job, what each worker gets, and how one leaves."""

import signal
import socket

import pytest

import harness


@pytest.fixture
def cluster(stage):
    class Cluster:
        store = stage.folder / "c.db"
        coordinator = stage.coordinator(store)

        def worker(self, url, name, *words, slots=2):
            return stage.worker(self.coordinator.endpoint, url, name, *words,
                                slots=slots)

        def workers(self):
            listed = stage.promptcc("workers", "--coordinator",
                                    self.coordinator.endpoint, "--json").json
            return {w["name"]: w for w in listed}

        def submit(self, job):
            return stage.start("submit", job, "--coordinator",
                               self.coordinator.endpoint, "--wait", "--json")
    return Cluster()


def models_of(sim):
    return {chat["model"] for chat in sim.chats()}


def two_models(stage):
    """A job whose teacher is another model than its student."""
    job = stage.job()
    job.write_text(job.read_text().replace(
        "models: {student: qwen2.5:0.5b,",
        "models: {student: qwen2.5:0.5b, teacher: qwen2.5:14b,"))
    return job


def test_teacher_and_student_may_live_on_different_machines(cluster, stage):
    """Each worker gets the calls of the model that it has, and no others."""
    student = stage.stand_in(slots=2, model="qwen2.5:0.5b")
    teacher = stage.stand_in(slots=2, model="qwen2.5:14b")
    both = stage.stand_in(slots=2)
    job = two_models(stage)
    home = stage.promptcc("run", job, "--ollama", both.url, "--out",
                          stage.folder / "home.json", "--json")
    assert home.status == 0, home
    cluster.worker(student.url, "small")
    cluster.worker(teacher.url, "large")
    harness.wait_until(lambda: len(cluster.workers()) == 2, "both workers")
    result = cluster.submit(job).wait()
    assert result.status == 0, result
    assert models_of(student) == {"qwen2.5:0.5b"}
    assert models_of(teacher) == {"qwen2.5:14b"}
    assert result.json["calls"] == home.json["calls"]
    assert (job.parent / "compiled.json").read_bytes() == \
        (stage.folder / "home.json").read_bytes()


def test_a_worker_that_leaves_gives_back_what_it_has_not_begun(cluster, stage):
    """SIGTERM while its server holds a call: the call beyond its slot is made
    by another worker at once, and the one that is open is answered and counts
    once."""
    sim = stage.stand_in(slots=4)
    gate = stage.gate(sim)
    gate.hold_after(3)
    leaving = cluster.worker(gate.url, "leaving", slots=1)
    client = cluster.submit(stage.job())
    assert gate.wait_held(client)
    leaving.signal(signal.SIGTERM)
    leaving.wait_for_line(r"worker-drains: worker leaving finishes 1 call",
                          errors=True)
    cluster.worker(sim.url, "staying", slots=2)
    harness.wait_until(lambda: len(sim.answered()) > 10,
                       "answers although the other one still drains")
    assert leaving.running
    gate.release()
    assert leaving.wait().status == 0
    result = client.wait()
    assert result.status == 0, result
    # What was held went to nobody; the lease's call was made by the other.
    assert sim.repeated() <= 1


def test_a_late_answer_counts_once(cluster, stage):
    """A worker is frozen with a call in its hands, the call is made elsewhere,
    and the worker thaws: each call is in the store once."""
    sim = stage.stand_in(slots=4, latency_ms=30)
    frozen = cluster.worker(sim.url, "frozen", slots=2)
    client = cluster.submit(stage.job())
    harness.wait_until(lambda: len(sim.answered()) > 5, "answers")
    frozen.signal(signal.SIGSTOP)
    cluster.worker(sim.url, "other", slots=2)
    before = len(sim.answered())
    harness.wait_until(lambda: len(sim.answered()) > before + 5 or
                       not client.running, "answers of the other")
    frozen.signal(signal.SIGCONT)
    result = client.wait()
    assert result.status == 0, result
    keys, calls = harness.store_rows(
        cluster.store, "SELECT count(DISTINCT key), count(*) FROM calls")[0]
    assert keys == calls > 20


def test_a_second_coordinator_on_the_same_store_is_refused(cluster, stage):
    """Host and process of the first one are named."""
    result = stage.promptcc("coordinator", "--listen", "tcp://127.0.0.1:0",
                            "--store", cluster.store)
    assert result.status == 2, result
    assert str(cluster.coordinator.pid) in result.err, result
    assert socket.gethostname() in result.err, result
