"""What strangers may say to a coordinator: docs/protocol.md, spoken by hand.

While a job runs, a peer of the test says what no worker or client of ours
would. The coordinator stays up, and the job ends with the bytes of an
undisturbed run.
"""

import contextlib
import os
import random
import re
import signal
import socket
import struct
import time

import pytest

import harness

zmq = pytest.importorskip("zmq", reason="needs the package python3-zmq")
msgpack = pytest.importorskip("msgpack",
                              reason="needs the package python3-msgpack")

HELLO, WELCOME, REFUSED, HEARTBEAT, CALL = 0, 1, 2, 3, 4
CANCEL, ANSWER, FAULT, GOODBYE, SUBMIT = 5, 6, 7, 8, 9
RESULT, COMMAND, REPLY, PART = 12, 13, 14, 15
WORKER, CLIENT = 0, 1


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    stage = harness.Stage(tmp_path_factory.mktemp("undisturbed"))
    try:
        sim = stage.stand_in(slots=2)
        job = stage.job()
        assert stage.promptcc("run", job, "--ollama", sim.url).status == 0
        return (job.parent / "compiled.json").read_bytes()
    finally:
        stage.close()


def use_key(dealer, path):
    """Makes the socket use CURVE with the key in that file, or nothing for
    None."""
    if path is None:
        return
    lines = dict(line.split(" ", 1) for line in path.read_text().splitlines()
                 if not line.startswith("#"))
    dealer.curve_publickey = lines["public"].encode()
    dealer.curve_secretkey = lines["secret"].encode()
    dealer.curve_serverkey = lines["coordinator"].encode()


def given_keys(stage):
    """Makes keys for everyone if PROMPTCC_TEST_KEYS asks for them, else returns
    None. test_keys.py always tests the worst cases with keys."""
    return stage.keys() if os.environ.get("PROMPTCC_TEST_KEYS") else None


class Peer:
    """A DEALER socket that says what it is told to."""

    def __init__(self, endpoint, key=None):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        use_key(self.socket, key)
        self.socket.connect(endpoint)

    def send(self, kind, **fields):
        self.socket.send(msgpack.packb({"kind": kind, **fields}))

    def send_in_parts(self, kind, **fields):
        message = msgpack.packb({"kind": kind, **fields})
        for at in range(0, len(message), 60_000):
            self.send(PART, of=len(message), at=at,
                      data=message[at:at + 60_000])

    def receive(self, kind, deadline_s=harness.DEADLINE_S):
        """Returns the next message of that kind; skips others."""
        end = time.monotonic() + deadline_s
        while self.socket.poll(max(0, 1000 * (end - time.monotonic()))):
            message = msgpack.unpackb(self.socket.recv())
            if message["kind"] == kind:
                return message
        raise AssertionError(f"no message of kind {kind}")

    def hello(self, role=CLIENT, **fields):
        fields = {"version": 3, "role": role, "name": "stranger",
                  "epoch": random.getrandbits(60), **fields}
        self.send(HELLO, **fields)

    def close(self):
        self.socket.close()
        self.context.term()


class Talk:
    """A coordinator with a worker, a job that is held at its 40th answer, and a
    stranger. With keys, the stranger has one for the role that it claims."""

    def __init__(self, stage, keys=None):
        self.stage, self.keys = stage, keys
        self.words = words = ["--keys", keys] if keys else []
        self.sim = stage.stand_in(slots=2)
        self.gate = stage.gate(self.sim)
        self.gate.hold_after(40)
        self.store = stage.folder / "c.db"
        self.coordinator = stage.coordinator(self.store, *words)
        self.worker = stage.worker(self.coordinator.endpoint, self.gate.url,
                                   "w", *words, slots=2)
        self.job = stage.job()
        self.client = stage.start("submit", self.job, "--coordinator",
                                  self.coordinator.endpoint, "--wait",
                                  "--json", *words)
        assert self.gate.wait_held(self.client)
        self.peers = []

    def key(self, role):
        names = {WORKER: "rack.key", CLIENT: "ann.key", None: "ann.key"}
        return self.keys and self.keys / names[role]

    def peer(self, role=CLIENT):
        self.peers.append(Peer(self.coordinator.endpoint, self.key(role)))
        return self.peers[-1]

    def check_the_end(self, undisturbed):
        assert self.coordinator.running, self.coordinator.result()
        for peer in self.peers:
            peer.close()
        self.peers = []
        self.gate.release()
        result = self.client.wait()
        assert result.status == 0, result
        assert (self.job.parent / "compiled.json").read_bytes() == undisturbed
        assert self.coordinator.terminate().status == 0


@pytest.fixture
def talk(stage):
    made = Talk(stage, given_keys(stage))
    yield made
    for peer in made.peers:
        peer.close()


def test_a_client_is_welcomed_and_answered(talk, undisturbed):
    peer = talk.peer()
    peer.hello()
    welcome = peer.receive(WELCOME)
    assert welcome["name"] and 10 <= welcome["heartbeat_ms"] <= 60000
    peer.send(COMMAND, verb="jobs", job="", argument="")
    assert '"running"' in peer.receive(REPLY)["document"]
    peer.send(COMMAND, verb="dance", job="", argument="")
    assert "dance" in peer.receive(REPLY)["document"]
    talk.check_the_end(undisturbed)


def test_unknown_keys_are_ignored(talk, undisturbed):
    peer = talk.peer()
    peer.hello(colour="green", nested={"a": [1, {"b": None}]})
    assert peer.receive(WELCOME)
    talk.check_the_end(undisturbed)


def test_a_peer_of_another_version_is_refused_with_a_reason(talk, undisturbed):
    peer = talk.peer()
    peer.hello(version=1)
    refused = peer.receive(REFUSED)
    assert refused["code"] == "version" and refused["text"]
    talk.check_the_end(undisturbed)


def test_a_message_before_the_greeting_is_refused(talk, undisturbed):
    peer = talk.peer()
    peer.send(HEARTBEAT)
    assert peer.receive(REFUSED)["code"] == "hello"
    peer.send(ANSWER, id=0, outcome=0, text="plants", cached_tokens=-1)
    assert peer.receive(REFUSED)["code"] == "hello"
    talk.check_the_end(undisturbed)


def test_an_answer_for_the_lease_of_another_worker_is_ignored(talk,
                                                              undisturbed):
    """The worker was thought to be dead, and its epoch is over."""
    peer = talk.peer(WORKER)
    peer.hello(WORKER, slots=1, backend="ollama", server="0", simulated=1,
               models=[{"name": "else:1b", "digest": "ab" * 32,
                        "context": 4096}])
    peer.receive(WELCOME)
    wrong = "[[ ## topic ## ]]\nplants\n\n[[ ## completed ## ]]"
    for lease in range(200):
        peer.send(ANSWER, id=lease, outcome=0, text=wrong, prompt_tokens=1,
                  cached_tokens=-1, generated_tokens=1)
    peer.send(FAULT, id=41, fault=4, text="it was me")
    peer.send(CANCEL, id=41)
    peer.send(GOODBYE, open=0)
    talk.check_the_end(undisturbed)


NONSENSE = [
    b"", b"\x00", b"hello", b"\xc1", b"\x80", b"\xff" * 100,
    msgpack.packb([1, 2]), msgpack.packb({"kind": 99}),
    msgpack.packb({"kind": -1}), msgpack.packb({"kind": "HELLO"}),
    msgpack.packb({"kind": 3, "kind2": 3}) + b"\x00",
    b"\x82\xa4kind\x03\xa4kind\x03",        # a key that comes twice
    b"\xdf\xff\xff\xff\xff",                # a map that claims 4 billion
    b"\xdb\xff\xff\xff\xffabc",             # a text that claims 4 GB
    b"\x91" * 10000,                        # nested far too deep
    msgpack.packb({"kind": 0, "version": 3, "role": 1, "name": "x" * 201,
                   "epoch": 1}),
    msgpack.packb({"kind": 0, "version": 3, "role": 7, "name": "x",
                   "epoch": 1}),
    msgpack.packb({"kind": 0, "version": 3, "role": 1, "name": "a\x00b",
                   "epoch": 1}),
]


@pytest.mark.parametrize("greeted", [False, True])
def test_nonsense_is_refused_without_side_effects(talk, undisturbed, greeted):
    for frame in NONSENSE:
        peer = talk.peer()
        if greeted:
            peer.hello()
            peer.receive(WELCOME)
        peer.socket.send(frame)
        assert peer.receive(REFUSED)["code"] in ("frame", "hello"), frame
    peer = talk.peer()
    peer.socket.send_multipart([msgpack.packb({"kind": 3}), b"more"])
    assert peer.receive(REFUSED)["code"] in ("frame", "hello")
    talk.check_the_end(undisturbed)


def test_random_bytes_do_no_harm(talk, undisturbed):
    dice = random.Random(11)
    peer = talk.peer()
    good = msgpack.packb({"kind": 0, "version": 3, "role": 0, "name": "w",
                          "epoch": 3, "slots": 2, "models": []})
    for _ in range(2000):
        frame = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            frame[dice.randrange(len(frame))] = dice.randrange(256)
        peer.socket.send(bytes(frame))
    peer.receive(REFUSED)
    talk.check_the_end(undisturbed)


def test_a_frame_beyond_the_cap_ends_the_connection_only(talk, undisturbed):
    """libzmq reads the length and drops the peer, so nothing is allocated."""
    with socket.create_connection(("127.0.0.1",
                                   talk.coordinator.port)) as raw:
        raw.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL" +
                    bytes(16) + b"\x00" + bytes(31))  # ZMTP 3.0 greeting
        ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
        raw.sendall(b"\x04" + bytes([len(ready)]) + ready)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            raw.sendall(b"\x02" + struct.pack(">Q", 1 << 40))
        raw.settimeout(harness.DEADLINE_S)
        try:
            while raw.recv(4096):
                pass
        except ConnectionResetError:
            pass
    talk.check_the_end(undisturbed)


def test_bytes_that_are_not_zmq_do_no_harm(talk, undisturbed):
    for text in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(500), b""):
        with socket.create_connection(("127.0.0.1",
                                       talk.coordinator.port)) as raw:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                raw.sendall(text)  # it may be cut off after the first byte
    talk.check_the_end(undisturbed)


def test_a_flood_of_heartbeats_and_greetings_is_survived(talk, undisturbed):
    peers = [talk.peer() for _ in range(8)]
    for peer in peers:
        peer.hello()
        peer.receive(WELCOME)
    for _ in range(3000):
        for peer in peers:
            peer.send(HEARTBEAT)
    for _ in range(200):
        for peer in peers:
            peer.hello()
    talk.check_the_end(undisturbed)


def test_a_vanished_idle_worker_is_noticed_within_seconds(stage):
    """It has said that it beats every 40 s, as workers of a large cluster do.
    Its process is killed, and the connection breaks. Otherwise it would be
    missed after two minutes."""
    coordinator = stage.coordinator(stage.folder / "c.db")
    words = ("workers", "--coordinator", coordinator.endpoint, "--json")

    def states():
        return [worker["state"] for worker in stage.promptcc(*words).json]

    idle = Peer(coordinator.endpoint)
    idle.hello(WORKER, name="idle", slots=1, server="ollama",
               server_version="0.33.0", models=[])
    idle.receive(WELCOME)
    idle.send(HEARTBEAT, held=b"", idle_ms=40000)
    harness.wait_until(lambda: states() == ["serving"], "worker")
    idle.close()
    harness.wait_until(lambda: states() != ["serving"], "silent worker", 100)
    assert coordinator.terminate().status == 0


def test_the_calls_of_a_worker_that_vanishes_are_not_lost(talk, undisturbed):
    """It has the model, gets leases, and vanishes without a word."""
    tags = harness.get_json(talk.sim.url + "/api/tags")["models"]
    peer = talk.peer(WORKER)
    peer.hello(WORKER, slots=4, backend="ollama", server="0", simulated=1,
               models=[{"name": m["name"], "digest": m["digest"],
                        "context": 32768} for m in tags])
    peer.receive(WELCOME)
    call = peer.receive(CALL)
    assert call["model"] == "qwen2.5:0.5b" and call["timeout_ms"] > 0
    assert call["num_ctx"] == 4096 and call["prefix"].startswith("[")
    talk.check_the_end(undisturbed)
    assert talk.sim.repeated() <= harness.copies(talk.store)


def test_garbage_in_answer_frames_is_refused_and_the_call_reassigned(
        talk, undisturbed):
    """ANSWER frames with impossible numbers are refused, and the lease goes to
    another worker."""
    tags = harness.get_json(talk.sim.url + "/api/tags")["models"]
    peer = talk.peer(WORKER)
    peer.hello(WORKER, slots=1, backend="ollama", server="0", simulated=1,
               models=[{"name": m["name"], "digest": m["digest"],
                        "context": 32768} for m in tags])
    peer.receive(WELCOME)
    call = peer.receive(CALL)
    peer.send(ANSWER, id=call["id"], outcome=77, text="x", cached_tokens=-1)
    assert peer.receive(REFUSED)["code"] == "frame"
    talk.check_the_end(undisturbed)


def test_client_learns_that_coordinator_stopped_while_reading_its_job(stage):
    """The REPLY shows that the SUBMIT before it was accepted. Reading this many
    rows takes longer than a signal. If it does not, the job has begun, and the
    client is told the same."""
    coordinator = stage.coordinator(stage.folder / "c.db")
    job = stage.job(n=8000)
    files = [{"name": path.name, "data": path.read_bytes()}
             for path in (job, job.parent / "examples.jsonl")]
    peer = Peer(coordinator.endpoint)
    try:
        peer.hello()
        peer.receive(WELCOME)
        peer.send_in_parts(SUBMIT, action="run", options="{}", folder="",
                           files=files)
        peer.send(COMMAND, verb="jobs", job="", argument="")
        peer.receive(REPLY)
        coordinator.signal(signal.SIGTERM)
        result = peer.receive(RESULT)
        assert result["status"] == 130, result
        assert "the coordinator stopped" in result["document"], result
    finally:
        peer.close()
    assert coordinator.wait().status == 0


def test_an_empty_job_name_stops_no_job(stage, sim):
    """A shell variable that is not set gives an empty name, which is the
    beginning of every name."""
    coordinator = stage.coordinator(stage.folder / "c.db")
    stage.promptcc("submit", stage.job(), "--coordinator",
                   coordinator.endpoint)
    for verb in ("stop", "pause", "resume"):
        result = stage.promptcc(verb, "", "--coordinator",
                                coordinator.endpoint, "--json")
        assert result.status == 2, result
        assert "not set" in result.error["text"], result
    peer = Peer(coordinator.endpoint)
    try:
        peer.hello()
        peer.receive(WELCOME)
        for verb in ("stop", "pause", "resume"):
            peer.send(COMMAND, verb=verb, job="", argument="")
            assert "needs the name of a job" in str(peer.receive(REPLY))
    finally:
        peer.close()
    listed = stage.promptcc("jobs", "--coordinator", coordinator.endpoint,
                            "--json")
    assert [job["state"] for job in listed.json] == ["running"], listed


def test_the_documentation_describes_this_wire_version():
    page = (harness.ROOT / "docs" / "protocol.md").read_text()
    header = (harness.ROOT / "wire" / "message.h").read_text()
    [version] = re.findall(r"\bWIRE_VERSION = (\d+)", header)
    assert f"It describes version {version}." in page
