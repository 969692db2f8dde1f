"""The coordinator's disk is full, and is freed while it runs. It waits, says so
and still answers, and its job continues without help."""

import pytest

import harness


@pytest.fixture
def small_disk(stage):
    """A file system of 16 MB."""
    with harness.small_disk(stage, "16m") as folder:
        yield folder


class Cluster:
    def __init__(self, stage, folder):
        self.stage, self.ballast = stage, folder / "ballast"
        self.sim = stage.stand_in(slots=2)
        self.gate = stage.gate(self.sim)
        self.gate.hold_after(20)
        self.coordinator = stage.coordinator(folder / "c.db")
        stage.worker(self.coordinator.endpoint, self.gate.url, "w", slots=2)
        self.job = stage.job()
        self.client = stage.start("submit", self.job, "--coordinator",
                                  self.coordinator.endpoint, "--wait",
                                  "--json")
        assert self.gate.wait_held(self.client)

    def fill_the_disk(self):
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        self.gate.release()
        self.coordinator.wait_for_line("store-waits.*the disk is full",
                                       errors=True)

    def ask(self, command):
        return self.stage.promptcc(command, "--coordinator",
                                   self.coordinator.endpoint, "--json")


def test_a_job_continues_when_the_disk_has_room_again(stage, small_disk):
    alone = stage.job("alone/shop")
    assert stage.promptcc("run", alone, "--ollama",
                          stage.stand_in(slots=2).url).status == 0

    cluster = Cluster(stage, small_disk)
    cluster.fill_the_disk()
    for command in ("jobs", "workers"):
        assert cluster.ask(command).status == 0
    assert cluster.client.running

    cluster.ballast.unlink()
    cluster.coordinator.wait_for_line("store-writes", errors=True)
    result = cluster.client.wait()
    assert result.status == 0, result
    assert (cluster.job.parent / "compiled.json").read_bytes() == \
        (alone.parent / "compiled.json").read_bytes()
    assert cluster.coordinator.terminate().status == 0


def test_a_coordinator_shuts_down_cleanly_on_a_full_disk(stage, small_disk):
    cluster = Cluster(stage, small_disk)
    cluster.fill_the_disk()
    cluster.coordinator.terminate()

    cluster.ballast.unlink()
    stage.coordinator(small_disk / "c.db", port=cluster.coordinator.port)
    harness.wait_until(
        lambda: harness.store_rows(small_disk / "c.db",
                                   "SELECT state FROM v_jobs") == [("done",)],
        "end of the job")


def test_a_file_size_limit_causes_an_error_instead_of_a_kill(stage, sim,
                                                             monkeypatch):
    """`ulimit -f`: the system would kill a program that writes beyond it,
    without a word."""
    job = stage.job()
    promptcc = harness.PROMPTCC
    monkeypatch.setattr(harness, "PROMPTCC", "/bin/sh")
    refused = stage.promptcc("-c", f"ulimit -f 100; exec {promptcc} run {job} "
                             f"--ollama {sim.url} --json")
    monkeypatch.undo()
    assert refused.status == 1 and refused.error["code"] == "store", refused
    assert stage.promptcc("run", job, "--ollama", sim.url).status == 0


def test_an_unwritable_result_is_kept_for_the_next_run(stage, sim):
    """The result of a night's run is not lost because 10 kB are missing."""
    with harness.small_disk(stage, "64k") as disk:
        out, ballast = disk / "c.json", disk / "ballast"
        ballast.write_bytes(bytes(60 << 10))
        words = ("run", stage.job(), "--ollama", sim.url, "--out", out)
        done = stage.promptcc(*words)
        assert done.status == 1 and not out.exists(), done
        assert "nothing is lost" in done.err and "--out" in done.err, done
        asked = len(sim.chats())
        ballast.unlink()
        assert stage.promptcc(*words).status == 0
        assert out.exists() and len(sim.chats()) == asked


def test_a_job_folder_is_made_whole_or_not_at_all(stage):
    """Half of it would be in the way of the same command."""
    with harness.small_disk(stage, "64k") as disk:
        ballast, job = disk / "ballast", disk / "job"
        ballast.write_bytes(bytes(56 << 10))
        words = ("init", job, "--template", "drug_interactions")
        done = stage.promptcc(*words)
        assert done.status == 1 and "No space" in done.err, done
        assert not job.exists()
        ballast.unlink()
        assert stage.promptcc(*words).status == 0
