"""The commands that the documents show for several machines, and for
production, work.

Here a machine is a folder (town.py), and what only a real machine can do is
recorded. promptcc, its keys, its stores and all its processes are real.
"""

import configparser
import re
import shlex
import shutil
import subprocess

import pytest

import harness
from town import Town

yaml = pytest.importorskip("yaml", reason="needs the package python3-yaml")
DOCS = harness.ROOT / "docs"
DEPLOY = harness.ROOT / "deploy"
MODEL = "qwen2.5:7b"
QUICK = {"PROMPTCC_MAX_CALLS": "40"}  # enough calls to see that a job ends


def blocks_of(path, kind, part=None):
    """Returns the blocks of a page, or of the section under a heading."""
    text = path.read_text()
    if part is not None:
        [text] = re.findall(rf"^## {part}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    found = re.findall(rf"^```{kind}\n(.*?)^```", text, re.M | re.S)
    assert found, (path, kind, part)
    return found


def comment_of(path):
    """Returns the commands in the comment at the start of a file."""
    head = re.match(r"(?:#.*\n)+", path.read_text())[0]
    found = re.findall(r"^#   (\S.*)$", re.sub(r"\\\n#\s*", "", head), re.M)
    assert found, path
    return "\n".join(found) + "\n"


@pytest.fixture
def server(stage):
    return stage.stand_in(slots=4, model=MODEL)


@pytest.fixture
def port(stage):
    return stage.reserve_port()


def write_job(folder, model=MODEL):
    folder.mkdir(parents=True, exist_ok=True)
    harness.write_job(folder, name="shop", student=model)


# --- the cluster's page, and the README's ---

def test_the_ten_machines_section_works(stage, server, port):
    """Uses two of the ten machines."""
    town = Town(stage, {
        "tcp://head:5570": f"tcp://127.0.0.1:{port}", "seq 10": "seq 2",
        "tcp://0.0.0.0:5570": f"tcp://127.0.0.1:{port}",
        "127.0.0.1:8070": "127.0.0.1:0",
        "http://localhost:11434": server.url})
    program = town.home / "build" / "release" / "cli"
    program.mkdir(parents=True)
    (program / "promptcc").symlink_to(harness.PROMPTCC.resolve())
    write_job(town.home)
    blocks = blocks_of(DOCS / "cluster.md", "console",
                       "Ten machines in ten minutes")
    result = town.run(blocks, **QUICK)
    assert f"listening on tcp://127.0.0.1:{port}" in result.out
    assert "compiled (95 % interval)" in result.out, result
    assert (town.home / "compiled.json").exists()
    assert town.asked("ollama") == [f"pull {MODEL}"] * 2
    for machine in ("gpu-1", "gpu-2"):
        assert sorted(path.name for path in (town.folder / machine).iterdir()) \
            == ["promptcc", "worker.key", "worker.log"]


def test_the_slurm_commands_work(stage, port):
    """sbatch is a stand-in. With the second block it runs a worker's script,
    which starts an Ollama, and the job ends."""
    town = Town(stage, {
        "tcp://0.0.0.0:5570": f"tcp://127.0.0.1:{port}",
        "tcp://$(hostname):5570": f"tcp://127.0.0.1:{port}",
        "/local/lab.db": stage.folder / "lab.db",
        "/home/ann/jobs": stage.folder / "town" / "home"})
    write_job(town.home)
    alone, shared = blocks_of(DOCS / "cluster.md", "console", "Slurm")
    result = town.run([alone])
    shown = re.findall(r"^(?!\$).+$", town.here(alone), re.M)
    assert len(shown) == 3 and result.err.splitlines()[-3:] == shown
    script = (town.home / "slurm" / "workers.sbatch").read_text()
    for option in ("--gres=gpu:1", "--partition=gpu", "--time=4:00:00",
                   "--array=1-8"):
        assert f"#SBATCH {option}\n" in script
    shutil.rmtree(town.home / "slurm")
    result = town.run([shared], SBATCH_RUNS="1", MODEL=MODEL, **QUICK)
    assert "compiled (95 % interval)" in result.out, result
    assert f"pull {MODEL}" in town.asked("ollama")


def test_the_readme_cluster_commands_work(stage, server, port):
    town = Town(stage, {
        "tcp://10.0.0.1:5570": f"tcp://127.0.0.1:{port}",
        "http://localhost:11434": server.url})
    (town.folder / "desk").mkdir()
    write_job(town.folder / "desk" / "jobs" / "customer_care")
    blocks = blocks_of(harness.ROOT / "README.md", "text",
                       "On a cluster, by hand")
    result = town.run(blocks, **QUICK)
    assert f"listening on tcp://127.0.0.1:{port}" in result.out
    assert "compiled (95 % interval)" in result.out, result


# --- a first Ollama ---

def test_the_first_ollama_page_works(stage, server):
    town = Town(stage, {"http://localhost:11434": server.url})
    made = stage.promptcc("init", town.home / "my-job", "--template",
                          "customer_care")
    assert made.status == 0, made
    job = town.home / "my-job" / "job.yaml"
    models = set(re.findall(r"(?:student|teacher): (\S+)", job.read_text()))
    for model in models - {MODEL}:
        job.write_text(job.read_text().replace(model, MODEL))
    result = town.run(blocks_of(DOCS / "first-ollama.md", "console"),
                      PROMPTCC_OLLAMA=server.url, **QUICK)
    assert '"version"' in result.out and "job.yaml is fine" in result.out
    assert re.search(r"^worker +calls +seconds$", result.out, re.M)
    assert town.asked("ollama") == [f"pull {MODEL}"]
    assert town.asked("systemctl") == ["edit ollama", "restart ollama",
                                       "show ollama -p Environment"]


def test_the_ollama_settings_are_a_valid_systemd_drop_in():
    [text] = blocks_of(DOCS / "first-ollama.md", "text")
    pairs = re.findall(r'^Environment="(OLLAMA_\w+)=([\w.:]+)"$', text, re.M)
    assert text.startswith("[Service]\n")
    assert len(pairs) == len(text.splitlines()) - 1
    assert dict(pairs)["OLLAMA_HOST"].startswith("127.0.0.1:")


# --- Kubernetes ---

def test_the_kubernetes_commands_work(stage, server, port):
    """kubectl and helm record how they are called. The Secrets have the names
    and files that the manifests expect, the chart has the values that are set,
    and the ports that are forwarded exist."""
    town = Town(stage, {"tcp://127.0.0.1:5570": f"tcp://127.0.0.1:{port}"})
    *install, forward = blocks_of(DEPLOY / "README.md", "text")
    assert "port-forward" in forward
    (town.home / "deploy").symlink_to(DEPLOY)
    town.run(install)
    keys = town.home / "keys"
    coordinator = stage.coordinator(stage.folder / "c.db", "--keys", keys,
                                    port=port)
    stage.worker(coordinator.endpoint, server.url, "w", "--keys",
                 keys / "worker.key", slots=4)
    write_job(town.home)
    town.run([forward], **QUICK)
    asked = town.asked("kubectl")

    manifests = list(yaml.safe_load_all(
        (DEPLOY / "kubernetes" / "promptcc.yaml").read_text()))
    work = {m["kind"]: m for m in manifests}
    wanted = {volume["secret"]["secretName"] for kind in
              ("StatefulSet", "Deployment") for volume in
              work[kind]["spec"]["template"]["spec"]["volumes"]
              if "secret" in volume}
    made = dict(re.findall(r"create secret generic (\S+) --from-file=(\S+)",
                           "\n".join(asked)))
    assert set(made) == wanted
    assert all((town.home / path).exists() for path in made.values())

    [[kind, name, path]] = re.findall(r"exec (\w+)/(\S+) -- cat (\S+)",
                                      "\n".join(asked))
    assert work["StatefulSet"]["metadata"]["name"] == name
    assert kind == "statefulset" and any(
        f"--http-token={path}" in word or word == path for word in
        work["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]["args"])
    [[name, *ports]] = re.findall(r"port-forward service/(\S+) (\d+) (\d+)",
                                  "\n".join(asked))
    service = work["Service"]
    assert service["metadata"]["name"] == name
    assert {int(one) for one in ports} == {one["port"] for one in
                                           service["spec"]["ports"]}

    here, there = [line for line in town.asked("helm")
                   if line.startswith("install")]
    values = yaml.safe_load((DEPLOY / "helm/promptcc/values.yaml").read_text())
    assert "deploy/helm/promptcc" in here
    for key in re.findall(r"--set ([\w.]+)=", here):
        inside = values
        for part in key.split("."):
            assert part in inside, key
            inside = inside[part]
    chart = yaml.safe_load((DEPLOY / "helm/promptcc/Chart.yaml").read_text())
    [[to, version]] = re.findall(r"(oci://\S+)/promptcc --version (\S+)", there)
    assert version == chart["version"]
    assert any(line.startswith("push ") and line.endswith(to)
               for line in town.asked("helm"))


def test_kustomize_accepts_the_kubernetes_folder():
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl")
    done = subprocess.run(["kubectl", "kustomize", DEPLOY / "kubernetes"],
                          text=True, capture_output=True, timeout=harness.DEADLINE_S)
    assert done.returncode == 0, done.stderr
    assert all(one["metadata"]["namespace"] == "promptcc" for one in
               yaml.safe_load_all(done.stdout))


# --- compose ---

class Compose:
    """Starts the services of docker-compose.yml as processes of this
    machine."""

    def __init__(self, stage, servers):
        path = harness.ROOT / "docker-compose.yml"
        document = yaml.safe_load(path.read_text())
        self.stage, self.services = stage, document["services"]
        self.volumes = {name: stage.folder / "volumes" / name
                        for name in document["volumes"]}
        for folder in self.volumes.values():
            folder.mkdir(parents=True)
        self.port, self.page = self.stage.reserve_port(), self.stage.reserve_port()
        self.probes = {}
        self.words = {
            "tcp://0.0.0.0:5570": f"tcp://127.0.0.1:{self.port}",
            "tcp://127.0.0.1:5570": f"tcp://127.0.0.1:{self.port}",
            "coordinator:5570": f"127.0.0.1:{self.port}",
            "0.0.0.0:8070": f"127.0.0.1:{self.page}",
            "127.0.0.1:8070": f"127.0.0.1:{self.page}"}
        for name, server in servers.items():
            self.words[f"http://{name}:11434"] = server.url
        self.town = Town(stage, self.words)

    def here(self, name, text):
        """Translates a word of a service's command to this machine."""
        for mount in self.services[name].get("volumes", []):
            volume, place, *_ = mount.split(":")
            text = text.replace(f"{place}/", f"{self.volumes[volume]}/")
            text = re.sub(rf"{place}(?=\s|$)", str(self.volumes[volume]), text)
        for host in ("127.0.0.1:8071", "127.0.0.1/8071"):
            probe = self.probes.setdefault(name, self.stage.reserve_port())
            text = text.replace(host, host.replace("8071", str(probe)))
        return self.town.here(text)

    def start(self, name):
        service = self.services[name]
        command = service["command"]
        if isinstance(command, list):
            words = [*service["entrypoint"], *command]
        else:
            words = [harness.PROMPTCC, *shlex.split(command)]
        return self.stage.add(harness.Process(
            self.stage, [self.here(name, str(word)) for word in words], name,
            env=self.town.env))

    def is_healthy(self, name):
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        done = subprocess.run(
            [self.here(name, word.replace("$$", "$")) for word in words],
            env=harness.environment(**self.town.env), capture_output=True,
            text=True, timeout=harness.DEADLINE_S, check=False)
        assert not harness.SANITIZER.search(done.stderr), done
        return done.returncode == 0

    def up(self):
        """Starts the services in the order of depends_on; each waits until
        those before it are ready."""
        started = {}
        while len(started) < len(self.services):
            name = next(name for name in self.services if name not in started
                        and set(self.services[name].get("depends_on", {}))
                        <= set(started))
            for other, how in self.services[name].get("depends_on",
                                                      {}).items():
                if how["condition"] == "service_completed_successfully":
                    assert started[other].wait().status == 0
                else:
                    harness.wait_until(lambda: self.is_healthy(other), other)
            image = "command" not in self.services[name]
            started[name] = None if image else self.start(name)
        return started


# docker compose exec and cp, on the folders that stand for the volumes.
DOCKER = """\
#!/bin/bash
echo "$*" >>"$TOWN/asked.docker"
case "$1 $2" in
"compose exec") shift 3; exec "${@/#\\/data/$VOLUMES/store}" ;;
"compose cp") from=${3#*:}; exec cp "${from/#\\/keys/$VOLUMES/keys}" "$4" ;;
esac
"""


def test_compose_services_run_a_job_and_serve_the_pages(stage):
    """Runs the commands, health checks and volumes of docker-compose.yml
    without containers, and then the commands of its first lines."""
    servers = {name: stage.stand_in(slots=2, model=MODEL)
               for name in ("ollama-1", "ollama-2")}
    compose = Compose(stage, servers)
    compose.town.command("docker", DOCKER)
    compose.up()
    for name in ("worker-1", "worker-2"):
        harness.wait_until(lambda: compose.is_healthy(name), f"ready {name}")
    write_job(compose.town.home)
    result = compose.town.run(
        [comment_of(harness.ROOT / "docker-compose.yml")],
        VOLUMES=str(stage.folder / "volumes"), **QUICK)
    assert "compiled (95 % interval)" in result.out, result
    assert compose.town.asked("ollama").count(f"pull {MODEL}") == 2
    token = result.out.splitlines()[-1]
    url = f"http://127.0.0.1:{compose.page}"
    for given, status in ((token, "200"), ("wrong" * 8, "401")):
        done = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H",
             f"Authorization: Bearer {given}", f"{url}/api/v1/jobs"],
            capture_output=True, text=True, timeout=harness.DEADLINE_S, check=True)
        assert done.stdout == status
    page = subprocess.run(["curl", "-sL", url], capture_output=True, text=True,
                          timeout=harness.DEADLINE_S, check=True).stdout
    assert "<!doctype html>" in page.lower()


def test_compose_matches_the_image():
    compose = yaml.safe_load((harness.ROOT / "docker-compose.yml").read_text())
    image = (harness.ROOT / "Dockerfile").read_text()
    for name, service in compose["services"].items():
        command = service.get("command", "")
        for mapping in service.get("ports", []):
            address, outside, inside = mapping.split(":")
            assert address == "127.0.0.1" and outside == inside
            assert f"0.0.0.0:{inside}" in command
        for mount in service.get("volumes", []):
            volume, place, *how = mount.split(":")
            assert volume in compose["volumes"], name
            # A volume has the same owner as the image's folder.
            assert service.get("build") is None or re.search(
                rf"(--home-dir|-o promptcc -m 700) {place}\b", image), place
        for other, how in service.get("depends_on", {}).items():
            needed = compose["services"][other]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in needed
            else:
                assert needed["restart"] == "no"
        for path in re.findall(r" (/\w+)/", str(command)):
            assert any(mount.split(":")[1] == path
                       for mount in service["volumes"]), (name, path)


# --- systemd ---

def unit_of(name):
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str
    path = DEPLOY / "systemd" / f"promptcc-{name}.service"
    settings = re.findall(r"^Environment=(PROMPTCC_\w+)=(.*)$",
                          path.read_text(), re.M)
    parser.read(path)
    return path, dict(settings), parser["Service"]


class Units:
    """The two units, below a folder that stands for /."""

    def __init__(self, stage, server):
        self.stage, self.root = stage, stage.folder / "root"
        self.port = self.stage.reserve_port()
        for folder in ("etc/promptcc", "var/lib/promptcc"):
            (self.root / folder).mkdir(parents=True)
        self.town = Town(stage, {
            "/etc/": f"{self.root}/etc/", "/var/lib/": f"{self.root}/var/lib/",
            "/usr/local/bin/promptcc": harness.PROMPTCC,
            "-o root": "", "127.0.0.1:8070": "127.0.0.1:0",
            "tcp://0.0.0.0:5570": f"tcp://127.0.0.1:{self.port}",
            "tcp://10.0.0.1:5570": f"tcp://127.0.0.1:{self.port}",
            "http://127.0.0.1:11434": server.url})

    def prepare(self, name):
        self.town.run([comment_of(unit_of(name)[0])])

    def start(self, name):
        _, settings, service = unit_of(name)
        given = service["EnvironmentFile"]
        path = self.root / given.removeprefix("-").lstrip("/")
        assert given.startswith("-") or path.exists()
        if path.exists():
            settings |= dict(line.split("=", 1)
                             for line in path.read_text().splitlines())
        if "LoadCredential" in service:
            key, source = self.town.here(service["LoadCredential"]).split(":")
            credentials = self.stage.folder / "credentials"
            credentials.mkdir()
            shutil.copy(source, credentials / key)
        command = self.town.here(service["ExecStart"]).replace(
            "%d", str(self.stage.folder / "credentials"))
        return self.stage.add(harness.Process(
            self.stage, shlex.split(command), name,
            env={key: self.town.here(text) for key, text in settings.items()}))


def test_systemd_unit_commands_run_a_job(stage, server):
    """Installs the units as their first lines say, and starts them as systemd
    does."""
    units = Units(stage, server)
    units.prepare("coordinator")
    coordinator = units.start("coordinator")
    coordinator.wait_for_line(r"listening on ")
    keys = units.root / "etc/promptcc/keys"
    shutil.copy(keys / "worker.key", units.town.home)
    units.prepare("worker")
    units.start("worker")
    assert "enable --now promptcc-worker" in units.town.asked("systemctl")
    result = stage.promptcc("submit", stage.job(student=MODEL), "--wait",
                            "--coordinator", f"tcp://127.0.0.1:{units.port}",
                            "--keys", keys, env=QUICK)
    assert result.status == 0 and "compiled" in result.out, result
    assert (units.root / "var/lib/promptcc/promptcc.db").exists()
