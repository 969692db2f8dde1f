"""Unusual surroundings: how a program may be started, and on what machine."""

import datetime
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import pytest

import harness


# --- standard input, output and error ---

def test_a_closed_standard_error_descriptor_is_not_reused(stage):
    """Otherwise the log would be written into the pipe or socket that got the
    number."""
    closed = stage.add(harness.Process(
        stage, ["sh", "-c", 'exec "$0" "$@" <&- 2>&-', harness.PROMPTCC,
                "coordinator", "--listen", "tcp://127.0.0.1:0", "--store",
                stage.folder / "c.db"], "closed"))
    closed.wait_for_line("listening on")
    for number in 0, 2:
        assert os.readlink(f"/proc/{closed.pid}/fd/{number}") == "/dev/null"
    assert closed.terminate().status == 0


IGNORING = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_program_that_fails_is_noticed_if_our_parent_ignores_sigchld(stage):
    """The system then forgets how children ended, and we inherit that."""
    job = stage.job(metric="{exec: {command: [python3, metric.py]}}",
                    optimizer="{labeled_few_shot: {k: 1}}")
    (job.parent / "metric.py").write_text(
        "print('{\"score\": 1}', flush=True); exit(3)")
    asked = stage.add(harness.Process(
        stage, ["python3", "-c", IGNORING, harness.PROMPTCC, "run", job,
                "--simulate", "--wait", "2s"], "asked"))
    done = asked.wait()
    assert done.status == 3 and "exited with status 3" in done.err, done


# --- limits ---

@pytest.mark.parametrize("most", [4, 5, 6, 7])
def test_too_few_descriptors_are_reported_as_a_failure(stage, most):
    """Whichever descriptor is missing, the program says so."""
    store = stage.folder / "few.db"
    done = subprocess.run(
        ["bash", "-c", f"ulimit -n {most}; exec {harness.PROMPTCC} coordinator "
         f"--store {store} --listen tcp://127.0.0.1:0"],
        capture_output=True, text=True, timeout=harness.DEADLINE_S)
    assert done.returncode != 0 and done.stderr, done


@pytest.mark.parametrize("most", [8, 9, 10, 12])
@pytest.mark.parametrize("command", ["workers", "worker"])
def test_a_library_without_descriptors_does_not_end_the_process(command, most):
    done = subprocess.run(
        ["bash", "-c", f'ulimit -n {most}; exec "$0" "$@"', harness.PROMPTCC,
         command, "--coordinator", "tcp://127.0.0.1:1"], text=True,
        capture_output=True, env=harness.environment(),
        timeout=harness.DEADLINE_S)
    assert done.returncode in (1, 2) and "ulimit -n" in done.stderr, done


@pytest.fixture
def another_user():
    """The words that run a program as a user who runs nothing else, and a
    folder of theirs: others may not enter those of pytest."""
    user = 100000 + os.getpid()
    run = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    if os.geteuid() != 0 or subprocess.run(
            [*run, harness.PROMPTCC, "version"],
            capture_output=True).returncode != 0:
        pytest.skip("needs root, and programs that others may run")
    with tempfile.TemporaryDirectory(prefix="promptcc-other-") as folder:
        os.chown(folder, user, user)
        yield run, pathlib.Path(folder)


@pytest.mark.parametrize("most", [1, 2, 3, 5, 9])
def test_too_few_threads_are_reported_as_a_failure(another_user, most):
    """Whoever they are for: first the stand-in, then ZeroMQ, then ourselves."""
    run, folder = another_user
    # The leak checker would need a thread of its own.
    env = harness.environment(ASAN_OPTIONS="exitcode=99:detect_leaks=0")
    job = harness.write_job(folder, name="few")
    done = subprocess.run(
        ["prlimit", f"--nproc={most}", *run, harness.PROMPTCC, "run", job,
         "--simulate", "--store", folder / "s.db"], text=True,
        capture_output=True, env=env, timeout=harness.DEADLINE_S)
    assert done.returncode in (1, 2) and "ulimit -u" in done.stderr, done


# --- names of folders ---

def test_suggested_commands_work_for_any_folder_name(stage, sim):
    folder = stage.folder / "a 'b' \"c\" $(touch X) `d`\n\te; \u00fc"
    job = harness.write_job(folder, name="shop",
                            optimizer="{labeled_few_shot: {k: 1}}")
    done = stage.promptcc("run", job, "--ollama", sim.url)
    assert done.status == 0, done
    command = re.search(r"^  (promptcc predict .*) message=VALUE$", done.out, re.M)
    assert command, done
    ran = subprocess.run(
        ["bash", "-c", f"{command[1]} message=hello"],
        env=harness.environment(
            PATH=f"{harness.PROMPTCC.parent}:{os.environ['PATH']}"),
        cwd=stage.folder, capture_output=True, text=True, timeout=harness.DEADLINE_S, check=False)
    assert ran.returncode == 0 and ran.stdout.startswith("topic: "), ran
    assert not (stage.folder / "X").exists()


def test_a_job_is_begun_in_a_folder_with_a_very_long_path(stage):
    folder = stage.folder.joinpath(*["d" * 200] * 18)
    folder.mkdir(parents=True)
    done = stage.promptcc("init", folder / "new")
    assert done.status == 0 and (folder / "new" / "job.yaml").exists(), done
    assert f"promptcc check {folder / 'new'}" in done.out


# --- the way to a model server ---

FEW = "{labeled_few_shot: {k: 1}}"
# Nothing listens on port 1.
DEAD_PROXIES = {name: "http://127.0.0.1:1"
                for name in ("http_proxy", "https_proxy", "all_proxy")}


@pytest.fixture
def secure(stage, sim):
    """The stand-in behind TLS, with a certificate of its own CA."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = stage.folder / "tls"
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
         "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
         folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    gate = stage.gate(sim)
    gate._server.socket = context.wrap_socket(
        gate._server.socket, server_side=True, do_handshake_on_connect=False)
    gate.url = gate.url.replace("http:", "https:")
    gate.certificate = folder / "cert.pem"
    return gate


def run_few(stage, url, **env):
    return stage.promptcc("run", stage.job(optimizer=FEW), "--ollama", url,
                          env=env)


def pause_few(stage, url, says, never="\0", **env):
    job = stage.job(f"{stage.name('few')}/shop", optimizer=FEW)
    return stage.pauses("run", job, "--ollama", url, says=says, never=never,
                        env=env)


def test_untrusted_certificate_error_says_how_to_trust_it(stage, secure):
    pause_few(stage, secure.url, "SSL_CERT_FILE", never="start one")
    done = run_few(stage, secure.url, SSL_CERT_FILE=str(secure.certificate),
                   **DEAD_PROXIES)
    assert done.status == 0, done
    pause_few(stage, secure.url, "SSL_CERT_FILE does not name",
              SSL_CERT_FILE="/no/such/file")


def test_the_error_for_a_wrong_scheme_suggests_the_other(stage, sim, secure):
    pause_few(stage, secure.url.replace("https:", "http:"), "with https://?")
    pause_few(stage, sim.url.replace("http:", "https:"), "with http://?")


def test_proxy_variables_do_not_apply_to_this_machine(stage, sim):
    assert run_few(stage, sim.url, **DEAD_PROXIES).status == 0


def test_a_server_that_is_not_a_model_server_is_reported(stage, sim):
    done = pause_few(stage, sim.url + "/elsewhere", "something else answers",
                     never="is it running")
    assert "--openai" in done.err, done


def test_a_service_without_a_terminal_ignores_a_hangup(stage, sim):
    """Tools like logrotate send one at night. The log is standard error."""
    coordinator = stage.coordinator(stage.folder / "c.db")
    worker = stage.worker(coordinator.endpoint, sim.url, "w")
    harness.wait_until(lambda: "worker-joined" in coordinator.errors(),
                       "worker")
    for process in (coordinator, worker):
        process.signal(signal.SIGHUP)
    job = stage.job()
    result = stage.promptcc("submit", job, "--coordinator",
                            coordinator.endpoint, "--wait", "--quiet")
    assert result.status == 0, result


@pytest.mark.parametrize("size", ["8k", "24k", "40k"])
def test_a_disk_that_is_full_at_the_start_is_reported_as_full(stage, size):
    with harness.small_disk(stage, size) as folder:
        job = stage.job()
        result = stage.promptcc("run", job, "--simulate", "--json", "--store",
                                folder / "s.db")
        assert result.status in (1, 3), result
        assert "the disk is full" in result.error["text"], result


def test_an_overlong_store_path_is_reported(stage):
    job = stage.job()
    folder = stage.folder.joinpath(*["d" * 100] * 5)
    folder.mkdir(parents=True)
    result = stage.promptcc("run", job, "--simulate", "--json", "--store",
                            "s.db", cwd=folder)
    assert result.status == 2, result
    assert "longer than the 500 bytes" in result.error["text"], result


def test_the_error_for_an_unknown_host_asks_about_its_name(stage):
    job = stage.job()
    result = stage.pauses("run", job, "--json", "--ollama",
                          "http://no.such.host.invalid:11434",
                          says="is the name of the host right?",
                          never="start one")
    assert "host" in result.error["text"], result


def test_a_coordinator_listens_at_localhost(stage):
    process = stage.start("coordinator", "--listen", "tcp://localhost:0",
                          "--store", stage.folder / "c.db")
    process.wait_for_line(r"listening on tcp://127\.0\.0\.1:\d+")


@pytest.mark.parametrize("zone, hours", [("UTC0", 0), ("IST-5:30", 5.5),
                                         ("EST5", -5)])
def test_times_are_shown_in_the_local_time_zone(stage, zone, hours):
    """Times are local, as in the log; programs read UTC."""
    job = stage.job()
    assert stage.promptcc("run", job, "--simulate", "--quiet").status == 0
    words = ("jobs", "--store", job.parent / "promptcc.db")
    told = stage.promptcc(*words, env={"TZ": zone}).out
    utc = stage.promptcc(*words, "--json").json[0]["updated"]
    local = datetime.datetime.fromisoformat(utc[:19]) + \
        datetime.timedelta(hours=hours)
    assert str(local) in told, (utc, told)


HOSTS = """127.0.0.1 localhost
::1 localhost both
127.0.0.1 both
10.255.255.1 gone
127.0.0.1 gone
"""


@pytest.mark.parametrize("name", ["localhost", "both", "gone"])
@pytest.mark.parametrize("first", ["coordinator", "client"])
def test_every_address_of_a_host_name_is_tried(stage, name, first):
    """localhost is such a name on Debian, where its first address is ::1."""
    hosts = stage.folder / "hosts"
    hosts.write_text(HOSTS)
    among = ["unshare", "-m", "sh", "-c",
             'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]
    if subprocess.run([*among, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs root, for a file of hosts of its own")
    port = stage.reserve_port()

    def answered():
        if first == "coordinator":
            coordinator = stage.coordinator(stage.folder / "c.db", port=port)
        asked = stage.add(harness.Process(
            stage, [*among, str(harness.PROMPTCC), "workers", "--json",
                    "--coordinator", f"tcp://{name}:{port}"], "asked"))
        if first == "client":  # which waits for it for some seconds
            coordinator = stage.coordinator(stage.folder / "c.db", port=port)
        answer = asked.wait()
        coordinator.kill()
        return answer if answer.status == 0 else None

    assert harness.wait_until(answered, "answer").json == []


@pytest.mark.parametrize("command", ["serve", "coordinator"])
def test_localhost_is_served_at_127_0_0_1_though_it_has_two_addresses(stage, sim,
                                                                      command):
    """Whoever connects to the name tries both."""
    hosts = stage.folder / "hosts"
    hosts.write_text("::1 localhost\n127.0.0.1 localhost\n")
    among = ["unshare", "-m", "sh", "-c",
             'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts),
             str(harness.PROMPTCC)]
    if subprocess.run([*among, "version"], capture_output=True).returncode != 0:
        pytest.skip("needs root, for a file of hosts of its own")
    words = ["coordinator", "--listen", "tcp://127.0.0.1:0", "--http",
             "localhost:0", "--store", str(stage.folder / "c.db")]
    if command == "serve":
        job = stage.job()
        assert stage.promptcc("run", job, "--simulate", "--quiet").status == 0
        words = ["serve", str(job.parent / "compiled.json"), "--http",
                 "localhost:0", "--ollama", sim.url]
    process = stage.add(harness.Process(stage, [*among, *words], "server"))
    process.wait_for_line(r"http://127\.0\.0\.1:\d+")


def test_a_silent_name_server_is_not_waited_for_after_the_time_is_up(stage):
    """The system asks it five times and waits 30 s each time, in a thread that
    cannot be ended."""
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    address = f"127.{os.getpid() % 250 + 1}.53.{os.getpid() // 250 % 250 + 1}"
    resolver, order = stage.folder / "resolv.conf", stage.folder / "nsswitch"
    resolver.write_text(f"nameserver {address}\noptions timeout:30 attempts:5\n")
    order.write_text("hosts: files dns\n")
    among = ["unshare", "-m", "sh", "-c",
             'mount --bind "$0" /etc/resolv.conf && '
             'mount --bind "$1" /etc/nsswitch.conf && shift && exec "$@"',
             str(resolver), str(order)]
    if subprocess.run([*among, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs root, for a name server of its own")
    job = stage.job()
    assert stage.promptcc("run", job, "--simulate", "--quiet").status == 0
    with sink:
        sink.bind((address, 53))
        began = time.monotonic()
        asked = stage.add(harness.Process(
            stage, [*among, str(harness.PROMPTCC), "predict",
                    str(job.parent / "compiled.json"), "message=a parcel",
                    "--ollama", "http://gpu.example:11434"], "asked"))
        answer = asked.wait()
        took_s = time.monotonic() - began
        sink.settimeout(1)
        assert b"gpu" in sink.recv(1000)
    assert answer.status == 3 and "no model server answers" in answer.err, answer
    assert took_s < 100, took_s
