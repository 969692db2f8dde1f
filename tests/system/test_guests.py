"""Workers on shared machines: they step back, come back, leave when nobody
needs them, and have a stuck server restarted."""

import datetime
import http.client
import signal
import socket
import time

import pytest

import harness


YIELD = "--yield=100000"  # never yield, whatever else this machine does


@pytest.fixture
def timeout():
    """What the coordinator is told about the longest call."""
    return []


@pytest.fixture
def cluster(stage, sim, timeout):
    """Starts a coordinator; gives a way to start workers and jobs."""
    class Cluster:
        store = stage.folder / "c.db"
        coordinator = stage.coordinator(store, *timeout)

        def worker(self, *words, url=sim.url, name="w"):
            return stage.worker(self.coordinator.endpoint, url, name, *words,
                                slots=2)

        def states(self):
            listed = stage.promptcc("workers", "--coordinator",
                                    self.coordinator.endpoint, "--json").json
            return {w["name"]: w["state"] for w in listed}

        def submit(self, *words):
            return stage.promptcc("submit", stage.job(), "--coordinator",
                                  self.coordinator.endpoint, "--wait", "--json",
                                  *words)
    return Cluster()


def at(offset_h):
    return (datetime.datetime.now() +
            datetime.timedelta(hours=offset_h)).strftime("%H:%M")


def test_a_guest_worker_yields_while_others_are_connected(cluster, sim):
    worker = cluster.worker(YIELD)
    harness.wait_until(lambda: "w" in cluster.states(), "worker")
    with socket.create_connection(("127.0.0.1", sim.port)):
        worker.wait_for_line(r"worker-yields.*others have 1 connection",
                             errors=True)
        harness.wait_until(lambda: "w" not in cluster.states(), "goodbye")
    harness.wait_until(lambda: "w" in cluster.states(), "worker again")
    result = cluster.submit()
    assert result.status == 0, result
    assert sim.repeated() <= harness.copies(cluster.store)
    assert worker.terminate().status == 0


def test_a_guest_worker_finishes_the_calls_it_has_begun(cluster, sim, stage):
    """A user comes in the middle of a job. The worker finishes the calls that
    it has begun; another worker makes the rest."""
    gate = stage.gate(sim)
    gate.hold_after(5)
    guest = cluster.worker(YIELD, url=gate.url)
    client = stage.start("submit", stage.job(), "--coordinator",
                         cluster.coordinator.endpoint, "--wait", "--json")
    harness.wait_until(lambda: gate.held == 2, "calls in both slots")
    port = int(gate.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)):
        guest.wait_for_line(r"worker-drains: worker w finishes 2 calls",
                            errors=True)
        cluster.worker(name="home")
        harness.wait_until(lambda: "home" in cluster.states(), "the other one")
        result = client.wait()
        assert result.status == 0, result


@pytest.mark.parametrize("hours, works", [((-1, 1), True), ((1, 3), False)])
def test_a_guest_worker_serves_only_during_its_hours(cluster, hours, works):
    worker = cluster.worker("--hours", f"{at(hours[0])}-{at(hours[1])}")
    if works:
        harness.wait_until(lambda: "w" in cluster.states(), "worker")
    else:
        worker.wait_for_line(r"worker-yields.*it works from", errors=True)
        assert cluster.states() == {}
    assert worker.terminate().status == 0


def test_invalid_hours_are_refused(cluster):
    result = cluster.worker("--hours", "late").wait()
    assert result.status == 2 and "20-08" in result.err, result


def test_an_idle_worker_exits(cluster):
    worker = cluster.worker("--idle", "2s")
    result = worker.wait()
    assert result.status == 0 and "worker-idle" in result.err, result
    away = cluster.worker("--idle", "1s", url="http://127.0.0.1:1")
    assert away.wait().status == 0


def test_keep_alive_is_set_by_the_owner(cluster, sim, stage):
    gate = stage.gate(sim)
    cluster.worker("--keep-alive", "0", url=gate.url)
    assert cluster.submit().status == 0
    assert {request["keep_alive"] for request in gate.requests} == {0}
    result = cluster.worker("--keep-alive", "soon").wait()
    assert result.status == 2 and "--keep-alive" in result.err, result


@pytest.mark.parametrize("timeout", [["--call-timeout", "5s"]], ids=["5s"])
def test_a_wedged_server_is_restarted_by_the_users_command(cluster, sim, stage):
    """A frozen server answers nobody; the command thaws it."""
    mark = stage.folder / "restarted"
    worker = cluster.worker("--restart-cmd",
                            f"kill -CONT {sim.pid} && echo now >> {mark}")
    harness.wait_until(lambda: "w" in cluster.states(), "worker")
    began = time.monotonic()
    sim.signal(signal.SIGSTOP)
    result = cluster.submit()
    assert result.status == 0, result
    minutes = int((time.monotonic() - began) / 60)
    assert mark.read_text() in ["now\n" * (n + 1) for n in range(minutes + 1)]
    assert "server-restart" in worker.errors()


def test_servers_on_this_machine_are_discovered(cluster, stage, sim):
    """Two model servers and something else, all in one process."""
    other = stage.stand_in(slots=1)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        ports = ",".join(str(port) for port in
                         (sim.port, other.port, deaf.getsockname()[1]))
        worker = stage.start("worker", "--coordinator",
                             cluster.coordinator.endpoint, "--name", "box",
                             f"--discover={ports}")
        harness.wait_until(lambda: set(cluster.states()) == {"box-1", "box-2"},
                           "both workers")
    assert worker.terminate().status == 0
    nothing = stage.promptcc("worker", "--coordinator",
                             cluster.coordinator.endpoint, "--discover=2-3")
    assert nothing.status == 2 and "no model server" in nothing.err, nothing


def test_a_server_found_twice_becomes_one_worker(cluster, sim, stage):
    """A server that is found and also named, or found twice, is one worker. Two
    would get twice the calls that it can work on."""
    worker = stage.start("worker", "--coordinator",
                         cluster.coordinator.endpoint, "--name", "box",
                         "--ollama", f"http://localhost:{sim.port},slots=3",
                         f"--discover={sim.port},{sim.port}")
    harness.wait_until(lambda: set(cluster.states()) == {"box"}, "the worker")
    assert worker.terminate().status == 0
    twice = stage.promptcc("worker", "--coordinator",
                           cluster.coordinator.endpoint, "--ollama", sim.url,
                           "--openai", f"{sim.url}/v1")
    assert twice.status == 2 and "is named twice" in twice.err, twice


def probe(port, path):
    """Returns status and text of a probe."""
    connection = http.client.HTTPConnection("127.0.0.1", port,
                                            timeout=harness.DEADLINE_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_worker_reports_its_health_and_readiness(cluster, sim, stage):
    """Alive at once; ready when it serves, and not while its server fails."""
    gate = stage.gate(sim)
    gate.refuse = lambda body: True
    worker = cluster.worker("--http", "127.0.0.1:0", url=gate.url)
    port = int(worker.wait_for_line(r"probes on http://127.0.0.1:(\d+)")[1])
    harness.wait_until(lambda: probe(port, "/healthz") == (200, "ok\n"),
                       "a sign of life")
    harness.wait_until(lambda: probe(port, "/readyz")[0] == 200, "readiness")
    client = stage.start("submit", stage.job(), "--coordinator",
                         cluster.coordinator.endpoint, "--wait", "--json")
    # A single probe. The coordinator tries a failed worker with one call, which
    # is answered, so between two probes the worker could be ready again.
    harness.wait_until(lambda: probe(port, "/readyz") == (
        503, "the model server does not answer\n"), "no readiness")
    harness.wait_until(lambda: probe(port, "/healthz")[0] == 200,
                       "a sign of life")
    gate.refuse = lambda body: False
    client.kill()
    client = stage.start("submit", stage.job(), "--coordinator",
                         cluster.coordinator.endpoint, "--wait", "--json")
    harness.wait_until(lambda: probe(port, "/readyz")[0] == 200,
                       "readiness again")
    assert client.wait().status == 0
    assert probe(port, "/metrics")[0] == 404
    assert worker.terminate().status == 0
