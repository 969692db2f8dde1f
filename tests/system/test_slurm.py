"""`promptcc slurm` on a real Slurm with one node, started here: two workers
whose Ollama is the stand-in, a coordinator as a job, and requeueing."""

import os
import re
import shutil
import socket
import subprocess

import pytest

import harness

PROGRAMS = {name: shutil.which(name, path=os.environ["PATH"] +
                               ":/usr/sbin:/usr/local/sbin")
            for name in ("munged", "slurmctld", "slurmd", "sbatch", "scontrol",
                         "squeue", "scancel", "sinfo")}
needs_slurm = pytest.mark.skipif(
    not all(PROGRAMS.values()) or os.geteuid() != 0,
    reason="needs slurm-wlm and munge, and root")


# --- the scripts, without Slurm ---

def test_a_dry_run_writes_scripts_that_bash_parses(stage):
    job = harness.write_job(stage.folder / "it's", name="my shop")
    result = stage.promptcc("slurm", job, "--workers", "3", "--dry-run",
                            "--sbatch", "--gres=gpu:1", "--set",
                            "optimizer.bootstrap_random_search.max_labeled_demos=3",
                            "--slots", "2")
    assert result.status == 0, result
    folder = job.parent / "slurm"
    workers = (folder / "workers.sbatch").read_text()
    assert "#SBATCH --array=1-3\n" in workers
    assert "#SBATCH --gres=gpu:1\n" in workers
    assert "slots=2\n" in workers and "models=('qwen2.5:0.5b')" in workers
    coordinator = (folder / "coordinator.sbatch").read_text()
    assert "--set 'optimizer.bootstrap_random_search.max_labeled_demos=3'" in coordinator
    for name in ("workers.sbatch", "coordinator.sbatch"):
        assert subprocess.run(["bash", "-n", folder / name]).returncode == 0
    for name in ("coordinator", "slurm-worker", "slurm-client"):
        mode = (folder / "keys" / f"{name}.key").stat().st_mode & 0o777
        assert mode == 0o600


def test_both_scripts_accept_sbatch_options(stage):
    job = stage.job()
    result = stage.promptcc("slurm", job, "--dry-run", "--sbatch",
                            "--gres=gpu:1", "--sbatch",
                            "both:--account=lab", "--sbatch=coordinator:-p cpu")
    assert result.status == 0, result
    workers = (job.parent / "slurm" / "workers.sbatch").read_text()
    coordinator = (job.parent / "slurm" / "coordinator.sbatch").read_text()
    assert "#SBATCH --gres=gpu:1\n#SBATCH --account=lab\n" in workers
    assert "cpu" not in workers
    assert "#SBATCH --account=lab\n#SBATCH -p cpu\n" in coordinator
    assert "gres" not in coordinator


@pytest.mark.parametrize("words, said", [
    (["--sbatch", "gres=gpu:1"], "with its dashes, such as --gres=gpu:1"),
    (["--sbatch", "both:account=lab"], "with its dashes"),
    (["--sbatch", "coordinator:--account=lab", "--coordinator",
      "tcp://127.0.0.1:1"], "contradict each other"),
    (["--llama-server", "a.gguf", "--llama-server", "b.gguf"],
     "each worker of `slurm` starts one"),
    (["--llama-server", "a.gguf,slots=4"], "the slots of --slots N"),
])
def test_options_that_slurm_would_drop_are_refused(stage, words, said):
    result = stage.promptcc("slurm", stage.job(), "--dry-run", *words)
    assert result.status == 2 and said in result.err, result


def test_sbatch_options_with_a_newline_are_refused(stage):
    result = stage.promptcc("slurm", stage.job(), "--dry-run", "--sbatch",
                            "--comment=a\n#SBATCH --uid=0")
    assert result.status == 2 and "sbatch" in result.err, result


def test_missing_slurm_is_reported(stage):
    empty = stage.folder / "empty"
    empty.mkdir()
    result = stage.promptcc("slurm", stage.job(), env={"PATH": str(empty)})
    assert result.status == 2 and "--dry-run" in result.err, result


def fake_sbatch(stage, refused):
    """A folder with an sbatch that takes all scripts but one."""
    folder = stage.folder / "fake"
    folder.mkdir()
    sbatch = folder / "sbatch"
    sbatch.write_text("#!/bin/sh\nfor last; do :; done\n"
                      f'case $last in *{refused}*) exit 1 ;; esac\n'
                      "case $last in *coordinator*) echo 17 ;; *) echo 18 ;;"
                      " esac\n")
    sbatch.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_a_coordinator_left_without_workers_is_named(stage):
    result = stage.promptcc("slurm", stage.job(),
                            env=fake_sbatch(stage, "workers"))
    assert result.status == 2, result
    assert "sbatch refused" in result.err, result
    assert "job 17 stays in Slurm's queue: `scancel 17`" in result.err, result


def test_workers_left_without_a_job_are_named(stage):
    result = stage.promptcc("slurm", stage.job(), "--coordinator",
                            f"tcp://127.0.0.1:{stage.reserve_port()}",
                            env=fake_sbatch(stage, "nothing"))
    assert result.status == 1, result
    assert "job 18 stays in Slurm's queue: `scancel 18`" in result.err, result


# --- a real one ---

CONF = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=5
SchedulerParameters=batch_sched_delay=0,sched_min_interval=1000,bf_interval=1,bf_continue,sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
"""

# What a node has instead of Ollama: `serve` is the stand-in.
OLLAMA = """\
#!/bin/bash
case $1 in
serve) exec {stand_in} --port "${{OLLAMA_HOST##*:}}" --slots "$OLLAMA_NUM_PARALLEL" \\
           --log {folder}/sim-$SLURM_ARRAY_TASK_ID.log ;;
pull) echo "$2" >>{folder}/pulled ;;
esac
"""


LLAMA = """\
#!/bin/bash
while [ $# -gt 0 ]; do
    case $1 in --port) port=$2 ;; --parallel) slots=$2 ;; esac
    shift
done
exec {stand_in} --port "$port" --slots "$slots" --model qwen2.5:0.5b
"""


class Slurm:
    """Our own munged, slurmctld and slurmd, on our own ports."""

    def __init__(self, stage):
        # munge's socket needs a path whose folders everyone may pass through.
        self.stage = stage
        self.folder = stage.folder / "slurm-system"
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir(parents=True)
        for parent in [self.folder, *self.folder.parents]:
            if str(parent).startswith("/tmp/"):
                parent.chmod(0o755)
        self.conf = self.folder / "slurm.conf"
        self.conf.write_text(CONF.format(
            host=socket.gethostname(), folder=self.folder,
            controller=stage.reserve_port(), node=stage.reserve_port()))
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o400)
        ollama = self.folder / "bin" / "ollama"
        ollama.write_text(OLLAMA.format(stand_in=harness.STAND_IN.resolve(),
                                        folder=self.folder))
        ollama.chmod(0o755)
        self.env = {"SLURM_CONF": str(self.conf), "PATH":
                    f"{self.folder}/bin:{os.environ['PATH']}:/usr/sbin"}
        # From version 23 on, Slurm needs systemd or a cgroup file system, which
        # a container lacks, unless it is configured otherwise. Earlier versions
        # do not know the setting.
        if int(self.run("slurmd", "-V").split()[1].split(".")[0]) >= 23:
            (self.folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
        self.daemon("munged", "--foreground", "--force", "--key-file",
                    self.folder / "munge.key", "--socket",
                    self.folder / "munge.socket", "--pid-file",
                    self.folder / "munge.pid", "--log-file",
                    self.folder / "munge.log", "--seed-file",
                    self.folder / "munge.seed")
        harness.wait_until((self.folder / "munge.socket").exists, "munge")
        self.daemon("slurmctld", "-D", "-f", self.conf)
        self.daemon("slurmd", "-D", "-f", self.conf)
        harness.wait_until(lambda: "idle" in self.run("sinfo", "-h", "-o", "%t"),
                           f"idle node: {self.run('sinfo')}")

    def daemon(self, name, *words):
        self.stage.add(harness.Process(self.stage, [PROGRAMS[name], *words],
                                       name, env=self.env))

    def run(self, name, *words):
        done = subprocess.run([PROGRAMS[name], *map(str, words)], text=True,
                              capture_output=True,
                              env=harness.environment(**self.env))
        return done.stdout + done.stderr

    def queue(self):
        return self.run("squeue", "-h", "-r", "-o", "%i %t %j").split("\n")[:-1]

    def answered(self):
        logs = self.folder.glob("sim-*.log")
        return sum(log.read_text().count('"answered"') for log in logs)


@pytest.fixture
def slurm(stage):
    made = Slurm(stage)
    yield made
    made.run("scancel", "--user=root", "--full")
    harness.wait_until(lambda: not made.queue(), "empty queue")


def log_of(job):
    return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')}"
                     for path in sorted((job.parent / "slurm").glob("*.log")))


@needs_slurm
def test_a_job_runs_on_slurm_from_start_to_result(slurm, stage):
    """Slurm runs the coordinator and the workers. The result has the bytes of a
    local run, and nothing is left in the queue."""
    sim = stage.stand_in(slots=2)
    job = stage.job()
    assert stage.promptcc("run", job, "--ollama", sim.url, "--out",
                          stage.folder / "home.json").status == 0
    result = stage.promptcc("slurm", job, "--workers", "2", "--slots", "2",
                            env=slurm.env)
    assert result.status == 0, result
    compiled = job.parent / "compiled.json"
    harness.wait_until(compiled.exists, f"result\n{log_of(job)}")
    harness.wait_until(lambda: not slurm.queue(), "end of all workers")
    assert compiled.read_bytes() == (stage.folder / "home.json").read_bytes()
    assert set((slurm.folder / "pulled").read_text().split()) == \
        {"qwen2.5:0.5b"}


@needs_slurm
def test_a_worker_warned_by_slurm_drains_and_is_requeued(slurm, stage):
    """SIGUSR1 comes as before the time limit. No answer is lost, and the task
    is in the queue again."""
    coordinator = stage.coordinator(stage.folder / "c.db", "--keys",
                                    stage.keys())
    job = stage.job()
    result = stage.promptcc("slurm", job, "--workers", "1", "--coordinator",
                            coordinator.endpoint, "--keys",
                            stage.folder / "keys", env=slurm.env)
    assert result.status == 0, result
    array = (job.parent / "slurm" / "workers.id").read_text()
    coordinator.wait_for_line(r"worker-joined", errors=True)
    slurm.run("scancel", "--batch", "--signal=USR1", f"{array}_1")
    coordinator.wait_for_line(r"worker-left: .*\(left\)", errors=True)
    harness.wait_until(
        lambda: re.search(r"Restarts=1\b", slurm.run("scontrol", "show", "job",
                                                    f"{array}_1")),
        f"requeue\n{log_of(job)}")
    slurm.run("scancel", array)


@needs_slurm
def test_an_idle_worker_leaves_its_node(slurm, stage):
    coordinator = stage.coordinator(stage.folder / "c.db")
    job = stage.job()
    result = stage.promptcc("slurm", job, "--workers", "1", "--idle", "2s",
                            "--coordinator", coordinator.endpoint,
                            env=slurm.env)
    assert result.status == 0, result
    coordinator.wait_for_line(r"worker-joined", errors=True)
    harness.wait_until(lambda: not slurm.queue(), f"end\n{log_of(job)}")
    assert "worker-idle" in log_of(job)


@needs_slurm
def test_nodes_without_ollama_start_a_llama_server(slurm, stage):
    """Each worker has its own server, and nobody asks for an Ollama."""
    (slurm.folder / "bin" / "ollama").unlink()
    server = slurm.folder / "bin" / "llama-server"
    server.write_text(LLAMA.format(stand_in=harness.STAND_IN.resolve()))
    server.chmod(0o755)
    model = stage.folder / "tiny.gguf"
    model.write_bytes(b"GGUF" + bytes(1000))
    job = stage.job()
    result = stage.promptcc("slurm", job, "--workers", "2", "--llama-server",
                            f"{model},name=qwen2.5:0.5b", env=slurm.env)
    assert result.status == 0, result
    compiled = job.parent / "compiled.json"
    harness.wait_until(compiled.exists, f"result\n{log_of(job)}")
    harness.wait_until(lambda: not slurm.queue(), "end of all workers")
