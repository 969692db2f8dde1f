"""Peers that want to do harm: floods, unfinished frames, invented workers.

A job is running, held at its 40th answer, while strangers do their worst for
some seconds. The coordinator keeps a bounded amount of what they send, its log
stays short, others are still served, and the job ends with the bytes of an
undisturbed run.
"""

import contextlib
import json
import pathlib
import random
import signal
import socket
import struct
import threading
import time

import pytest

import harness
from test_protocol import (ANSWER, CALL, CLIENT, COMMAND, FAULT, HEARTBEAT,
                           HELLO, REFUSED, REPLY, WELCOME, WORKER, Peer, Talk,
                           given_keys, msgpack, undisturbed, use_key, zmq)

__all__ = ["undisturbed"]
PART = 15
MIB = 1 << 20


@pytest.fixture
def talk(stage):
    made = Talk(stage, given_keys(stage))
    yield made
    for peer in made.peers:
        peer.close()


def resident(process):
    """Returns the process's resident memory in bytes."""
    with open(f"/proc/{process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Watch:
    """Measures how much the coordinator's memory grows at most while it is
    watched."""

    def __init__(self, process):
        self.process, self.peak, self.over = process, 0, False
        self.before = resident(process)
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.over:
            self.peak = max(self.peak, resident(self.process) - self.before)
            time.sleep(0.02)

    def stop(self):
        self.over = True
        self.thread.join()
        return self.peak


@contextlib.contextmanager
def bounded(talk, undisturbed, most=200 * MIB, log=100_000):
    """Checks that what happens inside costs no more than this, and that the job
    continues."""
    watch = Watch(talk.coordinator)
    try:
        yield
        served(talk)
    finally:
        peak = watch.stop()
    assert peak < most, f"{peak // MIB} MiB"
    assert len(talk.coordinator.errors()) < log
    talk.check_the_end(undisturbed)


def served(talk):
    """Checks that an honest client is answered."""
    peer = talk.peer()
    peer.hello()
    peer.receive(WELCOME)
    peer.send(COMMAND, verb="jobs", job="", argument="")
    assert '"running"' in peer.receive(REPLY)["document"]


def say(raw, data):
    """Sends to a coordinator that may have cut this connection, as it may with
    strangers. The bytes are then lost."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        raw.sendall(data)


def hear(raw, n):
    """Receives n bytes, fewer if the other side closes before."""
    with contextlib.suppress(ConnectionResetError):
        while n > 0 and (got := raw.recv(n)):
            n -= len(got)


def greeted(port):
    """Opens a raw connection and completes ZMTP's handshake, so that it is
    ready for frames. A peer that does not wait for the other side's greeting
    and READY may be cut off."""
    raw = socket.create_connection(("127.0.0.1", port))
    say(raw, b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL" + bytes(16) +
        b"\x00" + bytes(31))
    hear(raw, 64)
    ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
    say(raw, b"\x04" + bytes([len(ready)]) + ready)
    hear(raw, 43)
    return raw


def gone(raw, deadline_s=harness.DEADLINE_S):
    """Returns whether the other side has closed."""
    raw.settimeout(deadline_s)
    try:
        while raw.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


def flood(sockets, make, seconds=3, least=100):
    """Sends as much as the sockets take, for this many seconds, and longer if
    the machine is too slow for a flood."""
    begun = time.monotonic()
    sent = 0
    while time.monotonic() < begun + seconds or (
            sent <= least and time.monotonic() < begun + harness.DEADLINE_S):
        for s in sockets:
            with contextlib.suppress(zmq.Again):
                s.send(make(), zmq.DONTWAIT)
                sent += 1
    return sent


def dealers(context, endpoint, n, hello=None, key=None):
    made = []
    for _ in range(n):
        s = context.socket(zmq.DEALER)
        s.linger, s.sndhwm = 0, 2000
        use_key(s, key)
        s.connect(endpoint)
        if hello is not None:
            s.send(hello())
        made.append(s)
    return made


@pytest.fixture
def context():
    made = zmq.Context()
    yield made
    made.destroy(linger=0)


def hello(role=CLIENT, **fields):
    return msgpack.packb({"kind": HELLO, "version": 3, "role": role,
                          "name": "x", "epoch": random.getrandbits(60),
                          **fields})


def test_unfinished_frames_from_strangers_use_bounded_memory(talk, undisturbed):
    with bounded(talk, undisturbed, most=60 * MIB):
        raws = [greeted(talk.coordinator.port) for _ in range(60)]
        for raw in raws:
            say(raw, b"\x02" + struct.pack(">Q", 60 * MIB))
            say(raw, bytes(4 * MIB))
        for raw in raws:
            assert gone(raw)
            raw.close()


def test_a_peer_without_a_greeting_is_dropped_after_ten_seconds(talk,
                                                                undisturbed):
    with bounded(talk, undisturbed):
        began = time.monotonic()
        silent = greeted(talk.coordinator.port)
        slow = greeted(talk.coordinator.port)
        say(slow, b"\x02" + struct.pack(">Q", 60_000) + bytes(30_000))
        assert gone(silent) and gone(slow)
        least = 0 if talk.keys else 5  # with keys it cannot complete the handshake
        assert time.monotonic() - began > least
        silent.close()
        slow.close()


FLOODS = {
    "heartbeats": lambda: msgpack.packb({"kind": HEARTBEAT}),
    "answers": lambda: msgpack.packb({"kind": ANSWER, "id": 1, "outcome": 0,
                                      "text": "x" * 50_000,
                                      "cached_tokens": -1}),
    "faults": lambda: msgpack.packb({"kind": FAULT, "id": 1, "fault": 4,
                                     "text": "y" * 1000}),
    "garbage": lambda: random.randbytes(2000),
    "greetings": lambda: hello(
        WORKER, slots=1024, backend="ollama",
        models=[{"name": f"m{random.getrandbits(64)}", "digest": "ab" * 32}
                for _ in range(100)]),
    "commands": lambda: msgpack.packb({"kind": COMMAND, "verb": "jobs"}),
    "parts": lambda: msgpack.packb({"kind": PART, "of": 60 * MIB, "at": 0,
                                    "data": bytes(60_000)}),
}


@pytest.mark.parametrize("role", [None, CLIENT, WORKER])
@pytest.mark.parametrize("kind", sorted(FLOODS))
def test_the_coordinator_survives_a_flood(talk, undisturbed, context, kind,
                                          role):
    greeting = None if role is None else lambda: hello(role, slots=1)
    with bounded(talk, undisturbed):
        sockets = dealers(context, talk.coordinator.endpoint, 20, greeting,
                          talk.key(role))
        assert flood(sockets, FLOODS[kind]) > 100


def test_long_messages_from_many_clients_share_one_memory_budget(
        talk, undisturbed, context):
    """Each client sends a message of 60 MiB nearly to its end, and leaves it
    there."""
    def part(at):
        return msgpack.packb({"kind": PART, "of": 60 * MIB, "at": at,
                              "data": bytes(60_000)})

    with bounded(talk, undisturbed):
        sockets = dealers(context, talk.coordinator.endpoint, 10,
                          lambda: hello(CLIENT), talk.key(CLIENT))
        for at in range(0, 50 * MIB, 60_000):
            for s in sockets:
                with contextlib.suppress(zmq.Again):
                    s.send(part(at), zmq.DONTWAIT)
        time.sleep(1)


SLOW = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n " \
       "WHERE x < 1000000000000) SELECT max(x) FROM n"


def test_slow_queries_do_not_delay_other_requests(talk, undisturbed):
    """There are more queries than run at once; jobs and workers are answered
    before the queries end. A machine that stands still until they have ended
    shows nothing, so this is tried again there."""
    def others_are_first():
        askers = []
        for _ in range(6):
            askers.append(talk.peer())
            askers[-1].hello()
            askers[-1].receive(WELCOME)
            for _ in range(2):
                askers[-1].send(COMMAND, verb="query", job="",
                                argument=json.dumps({"sql": SLOW}))
        for command in ("jobs", "workers"):
            result = talk.stage.promptcc(command, "--coordinator",
                                         talk.coordinator.endpoint, "--json",
                                         *talk.words)
            assert result.status == 0, result
        answered = 0
        for asker in askers:
            while asker.socket.poll(0):
                answered += \
                    msgpack.unpackb(asker.socket.recv())["kind"] == REPLY
        return answered < 12

    harness.wait_until(others_are_first, "others answered before the queries")
    talk.check_the_end(undisturbed)


# A row of a hundred texts of 28 MB each, and one comparison of some 10^13
# bytes: within a function SQLite does not check the time.
WIDE = "SELECT " + ", ".join(
    f"length(hex(zeroblob(14000000))) AS a{i}" for i in range(100))
DEEP = "SELECT instr(hex(zeroblob(10000000)), hex(zeroblob(5000000)) || '1')"


def asked(peer, sql):
    peer.send(COMMAND, verb="query", job="", argument=json.dumps({"sql": sql}))


def test_a_query_does_not_use_the_coordinators_memory(talk, undisturbed):
    with bounded(talk, undisturbed, most=60 * MIB):
        peer = talk.peer()
        peer.hello()
        peer.receive(WELCOME)
        asked(peer, WIDE)
        asked(peer, "SELECT 7 AS seven")
        assert '"limit"' in peer.receive(REPLY)["document"]
        assert json.loads(peer.receive(REPLY)["document"]) == {
            "columns": ["seven"], "rows": [{"seven": 7}]}


# 28 MB as JSON.
LONG = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n " \
       "WHERE x < 14) SELECT hex(zeroblob(1000000)) AS a FROM n"


def test_replies_to_a_client_that_does_not_read_are_not_kept(talk, undisturbed,
                                                             context):
    """A client that asks for much, reads one answer and no more. (Under the
    thread sanitizer each byte costs several.)"""
    with bounded(talk, undisturbed, most=400 * MIB):
        deaf = context.socket(zmq.DEALER)
        deaf.linger, deaf.rcvhwm = 0, 1
        use_key(deaf, talk.key(CLIENT))
        deaf.connect(talk.coordinator.endpoint)
        deaf.send(hello())

        def cut_off():
            """Asks again after a while, since a query that takes too long on a
            busy machine gives no long reply."""
            for _ in range(12):
                with contextlib.suppress(zmq.Again):
                    deaf.send(msgpack.packb(
                        {"kind": COMMAND, "verb": "query", "job": "",
                         "argument": json.dumps({"sql": LONG})}), zmq.DONTWAIT)
            with contextlib.suppress(AssertionError):
                return harness.wait_until(
                    lambda: "it does not read what it asks for" in
                    talk.coordinator.errors(), "cut", 30)

        harness.wait_until(cut_off, "end of the one that does not read")


def children(pid):
    """Returns all processes below that one."""
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from children(int(child))


def test_a_runaway_query_is_ended(stage):
    """A query runs in its own process, which also ends with the coordinator."""
    coordinator = stage.coordinator(stage.folder / "c.db")
    with contextlib.closing(Peer(coordinator.endpoint)) as peer:
        peer.hello()
        peer.receive(WELCOME)
        asked(peer, DEEP)
        assert "was ended" in peer.receive(REPLY)["document"]
        asked(peer, DEEP)

        def runs():
            if peer.socket.poll(0):  # it was ended before we looked
                peer.receive(REPLY)
                asked(peer, DEEP)
            found = list(children(coordinator.pid))
            return len(found) == 2 and found  # a guard, and the query below it

        left = harness.wait_until(runs, "the query runs")
        coordinator.kill()
        harness.wait_until(
            lambda: not any(pathlib.Path(f"/proc/{pid}").exists()
                            for pid in left), "end of the query")


def test_a_stopping_coordinator_refuses_waiting_queries(stage):
    """The query that is running may take its time; the others are refused. Each
    ends by itself after some seconds, so on a machine that stands still until
    then this is tried again."""
    def refused():
        coordinator = stage.coordinator(stage.folder / "c.db")
        with contextlib.closing(Peer(coordinator.endpoint)) as peer:
            peer.hello()
            peer.receive(WELCOME)
            for _ in range(12):
                peer.send(COMMAND, verb="query", job="",
                          argument=json.dumps({"sql": SLOW}))
            peer.send(COMMAND, verb="jobs", job="", argument="")
            documents = [peer.receive(REPLY)["document"]]
            coordinator.signal(signal.SIGTERM)
            documents += [peer.receive(REPLY)["document"] for _ in range(12)]
        assert "[]" in documents
        assert coordinator.wait().status == 0
        return sum("before it got" in one for one in documents)

    harness.wait_until(lambda: refused() >= 10, "queries that are refused")


def test_workers_with_absurd_claims_are_bounded(talk, undisturbed, context):
    with bounded(talk, undisturbed):
        sockets = dealers(
            context, talk.coordinator.endpoint, 300,
            lambda: hello(WORKER, slots=1024, name="n" * 200,
                          models=[{"name": f"{random.getrandbits(60)}" * 9,
                                   "digest": "d" * 80} for _ in range(150)]),
            talk.key(WORKER))

        def refused():
            for s in sockets:
                with contextlib.suppress(zmq.Again):
                    message = msgpack.unpackb(s.recv(zmq.DONTWAIT))
                    if message["kind"] == REFUSED:
                        return message
            return None

        assert harness.wait_until(refused, "refusal")["code"] == "full"


@pytest.mark.alone
def test_new_peers_are_refused_with_a_reason_near_the_open_file_limit(
        stage, monkeypatch):
    """A coordinator with few descriptors: idle connections take all of them,
    new peers are told why they are refused, and the coordinator does not
    spin."""
    monkeypatch.setattr(harness, "PROMPTCC", "/bin/sh")
    process = stage.start("-c", f"ulimit -n 128; exec {harness.BUILD}/cli/"
                          "promptcc coordinator --listen tcp://127.0.0.1:0 "
                          f"--store {stage.folder}/few.db")
    monkeypatch.undo()
    line = process.wait_for_line(r"tcp://127\.0\.0\.1:(\d+)")
    port = int(line[1])
    with contextlib.ExitStack() as stack:
        # Closed whatever happens, since an open socket keeps Python from
        # ending.
        def peer():
            return stack.enter_context(
                contextlib.closing(Peer(f"tcp://127.0.0.1:{port}")))

        def refusal():
            one = peer()
            one.hello()
            with contextlib.suppress(AssertionError):
                return one.receive(REFUSED, 1)
            return None

        def refusal_beside_idle_connections():
            # They are dropped after ten seconds.
            raws = [stack.enter_context(greeted(port)) for _ in range(78)]
            with contextlib.suppress(AssertionError):
                return harness.wait_until(refusal, "refusal", 9)
            for raw in raws:
                raw.close()
            return None

        refused = harness.wait_until(refusal_beside_idle_connections,
                                     "refusal")
        assert refused["code"] == "full" and "ulimit" in refused["text"]
        for _ in range(200):
            stack.enter_context(greeted(port))
        before = cpu_seconds(process)
        time.sleep(2)
        assert cpu_seconds(process) - before < 0.8

    with contextlib.closing(Peer(f"tcp://127.0.0.1:{port}")) as peer:
        harness.wait_until(lambda: peer.hello() or peer_is_welcome(peer),
                           "welcome after they have gone")
    assert process.running


def peer_is_welcome(peer):
    with contextlib.suppress(AssertionError):
        return peer.receive(WELCOME, 1)
    return None


def test_calls_of_a_worker_that_never_answers_go_to_another(talk, undisturbed):
    """It sends heartbeats as it should. Its calls go to another worker with a
    free slot."""
    tags = harness.get_json(talk.sim.url + "/api/tags")["models"]
    peer = talk.peer(WORKER)
    peer.hello(WORKER, slots=2, backend="ollama", server="0", simulated=1,
               models=[{"name": m["name"], "digest": m["digest"],
                        "context": 32768} for m in tags])
    peer.receive(WELCOME)
    peer.receive(CALL)
    beating = threading.Event()

    def beat():
        while not beating.wait(0.5):
            peer.send(HEARTBEAT)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        talk.gate.release()
        result = talk.client.wait()
        assert result.status == 0, result
        assert (talk.job.parent / "compiled.json").read_bytes() == undisturbed
    finally:
        beating.set()
        thread.join()
