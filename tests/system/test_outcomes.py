"""Each way in which a call or a metric can end, with real processes. A fault of
the model is scored 0 and counted, a prompt that does not fit is a fact about
the prompt, and a fault of a server or a program is never a score."""

import collections
import csv
import json
import re

import pytest

import harness
from harness import run


def outcomes(job, view="v_evaluations"):
    found = harness.store_rows(job.parent / "promptcc.db",
                               f"SELECT outcome FROM {view}")
    return collections.Counter(outcome for (outcome,) in found)


# --- calls ---

def test_looping_and_empty_replies_are_scored_0_and_counted(stage):
    sim = stage.stand_in(slots=2, fault_rate=0.3,
                         fault_kinds="whitespace,empty")
    job = stage.job()
    result = run(stage, sim, job, command="eval")
    assert result.status == 0, result
    result = run(stage, sim, job)
    assert result.status == 0, result
    counts = outcomes(job)
    assert counts["loop"] > 0 and counts["empty"] > 0, counts
    assert harness.store_rows(
        job.parent / "promptcc.db", "SELECT count(*) FROM v_evaluations "
        "WHERE outcome IN ('loop', 'empty') AND score <> 0") == [(0,)]
    assert sim.repeated() == 0  # the model's answer is kept, and not asked for again


def test_replies_cut_at_num_predict_are_named(stage, sim):
    job = stage.job()
    result = run(stage, sim, job, "--set", "models.options.num_predict=3",
                 command="eval")
    assert result.status == 0, result
    assert result.json["score"] == 0
    assert result.json["model_faults"] == result.json["n"]
    assert set(outcomes(job, "v_calls")) == {"cut"}


@pytest.mark.parametrize("words", [(), ("--set", "demos={nearest: 4}")])
def test_a_question_too_long_to_be_written_is_the_outcome_of_its_row(
        stage, sim, words):
    """Each of its bytes takes six in a request."""
    job = stage.job(data="{examples: rows.csv}", optimizer=
                    "{labeled_few_shot: {k: 1}}")
    with (job.parent / "rows.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, ["message", "topic"])
        rows.writeheader()
        rows.writerows(harness.rows(24))
        rows.writerow({"message": "a" + "\x01" * (2 << 20) + "b",
                       "topic": "returns"})
    result = run(stage, sim, job, *words)
    assert result.status == 0, result
    counts = outcomes(job)
    assert counts["too_long"] > 0 and counts["done"] > counts["too_long"], counts
    checked = stage.promptcc("check", job)
    assert "the longest prompt of step" in checked.err, checked


def test_a_model_missing_for_a_moment_only_delays_the_run(stage, sim):
    """The server answers 404, as while a model is downloaded again, but still
    lists the model."""
    whole = harness.write_job(stage.folder / "whole", name="shop")
    assert run(stage, sim, whole).status == 0
    gate = stage.gate(sim)
    gate.refusal = 404, {"error": "model 'qwen2.5:0.5b' not found"}
    gate.refuse = lambda body: 30 <= len(gate.requests) < 36
    job = stage.job()
    result = run(stage, gate, job)
    assert result.status == 0, result
    assert (job.parent / "compiled.json").read_bytes() == \
        (whole.parent / "compiled.json").read_bytes()


def test_a_program_that_exceeds_num_ctx_is_bad_input(stage, sim):
    result = run(stage, sim, stage.job(), "--set", "models.options.num_ctx=64",
                 "--set", "models.options.num_predict=16")
    assert result.status == 2, result
    assert "num_ctx" in result.error["text"]


def test_demos_are_dropped_until_the_longest_example_fits(stage, sim):
    job = stage.job(n=60, optimizer="{labeled_few_shot: {k: 16}}")
    wide = run(stage, sim, job, "--out", stage.folder / "wide.json")
    assert wide.status == 0, wide
    narrow = run(stage, sim, job, "--set", "models.options.num_ctx=640", "--out",
                 stage.folder / "narrow.json")
    assert narrow.status == 0, narrow

    def demos(name):
        file = json.loads((stage.folder / name).read_text())
        return len(file["sort"]["demos"])
    assert 0 < demos("narrow.json") < demos("wide.json") == 16
    assert all(r["status"] == 200 for r in sim.chats())


def test_the_answer_of_a_thinking_model_is_read_after_its_thoughts(stage):
    sim = stage.stand_in(slots=2, model=["qwen3:8b"])
    job = stage.job(student="qwen3:8b")
    result = run(stage, sim, job, "--set", "models.options.num_predict=900",
                 command="eval")
    assert result.status == 0, result
    assert result.json["model_faults"] == 0
    assert set(outcomes(job, "v_calls")) == {"text"}
    assert all(r["generated_tokens"] > 20 for r in sim.chats())


def test_a_busy_server_is_waited_for(stage):
    sim = stage.stand_in(slots=2, fault_rate=0.1, fault_kinds="503")
    result = run(stage, sim, stage.job())
    assert result.status == 0, result
    assert result.json["model_faults"] == 0 and sim.repeated() == 0


def test_a_run_on_two_servers_survives_the_loss_of_one(stage):
    first, second = stage.stand_in(slots=2), stage.stand_in(slots=2,
                                                            latency_ms=10)
    job, alone = stage.job(), stage.job("alone/shop")
    assert run(stage, first, alone).status == 0
    gate = stage.gate(first)
    gate.hold_after(10)  # the rest is left to the second one, however slow
    process = stage.start("run", job, "--json", "--ollama",
                          f"{gate.url},slots=1", "--ollama",
                          f"{second.url},slots=2")
    harness.wait_until(lambda: len(second.answered()) >= 5, "5 answers")
    second.kill()
    gate.release()
    result = process.wait()
    assert result.status == 0, result
    assert (job.parent / "compiled.json").read_bytes() == \
        (alone.parent / "compiled.json").read_bytes()


# --- exec metrics ---

GOOD = """\
import json, sys
for line in sys.stdin:
    row = json.loads(line)
    right = row["example"]["topic"] == row["outputs"]["topic"]
    print(json.dumps({"score": float(right)}), flush=True)
"""
DIES = "import sys\nsys.stdin.readline()\nsys.exit('no licence left')\n"
NONSENSE = """\
import sys
for line in sys.stdin:
    sys.stderr.write("thinking hard\\n")
    print("rather good", flush=True)
"""
HANGS = "import sys, time\nsys.stdin.readline()\ntime.sleep(3600)\n"


SPLIT = "{examples: examples.jsonl, split: {train: 0.4, val: 0.4, test: 0.2, " \
    "stratify: topic}}"


def exec_job(stage, text, name="shop", timeout="60s", n=24):
    job = stage.job(name, n=n, data=SPLIT,
                    metric="{exec: {command: [python3, judge.py], "
                    f"reads: [topic], timeout: {timeout}}}}}")
    (job.parent / "judge.py").write_text(text)
    return job


def test_an_exec_metric_scores_like_the_builtin_one(stage, sim):
    ours, theirs = stage.job(data=SPLIT), exec_job(stage, GOOD, "exec/shop")
    expected, result = run(stage, sim, ours), run(stage, sim, theirs)
    assert result.status == 0, result
    for key in ("baseline", "compiled"):
        assert result.json[key]["score"] == expected.json[key]["score"]
    again = run(stage, sim, theirs)
    assert again.json == result.json  # its answers are stored calls, too


def test_a_mean_equal_to_the_limit_is_not_below_it(stage, sim):
    job = exec_job(stage, "import sys\nfor line in sys.stdin:\n"
                   "    print(0.1, flush=True)\n", n=40)
    for limit, status in (("0.1", 0), ("0.1001", 100)):
        result = stage.promptcc("eval", job, "--ollama", sim.url, "--json",
                                "--fail-below", limit)
        assert result.status == status, result
        assert result.json["score"] < 0.1  # not 0, because of rounding


@pytest.mark.parametrize("text, words", [
    (DIES, "no licence left"), (NONSENSE, "thinking hard|rather good"),
    (HANGS, "3 s|time"),
], ids=["dies", "talks_nonsense", "hangs"])
def test_an_exec_metric_that_fails_is_never_a_score(stage, sim, text, words):
    job = exec_job(stage, text, n=8, timeout="3s" if text == HANGS else "60s")
    result = run(stage, sim, job)
    assert result.status == 3, result
    assert re.search(words, result.error["text"] + result.err), result
    assert outcomes(job) == {}
    paid = len(sim.answered())
    exec_job(stage, GOOD, n=8)  # mended: another job
    result = run(stage, sim, job)
    assert result.status == 0, result
    assert sim.repeated() == 0 and len(sim.answered()) > paid


def test_an_exec_metric_that_always_fails_is_given_up_early(stage, sim):
    job = exec_job(stage, "open('starts', 'a').write('.')\n" + DIES)
    result = run(stage, sim, job)
    assert result.status == 3, result
    said = result.error["text"]
    assert "fix the program" in said and "--exclude" not in said, result
    assert "no licence left" in said, result
    # Nine faults show it, plus the calls in flight beside the last one.
    assert len((job.parent / "starts").read_text()) <= 12


def test_one_failing_exec_metric_example_can_be_excluded(stage, sim):
    picky = GOOD.replace("    right", "    assert '(3)' not in row['example']"
                         "['message']\n    right")
    result = run(stage, sim, exec_job(stage, picky))
    assert result.status == 3, result
    assert re.search(r"example 3 \(examples.jsonl:4\) got no score; `resume "
                     r"shop-\w+ --exclude 3`", result.error["text"]), result


ONE_ANSWER = GOOD.replace("for line in sys.stdin:",
                          "for line in [sys.stdin.readline()]:")
EDITED = """\
open("starts", "a").write(".")
if len(open("starts").read()) == 5:
    open("judge.py", "a").write("# another program\\n")
"""


def test_an_exec_metric_edited_during_a_run_scores_no_more_rows(stage, sim):
    job = exec_job(stage, ONE_ANSWER + EDITED, n=8)
    rows = job.parent / "examples.jsonl"
    result = run(stage, sim, job, "--data", rows, command="eval")
    assert result.status == 3, result
    assert result.error["text"].startswith(
        "judge.py was changed while the job ran"), result
    assert len((job.parent / "starts").read_text()) <= 6
    (job.parent / "judge.py").write_text(ONE_ANSWER + EDITED)
    again = run(stage, sim, job, "--data", rows, command="eval")
    assert again.status == 0, again
    assert again.json["n"] == 8, again


def test_a_missing_exec_program_is_bad_input(stage, sim):
    job = stage.job(metric="{exec: {command: [./judge.sh], reads: [topic]}}")
    result = run(stage, sim, job)
    assert result.status == 2, result
    assert "judge.sh" in result.error["text"]


def test_a_coordinator_runs_programs_only_when_allowed(stage, sim):
    job = exec_job(stage, GOOD)
    for allowed, status in (((), 2), (("--allow-exec",), 0)):
        coordinator = stage.coordinator(stage.folder / f"{status}.db",
                                        *allowed)
        stage.worker(coordinator.endpoint, sim.url, "w")
        result = stage.promptcc("submit", job, "--coordinator",
                                coordinator.endpoint, "--wait", "--json")
        assert result.status == status, result
        if status != 0:
            assert "--allow-exec" in result.error["text"]


# --- forms of jobs and data ---

EVERYTHING = """\
name: everything
models: {student: 'qwen2.5:0.5b', options: {num_ctx: 4096, num_predict: 400}}
inputs:
  message: {desc: What the customer wrote}
  urgent: {type: bool, default: false}
steps:
  sort:
    predict: Sort the message.
    inputs: [message, urgent]
    outputs:
      topic: {enum: [delivery, returns, opening, plants]}
      sure: {type: float, min: 0, max: 1}
      stars: {type: int, min: 1, max: 5}
      angry: {type: bool}
      words: {list: str, max_length: 5}
      code: {optional: true}
      who: {object: {name: str, city: str}}
  whole:
    compose: {topic: sort.topic, who: sort.who}
  answer:
    chain_of_thought: Answer it.
    inputs: {message: , whole: whole}
    outputs:
      reply: {max_length: 200}
outputs: {topic: sort.topic, sure: sort.sure, stars: sort.stars,
          angry: sort.angry, words: sort.words, code: sort.code, who: sort.who,
          whole: whole, reply: answer.reply}
data: {examples: examples.csv}
metric: {weighted: [{weight: 0.7, exact_match: topic},
                    {weight: 0.3, numeric: {field: stars, tolerance: 1}}]}
optimizer: {bootstrap_few_shot: {max_bootstrapped_demos: 2}}
adapter: ADAPTER
"""


@pytest.mark.parametrize("adapter", ["chat", "json"])
def test_all_types_steps_and_a_csv_file_work_together(stage, sim, adapter):
    folder = stage.folder / "everything"
    folder.mkdir()
    job = folder / "job.yaml"
    job.write_text(EVERYTHING.replace("ADAPTER", adapter))
    lines = ["message,topic,stars"]
    lines += [f'"{row["message"]}",{row["topic"]},{i % 5 + 1}'
              for i, row in enumerate(harness.rows(24))]
    (folder / "examples.csv").write_text("\r\n".join(lines) + "\r\n")
    result = run(stage, sim, job)
    assert result.status == 0, result
    assert result.json["skipped_steps"] == ["answer"]

    result = stage.promptcc("predict", folder / "compiled.json", "message=My "
                            "parcel never came.", "--ollama", sim.url, "--json")
    assert result.status == 0, result
    outputs = result.json.get("outputs", result.json)
    assert outputs["topic"] in harness.TOPICS
    assert 0 <= outputs["sure"] <= 1 and type(outputs["stars"]) is int
    assert 1 <= outputs["stars"] <= 5 and type(outputs["angry"]) is bool
    assert type(outputs["words"]) is list and len(outputs["words"]) <= 5
    assert outputs["code"] is None or type(outputs["code"]) is str
    assert set(outputs["who"]) == {"name", "city"}
    assert outputs["whole"] == {"topic": outputs["topic"],
                                "who": outputs["who"]}
    assert 0 < len(outputs["reply"]) <= 200


def test_train_val_and_test_can_be_separate_files(stage, sim):
    job = stage.job(data="{train: train.jsonl, val: val.jsonl, "
                    "test: test.jsonl}")
    made = harness.rows(30)
    for name, share in (("train", made[:10]), ("val", made[10:22]),
                        ("test", made[22:])):
        harness.write_rows(job.parent / f"{name}.jsonl", share)
    result = run(stage, sim, job)
    assert result.status == 0, result
    assert result.json["baseline"]["n"] == 12
    assert result.json["test"]["baseline"]["n"] == 8
    demos = json.loads((job.parent / "compiled.json").read_text()
                       )["sort"]["demos"]
    train = {row["message"] for row in made[:10]}
    assert demos and {demo["message"] for demo in demos} <= train


def test_no_row_is_scored_with_itself_as_a_demo(stage, sim):
    """Below 100 rows, train and validation are the same rows. A row that a
    candidate shows is scored without that demo."""
    job = stage.job()
    assert run(stage, sim, job).status == 0
    store = job.parent / "promptcc.db"
    texts = [row["message"] for row in harness.rows(24)]
    shown_and_scored = 0
    for candidate, demos in harness.store_rows(
            store, "SELECT candidate, demos FROM v_candidates"):
        shown = {demo["message"] for demo in json.loads(demos)}
        scored = {texts[row] for (row,) in harness.store_rows(
            store, "SELECT row FROM v_evaluations WHERE candidate = ?",
            candidate)}
        shown_and_scored += len(shown & scored)
    assert shown_and_scored >= 4
    asked = harness.store_rows(
        store, "SELECT messages FROM v_calls WHERE purpose = 'trial'")
    assert len(asked) > 24
    for (messages,) in asked:
        assert all(messages.count(json.dumps(text)[1:-1]) <= 1 for text in texts)


@pytest.mark.parametrize("status, body, says", [
    (500, {"error": "llama runner process has terminated"},
     "(HTTP status 500): llama runner process has terminated"),
    (401, {"detail": "Invalid API key"}, "(HTTP status 401): Invalid API key"),
    (200, {"error": "context shift is disabled"},
     "(HTTP status 200): context shift is disabled"),
])
def test_an_always_failing_server_is_reported_in_its_own_words(
        stage, sim, status, body, says):
    gate = stage.gate(sim)
    gate.refuse, gate.refusal = lambda body: True, (status, body)
    stage.pauses("eval", stage.job(), "--ollama", gate.url, "--quiet",
                 says=says, never="no model server answered")


class Raw(harness.Gate):
    """Answers each chat with these bytes, and closes."""

    said = b""

    def _forward(self, handler, body):
        if handler.path == "/api/chat":
            handler.wfile.write(self.said)
            handler.close_connection = True
        else:
            super()._forward(handler, body)


@pytest.mark.parametrize("said, told", [
    (b'{"message": {"content": "plants"}}', "no readable HTTP reply"),
    (b"HTTP/1.1 200 OK\r\n" + b"X-Pad: " + b"y" * 400000 + b"\r\n\r\n{}",
     "no readable HTTP reply"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{}",
     "the connection ended in the middle of an answer"),
    (b"HTTP/1.1 100 Continue\r\n\r\n",
     "the connection ended in the middle of an answer"),
], ids=["bare", "long head", "short", "nothing"])
def test_a_server_that_never_completes_a_reply_is_reported(stage, sim, said,
                                                           told):
    gate = Raw(sim.url)
    gate.said = said
    stage.gates.append(gate)
    stage.pauses("eval", stage.job(), "--ollama", gate.url, "--quiet",
                 says=told)


def test_a_server_that_lists_no_models_is_reported_in_its_own_words(stage, sim):
    gate = stage.gate(sim)
    gate.refuses_all, gate.refusal = True, (401, {"error": "who are you?"})
    stage.pauses("run", stage.job(), "--ollama", gate.url, "--quiet",
                 says="(HTTP status 401): who are you?",
                 never="no model server answered")


def test_an_unreachable_server_is_reported(stage):
    result = stage.promptcc("run", stage.job(), "--ollama", "http://127.0.0.1:9",
                            "--wait", "2s", "--quiet")
    assert result.status == 3, result
    assert "no model server answered" in result.err, result
