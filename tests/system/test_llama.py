"""llama.cpp's server as a backend, and one that a worker starts and stops
itself. The stand-in replaces it here, since it has /props and /health."""

import hashlib
import os
import pathlib
import signal

import pytest

import harness

SCRIPT = """\
#!/bin/bash
# What `llama-server` is called with, and the stand-in in its place.
echo "$@" >>{folder}/called
while [ $# -gt 0 ]; do
    case $1 in
    --port) port=$2 ;;
    --parallel) slots=$2 ;;
    --alias) model=$2 ;;
    esac
    shift
done
[ ! -e {folder}/broken ] || exit 3
exec {stand_in} --port "$port" --slots "$slots" --model "$model" \
    --log {folder}/llama.log
"""


@pytest.fixture
def cluster(stage):
    class Cluster:
        coordinator = stage.coordinator(stage.folder / "c.db")
        bin = stage.folder / "bin"

        def worker(self, *words, path=True):
            path = f"{self.bin}:/usr/bin:/bin" if path else "/usr/bin:/bin"
            return stage.start("worker", "--coordinator",
                               self.coordinator.endpoint, "--name", "w",
                               *words, env={"PATH": path})

        def workers(self):
            return stage.promptcc("workers", "--coordinator",
                                  self.coordinator.endpoint, "--json").json

        def submit(self, **job):
            path = stage.job(**job)
            result = stage.promptcc("submit", path, "--coordinator",
                                    self.coordinator.endpoint, "--wait",
                                    "--json")
            return path, result

    made = Cluster()
    made.bin.mkdir()
    script = made.bin / "llama-server"
    script.write_text(SCRIPT.format(folder=stage.folder,
                                    stand_in=harness.STAND_IN.resolve()))
    script.chmod(0o755)
    made.gguf = stage.folder / "tiny-q4.gguf"
    made.gguf.write_bytes(b"GGUF" + bytes(1000))
    return made


def children(pid):
    """Returns the processes whose parent is pid."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def test_a_server_reports_its_slots_and_reused_tokens(cluster, stage):
    sim = stage.stand_in(slots=3)
    cluster.worker("--llama", sim.url)
    harness.wait_until(lambda: [w["slots"] for w in cluster.workers()] == [3],
                       "worker with the server's own slots")
    job = stage.job()
    job.write_text(job.read_text().replace(
        "models: {",
        "models: {revision: q4, "))
    result = stage.promptcc("submit", job, "--coordinator",
                            cluster.coordinator.endpoint, "--wait", "--json")
    assert result.status == 0, result
    assert result.json["tokens"]["prompt_cached"] > 0


def test_a_server_started_by_a_worker_serves_a_job_and_ends_with_it(cluster,
                                                                    stage):
    """The model is known by the hash of its file, so no revision is needed."""
    worker = cluster.worker("--llama-server",
                            f"{cluster.gguf},slots=2,ctx=4096,name=tiny")
    harness.wait_until(lambda: [w["models"] for w in cluster.workers()] ==
                       [["tiny"]], "worker")
    (server,) = children(worker.pid)
    path, result = cluster.submit(student="tiny")
    assert result.status == 0, result
    digest = hashlib.sha256(cluster.gguf.read_bytes()).hexdigest()
    pinned = harness.store_rows(stage.folder / "c.db",
                                "SELECT digest FROM job_models")
    assert any(digest in row[0] for row in pinned), pinned
    called = (stage.folder / "called").read_text()
    assert "--parallel 2 --ctx-size 8192" in called
    assert worker.terminate().status == 0
    harness.wait_until(lambda: not harness.alive(server), "end of the server")


def test_a_server_that_dies_is_restarted(cluster, stage):
    worker = cluster.worker("--llama-server", f"{cluster.gguf},name=tiny")
    harness.wait_until(lambda: cluster.workers(), "worker")
    (server,) = children(worker.pid)
    os.kill(server, signal.SIGKILL)
    worker.wait_for_line(r"the server for tiny has ended \(137\)", errors=True)
    path, result = cluster.submit(student="tiny")
    assert result.status == 0, result
    assert worker.terminate().status == 0


def test_a_server_does_not_outlive_a_worker_that_was_killed(cluster):
    worker = cluster.worker("--llama-server", cluster.gguf)
    harness.wait_until(lambda: cluster.workers(), "worker")
    (server,) = children(worker.pid)
    worker.kill()
    harness.wait_until(lambda: not harness.alive(server), "end of the server")


@pytest.mark.parametrize("value, words", [
    ("nowhere.gguf", "cannot read the model"),
    ("tiny-q4.gguf,slots=0", "an unknown part"),
    ("tiny-q4.gguf,colour=red", "an unknown part"),
])
def test_a_server_that_cannot_be_started_is_reported(cluster, value, words):
    result = cluster.worker("--llama-server", value).wait()
    assert result.status == 2 and words in result.err, result


def test_a_missing_llama_server_program_is_reported(cluster):
    result = cluster.worker("--llama-server", cluster.gguf, path=False).wait()
    assert result.status == 2 and "llama-server is not in PATH" in result.err
