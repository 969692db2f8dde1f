"""The files in deploy/: manifests that Kubernetes's schemas accept, options
that promptcc has, metrics that it exports."""

import configparser
import hashlib
import http.client
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import urllib.parse

import pytest

import harness

yaml = pytest.importorskip("yaml", reason="needs the package python3-yaml")
DEPLOY = harness.ROOT / "deploy"
CHART = DEPLOY / "helm" / "promptcc"
HELM = shutil.which(os.environ.get("HELM", "helm"))
needs_helm = pytest.mark.skipif(HELM is None, reason="needs helm")
EVERYTHING = ["--set", "keda.enabled=true,podMonitor.enabled=true,"
              "coordinator.http.tokenSecret=token,coordinator.allowExec=true,"
              "ollama.models_storage.existingClaim=models"]


def helm(*words):
    done = subprocess.run([HELM, *map(str, words)], text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rendered():
    return (DEPLOY / "kubernetes" / "promptcc.yaml").read_text()


def manifests(text):
    return [m for m in yaml.safe_load_all(text) if m]


def containers(manifest):
    pod = manifest["spec"]["template"]["spec"]
    return pod.get("initContainers", []) + pod["containers"]


def options_of(command, stage):
    result = stage.promptcc(command, "--help")
    return set(re.findall(r"^ *(--[a-z-]+)", result.out, re.M))


@needs_helm
def test_the_chart_is_linted_and_renders_with_everything_on():
    helm("lint", CHART)
    kinds = [m["kind"] for m in manifests(
        helm("template", "p", CHART, "--kube-version", "1.32.0", *EVERYTHING))]
    assert sorted(kinds) == ["Deployment", "NetworkPolicy", "NetworkPolicy",
                             "PodDisruptionBudget", "PodMonitor",
                             "ScaledObject", "Service", "ServiceAccount",
                             "StatefulSet"]


@needs_helm
def test_the_rendered_manifests_match_the_chart(tmp_path):
    copy = tmp_path / "deploy"
    shutil.copytree(DEPLOY, copy)
    subprocess.run([copy / "render.sh"], check=True,
                   env={**os.environ, "HELM": HELM})
    assert (copy / "kubernetes" / "promptcc.yaml").read_text() == rendered()


class Registry(http.server.BaseHTTPRequestHandler):
    """The parts of an OCI registry that a push and a pull need, in memory."""

    blobs, manifests, uploads = {}, {}, {}

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    @staticmethod
    def digest(body):
        return "sha256:" + hashlib.sha256(body).hexdigest()

    def do_POST(self):
        self.body()
        key = str(len(self.uploads))
        self.uploads[key] = b""
        self.answer(202, Location=f"/v2/charts/promptcc/blobs/uploads/{key}")

    def do_PATCH(self):
        key = self.path.split("?")[0].rsplit("/", 1)[1]
        self.uploads[key] += self.body()
        self.answer(202, Location=self.path)

    def do_PUT(self):
        path, _, query = self.path.partition("?")
        last, body = path.rsplit("/", 1)[1], self.body()
        if "/manifests/" in path:
            kind = self.headers["Content-Type"]
            self.manifests[last] = (kind, body)
            self.manifests[self.digest(body)] = (kind, body)
        else:
            body = self.uploads.pop(last) + body
            asked = urllib.parse.parse_qs(query)["digest"][0]
            assert self.digest(body) == asked
            self.blobs[asked] = body
        self.answer(201, Location=path,
                    Docker_Content_Digest=self.digest(body))

    def do_GET(self):
        last = self.path.rsplit("/", 1)[1]
        kind, body = self.manifests.get(last, ("", None))
        if "/manifests/" not in self.path:
            kind, body = "application/octet-stream", self.blobs.get(last, b"")
        if self.path == "/v2/" or body:
            body = body or b""
            self.answer(200, body, Content_Type=kind or "text/plain",
                        Docker_Content_Digest=self.digest(body))
        else:
            self.answer(404)

    do_HEAD = do_GET


@pytest.fixture
def registry():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"oci://127.0.0.1:{server.server_port}/charts"
    server.shutdown()
    thread.join()
    server.server_close()


@needs_helm
def test_the_chart_is_published_as_an_installable_artifact(registry, tmp_path):
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    done = subprocess.run([DEPLOY / "publish.sh", registry, "--plain-http"],
                          text=True, capture_output=True,
                          env={**os.environ, "HELM": HELM})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sha256:" in done.stdout.splitlines()[-1]
    helm("pull", f"{registry}/promptcc", "--version", version, "--plain-http",
         "--untar", "--untardir", tmp_path)
    pulled, ours = (helm("template", "p", chart, "--kube-version", "1.32.0")
                    for chart in (tmp_path / "promptcc", CHART))
    assert pulled == ours


def test_publishing_requires_a_registry_address():
    done = subprocess.run([DEPLOY / "publish.sh"], text=True,
                          capture_output=True)
    assert done.returncode == 2
    assert "oci://" in done.stderr


def test_kubernetes_accepts_the_manifests():
    validate = pytest.importorskip("kubernetes_validate",
                                   reason="needs kubernetes-validate of PyPI")
    texts = [rendered()]
    if HELM:
        texts.append(helm("template", "p", CHART, "--kube-version", "1.32.0",
                          *EVERYTHING))
    for manifest in (m for text in texts for m in manifests(text)):
        if "." in manifest["apiVersion"].split("/")[0] and not \
                manifest["apiVersion"].split("/")[0].endswith("k8s.io"):
            continue  # a schema of KEDA or Prometheus
        for version in ("1.29", "1.34"):
            validate.validate(manifest, version, strict=True)


def test_pods_meet_the_security_requirements():
    """Pods do not run as root and have no rights. Their file system is read
    only, and they have limits and probes."""
    work = {m["kind"]: m for m in manifests(rendered())
            if m["kind"] in ("StatefulSet", "Deployment")}
    assert set(work) == {"StatefulSet", "Deployment"}
    for manifest in work.values():
        pod = manifest["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False
        for container in containers(manifest):
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"]
            assert security["capabilities"]["drop"] == ["ALL"]
            assert "memory" in container["resources"]["limits"]
    worker = work["Deployment"]["spec"]["template"]["spec"]
    assert worker["terminationGracePeriodSeconds"] == 120
    assert work["Deployment"]["spec"]["strategy"]["type"] == "Recreate"
    assert worker["initContainers"][0]["restartPolicy"] == "Always"
    for manifest in work.values():
        main = containers(manifest)[-1]
        assert main["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert main["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_every_option_in_the_manifests_exists(stage):
    for manifest in manifests(rendered()):
        if manifest["kind"] not in ("StatefulSet", "Deployment"):
            continue
        command, *words = containers(manifest)[-1]["args"]
        given = {word.split("=")[0] for word in words}
        assert given <= options_of(command, stage), command


def test_compose_uses_existing_options_and_probes(stage):
    compose = yaml.safe_load((harness.ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    for name, service in services.items():
        if "command" not in service or name == "keys":
            continue
        command, *words = service["command"].split()
        given = {word for word in words if word.startswith("--")}
        assert given <= options_of(command, stage), name
    for name in ("coordinator", "worker-1", "worker-2", "ollama-1", "ollama-2"):
        assert "healthcheck" in services[name], name


@pytest.mark.parametrize("unit", ["coordinator", "worker"])
def test_the_systemd_units_use_existing_options(unit, stage):
    path = DEPLOY / "systemd" / f"promptcc-{unit}.service"
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True,
                                          comment_prefixes=("#",))
    parser.optionxform = str
    parser.read(path)
    assert parser["Unit"]["StartLimitIntervalSec"] == "0"
    assert parser["Service"]["NoNewPrivileges"] == "yes"
    assert parser["Service"]["ProtectSystem"] == "strict"
    text = path.read_text()
    options = options_of(unit, stage)
    for name in re.findall(r"^Environment=PROMPTCC_(\w+)=", text, re.M):
        assert "--" + name.lower().replace("_", "-") in options, name
    for word in parser["Service"]["ExecStart"].split():
        assert not word.startswith("--") or word in options, word
    if shutil.which("systemd-analyze"):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no",
                               path], text=True,
                              capture_output=True)
        bad = [line for line in done.stderr.splitlines()
               if path.name in line and "is not executable" not in line]
        assert not bad, done.stderr


def test_the_dashboard_shows_only_metrics_a_coordinator_exports(stage, sim):
    process = stage.coordinator(stage.folder / "c.db", "--http", "127.0.0.1:0")
    port = int(process.wait_for_line(r"http://127\.0\.0\.1:(\d+)")[1])
    stage.worker(process.endpoint, sim.url, "w", slots=2)
    assert stage.promptcc("submit", stage.job(), "--coordinator",
                          process.endpoint, "--wait").status == 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=harness.DEADLINE_S)
    connection.request("GET", "/metrics")
    told = connection.getresponse().read().decode()
    connection.close()
    names = set(re.findall(r"^# TYPE (\w+)", told, re.M))
    dashboard = json.loads((DEPLOY / "grafana" / "promptcc.json").read_text())
    shown = {name.removesuffix("_bucket") for panel in dashboard["panels"]
             for target in panel["targets"]
             for name in re.findall(r"promptcc_\w+", target["expr"])}
    keda = (CHART / "templates" / "keda.yaml").read_text()
    shown |= set(re.findall(r"\((promptcc_[a-z_]+)\{", keda))
    assert len(shown) > 12
    # The stand-in does not report this metric, but a dashboard still shows it.
    assert shown - names <= {"promptcc_prefix_reuse_ratio"}
    states = set(re.findall(r'promptcc_workers\{state="(\w+)"', told))
    assert "serving" in states
