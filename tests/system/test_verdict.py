"""What a run says at its end: whether a gain is real, and why there is none."""

import json
import re

import harness
import pytest

JOB = """name: verdict
models: {student: "qwen2.5:14b"%s}
inputs: {text: {desc: A note}}
steps:
  go:
    predict: Say what the note is about.
    inputs: [text]
    outputs:
      out: {%s}
data: {examples: rows.jsonl}
metric: %s
optimizer: {bootstrap_random_search: {num_candidate_programs: 2}}
%s
"""

WORDS = {"garden": "roses lawn hedge seeds", "kitchen": "oven bread salt pan"}


def run(stage, sim, folder, models="", type="enum: [garden, kitchen]",
        metric="{exact_match: out}", further="", words=(), n=20):
    (folder / "job.yaml").write_text(JOB % (models, type, metric, further))
    (folder / "rows.jsonl").write_text("".join(
        json.dumps({"text": f"{text.split()[i % 4]} number {i}", "out": label})
        + "\n" for i in range(n) for label, text in WORDS.items()))
    result = stage.promptcc("run", folder / "job.yaml", "--ollama", sim.url,
                            "--json", *words)
    assert result.status == 0, result
    return result.json


def codes(document):
    return [reason["code"] for reason in document["verdict"]["reasons"]]


def test_both_answer_forms_are_tried_and_reported(stage, sim, tmp_path):
    document = run(stage, sim, tmp_path)
    adapter = document["adapter"]
    assert adapter["chosen"] in ("chat", "json") and adapter["n"] > 0
    best = max(adapter["chat"], adapter["json"])
    assert adapter[adapter["chosen"]] == best
    trials = stage.promptcc("trials", "--store", tmp_path / "promptcc.db",
                            "--json").json
    assert [t["kind"] for t in trials[:3]] == ["minibatch", "minibatch",
                                               "baseline"]
    # The rows that chose the form are not asked again.
    assert trials[2]["calls"] == 0 and trials[2]["n"] == adapter["n"]


def test_an_unreadable_form_takes_no_budget_from_the_other(stage, sim,
                                                           tmp_path):
    gate = harness.Chatty(sim.url)
    gate.stubborn = True
    try:
        # 50 rows validate, and each takes two calls in the chat form.
        document = run(stage, gate, tmp_path, n=50,
                       words=("--set", "data.split={train: 0.5, val: 0.5}",
                              "--max-calls", 2 * 32 + 32 + 18 + 1))
    finally:
        gate.close()
    assert document["adapter"]["chosen"] == "json"
    assert document["baseline"]["n"] == 50
    trials = stage.promptcc("trials", "--store", tmp_path / "promptcc.db",
                            "--json").json
    assert [t["calls"] for t in trials[:3]] == [2 * 32, 32, 18]


def test_a_job_that_names_its_form_is_not_tried_in_another(stage, sim,
                                                           tmp_path):
    document = run(stage, sim, tmp_path, further="adapter: chat")
    assert document["adapter"] is None
    compiled = json.loads((tmp_path / "compiled.json").read_text())
    assert compiled["metadata"]["promptcc"]["adapter"] == "chat"


def test_a_deterministic_server_has_no_noise(stage, sim, tmp_path):
    noise = run(stage, sim, tmp_path)["noise"]
    assert noise == {"n": 16, "changed": 0, "score": 0.0}


class Refusing(harness.Gate):
    """A model that says the same whatever it is asked."""

    def _answer(self, handler, status, reply):
        if handler.path == "/api/chat":
            document = json.loads(reply)
            document["message"]["content"] = "I cannot\nhelp with that."
            reply = json.dumps(document).encode()
        harness.Gate._answer(handler, status, reply)


@pytest.mark.parametrize("optimizer", [
    "screen_and_race", "gepa", "simba",
    "{bootstrap_random_search: {num_candidate_programs: 16}}"])
def test_a_run_ends_early_if_the_model_refuses_everything(stage, sim, tmp_path,
                                                          optimizer):
    gate = Refusing(sim.url)
    try:
        document = run(stage, gate, tmp_path, n=10, words=(
            "--set", f"optimizer={optimizer}", "--store",
            tmp_path / "store.db"))
    finally:
        gate.close()
    assert document["finish_reason"] == "unreadable"
    assert codes(document) == ["nothing_readable", "format_failures"]
    assert len(gate.requests) < 500
    said = harness.store_rows(tmp_path / "store.db",
                              "SELECT text FROM events WHERE kind = 'note'")
    assert any("the model's reply to example" in text and
               "I cannot\nhelp with that." in text for text, in said), said


def test_a_constant_metric_is_reported(stage, sim, tmp_path):
    document = run(stage, sim, tmp_path, type="desc: A word",
                   metric="{regex: {field: out, pattern: 'zzz'}}")
    assert document["verdict"]["outcome"] == "no_detectable_difference"
    assert "metric_constant" in codes(document)


def test_a_budget_that_is_too_small_is_reported(stage, sim, tmp_path):
    document = run(stage, sim, tmp_path, models=", teacher: \"qwen2.5:32b\"",
                   words=("--max-calls", 120))
    assert document["finish_reason"] == "budget"
    assert document["verdict"]["outcome"] in ("better", "none") or \
        "budget_small" in codes(document)


def test_a_better_score_within_chance_is_reported(stage):
    stage.promptcc("init", "job", "--template", "intent_200")
    # With such a budget about half of the seeds end like this.
    for seed in range(1, 13):
        document = stage.promptcc(
            "run", "job", "--simulate", "--json", "--optimizer",
            "screen_and_race", "--seed", seed, "--max-calls", 300).json
        if "within_chance" in codes(document):
            break
    # The baseline wins, although another did better on some validation rows.
    baseline = document["baseline"]["score"]
    assert document["compiled"]["score"] == baseline, document
    text, = (reason["text"] for reason in document["verdict"]["reasons"]
             if reason["code"] == "within_chance")
    best, beside = map(float, re.findall(r"has ([\d.]+) %", text))
    assert best > beside and "nothing_better" not in codes(document), document


def test_a_large_gain_on_few_examples_is_not_called_small(stage, sim):
    document = stage.promptcc("run", stage.job(n=20, optimizer=harness.RACE),
                              "--ollama", sim.url, "--json").json
    before, after = (document["test"][name] for name in ("baseline",
                                                         "compiled"))
    gain = 100 * (after["score"] - before["score"])
    assert before["n"] == 4 and gain > 50, document
    text, = (reason["text"] for reason in document["verdict"]["reasons"]
             if reason["code"] == "few_examples")
    assert text == f"a gain of {gain:.1f} points on 4 test examples may be " \
        f"chance (p = {document['test']['p_value']:.2g}): more examples " \
        "would settle it"


def test_scores_on_few_rows_are_not_compared_with_scores_on_all(stage, sim,
                                                                tmp_path):
    # The budget ends while candidates are screened on four rows. The part that
    # is kept back tells whether the best of them is better.
    document = run(stage, sim, tmp_path, n=50, words=(
        "--set", "data.split={train: 0.5, val: 0.5}", "--set", "adapter=chat",
        "--optimizer", "screen_and_race", "--max-calls", 100))
    assert 16 <= document["compiled"]["n"] < 50, document
    assert document["baseline"]["n"] < 50 and document["front"] == []


def test_a_judge_metric_needs_no_labels(stage, sim, tmp_path):
    document = run(
        stage, sim, tmp_path, type="desc: An answer",
        metric="{judge: {instruction: Is it kind?, inputs: [out, text], "
               "replicates: 2}}")
    judge = document["judge"]
    assert judge["model"] == "qwen2.5:14b" and judge["unjudged"] == 0
    assert judge["noise"] == 0.0  # it answers every time alike
    assert 0 <= document["baseline"]["score"] <= 1
    assert document["calls"]["judge"] > 0


class Mumbler(harness.Gate):
    """A judge that says nothing useful about one answer."""

    def _forward(self, handler, body):
        asked = body or b""
        self.mute = b"Is it kind?" in asked and b"number 7" in asked
        super()._forward(handler, body)

    def _answer(self, handler, status, reply):
        if self.mute:
            document = json.loads(reply)
            document["message"]["content"] = "Well."
            reply = json.dumps(document).encode()
        harness.Gate._answer(handler, status, reply)


def test_an_answer_without_a_judge_score_is_a_junit_error(stage, sim, tmp_path):
    gate = Mumbler(sim.url)
    try:
        (tmp_path / "job.yaml").write_text(JOB % (
            "", "desc: An answer",
            "{judge: {instruction: Is it kind?, inputs: [out, text]}}",
            "adapter: chat"))
        (tmp_path / "rows.jsonl").write_text("".join(
            json.dumps({"text": f"roses number {i}"}) + "\n"
            for i in range(5, 27)))
        junit = tmp_path / "junit.xml"
        result = stage.promptcc(
            "eval", tmp_path / "job.yaml", "--ollama", gate.url, "--json",
            "--data", tmp_path / "rows.jsonl", "--junit", junit)
    finally:
        gate.close()
    assert result.status == 0, result
    assert result.json["n"] == 21 and result.json["judge"]["unjudged"] == 1
    text = junit.read_text()
    assert 'tests="22"' in text and 'errors="1"' in text
    assert text.count('<error type="unjudged"') == 1
