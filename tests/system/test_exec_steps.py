"""Steps that a program of the user answers, and steps that are skipped."""

import json
import shlex
import threading
import urllib.error
import urllib.request

import pytest

import harness
from harness import run

JOB = """\
name: orders
models: {student: 'qwen2.5:0.5b', options: {num_ctx: 4096, num_predict: 200}}
inputs:
  message: {desc: What the customer wrote}
  number: {desc: Number of the order}
steps:
  sort:
    predict: Say what the message is about.
    inputs: [message]
    outputs:
      topic: {enum: [delivery, returns, opening, plants]}
  look_up:
    exec: {command: [python3, look_up.py], timeout: 120s}
    when: {kind: [order, both]}
    inputs: {number: , topic: sort.topic}
    outputs: {status: , days: {type: int}}
  answer:
    predict: Write a short answer.
    inputs: {message: , status: look_up.status}
    outputs: {reply: }
outputs: {topic: sort.topic, status: look_up.status, reply: answer.reply}
data: {examples: examples.jsonl}
metric: {fields: [topic, status]}
optimizer: {bootstrap_random_search: {num_candidate_programs: 2, max_bootstrapped_demos: 2, max_labeled_demos: 2}}
"""

LOOK_UP = """\
import json, sys
for line in sys.stdin:
    inputs = json.loads(line)["inputs"]
    with open("asked.txt", "a") as out:
        out.write(inputs["number"] + "\\n")
    print(json.dumps({"outputs": {"status": "sent " + inputs["number"],
                                  "days": 3}}), flush=True)
"""


def write(stage, program=LOOK_UP, orders=24):
    """Writes a job; in the first messages, two of three are about an order."""
    folder = stage.folder / "orders"
    folder.mkdir()
    (folder / "job.yaml").write_text(JOB.replace("kind:", "kind:", 1).replace(
        "  number: {desc", "  kind: {desc: Kind of message}\n  number: {desc"))
    rows = []
    for i, row in enumerate(harness.rows(24)):
        order = i % 3 > 0 and i < orders
        rows.append({**row, "number": str(i), "kind": "order" if order
                     else "other", "status": f"sent {i}" if order else None})
    harness.write_rows(folder / "examples.jsonl", rows)
    (folder / "look_up.py").write_text(program)
    return folder / "job.yaml"


def asked(job):
    path = job.parent / "asked.txt"
    return path.read_text().split() if path.exists() else []


def test_an_exec_step_runs_a_program_and_stores_its_answers(stage, sim):
    job = write(stage)
    first = run(stage, sim, job)
    assert first.status == 0, first
    # The status is right without help, and null where the step did not run.
    assert first.json["baseline"]["score"] >= 0.5
    assert first.json["skipped_steps"] == ["answer"]
    numbers = asked(job)
    assert set(numbers) <= {str(i) for i in range(24) if i % 3 > 0}
    assert first.json["calls"]["exec"] == len(numbers)

    (job.parent / "compiled.json").unlink()
    second = run(stage, sim, job)
    assert second.status == 0 and asked(job) == numbers, "nothing asked twice"
    everything = stage.promptcc("eval", job, "--ollama", sim.url, "--json",
                                "--all-steps")
    assert everything.status == 0, everything
    assert everything.json["calls"]["exec"] == 0

    # Another program makes it another job.
    (job.parent / "look_up.py").write_text(LOOK_UP + "# edited\n")
    third = run(stage, sim, job)
    assert third.json["job"] != first.json["job"]


def test_predict_runs_programs_only_with_allow_exec(stage, sim):
    job = write(stage)
    assert run(stage, sim, job).status == 0
    compiled = job.parent / "compiled.json"
    lines = stage.folder / "in.jsonl"
    lines.write_text("".join(json.dumps(
        {"message": "Where is it?", "number": str(n), "kind": kind}) + "\n"
        for n, kind in ((70, "order"), (71, "other"), (72, "both"))))
    words = ("predict", compiled, "--ollama", sim.url, "--json",
             "--input", lines)
    refused = stage.promptcc(*words)
    assert refused.status == 2 and "--allow-exec" in refused.error["text"]
    done = stage.promptcc(*words, "--allow-exec")
    assert done.status == 0, done
    outputs = [json.loads(line)["outputs"] for line in done.out.splitlines()]
    assert [each["status"] for each in outputs] == ["sent 70", None, "sent 72"]
    assert [each["reply"] is None for each in outputs] == [False, True, False]


def test_serve_logs_why_a_program_failed(stage, sim):
    job = write(stage)
    assert run(stage, sim, job).status == 0
    (job.parent / "look_up.py").write_text(
        "import sys\nsys.exit('no data base today')\n")
    server = stage.start("serve", job.parent / "compiled.json", "--ollama",
                         sim.url, "--allow-exec", "--http", "127.0.0.1:0")
    port = server.wait_for_line(r"listening on http://127\.0\.0\.1:(\d+)")[1]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict",
        json.dumps({"message": "Where is it?", "number": "7",
                    "kind": "order"}).encode(),
        {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as failed:
        urllib.request.urlopen(request, timeout=60)
    assert failed.value.code == 500
    server.wait_for_line(r"warn request-failed: 500: .*no data base today",
                         errors=True)


def test_the_command_run_suggests_works(stage, sim):
    job = write(stage)
    done = stage.promptcc("run", job, "--ollama", f"{sim.url},slots=2")
    assert done.status == 0, done
    words = shlex.split(done.out.splitlines()[-1])
    assert words[:2] == ["promptcc", "predict"] and "number=VALUE" in words, words
    tried = stage.promptcc(*[one.replace("kind=VALUE", "kind=order")
                             for one in words[1:]])
    assert tried.status == 0 and "status: sent VALUE" in tried.out, tried


def test_a_program_inherits_no_open_files(stage, sim):
    """A user's program inherits neither the files of predict nor the store of a
    run."""
    look = LOOK_UP.replace("import json, sys\n", """\
import json, os, sys
held = [os.readlink(f"/proc/self/fd/{fd}") for fd in range(3, 64)
        if os.path.lexists(f"/proc/self/fd/{fd}")]
with open("held.txt", "a") as out:
    out.write(" ".join(held))
""")
    job = write(stage, look)
    assert run(stage, sim, job).status == 0
    lines = stage.folder / "lines.jsonl"
    harness.write_rows(lines, [{"message": "Where is it?", "number": "7",
                                "kind": "order"}])
    done = stage.promptcc(
        "predict", job.parent / "compiled.json", "--ollama", sim.url,
        "--allow-exec", "--input", lines,
        "--output", stage.folder / "answers.jsonl")
    assert done.status == 0, done
    assert (job.parent / "held.txt").read_text() == ""


def test_a_faulty_program_pauses_the_job(stage, sim):
    job = write(stage, LOOK_UP.replace('"days": 3', '"days": "soon"'), 3)
    result = run(stage, sim, job)
    assert result.status == 3, result
    assert "look_up" in result.error["text"] and "days" in result.error["text"]
    (job.parent / "look_up.py").write_text(LOOK_UP)
    assert run(stage, sim, job).status == 0


def test_a_coordinator_runs_programs_only_with_allow_exec(stage, sim):
    job = write(stage)
    results = []
    for allowed in ((), ("--allow-exec",)):
        coordinator = stage.coordinator(stage.folder / f"{len(allowed)}.db",
                                        *allowed)
        stage.worker(coordinator.endpoint, sim.url, f"w{len(allowed)}")
        results.append(stage.promptcc(
            "submit", job, "--coordinator", coordinator.endpoint, "--wait",
            "--json"))
    assert results[0].status == 2, results[0]
    assert "--allow-exec" in results[0].error["text"]
    assert results[1].status == 0, results[1]
    assert results[1].json["calls"]["exec"] > 0


EVERYTHING = """\
name: everything
models: {student: 'qwen2.5:0.5b', options: {num_ctx: 4096, num_predict: 200, temperature: {tune: [0, 0.6]}}}
inputs:
  message: {desc: What the customer wrote}
  number: {desc: Number of the order}
  kind: {desc: Kind of message}
steps:
  search:
    retrieve: documents.jsonl
    inputs: {query: message}
    k: {tune: [1, 2]}
  look_up:
    exec: {command: [python3, look_up.py], timeout: 120s}
    when: {kind: order}
    inputs: {number: }
    outputs: {status: {optional: true}, days: {type: int}}
  sort:
    predict: Say what the message is about.
    inputs: {message: , passages: search.passages}
    outputs:
      topic: {enum: [delivery, returns, opening, plants]}
  answer:
    predict: Write a short answer.
    when: {sort.topic: [delivery, plants]}
    inputs: {message: , status: look_up.status}
    outputs: {reply: }
outputs: {topic: sort.topic, status: look_up.status, reply: answer.reply}
data: {examples: examples.jsonl}
metric: {weighted: [{weight: 3, fields: [topic, status]}, {weight: 1, regex: {field: reply, pattern: e}}]}
optimizer: {bootstrap_random_search: {num_candidate_programs: 2, max_bootstrapped_demos: 2, max_labeled_demos: 2}}
"""


def write_everything(stage, name):
    folder = stage.folder / name
    folder.mkdir()
    (folder / "job.yaml").write_text(EVERYTHING)
    harness.write_rows(folder / "examples.jsonl", [
        {**row, "number": str(i), "kind": "order" if i % 3 else "other",
         "status": f"sent {i}" if i % 3 else None}
        for i, row in enumerate(harness.rows(24))])
    harness.write_documents(folder / "documents.jsonl")
    (folder / "look_up.py").write_text(LOOK_UP)
    return folder / "job.yaml"


def test_a_run_killed_among_all_kinds_of_steps_ends_with_the_same_bytes(stage):
    job = write_everything(stage, "undisturbed")
    whole = run(stage, stage.stand_in(slots=2), job)
    assert whole.status == 0, whole
    compiled = (job.parent / "compiled.json").read_bytes()
    for k in (3, 45):
        sim = stage.stand_in(slots=2)
        gate = stage.gate(sim)
        job = write_everything(stage, f"killed-{k}")
        gate.hold_after(k)
        process = stage.start("run", job, "--ollama", f"{gate.url},slots=2",
                              "--json")
        assert gate.wait_held(process)
        process.kill()
        gate.release()
        before = asked(job)
        again = stage.promptcc("run", job, "--ollama", f"{gate.url},slots=2",
                               "--json")
        assert again.status == 0, again
        assert (job.parent / "compiled.json").read_bytes() == compiled
        assert again.json["calls"] == whole.json["calls"] | {
            "reused": again.json["calls"]["reused"]}
        # A program's answer is asked for again only if it was in flight.
        repeated = len(asked(job)) - len(set(asked(job)))
        assert repeated <= 4, (before, asked(job))
        sim.terminate()


def test_check_finds_a_missing_program(stage, sim):
    job = write(stage)
    job.write_text(job.read_text().replace("[python3, look_up.py]",
                                           "[./look_op.py]"))
    result = stage.promptcc("check", job, "--ollama", sim.url, "--json")
    assert result.status == 2, result
    errors = [finding["text"] for finding in result.json["findings"]
              if finding["level"] == "error"]
    assert len(errors) == 1 and "look_op.py" in errors[0], errors
