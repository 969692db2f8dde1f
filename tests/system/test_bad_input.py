"""Bad input gives one clear sentence that names the problem and the remedy, the
right exit status, and `{"error": ...}` with --json. Nothing is lost."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile

import pytest

import harness
from harness import run


def refused(result, status, *words, code=None):
    """Checks the form of a failure with --json; returns its text."""
    assert result.status == status, result
    error = result.error
    assert error["code"] and (code is None or error["code"] == code), result
    for word in words:
        assert re.search(word, error["text"]), f"no `{word}` in {result}"
    assert error["text"].strip() and "\n" not in error["text"], result
    return error


# --- files ---

@pytest.mark.parametrize("command", ["run", "check", "plan", "eval"])
def test_missing_job_error_says_what_to_name_instead(stage, command):
    for name in ("nowhere", "nowhere/job.yaml"):
        refused(stage.promptcc(command, name, "--json"), 2,
                f"no job file {name}", "job.yaml in it", "promptcc init")


def test_broken_yaml_is_reported_with_line_and_column(stage, sim):
    job = stage.job()
    job.write_text(job.read_text().replace("metric: {", "metric: }{"))
    error = refused(run(stage, sim, job), 2)
    assert re.fullmatch(r".*job\.yaml:\d+(:\d+)?", error["place"]), error


def test_all_mistakes_in_a_job_file_are_reported_at_once(stage, sim):
    job = stage.job(metric="{exact_mach: topic}")
    job.write_text(job.read_text().replace("data:", "widow: 4\ndata:"))
    result = run(stage, sim, job)
    assert result.status == 2, result
    assert "did you mean `exact_match`" in result.err, result
    assert "did you mean `window`" in result.err, result
    places = re.findall(r"^(\S+job\.yaml:\d+:\d+): error", result.err, re.M)
    assert len(places) >= 2, result
    assert result.error["place"].startswith(str(job))
    assert sim.chats() == []


@pytest.mark.parametrize("old, new, words", [
    ("metric:", "\u201cmetric\u201d:", "this key contains a typographic quote"),
    ("metric:", "\u200bmetric:", "this key contains an invisible character"),
    ("name: ", "name:\u00a0", "line 1 contains a space that is not a plain one"),
    ("name: ", "name\uff1a ", "line 1 contains a full-width character"),
    ("student: ", "student: \u201cx\u201d, teacher: ",
     "name of a model, `\u201cx\u201d`, contains a typographic quote"),
])
def test_word_processor_characters_are_reported(stage, old, new, words):
    job = stage.job()
    job.write_text(job.read_text().replace(old, new, 1))
    result = stage.promptcc("check", job)
    assert result.status == 2 and words in result.err, result


def test_end_of_answer_marker_is_rejected_as_an_output_name(stage):
    job = stage.job()
    job.write_text(job.read_text().replace("topic:", "Completed:"))
    result = stage.promptcc("check", job)
    assert result.status == 2 and "`Completed` is reserved" in result.err, result


def test_a_mistake_in_a_step_does_not_hide_metric_and_optimizer_mistakes(stage):
    job = stage.job(metric="{exact_mach: topic}",
                    optimizer="{miprov2: {num_trails: 3}}")
    job.write_text(job.read_text().replace("[message]", "[mesage]"))
    result = stage.promptcc("check", job)
    assert result.status == 2, result
    for word in ("message", "exact_match", "num_trials"):
        assert result.err.count(f"did you mean `{word}`") == 1, result


def test_messages_name_the_file_as_it_was_given(stage, sim):
    job = stage.job(metric="{exact_mach: topic}")
    result = run(stage, sim, "shop/job.yaml")
    assert re.search(r"^shop/job\.yaml:\d+:\d+: ", result.err, re.M), result
    assert job.exists()


def test_messages_name_data_files_as_they_can_be_opened(stage, sim):
    job = stage.job()
    data = job.parent / "examples.jsonl"
    data.write_text(data.read_text() + "{\n")
    result = stage.promptcc("check", "shop/job.yaml")
    assert re.search(r"^shop/examples\.jsonl:25:\d+: error: ", result.err,
                     re.M), result


def test_a_broken_row_is_reported_with_its_line(stage, sim):
    job = stage.job()
    data = job.parent / "examples.jsonl"
    lines = data.read_text().splitlines()
    lines[6] = lines[6][:-5]
    data.write_text("\n".join(lines) + "\n")
    result = run(stage, sim, job)
    refused(result, 2)
    assert "examples.jsonl:7" in result.err + result.out, result


def test_a_label_outside_the_enum_is_reported_with_its_line(stage, sim):
    job = stage.job()
    data = job.parent / "examples.jsonl"
    with data.open("a") as out:
        out.write(json.dumps({"message": "hi", "topic": "delivry"}) + "\n")
    result = run(stage, sim, job)
    refused(result, 2)
    assert "examples.jsonl:25" in result.err, result
    assert "delivery" in result.err, result


def test_skip_bad_continues_without_the_bad_rows(stage, sim):
    job = stage.job()
    with (job.parent / "examples.jsonl").open("a") as out:
        out.write("{nonsense\n")
    assert run(stage, sim, job).status == 2
    result = run(stage, sim, job, "--set", "skip_bad=true")
    assert result.status == 0, result


def test_a_missing_job_file_is_named(stage, sim):
    refused(run(stage, sim, "nowhere/job.yaml"), 2, r"nowhere/job\.yaml")


def test_a_missing_data_file_is_named(stage, sim):
    job = stage.job(data="{examples: exmples.jsonl}")
    result = run(stage, sim, job)
    refused(result, 2)
    assert "exmples.jsonl" in result.err, result


def test_an_empty_data_file_counts_as_no_examples(stage, sim):
    job = stage.job()
    (job.parent / "examples.jsonl").write_text("")
    result = run(stage, sim, job)
    error = refused(result, 2)
    assert "examples" in error["text"]


def test_a_low_open_file_limit_is_reported_before_any_model_call(stage, sim):
    job = stage.job()
    result = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -n 64; exec {harness.PROMPTCC} run {job} "
         f"--ollama {sim.url}"], capture_output=True, text=True, check=False,
        env=harness.environment(), timeout=harness.DEADLINE_S)
    assert result.returncode == 2 and "ulimit -n 1024" in result.stderr, result
    assert sim.stats()["requests"] == 0 and not (
        job.parent / "promptcc.db").exists()


def test_check_reports_the_same_mistakes_without_calling_a_model(stage):
    good, bad = stage.job("good"), stage.job("bad", metric="{exact_mach: topic}")
    result = stage.promptcc("check", good, "--json")
    assert result.status == 0 and result.json["ok"] is True, result
    result = stage.promptcc("check", bad, "--json")
    assert result.status == 2 and result.json["ok"] is False, result
    finding = next(f for f in result.json["findings"] if f["level"] == "error")
    assert set(finding) == {"level", "code", "text", "remedy", "place"}
    assert finding["place"].startswith(str(bad))


# --- servers and models ---

def test_unknown_model_error_shows_the_pull_command(stage):
    sim = stage.stand_in(model=["other:7b"])
    error = refused(run(stage, sim, stage.job()), 2,
                    r"ollama pull qwen2\.5:0\.5b")
    assert "other:7b" in error["text"]


def test_a_run_without_a_server_pauses_and_continues_later(stage):
    port = stage.reserve_port()
    job = stage.job()
    words = ("run", job, "--ollama", f"http://127.0.0.1:{port}", "--json")
    error = refused(stage.pauses(*words, says="ollama serve"), 3)
    assert "run the same command again" in error["text"]
    assert f"http://127.0.0.1:{port}" in error["text"]
    stage.add(harness.StandIn(stage, "late", port))
    result = stage.promptcc(*words)
    assert result.status == 0, result


def test_run_pauses_and_keeps_answers_when_server_is_gone_for_good(stage):
    sim = stage.stand_in(slots=2)
    gate = stage.gate(sim)
    gate.hold_after(40)
    job = stage.job()
    process = stage.start("run", job, "--ollama", f"{gate.url},slots=2",
                          "--json", "--wait", "20s")
    assert gate.wait_held(process)
    sim.kill()
    gate.release()
    refused(process.wait(), 3)
    sim = sim.restart()
    result = run(stage, gate, job)
    assert result.status == 0, result
    assert sim.repeated() <= 3


def test_a_call_that_always_fails_is_named_and_can_be_excluded(stage):
    """One message is refused each time."""
    sim = stage.stand_in(slots=2)
    gate = stage.gate(sim)
    gate.refuse = lambda body: "(7)" in body["messages"][-1]["content"]
    job = stage.job()
    words = ("--ollama", f"{gate.url},slots=2", "--json", "--store",
             job.parent / "promptcc.db")
    error = refused(stage.promptcc("run", job, *words), 3,
                    r"examples\.jsonl:8\b", "--exclude 7")
    name = re.search(r"resume (\S+)", error["text"])[1]
    for wrong, told in [("x", "number of an example"), (99, "no example 99")]:
        refused(stage.promptcc("resume", name, "--exclude", wrong, *words), 2,
                told)
    result = stage.promptcc("resume", name, "--exclude", 7, *words)
    assert result.status == 0, result
    assert result.json["baseline"]["n"] == 19
    assert sim.repeated() == 0
    # The call can be answered again, and `eval` asks it again. What the run
    # decided without the answer stays as it is.
    gate.refuse = lambda body: False
    compiled = (job.parent / "compiled.json").read_bytes()
    scored = stage.promptcc("eval", job, "--data", job.parent /
                            "examples.jsonl", *words)
    assert scored.json["n"] == 24, scored
    paid = sim.stats()["answered"]
    again = stage.promptcc("run", job, *words)
    assert again.json == result.json
    assert (job.parent / "compiled.json").read_bytes() == compiled
    assert sim.stats()["answered"] == paid


def test_nonsense_from_a_server_never_counts_as_an_answer(stage):
    """The server is a web server that serves no model."""
    page = stage.folder / "www"
    page.mkdir()
    (page / "index.html").write_text("hello")
    port = stage.reserve_port()
    web = stage.add(harness.Process(stage, [
        "python3", "-m", "http.server", port, "--bind", "127.0.0.1",
        "--directory", page], "web"))
    harness.wait_until(lambda: socket.socket().connect_ex(
        ("127.0.0.1", port)) == 0, "web server")
    result = stage.promptcc("run", stage.job(), "--ollama",
                            f"http://127.0.0.1:{port}", "--json", "--wait",
                            "1s")
    assert result.status in (2, 3), result
    assert result.error["text"]
    assert web.running


# --- the store ---

def test_a_store_of_a_newer_version_is_left_alone(stage, sim):
    job = stage.job()
    assert run(stage, sim, job).status == 0
    store = job.parent / "promptcc.db"
    with sqlite3.connect(store) as db:
        db.execute("PRAGMA user_version = 99")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    before = store.read_bytes()
    refused(run(stage, sim, job), 2, r"promptcc\.db", "newer|99")
    assert store.read_bytes() == before


def test_a_file_that_is_not_a_store_is_left_unchanged(stage, sim):
    store = stage.folder / "thesis.db"
    store.write_text("Chapter one. " * 1000)
    before = store.read_bytes()
    refused(run(stage, sim, stage.job(), "--store", store), 2, r"thesis\.db")
    assert store.read_bytes() == before


def unprivileged():
    """Returns words that start a command as nobody, since root may write
    anything."""
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def test_a_read_only_store_is_named(stage, sim):
    job = stage.job()
    assert run(stage, sim, job).status == 0
    store = job.parent / "promptcc.db"
    out = stage.folder / "out"
    out.mkdir()
    out.chmod(0o777)
    for folder in [stage.folder, *stage.folder.parents]:
        if os.geteuid() == 0 and folder.stat().st_uid == 0 and \
                folder.is_relative_to("/tmp") and folder.name != "tmp":
            folder.chmod(folder.stat().st_mode | 0o055)
    os.chmod(store, 0o444)
    job.parent.chmod(0o555)
    command = [harness.PROMPTCC, "run", job, "--ollama", sim.url, "--json",
               "--seed", "4", "--out", out / "compiled.json"]
    if os.geteuid() == 0:
        command = unprivileged() + command
    try:
        result = stage.add(harness.Process(stage, command, "reader")).wait()
        refused(result, 2, r"promptcc\.db", "read|writ|permission")
        look = [harness.PROMPTCC, "jobs", "--store", store, "--json"]
        if os.geteuid() == 0:
            look = unprivileged() + look
        listed = stage.add(harness.Process(stage, look, "look")).wait()
        assert listed.status == 0 and len(listed.json) == 1, listed
    finally:
        job.parent.chmod(0o755)


def test_error_for_a_store_in_use_names_host_and_process(stage, sim):
    gate = stage.gate(sim)
    gate.hold_after(5)
    job = stage.job()
    first = stage.start("run", job, "--ollama", gate.url, "--json")
    assert gate.wait_held(first)
    error = refused(run(stage, sim, job), 2, r"promptcc\.db", str(first.pid))
    assert socket.gethostname() in error["text"]
    listed = stage.promptcc("jobs", "--store", job.parent / "promptcc.db",
                            "--json")
    assert listed.json[0]["state"] == "running", listed  # reading always works
    first.kill()
    gate.release()
    assert run(stage, sim, job).status == 0  # no stale lock remains


@pytest.mark.parametrize("content", [b"hello\n", b'{"a": 1}\n', b"x" * 9000])
def test_nothing_is_created_next_to_a_file_that_is_not_a_store(stage, content):
    """The file itself does not change either."""
    job, other = stage.job(), stage.folder / "notes"
    other.mkdir()
    (other / "notes.txt").write_bytes(content)
    refused(stage.promptcc("run", job, "--simulate", "--store",
                           other / "notes.txt", "--json"), 2, "not an SQLite")
    assert [p.name for p in other.iterdir()] == ["notes.txt"]
    assert (other / "notes.txt").read_bytes() == content


@pytest.fixture
def small_disk(stage):
    """A file system of 2 MB; a remount enlarges it."""
    with harness.small_disk(stage, "2m") as folder:
        yield folder


def test_run_pauses_on_a_full_disk_and_continues_when_there_is_room(stage, sim,
                                                                    small_disk):
    alone = stage.job("alone/shop")
    assert run(stage, sim, alone).status == 0
    paid = len(sim.answered())

    job = stage.job("disk/shop")
    with (small_disk / "ballast").open("wb") as ballast:
        ballast.write(b"x" * (1280 << 10))
    full = run(stage, sim, job)
    error = refused(full, 3, "full|space", r"promptcc\.db")
    assert error["text"], full
    store = job.parent / "promptcc.db"
    kept = harness.committed_calls(store)

    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)],
                   check=True)
    result = run(stage, sim, job)
    assert result.status == 0, result
    assert (job.parent / "compiled.json").read_bytes() == \
        (alone.parent / "compiled.json").read_bytes()
    assert len(kept) > 0
    assert len(sim.answered()) - paid <= paid + 64


def test_an_unwritable_compiled_file_loses_no_results(stage, sim):
    job = stage.job()
    out = stage.folder / "missing-folder" / "compiled.json"
    result = run(stage, sim, job, "--out", out)
    assert result.status in (1, 2), result
    assert "missing-folder" in result.error["text"]
    paid = len(sim.answered())
    result = run(stage, sim, job)
    assert result.status == 0, result
    assert len(sim.answered()) == paid or sim.repeated() == 0


# --- compiled files ---

def test_a_compiled_file_of_another_program_is_refused(stage, sim):
    one = stage.job("one")
    assert run(stage, sim, one).status == 0
    two = stage.job("two", more_steps=harness.SECOND_STEP)
    result = stage.promptcc("eval", two, "--compiled",
                            one.parent / "compiled.json", "--ollama", sim.url,
                            "--json")
    refused(result, 2, r"compiled\.json", "answer")


def test_a_file_that_is_not_a_compiled_file_is_refused(stage, sim):
    bad = stage.folder / "bad.json"
    for text in ("", "{", "[]", "{}", '{"sort": 3}', "\x00\x01", "null"):
        bad.write_text(text)
        result = stage.promptcc("eval", stage.job(), "--compiled", bad,
                                "--ollama", sim.url, "--json")
        refused(result, 2, r"bad\.json")
        result = stage.promptcc("predict", bad, "message=hello", "--ollama",
                                sim.url, "--json")
        refused(result, 2, r"bad\.json")


# --- addresses ---

def test_a_port_in_use_is_named(stage):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = stage.promptcc("coordinator", "--listen",
                                f"tcp://127.0.0.1:{port}", "--store",
                                stage.folder / "c.db")
    assert result.status == 2, result
    assert str(port) in result.err and "use" in result.err


def test_listening_beyond_loopback_without_keys_is_refused(stage):
    result = stage.promptcc("coordinator", "--listen", "tcp://0.0.0.0:0",
                            "--store", stage.folder / "c.db")
    assert result.status == 2, result
    assert "127.0.0.1" in result.err


def test_error_for_an_unreachable_coordinator_names_it(stage):
    endpoint = f"tcp://127.0.0.1:{stage.reserve_port()}"
    result = stage.promptcc("jobs", "--coordinator", endpoint, "--json")
    assert result.status in (1, 2, 3), result
    assert endpoint in result.error["text"]


# --- the command line ---

@pytest.mark.parametrize("words, hint", [
    (["rum", "job.yaml"], "run"),
    (["run", "job.yaml", "--olama", "x"], "--ollama"),
    (["run"], "JOB"),
    (["run", "job.yaml", "--seed"], "--seed"),
    (["run", "job.yaml", "--seed", "many"], "--seed"),
    (["run", "job.yaml", "--max-time", "soon"], "--max-time"),
    (["run", "shop/job.yaml", "--ollama", "ftp://x"], "ftp://x"),
    (["run", "job.yaml", "two.yaml"], "two.yaml"),
    (["eval", "job.yaml", "--fail-below", "8"], "--fail-below"),
    (["run", "shop/job.yaml", "--set", "optimizer"], "optimizer"),
    (["run", "shop/job.yaml", "--set", "optimzer.seed=3"], "optimizer"),
])
def test_usage_errors_suggest_the_right_word(stage, words, hint):
    stage.job()
    result = stage.promptcc(*words)
    assert result.status == 2, result
    assert hint in result.err, result
    assert result.out == ""


def test_usage_errors_are_json_with_the_json_option(stage):
    error = refused(stage.promptcc("run", "job.yaml", "--olama", "x", "--json"),
                    2, "--ollama")
    assert error["place"] is None


def test_every_command_explains_itself_with_an_example(stage):
    help_text = stage.promptcc("--help")
    assert help_text.status == 0, help_text
    commands = ("run eval predict render coordinator worker submit jobs show "
                "workers stop resume trials best export query init check")
    for command in commands.split():
        assert re.search(rf"^  {command}\b", help_text.out, re.M), command
        result = stage.promptcc(command, "--help")
        assert result.status == 0, result
        assert f"promptcc {command}" in result.out.split("example:")[1], result


def test_a_full_standard_output_is_a_failure(stage, sim):
    job = stage.job()
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [harness.PROMPTCC, "run", job, "--ollama", sim.url, "--json"],
            stdout=full, stderr=subprocess.PIPE, timeout=harness.DEADLINE_S,
            env=harness.environment(), check=False)
    assert done.returncode == 1, done
    assert b"standard output" in done.stderr, done
    assert b"the compiled file is written: " in done.stderr, done
    assert run(stage, sim, job).status == 0


def test_an_interrupt_before_the_first_answer_exits_with_130(stage):
    job = stage.job()
    process = stage.start("run", job, "--ollama",
                          f"http://127.0.0.1:{stage.reserve_port()}", "--json")
    process.wait_for_line("job shop-", errors=True)
    process.signal(signal.SIGINT)
    result = process.wait()
    assert result.status == 130, result


def test_store_open_error_states_the_cause(stage):
    job = stage.job()
    (stage.folder / "file").write_text("")
    for store, said in ((stage.folder / "none" / "s.db", "folder that exists"),
                        (stage.folder, "not a file but a folder")):
        done = stage.promptcc("run", job, "--simulate", "--store", store)
        assert done.status == 2 and said in done.err, done


def test_a_store_without_read_permission_is_reported_as_such(stage):
    """Runs as another user, since root may read everything."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody else")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        store, shut = folder / "store.db", folder / "shut"
        done = stage.promptcc("run", stage.job(), "--simulate", "--store", store)
        assert done.status == 0, done
        store.chmod(0o600)
        shut.mkdir(mode=0o700)
        shutil.copy(store, shut / "store.db")
        program = folder / "promptcc"
        shutil.copy(harness.PROMPTCC, program)
        for path, said in ((store, "you may not read it"),
                           (shut / "store.db", "you may not enter its folder")):
            done = subprocess.run([program, "jobs", "--store", path], user=65534,
                                  group=65534, extra_groups=[], text=True,
                                  capture_output=True, cwd="/", timeout=harness.DEADLINE_S,
                                  env=harness.environment(HOME="/"))
            assert done.returncode == 2 and said in done.stderr, done
