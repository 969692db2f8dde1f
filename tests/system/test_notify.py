"""--notify and --on-event: others are notified, and nothing they do breaks a
run."""

import http.server
import json
import pathlib
import threading
import xml.etree.ElementTree as tree

import pytest

import harness


@pytest.fixture
def hook():
    """A server that records the bodies that it receives."""
    bodies = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(
                int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", bodies
    server.shutdown()
    server.server_close()


def run_told(stage, sim, bodies, *words):
    """A run whose every event was received. Whoever takes more than ten
    seconds is given up, and a busy machine may take them from this server."""
    def told():
        bodies.clear()
        job = stage.job(f"{stage.name('told')}/shop")
        done = stage.promptcc("run", job, "--ollama", f"{sim.url},slots=2",
                              "--json", *words, cwd=job.parent)
        assert done.status == 0, done
        return "promptcc: the hook" not in done.err and done

    return harness.wait_until(told, "run whose hook is in time")


def test_a_hook_receives_best_and_done_events(stage, sim, hook):
    url, bodies = hook
    done = run_told(stage, sim, bodies, "--notify", url)
    assert bodies[-1] == {"event": "done", "job": done.json["job"],
                          "score": done.json["compiled"]["score"]}
    best = [one for one in bodies if one["event"] == "best"]
    for one in best:
        assert one["score"] > one["baseline"] and one["calls"] > 0
    assert [one["score"] for one in best] == sorted(
        one["score"] for one in best)


def test_a_job_without_its_compiled_file_is_not_announced_as_done(stage, sim,
                                                                  hook):
    url, bodies = hook
    result = stage.promptcc("run", stage.job(), "--ollama",
                            f"{sim.url},slots=2", "--out", "/dev/full",
                            "--notify", url)
    assert result.status != 0, result
    assert bodies[-1]["event"] == "failed", bodies
    assert "cannot write /dev/full" in bodies[-1]["text"], bodies


def test_a_command_receives_the_event_on_standard_input(stage, sim):
    out = stage.folder / "events"
    done = stage.promptcc(
        "run", stage.job(), "--ollama", sim.url, "--json", "--on-event",
        f"echo \"$PROMPTCC_EVENT $PROMPTCC_JOB\" >> {out}.names; "
        f"cat >> {out}; echo to nobody")
    assert done.status == 0, done
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert events[-1]["event"] == "done"
    assert (stage.folder / "events.names").read_text().splitlines()[-1] == \
        f"done {done.json['job']}"


def test_a_pause_is_sent_to_hooks(stage, hook):
    url, bodies = hook
    done = stage.promptcc("run", stage.job(), "--ollama", "http://127.0.0.1:1",
                          "--wait", "1s", "--json", "--notify", url)
    assert done.status == 3, done
    assert bodies[-1]["event"] == "paused" and bodies[-1]["text"]


def test_each_of_several_hooks_receives_every_event(stage, sim, hook):
    """Commands may contain spaces, and one that fails does not keep the event
    from the others."""
    url, bodies = hook
    done = run_told(
        stage, sim, bodies, "--notify", url,
        "--on-event", "echo $PROMPTCC_EVENT >> one", "--on-event", "exit 7",
        "--notify", url, "--on-event", "echo $PROMPTCC_EVENT >> two")
    folder = pathlib.Path(done.json["out"]).parent
    one, two = ((folder / name).read_text().split() for name in ("one", "two"))
    assert one == two and one[-1] == "done"
    assert [body["event"] for body in bodies] == [
        event for event in one for _ in range(2)]


def test_an_environment_variable_can_hold_a_command_with_spaces(stage, sim):
    done = stage.promptcc("run", stage.job(), "--ollama", sim.url, "--json",
                          env={"PROMPTCC_ON_EVENT": "echo told > here"})
    assert done.status == 0 and (stage.folder / "here").exists(), done


@pytest.mark.parametrize("words, why", [
    (("--notify", "http://127.0.0.1:1/"), "connect"),
    (("--on-event", "exit 3"), "status 3"),
    (("--on-event", "no-such-program"), "status 127"),
    (("--on-event", "kill -9 $$"), "signal 9"),
    (("--on-event", "kill -XFSZ $$"), "signal 25")])
def test_hook_failures_are_reported_and_counted_but_do_not_stop_the_run(
        stage, sim, words, why):
    """The first failure is reported at once, the others together at the end."""
    seen = stage.folder / "seen"
    done = stage.promptcc("run", stage.job(), "--ollama", sim.url, "--json",
                          *words, "--on-event", f"echo >> {seen}")
    assert done.status == 0 and done.json["out"], done
    events = len(seen.read_text())
    said = [line for line in done.err.splitlines()
            if line.startswith("promptcc: the ") and words[1] in line]
    assert "The job continues" in said[0] and why in said[0].lower(), done
    if events > 1:
        assert f"did not get {events} of {events} events" in said[1], done
    assert len(said) == min(events, 2), done


def test_a_hanging_command_does_not_delay_the_end(stage, sim):
    done = stage.promptcc("run", stage.job(), "--ollama", sim.url, "--quiet",
                          "--on-event", "sleep 6000 & sleep 6000")
    assert done.status == 0


def test_an_invalid_url_is_refused(stage, sim):
    done = stage.promptcc("run", stage.job(), "--ollama", sim.url, "--notify",
                          "ftp://example.com")
    assert done.status == 2 and "http://" in done.err and sim.chats() == []


def test_junit_output_has_a_test_case_per_row(stage, sim):
    job = stage.job(instruction="Sort & \"mend\" <this>.")
    out = stage.folder / "junit.xml"
    done = stage.promptcc("eval", job, "--ollama", sim.url, "--json", "--junit",
                          out)
    assert done.status == 0, done
    suite = tree.parse(out).getroot().find("testsuite")
    cases = suite.findall("testcase")
    failed = [case for case in cases if case.find("failure") is not None]
    assert len(cases) == int(suite.get("tests")) == done.json["n"]
    assert int(suite.get("failures")) == len(failed)
    assert abs(1 - len(failed) / len(cases) - done.json["score"]) < 1e-9
    assert "answer:" in failed[0].find("failure").text
    assert cases[0].get("file") == "examples.jsonl" and cases[0].get("line")


@pytest.mark.parametrize("folder, says", [
    ("/no/such/folder", "No such file or directory"), ("/proc", "")])
def test_a_command_that_gets_no_input_says_where_it_was_to_be(stage, sim,
                                                              folder, says):
    done = stage.promptcc("run", stage.job(), "--ollama", sim.url,
                          "--on-event", "true", env={"TMPDIR": folder})
    assert done.status == 0, done
    assert "TMPDIR" in done.err and says in done.err, done


@pytest.mark.parametrize("option", ["--notify", "--on-event"])
def test_submit_cannot_tell_of_events_unless_it_waits(stage, option):
    done = stage.promptcc("submit", stage.job(), "--coordinator",
                          "tcp://127.0.0.1:1", option, "http://127.0.0.1:1/")
    assert done.status == 2, done
    assert f"{option} has no effect without --wait" in done.err, done
