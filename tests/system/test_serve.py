"""`serve`: a compiled program over HTTP, within limits, drained at the end."""

import concurrent.futures
import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

import harness


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    stage = harness.Stage(tmp_path_factory.mktemp("compiled"))
    job = stage.job(student="llama3.2:3b")
    done = stage.promptcc("run", job, "--simulate", "--quiet")
    assert done.status == 0, done
    yield job.parent / "compiled.json"
    stage.close()


class Server:
    def __init__(self, stage, compiled, url, *words, slots=2):
        self.process = stage.start("serve", compiled, "--ollama",
                                   f"{url},slots={slots}", "--http",
                                   "127.0.0.1:0", *words)
        self.port = int(self.process.wait_for_line(
            r"listening on http://127\.0\.0\.1:(\d+)")[1])

    def ask(self, method, path, body=None,
            timeout=harness.DEADLINE_S, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=timeout)
        try:
            headers = {"Content-Type": "application/json",
                       **{k.replace("_", "-"): v for k, v in headers.items()}}
            data = body if isinstance(body, (str, bytes, type(None))) else \
                json.dumps(body)
            connection.request(method, path, data, headers)
            reply = connection.getresponse()
            text = reply.read().decode()
            self.headers = reply.headers
            return reply.status, json.loads(text) if reply.headers[
                "Content-Type"] == "application/json" else text
        finally:
            connection.close()

    def announce(self, length):
        """Returns the status for a body of that length, of which nothing is
        sent."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=harness.DEADLINE_S)
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        status = connection.getresponse().status
        connection.close()
        return status

    def predict(self, body, **more):
        return self.ask("POST", "/predict", body, **more)


def say(server, *lines, body=b""):
    """Sends a request as it is typed; returns what is answered until the server
    closes."""
    with socket.create_connection(("127.0.0.1", server.port),
                                  harness.DEADLINE_S) as client:
        client.sendall("".join(f"{line}\r\n" for line in (
            *lines, "Connection: close", "")).encode() + body)
        return client.makefile("rb").read().decode()


def test_serve_answers_one_input_and_a_list(stage, sim, compiled):
    server = Server(stage, compiled, sim.url)
    status, one = server.predict({"message": "my parcel is late"})
    ours = stage.promptcc("predict", compiled, "--ollama", sim.url, "--json",
                          "message=my parcel is late").json
    assert status == 200 and one == ours and one["simulated"]
    status, many = server.predict([{"message": "roses"}, {"massage": "x"},
                                   {"message": "my parcel is late"}, 7])
    assert status == 200
    assert many[2] == one and set(many[0]) == {"outputs", "simulated"}
    assert "did you mean `message`?" in many[1]["error"]["text"]
    assert many[3]["error"]["code"] == "input"
    assert server.predict([]) == (200, [])


def test_the_request_in_the_documentation_is_answered(stage, sim, compiled):
    """The request is sent as it is in the document, with the test's port and
    program."""
    server = Server(stage, compiled, sim.url)
    page = (harness.ROOT / "docs" / "serve.md").read_text()
    [command] = re.findall(r"^\$ (curl (?:.*\\\n)*.*)", page, re.M)
    assert "localhost:8071" in command and "user_message" in command
    command = command.replace("8071", str(server.port)) \
        .replace("user_message", "message")
    done = subprocess.run(["bash", "-c", command], capture_output=True,
                          text=True, timeout=harness.DEADLINE_S, check=False)
    assert done.returncode == 0 and "outputs" in json.loads(done.stdout), done


def test_the_probes_in_the_documentation_are_answered(stage, sim, compiled):
    server = Server(stage, compiled, sim.url)
    page = (harness.ROOT / "docs" / "serve.md").read_text()
    paths = re.findall(r"^\w+Probe: .*path: (/\w+), port: 8071", page, re.M)
    assert len(paths) == 2
    for path in paths:
        harness.wait_until(lambda: server.ask("GET", path)[0] == 200, path)


def test_errors_are_reported_with_the_right_status(stage, sim, compiled):
    server = Server(stage, compiled, sim.url)
    for body, status, said in [
            ("{nope", 400, "line 1"), ("", 400, ""), ("7", 400, "neither"),
            ({"message": 5}, 422, "message"), ({}, 422, "message"),
            ([{}] * 1001, 400, "1000")]:
        given, document = server.predict(body)
        assert given == status and said in document["error"]["text"], document
    status, document = server.predict({"message": "a word " * 40000})
    assert status == 422 and "shorten the inputs" in document["error"]["text"]
    assert document["error"]["code"] == "input", document
    assert server.announce(9 << 20) == 413
    assert server.ask("GET", "/predict")[0] == 405
    assert server.headers["Allow"] == "POST"
    assert server.ask("GET", "/nothing")[0] == 404
    for kind in ("text/plain", "application/jsonx"):
        assert server.predict({"message": "a"}, Content_Type=kind)[0] == 415
    assert server.predict({"message": "a"}, Host="evil.example")[0] == 421


def test_an_input_too_long_for_a_prompt_is_refused_alone(stage, sim, compiled):
    """Each of its bytes takes two in a request."""
    server = Server(stage, compiled, sim.url)
    status, document = server.predict({"message": '"' * (3 << 20)})
    assert status == 422, document
    assert document["error"]["code"] == "limit", document
    assert server.predict({"message": "roses"})[0] == 200


def test_serve_describes_itself(stage, sim, compiled):
    server = Server(stage, compiled, sim.url)
    status, document = server.ask("GET", "/openapi.json")
    schemas = document["components"]["schemas"]
    assert status == 200 and document["openapi"] == "3.1.0"
    assert schemas["Inputs"]["required"] == ["message"]
    assert schemas["Outputs"]["properties"]["topic"]["enum"] == [
        "delivery", "returns", "opening", "plants"]
    assert server.ask("GET", "/healthz") == (200, "ok\n")
    harness.wait_until(lambda: server.ask("GET", "/readyz") == (200, "ok\n"),
                       "readiness")
    server.predict({"message": "roses"})
    text = server.ask("GET", "/metrics")[1]
    assert 'promptcc_serve_runs_total{end="outputs"} 1\n' in text
    assert "promptcc_serve_requests_total 1\n" in text


def test_serve_is_not_ready_without_its_model_server_and_recovers(stage, sim,
                                                                  compiled):
    server = Server(stage, compiled, sim.url)
    sim.kill()
    assert server.ask("GET", "/readyz")[0] == 503
    assert server.ask("GET", "/healthz")[0] == 200
    status, document = server.predict({"message": "roses"})
    assert status == 503 and server.headers["Retry-After"]
    server.process.wait_for_line(
        r"warn request-failed: 503: .*" + re.escape(sim.url), errors=True)
    sim.restart()
    assert server.predict({"message": "roses"})[0] == 200


def test_mistakes_of_callers_are_not_logged(stage, sim, compiled):
    server = Server(stage, compiled, sim.url)
    assert server.predict({"message": 5})[0] == 422
    assert server.predict([{}])[0] == 200
    assert server.ask("GET", "/nothing")[0] == 404
    assert server.ask("DELETE", "/healthz")[0] == 405
    assert server.headers["Allow"] == "GET, HEAD"
    assert server.predict(b"\xff\xfe{")[1]["error"]["text"].endswith(
        "this is not UTF-8 text")
    server.process.terminate()
    assert "request-failed" not in server.process.errors()


def test_calls_run_concurrently_up_to_the_number_of_slots(stage, sim, compiled):
    gate = stage.gate(sim)
    server = Server(stage, compiled, gate.url, slots=3)
    gate.hold_after(0)
    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        asked = [pool.submit(server.predict, {"message": f"roses {i}"})
                 for i in range(9)]
        harness.wait_until(lambda: "promptcc_serve_waiting 3\n" in
                           server.ask("GET", "/metrics")[1] and gate.held == 3,
                           "three calls open, and three inputs waiting")
        gate.release()  # these are dropped, and asked again
        assert all(one.result()[0] == 200 for one in asked)


def test_the_number_of_waiting_inputs_is_bounded(stage, sim, compiled):
    gate = stage.gate(sim)
    server = Server(stage, compiled, gate.url)
    gate.hold_after(0)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        many = [{"message": f"roses {i}"} for i in range(1000)]
        asked = [pool.submit(server.predict, many) for _ in range(6)]
        refused = harness.wait_until(
            lambda: [one for one in asked if one.done()], "refusal")[0]
        status, document = refused.result()
        assert status == 503 and document["error"]["code"] == "busy"
        server.process.kill()
        gate.release()
        for one in asked:
            one.exception()


def test_no_more_calls_are_made_for_a_client_that_hung_up(stage, sim, compiled):
    """A list of 1,000 whose client has hung up does not keep others waiting."""
    gate = stage.gate(sim)
    server = Server(stage, compiled, gate.url)
    gate.hold_after(0)
    many = json.dumps([{"message": f"roses {i}"} for i in range(1000)])
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
                       b"Content-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(many) +
                       many.encode())
        harness.wait_until(lambda: gate.held == 2, "calls")
    harness.wait_until(lambda: "promptcc_serve_withdrawn_total 996\n" in
                       server.ask("GET", "/metrics")[1],
                       "end of what has not begun")
    gate.release()
    assert server.predict({"message": "tulips"})[0] == 200
    assert len(gate.requests) < 20
    assert server.process.terminate().status == 0


def test_serve_answers_accepted_requests_before_stopping(stage, sim, compiled):
    gate = stage.gate(sim)
    server = Server(stage, compiled, gate.url)
    server.ask("GET", "/healthz")
    gate.hold_after(0)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.predict, {"message": "roses"})
        harness.wait_until(lambda: gate.held, "call")
        server.process.signal(signal.SIGTERM)
        harness.wait_until(lambda: server.ask("GET", "/readyz")[0] == 503,
                           "readiness to end")
        assert server.predict({"message": "late"})[0] == 503
        gate.release()  # what was held is dropped, and asked again
        assert asked.result()[0] == 200
    assert server.process.wait().status == 0


def test_serving_beyond_this_machine_requires_a_token(stage, sim, compiled):
    refused = stage.promptcc("serve", compiled, "--ollama", sim.url, "--http",
                             "0.0.0.0:0")
    assert refused.status == 2 and "--http-token FILE" in refused.err
    token = stage.folder / "token"
    server = Server(stage, compiled, sim.url, "--http-token", token)
    assert os.stat(token).st_mode & 0o777 == 0o600
    assert server.ask("GET", "/healthz")[0] == 200
    assert server.predict({"message": "roses"})[0] == 401
    assert server.ask("GET", "/metrics")[0] == 401
    right = {"Authorization": "Bearer " + token.read_text().strip()}
    assert server.predict({"message": "roses"}, **right)[0] == 200
    wrong = {"Authorization": "Bearer " + "0" * 64}
    assert server.predict({"message": "roses"}, **wrong)[0] == 401


def test_the_connection_stays_open_for_a_slow_answer(stage, compiled):
    """However long the model takes, the connection is not cut."""
    sim = stage.stand_in(slots=1, latency_ms=1500)
    server = Server(stage, compiled, sim.url, slots=1)
    began = time.monotonic()
    assert server.predict({"message": "roses"})[0] == 200
    assert time.monotonic() - began >= 1.5


def test_waiting_requests_do_not_delay_probes(stage, compiled):
    """More clients than connections, and the model takes long for each. Those
    beyond the limit are told so, and the process counts as alive."""
    sim = stage.stand_in(slots=1, latency_ms=600_000)
    server = Server(stage, compiled, sim.url, slots=1)
    body = b'{"message": "roses"}'
    ask = (b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
           b"Content-Type: application/json\r\n"
           b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    held = []
    for _ in range(256):
        s = socket.create_connection(("127.0.0.1", server.port),
                                     harness.DEADLINE_S)
        s.sendall(ask)
        held.append(s)
    assert server.ask("GET", "/healthz") == (200, "ok\n")
    harness.wait_until(lambda: "promptcc_serve_requests_total 224\n" in
                       server.ask("GET", "/metrics")[1], "224 requests")
    status, answer = server.predict({"message": "roses"})
    assert status == 503 and answer["error"]["code"] == "busy", answer
    assert server.headers["Retry-After"] == "1"
    for s in held:
        s.close()


def test_a_client_that_writes_all_before_reading_sees_the_refusal(stage, sim,
                                                                  compiled):
    """The body exceeds both the limit and what a socket buffers."""
    server = Server(stage, compiled, sim.url)
    status, document = server.predict(b" " * (30 << 20))
    assert status == 413, document
    assert document["error"]["code"] == "limit", document
    assert "at most 8 MiB" in document["error"]["text"]
    assert server.predict({"message": "roses"})[0] == 200


def test_a_request_with_two_content_lengths_is_refused(stage, sim, compiled):
    """A proxy in front may use the other length."""
    server = Server(stage, compiled, sim.url)
    post = ("POST /predict HTTP/1.1", "Host: localhost",
            "Content-Type: application/json")
    for more in ("Content-Length: 9", "Transfer-Encoding: chunked"):
        said = say(server, *post, "Content-Length: 2", more, body=b"{}")
        assert said.startswith("HTTP/1.1 400 "), said
        assert '"code":"input"' in said and "how long" in said, said


def test_a_compressed_body_is_refused_with_a_reason(stage, sim, compiled):
    server = Server(stage, compiled, sim.url)
    status, document = server.predict(gzip.compress(b'{"message": "a"}'),
                                      Content_Encoding="gzip")
    assert status == 415 and "Content-Encoding" in document["error"]["text"]


def test_only_loopback_addresses_are_accepted_as_numeric_hosts(stage, sim,
                                                               compiled):
    server = Server(stage, compiled, sim.url)
    for host, status in [("127.0.0.2:8071", 200), ("127.9.9.9", 200),
                         ("127.0.0.2.evil.example", 421), ("127.1", 421),
                         ("127.0.0.2:a", 421), ("128.0.0.1", 421)]:
        assert server.ask("GET", "/healthz", Host=host)[0] == status, host


def test_a_path_that_is_not_text_is_refused_with_json(stage, sim, compiled):
    server = Server(stage, compiled, sim.url)
    for path in ("/%FF", "/predict%00"):
        status, document = server.ask("GET", path)
        assert status == 400 and "UTF-8" in document["error"]["text"]


def test_a_second_model_server_is_refused_instead_of_ignored(stage, sim,
                                                             compiled):
    two = ("--ollama", sim.url, "--ollama", "http://127.0.0.1:1")
    for words in (("serve", compiled, "--http", "127.0.0.1:0"),
                  ("predict", compiled, "message=roses")):
        refused = stage.promptcc(*words, *two)
        assert refused.status == 2 and "one model server" in refused.err


def test_a_hangup_after_a_second_request_is_noticed(stage, sim, compiled):
    """It hung up after its next request had been sent."""
    gate = stage.gate(sim)
    server = Server(stage, compiled, gate.url)
    gate.hold_after(0)
    many = json.dumps([{"message": f"roses {i}"} for i in range(1000)])
    ask = (b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
           b"Content-Type: application/json\r\n"
           b"Content-Length: %d\r\n\r\n" % len(many) + many.encode())
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(ask + ask)
        harness.wait_until(lambda: gate.held == 2, "calls")
    harness.wait_until(lambda: "promptcc_serve_withdrawn_total 996\n" in
                       server.ask("GET", "/metrics")[1],
                       "end of what has not begun")
    gate.release()
    server.process.kill()
