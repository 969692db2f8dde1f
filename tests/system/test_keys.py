"""A cluster with keys: who is let in, in what role, and for how long."""

import contextlib
import csv
import os
import random
import re
import shlex
import socket

import pytest

import harness
from test_hostile_peers import (FLOODS, bounded, context, dealers, flood, gone,
                                greeted, hello, say)
from test_protocol import (ANSWER, CLIENT, COMMAND, REFUSED, REPLY, WELCOME,
                           WORKER, Talk, undisturbed, use_key, zmq)

__all__ = ["context", "undisturbed"]


@pytest.fixture
def talk(stage):
    made = Talk(stage, stage.keys())
    yield made
    for peer in made.peers:
        peer.close()


def ask(talk, *words):
    return talk.stage.promptcc(*words, "--coordinator",
                               talk.coordinator.endpoint)


def test_a_job_runs_normally_with_keys(talk, undisturbed):
    """The result has the same bytes, and every question to the coordinator
    works with a key."""
    jobs = ask(talk, "jobs", "--json", *talk.words).json
    assert [job["state"] for job in jobs] == ["running"]
    for words in (["workers"], ["show", jobs[0]["job"]],
                  ["trials", jobs[0]["job"]], ["best", jobs[0]["job"]],
                  ["query", "SELECT count(*) FROM v_calls"]):
        result = ask(talk, *words, *talk.words)
        assert result.status == 0, result
    talk.check_the_end(undisturbed)


def test_a_secret_key_is_there_only_if_it_is_allowed(stage):
    """`slurm` takes a secret key that is there for one that it has made
    before, so half a pair would never be let in."""
    keys = stage.folder / "keys"
    keys.mkdir(mode=0o700)
    (keys / "allowed").write_text("in the way")
    result = stage.promptcc("keys", "worker", "rack", "--keys", keys)
    assert result.status != 0 and "allowed" in result.err, result
    assert not (keys / "rack.key").exists()


def test_a_name_that_is_taken_makes_no_key_of_the_coordinator(stage):
    """A new one would shut out all workers and clients."""
    keys = stage.folder / "keys"
    words = ("keys", "worker", "rack", "--keys", keys)
    assert stage.promptcc(*words).status == 0
    (keys / "coordinator.key").unlink()  # it is on its own machine
    result = stage.promptcc(*words)
    assert result.status == 2 and "already exists" in result.err, result
    assert not (keys / "coordinator.key").exists()


def test_the_json_of_a_new_key_names_the_files_that_were_made(stage):
    """A script has to move one of them, and must know that there is a new key
    of the coordinator."""
    keys = stage.folder / "keys"
    first = stage.promptcc("keys", "worker", "rack", "--keys", keys, "--json")
    second = stage.promptcc("keys", "client", "ann", "--keys", keys, "--json")
    gone = stage.promptcc("keys", "revoke", "ann", "--keys", keys, "--json")
    assert first.json == {"name": "rack", "state": "allowed",
                          "made": [f"{keys}/coordinator.key",
                                   f"{keys}/rack.key"]}
    assert second.json["made"] == [f"{keys}/ann.key"]
    assert gone.json == {"name": "ann", "state": "revoked"}


def test_a_key_that_is_made_before_a_failure_is_named(stage):
    keys = stage.folder / "keys"
    keys.mkdir(mode=0o700)
    (keys / "allowed").write_text("in the way")
    result = stage.promptcc("keys", "worker", "rack", "--keys", keys)
    assert result.status != 0, result
    assert f"only the coordinator's own key is made, {keys}/" in result.err, \
        result


def test_a_peer_without_a_key_is_told_how_to_get_one(talk, undisturbed):
    result = ask(talk, "jobs")
    assert result.status != 0 and "--keys DIR" in result.err, result

    def told():
        """A worker looks once why it is not heard; if the coordinator is
        halted just then, it cannot know."""
        worker = talk.stage.worker(talk.coordinator.endpoint, talk.sim.url,
                                   "bare")
        line = worker.wait_for_line("coordinator-(closed|lost): .*\n",
                                    errors=True)
        assert worker.terminate().status == 0
        return re.search("closed.*--keys DIR", line[0])

    harness.wait_until(told, "worker that is told")
    talk.check_the_end(undisturbed)


def test_a_key_that_is_not_allowed_is_refused(talk, undisturbed):
    (talk.keys / "allowed" / "ann.pub").rename(talk.stage.folder / "ann.pub")
    talk.coordinator.wait_for_line(r"keys-read: .* allows 1", errors=True)
    result = ask(talk, "jobs", *talk.words)
    assert result.status != 0 and "does not allow this key" in result.err
    talk.coordinator.wait_for_line("key-unknown", errors=True)
    (talk.stage.folder / "ann.pub").rename(talk.keys / "allowed" / "ann.pub")
    harness.wait_until(
        lambda: ask(talk, "jobs", *talk.words).status == 0, "welcome again")


def test_a_new_key_works_at_once(talk, undisturbed):
    """The key works even between two looks at the folder. A refused connection
    would wait in vain, since ZeroMQ does not try again."""
    for name in ("bob", "cay", "dan"):
        made = talk.stage.promptcc("keys", "client", name, "--keys", talk.keys)
        assert made.status == 0, made
        result = ask(talk, "jobs", "--keys", talk.keys / f"{name}.key")
        assert result.status == 0, result
    talk.check_the_end(undisturbed)


def test_a_key_grants_only_one_role(talk, undisturbed):
    as_client = talk.peer(WORKER)
    as_client.hello(CLIENT)
    refused = as_client.receive(REFUSED)
    assert refused["code"] == "role", refused
    assert "rack is the key of a worker" in refused["text"], refused
    as_worker = talk.peer(CLIENT)
    as_worker.hello(WORKER, slots=1, backend="ollama")
    refused = as_worker.receive(REFUSED)
    assert refused["code"] == "role" and "promptcc keys worker" in \
        refused["text"], refused
    as_worker.send(ANSWER, id=0, outcome=0, text="plants", cached_tokens=-1)
    assert as_worker.receive(REFUSED)["code"] == "hello"
    result = ask(talk, "jobs", "--keys", talk.keys / "rack.key")
    assert result.status == 2 and "promptcc keys client" in result.err, result
    talk.check_the_end(undisturbed)


def test_revoking_a_key_disconnects_its_worker(talk, undisturbed):
    """Another worker makes its calls, and its key no longer opens anything."""
    made = talk.stage.promptcc("keys", "worker", "other", "--keys", talk.keys)
    assert made.status == 0, made
    result = talk.stage.promptcc("keys", "revoke", "rack", "--keys", talk.keys)
    assert result.status == 0, result
    talk.coordinator.wait_for_line(
        r"peer-cut-off: worker w: its key is no longer allowed", errors=True)
    talk.worker.wait_for_line(r"does not allow this key", errors=True)
    harness.wait_until(
        lambda: [w for w in ask(talk, "workers", "--json", *talk.words).json
                 if w["state"] != "lost"] == [], "no worker")
    talk.stage.worker(talk.coordinator.endpoint, talk.gate.url, "w2", "--keys",
                      talk.keys / "other.key", slots=2)
    talk.check_the_end(undisturbed)
    assert talk.worker.terminate().status == 0


def test_revoking_a_client_key_ends_its_wait(talk):
    """The job continues; the client that waited for it is told."""
    assert talk.stage.promptcc("keys", "revoke", "ann", "--keys",
                               talk.keys).status == 0
    result = talk.client.wait()
    assert result.status != 0 and "does not allow this key" in result.out + \
        result.err, result
    assert talk.coordinator.running


def test_a_secret_readable_by_others_is_not_used(stage):
    keys = stage.keys()
    assert (keys / "coordinator.key").stat().st_mode & 0o777 == 0o600
    (keys / "coordinator.key").chmod(0o644)
    result = stage.promptcc("coordinator", "--listen", "tcp://127.0.0.1:0",
                            "--store", stage.folder / "c.db", "--keys", keys)
    assert result.status == 2 and "chmod 600" in result.err, result


def test_the_list_of_keys_can_be_csv(stage):
    keys = stage.folder / "listed"
    for role, name in (("worker", "rack1"), ("client", "bob")):
        made = stage.promptcc("keys", role, name, "--keys", keys)
        assert made.status == 0, made
    listed = stage.promptcc("keys", "--keys", keys, "--json").json
    table = stage.promptcc("keys", "--keys", keys, "--csv")
    assert list(csv.DictReader(table.out.splitlines())) == listed
    assert [row["name"] for row in listed] == ["bob", "rack1"]
    # A command that prints no list refuses the option, instead of ignoring it.
    refused = stage.promptcc("keys", "worker", "rack2", "--keys", keys, "--csv")
    assert refused.status == 2 and "list of keys" in refused.err
    assert not (keys / "rack2.key").exists()


def test_the_keys_command_requires_the_folder_of_all_keys(stage):
    """PROMPTCC_KEYS names the key of a client or worker. It does not name the
    folder where keys are made and revoked."""
    keys = stage.folder / "made"
    for words in (["client", "bob"], ["worker", "rack"]):
        assert stage.promptcc("keys", *words, "--keys", keys).status == 0
    exported = {"PROMPTCC_KEYS": keys / "bob.key"}
    for words in ([], ["worker", "rack2"], ["revoke", "bob"]):
        result = stage.promptcc("keys", *words, env=exported)
        assert result.status == 2, result
        assert "bob.key is a file" in result.err, result
        assert "comes from the variable PROMPTCC_KEYS" in result.err, result
    nobody = stage.promptcc("keys", "revoke", "--keys", keys)
    assert nobody.status == 2 and "needs the NAME" in nobody.err, nobody
    # The command that a refusal suggests works as it is.
    wrong = stage.promptcc("coordinator", "--store", stage.folder / "c.db",
                           env=exported)
    assert wrong.status == 2, wrong
    assert wrong.err.rstrip().endswith("`promptcc keys coordinator`"), wrong


def test_listening_beyond_this_machine_requires_keys(stage):
    keys = stage.keys()
    listen = ["coordinator", "--listen", "tcp://0.0.0.0:0", "--store",
              stage.folder / "c.db"]
    result = stage.promptcc(*listen)
    assert result.status == 2, result
    assert "promptcc keys" in result.err and "--keys DIR" in result.err, result
    process = stage.start(*listen, "--keys", keys)
    process.wait_for_line(r"listening on tcp://0\.0\.0\.0:\d+")
    assert process.terminate().status == 0


def test_traffic_cannot_be_read_on_the_wire(stage):
    """A listener in between records every byte that passes."""
    keys = stage.keys()
    sim = stage.stand_in(slots=2)
    coordinator = stage.coordinator(stage.folder / "c.db", "--keys", keys)
    tap = stage.tap(coordinator.port)
    worker = stage.worker(tap.endpoint, sim.url, "w", "--keys", keys)
    result = stage.promptcc("submit", stage.job(), "--coordinator",
                            tap.endpoint, "--wait", "--keys", keys)
    assert result.status == 0, result
    assert worker.terminate().status == 0
    assert len(tap.bytes) > 10_000
    for word in (b"courier", b"topic", b"qwen", b"heartbeat"):
        assert word not in tap.bytes


# --- the worst, with keys; test_hostile_peers.py covers more of each ---

def test_unfinished_greetings_from_strangers_use_bounded_memory(talk,
                                                                undisturbed):
    with bounded(talk, undisturbed, most=60 << 20):
        raws = [greeted(talk.coordinator.port) for _ in range(40)]
        curve = socket.create_connection(("127.0.0.1", talk.coordinator.port))
        say(curve, b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"CURVE" +
            bytes(15) + b"\x00" + bytes(31))
        say(curve, b"\x04\xc8" + b"\x05HELLO" + random.randbytes(194))
        for raw in [*raws, curve]:
            say(raw, b"\x02" + bytes(7) + b"\xff" * 50_000)
            assert gone(raw)
            raw.close()


@pytest.mark.parametrize("kind, role", [("garbage", None), ("answers", CLIENT),
                                        ("greetings", WORKER),
                                        ("parts", CLIENT)])
def test_the_coordinator_survives_a_flood_from_peers_with_a_key(
        talk, undisturbed, context, kind, role):
    greeting = None if role is None else lambda: hello(role, slots=1)
    with bounded(talk, undisturbed):
        sockets = dealers(context, talk.coordinator.endpoint, 20, greeting,
                          talk.key(role))
        assert flood(sockets, FLOODS[kind]) > 100


def test_the_coordinator_survives_a_flood_of_keys_not_allowed(talk, undisturbed,
                                                              context):
    """Each of them costs a handshake and one line in a log that stays short."""
    other = talk.stage.folder / "other"
    assert talk.stage.promptcc("keys", "client", "eve", "--keys",
                               other).status == 0
    lines = (other / "eve.key").read_text().splitlines()
    mine = (talk.keys / "ann.key").read_text().splitlines()
    (other / "eve.key").unlink()
    (other / "eve.key").write_text("\n".join([*lines[:-1], mine[-1]]) + "\n")
    os.chmod(other / "eve.key", 0o600)
    with bounded(talk, undisturbed):
        for _ in range(5):
            for s in dealers(context, talk.coordinator.endpoint, 60, None,
                             other / "eve.key"):
                s.close()
        sockets = dealers(context, talk.coordinator.endpoint, 60, None,
                          other / "eve.key")
        harness.wait_until(lambda: "key-unknown" in
                           talk.coordinator.errors(), "refusal")
        assert not any(s.poll(50) for s in sockets)


def test_a_peer_cannot_take_the_identity_of_another(talk, undisturbed, context):
    """A second connection uses the name of a worker that is connected, but
    another key. What it says is ignored."""
    victim = talk.peer(CLIENT)
    victim.socket.close()
    victim.socket = context.socket(zmq.DEALER)
    victim.socket.linger = 0
    victim.socket.routing_id = b"victim"
    use_key(victim.socket, talk.key(CLIENT))
    victim.socket.connect(talk.coordinator.endpoint)
    victim.hello()
    victim.receive(WELCOME)
    thief = talk.peer(WORKER)
    thief.socket.close()
    thief.socket = context.socket(zmq.DEALER)
    thief.socket.linger = 0
    thief.socket.routing_id = b"victim"
    use_key(thief.socket, talk.key(WORKER))
    thief.socket.connect(talk.coordinator.endpoint)
    thief.send(COMMAND, verb="jobs", job="", argument="")
    talk.coordinator.wait_for_line(r"used with another key", errors=True)
    with pytest.raises(AssertionError):  # heartbeats may come, but no answer
        thief.receive(REPLY, 0.5)
    honest = talk.peer()
    honest.hello()
    honest.receive(WELCOME)
    honest.send(COMMAND, verb="jobs", job="", argument="")
    assert honest.receive(REPLY)
    talk.check_the_end(undisturbed)


def test_the_keys_command_of_every_message_works_on_the_folder_meant(stage):
    """A folder whose name has a blank, and is not the one that `promptcc keys`
    uses by itself."""
    keys = "my keys"

    def here(*words):
        return stage.promptcc(*words, cwd=stage.folder)

    def advised(pattern, *words):
        result = here(*words, "--keys", keys)
        command = re.search(pattern, result.out + result.err)
        assert command, result
        return shlex.split(command[1].replace("NAME", "rack"))

    start = ["coordinator", "--store", stage.folder / "c.db", "--listen",
             "tcp://127.0.0.1:0"]
    add = ["keys", "worker", "rack", "--keys", keys]
    assert advised("`promptcc (keys worker .*?)`", "keys") == add
    assert advised("`promptcc (keys worker .*?)`", *start) == add
    assert advised("promptcc (coordinator .*)", "keys", "coordinator")[-2:] == \
        ["--keys", keys]
    assert advised("`promptcc (keys worker .*?)`", *start) == add
    assert here(*add).status == 0
    revoke = advised("`promptcc (keys revoke .*?)`", *add[:3])
    assert revoke[:3] == ["keys", "revoke", "rack"]
    assert here(*revoke).status == 0
    listing = advised("`promptcc (keys --keys .*?)`", "keys", "revoke")
    assert here(*listing).status == 0
    (stage.folder / keys / "coordinator.key").unlink()
    again = advised("`promptcc (keys coordinator .*?)`", *start)
    assert here(*again).status == 0
    # The advice is whole, however long the name of the folder.
    keys = "long " * 30
    assert advised("`promptcc (keys worker .*?)`", *start)[-1] == "DIR"
