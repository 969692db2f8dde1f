"""Who may work for a job, what each worker gets, and how a worker leaves."""

import http.client
import http.server
import json
import signal
import socket
import threading

import pytest

import harness


@pytest.fixture
def cluster(stage):
    class Cluster:
        store = stage.folder / "c.db"
        coordinator = stage.coordinator(store)

        def worker(self, url, name, *words, slots=2):
            return stage.worker(self.coordinator.endpoint, url, name, *words,
                                slots=slots)

        def workers(self):
            listed = stage.promptcc("workers", "--coordinator",
                                    self.coordinator.endpoint, "--json").json
            return {w["name"]: w for w in listed}

        def submit(self, job):
            return stage.start("submit", job, "--coordinator",
                               self.coordinator.endpoint, "--wait", "--json")
    return Cluster()


def models_of(sim):
    return {chat["model"] for chat in sim.chats()}


def two_models(stage):
    """A job whose teacher is a different model than its student."""
    job = stage.job()
    job.write_text(job.read_text().replace(
        "models: {student: qwen2.5:0.5b,",
        "models: {student: qwen2.5:0.5b, teacher: qwen2.5:14b,"))
    return job


def test_teacher_and_student_can_run_on_different_machines(cluster, stage):
    """Each worker gets only the calls for the model that it has."""
    student = stage.stand_in(slots=2, model="qwen2.5:0.5b")
    teacher = stage.stand_in(slots=2, model="qwen2.5:14b")
    both = stage.stand_in(slots=2)
    job = two_models(stage)
    home = stage.promptcc("run", job, "--ollama", both.url, "--out",
                          stage.folder / "home.json", "--json")
    assert home.status == 0, home
    cluster.worker(student.url, "small")
    cluster.worker(teacher.url, "large")
    harness.wait_until(lambda: len(cluster.workers()) == 2, "both workers")
    result = cluster.submit(job).wait()
    assert result.status == 0, result
    assert models_of(student) == {"qwen2.5:0.5b"}
    assert models_of(teacher) == {"qwen2.5:14b"}
    assert result.json["calls"] | {"hedged": 0} == home.json["calls"]
    assert (job.parent / "compiled.json").read_bytes() == \
        (stage.folder / "home.json").read_bytes()


def test_a_leaving_worker_returns_the_calls_it_has_not_begun(cluster, stage):
    """SIGTERM while its server holds a call. Another worker makes the call
    beyond its slot at once. The open call is still answered and counts once."""
    sim = stage.stand_in(slots=4)
    gate = stage.gate(sim)
    gate.hold_after(3)
    leaving = cluster.worker(gate.url, "leaving", slots=1)
    client = cluster.submit(stage.job())
    assert gate.wait_held(client)
    leaving.signal(signal.SIGTERM)
    leaving.wait_for_line(r"worker-drains: worker leaving finishes 1 call",
                          errors=True)
    cluster.worker(sim.url, "staying", slots=2)
    harness.wait_until(lambda: len(sim.answered()) > 10,
                       "answers although the other one still drains")
    # Unless its call was sent to the other one as well, and answered.
    assert leaving.running or harness.copies(cluster.store)
    gate.release()
    assert leaving.wait().status == 0
    result = client.wait()
    assert result.status == 0, result
    # The held requests were answered to nobody; the other worker made that
    # call.
    assert sim.repeated() <= 1 + harness.copies(cluster.store)


def test_a_late_answer_counts_once(cluster, stage):
    """A worker is frozen with a call, another worker makes the call, and the
    first one thaws. Each call is in the store once."""
    sim = stage.stand_in(slots=4, latency_ms=30)
    frozen = cluster.worker(sim.url, "frozen", slots=2)
    client = cluster.submit(stage.job())
    harness.wait_until(lambda: len(sim.answered()) > 5, "answers")
    frozen.signal(signal.SIGSTOP)
    cluster.worker(sim.url, "other", slots=2)
    before = len(sim.answered())
    harness.wait_until(lambda: len(sim.answered()) > before + 5 or
                       not client.running, "answers of the other")
    frozen.signal(signal.SIGCONT)
    result = client.wait()
    assert result.status == 0, result
    keys, calls = harness.store_rows(
        cluster.store, "SELECT count(DISTINCT key), count(*) FROM calls")[0]
    assert keys == calls > 20


def test_a_second_coordinator_on_the_same_store_is_refused(cluster, stage):
    """The error names the host and the process of the first one."""
    result = stage.promptcc("coordinator", "--listen", "tcp://127.0.0.1:0",
                            "--store", cluster.store)
    assert result.status == 2, result
    assert str(cluster.coordinator.pid) in result.err, result
    assert socket.gethostname() in result.err, result


# --- what a worker shows when it joins ---

class Front:
    """A proxy before the stand-in that changes what a server says: its version,
    its context, its replies to the calls that test a new worker."""

    def __init__(self, sim, tags=lambda t: t, version=None, reply=None):
        self.proofs = []
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def forward(self, body):
                upstream = http.client.HTTPConnection("127.0.0.1", sim.port,
                                                      timeout=harness.DEADLINE_S)
                upstream.request(self.command, self.path, body)
                response = upstream.getresponse()
                reply = response.read()
                upstream.close()
                return response.status, reply

            def do_GET(self):
                status, text = self.forward(None)
                if self.path == "/api/tags":
                    text = json.dumps(tags(json.loads(text))).encode()
                if self.path == "/api/version" and version:
                    text = json.dumps({"version": version}).encode()
                self.answer(status, text)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = json.loads(body)
                proof = request["options"]["num_predict"] == \
                    harness.PROOF_TOKENS
                if proof:
                    front.proofs.append(request)
                if proof and reply is not None:
                    said = reply(request)
                    if said is not None:
                        self.answer(*said)
                        return
                self.answer(*self.forward(body))

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        kwargs={"poll_interval": 0.02})
        self._thread.start()

    def release(self):
        pass

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def front(stage, sim):
    def make(**how):
        made = Front(sim, **how)
        stage.gates.append(made)
        return made
    return make


def chat_reply(text, **more):
    return 200, json.dumps({
        "model": "m", "message": {"role": "assistant", "content": text},
        "done": True, "done_reason": "stop", "prompt_eval_count": 30,
        "eval_count": 5, **more}).encode()


def held_job(cluster, stage, sim, json_adapter=False):
    """A job that two good workers are working on, held at the 12th answer."""
    gate = stage.gate(sim)
    gate.hold_after(12)
    for name in ("one", "two"):
        cluster.worker(gate.url, name)
    harness.wait_until(lambda: len(cluster.workers()) == 2, "workers")
    job = stage.job()
    if json_adapter:
        job.write_text(job.read_text() + "adapter: json\n")
    client = cluster.submit(job)
    assert gate.wait_held(client)
    return gate, client


def reason_of(cluster, name):
    """Waits for a reason why the worker is not used, other than that it is
    silent just now."""
    def look():
        reason = cluster.workers().get(name, {}).get("reason", "")
        return not reason.startswith("nothing has been heard") and reason

    return harness.wait_until(look, f"reason of {name}")


def finish(gate, client):
    gate.release()
    result = client.wait()
    assert result.status == 0, result


def test_a_server_with_too_small_a_context_is_not_used(cluster, stage, sim,
                                                       front):
    def cut(tags):
        for model in tags["models"]:
            model["details"]["context_length"] = 2048
            model["context_length"] = 2048
        return tags

    gate, client = held_job(cluster, stage, sim)
    cluster.worker(front(tags=cut).url, "small")
    assert "takes 2048 tokens, and num_ctx is 4096" in \
        reason_of(cluster, "small")
    finish(gate, client)
    assert cluster.workers()["small"]["calls"] == 0


def test_a_server_of_another_kind_is_not_used(cluster, stage, sim, front):
    gate, client = held_job(cluster, stage, sim)
    cluster.worker(front(version="0.99.1").url, "new")
    why = reason_of(cluster, "new")
    assert "it runs ollama 0.99.1, and most others run ollama" in why
    assert "install that version" in why
    finish(gate, client)
    assert cluster.workers()["new"]["calls"] == 0


def test_a_server_that_ignores_formats_is_not_used(cluster, stage, sim, front):
    def ignore(request):
        return chat_reply("Sure: red, blue.") if "format" in request else None

    gate, client = held_job(cluster, stage, sim, json_adapter=True)
    deaf = front(reply=ignore)
    cluster.worker(deaf.url, "deaf")
    assert "ignores output formats" in reason_of(cluster, "deaf")
    finish(gate, client)
    assert any("format" in proof for proof in deaf.proofs)


def test_a_server_that_refuses_the_options_is_not_used(cluster, stage, sim,
                                                       front):
    def refuse(request):
        return 400, b'{"error": "does not support thinking"}'

    gate, client = held_job(cluster, stage, sim)
    cluster.worker(front(reply=refuse).url, "dull")
    assert "does not support thinking" in reason_of(cluster, "dull")
    finish(gate, client)


def test_a_worker_whose_text_differs_is_reported_but_still_used(cluster, stage,
                                                                sim, front):
    """The worker is still used."""
    gate, client = held_job(cluster, stage, sim)
    cluster.worker(front(reply=lambda request: None if "format" in request
                         else chat_reply("Mauve.")).url, "odd")
    assert "writes something else" in reason_of(cluster, "odd")
    cluster.coordinator.wait_for_line("other-text: odd writes something else",
                                      errors=True)
    harness.wait_until(lambda: cluster.workers()["odd"]["calls"] > 0,
                       "calls of the odd one")
    finish(gate, client)


def test_an_outage_while_joining_does_not_disqualify_a_server(cluster, stage,
                                                              sim, front):
    failing = [True]

    def fail(request):
        return (500, b'{"error": "busy loading"}') if failing[0] else None

    gate, client = held_job(cluster, stage, sim)
    late = front(reply=fail)
    cluster.worker(late.url, "late")
    harness.wait_until(lambda: late.proofs, "first try")
    failing[0] = False
    harness.wait_until(lambda: len(late.proofs) > 1, "second try")
    harness.wait_until(lambda: cluster.workers()["late"]["reason"] == "",
                       "no reason against it")
    finish(gate, client)


def test_a_job_that_fits_no_worker_says_why(cluster, stage, front):
    def cut(tags):
        for model in tags["models"]:
            model["details"]["context_length"] = 2048
            model["context_length"] = 2048
        return tags

    cluster.worker(front(tags=cut).url, "small")
    harness.wait_until(cluster.workers, "worker")
    result = cluster.submit(stage.job()).wait()
    assert result.status != 0, result
    assert "small" in result.out and "takes 2048 tokens" in result.out, result
