"""Demos that are picked for each question: in the search, and wherever its file
runs."""

import json
import random

import pytest

import harness
from test_dspy import dspy_python  # noqa: F401, a fixture
from test_python import in_dspy
from test_serve import Server

FEW = "{labeled_few_shot: {k: 1}}"


@pytest.fixture(name="made", scope="module")
def make(tmp_path_factory):
    """Makes a job whose winner shows the four nearest demos; returns it with
    its run's output."""
    stage = harness.Stage(tmp_path_factory.mktemp("nearest"))
    job = stage.job(optimizer=FEW, student="llama3.2:3b")
    result = run(stage, job)
    assert result.status == 0, result
    yield stage, job, result
    stage.close()


def run(stage, job, *words):
    return stage.promptcc("run", job, "--simulate", "--json", "--set",
                          "demos={nearest: 4}", *words)


def test_nearest_demos_are_tried_and_the_file_keeps_the_pool(made):
    stage, job, result = made
    assert list(result.json["tuned"].values()) == [4], result
    (step, change), = result.json["changes"].items()
    assert change["demos"] == 4 and change["of"] > 4
    trials = stage.promptcc("trials", job.parent, "--json").json
    assert trials[-1]["tuned"] == {f"{step}.nearest": 4}
    assert trials[-1]["n"] == trials[0]["n"], "no row is left out"

    about = json.loads((job.parent / "compiled.json").read_text())
    assert about[step]["demos"] == []
    about = about["metadata"]["promptcc"]
    assert about["format"] == 2
    assert about["pools"][step]["nearest"] == 4
    assert len(about["pools"][step]["demos"]) == change["of"]
    assert any("promptcc.load" in text for text in about["not_applied_by_dspy"])

    # Running the same job again gives the same bytes.
    before = (job.parent / "compiled.json").read_bytes()
    again = run(stage, job, "--store", stage.folder / "other.db")
    assert again.json["compiled"] == result.json["compiled"]
    assert (job.parent / "compiled.json").read_bytes() == before


def test_two_workers_and_one_produce_the_same_bytes(stage, sim):
    job = stage.job(optimizer=FEW)
    words = ["--json", "--set", "demos={nearest: 4}"]
    alone = stage.promptcc("run", job, "--ollama", sim.url, *words)
    assert alone.status == 0, alone
    before = (job.parent / "compiled.json").read_bytes()
    coordinator = stage.coordinator(stage.folder / "cluster.db")
    for name in ("one", "two"):
        stage.worker(coordinator.endpoint, sim.url, name)
    there = stage.promptcc("submit", job, "--coordinator",
                           coordinator.endpoint, "--wait", *words, "--out",
                           stage.folder / "there.json")
    assert there.status == 0, there
    assert (stage.folder / "there.json").read_bytes() == before
    # Taking up the job does not ask again what was answered.
    answered = sim.stats()["answered"]
    again = stage.promptcc("run", job, "--ollama", sim.url, *words)
    assert again.status == 0 and sim.stats()["answered"] == answered


def test_an_example_is_never_its_own_demo(made):
    stage, job, _ = made
    rows = harness.store_rows(job.parent / "promptcc.db",
                              "SELECT messages FROM v_calls")
    shown = 0
    for text, in rows:
        messages = json.loads(text)
        asked = [one["content"] for one in messages if one["role"] == "user"]
        shown += len(asked) > 1
        assert asked[-1] not in asked[:-1]
    assert shown > 10
    # Nor when the file is scored on the data that its pool came from.
    scored = stage.promptcc("eval", job, "--simulate", "--json", "--compiled",
                            job.parent / "compiled.json")
    assert scored.status == 0, scored
    assert stage.promptcc("eval", job, "--simulate", "--json", "--data",
                          job.parent / "examples.jsonl", "--compiled",
                          job.parent / "compiled.json").json["score"] < 1


def picked(stage, compiled, message):
    shown = stage.promptcc("render", compiled, "sort", f"message={message}",
                           "--json")
    assert shown.status == 0, shown
    return shown.json


def test_render_predict_and_serve_show_the_same_demos(made, sim):
    stage, job, _ = made
    compiled = job.parent / "compiled.json"
    pool = json.loads(compiled.read_text())["metadata"]["promptcc"]["pools"]
    known = pool["sort"]["demos"][5]["message"]
    messages = picked(stage, compiled, known)
    assert len(messages) == 1 + 2 * 4 + 1
    assert messages[-3] == messages[-1], "the nearest one comes last"
    assert messages != picked(stage, compiled, "My roses are dry")

    predicted = stage.promptcc("predict", compiled, "--ollama", sim.url,
                               "--json", "message=Where is my parcel?")
    assert predicted.status == 0, predicted
    server = Server(stage, compiled, sim.url)
    status, answer = server.ask("POST", "/predict",
                                {"message": "Where is my parcel?"})
    assert status == 200
    assert answer["outputs"] == predicted.json["outputs"]


def test_export_refuses_formats_that_cannot_hold_nearest_demos(made):
    stage, job, _ = made
    for form in ("dspy", "messages", "modelfile"):
        done = stage.promptcc("export", job.parent / "compiled.json",
                              "--format", form)
        assert done.status == 2 and "nearest" in done.err, done
    text = stage.promptcc("export", job.parent / "compiled.json", "--format",
                          "markdown")
    assert "each prompt shows the 4" in text.out, text


def test_check_states_the_cost_of_nearest_demos(stage, sim):
    job = stage.job(optimizer=FEW)
    words = ["--ollama", sim.url, "--json", "--set", "demos={nearest: 4}"]
    codes = [one["code"] for one in
             stage.promptcc("check", job, *words).json["findings"]]
    assert "not-for-dspy" in codes
    other = stage.promptcc("check", job, *words, "--optimizer", "copro").json
    assert any(one["code"] == "not-searched" for one in other["findings"])
    wrong = stage.promptcc("check", job, "--ollama", sim.url, "--set",
                           "demos={nearest: {tune: []}}")
    assert wrong.status == 2 and "nearest: {tune: [4, 8]}" in wrong.err, wrong


def test_the_python_package_picks_the_same_demos(made, dspy_python):
    stage, job, _ = made
    compiled = job.parent / "compiled.json"
    questions = ["Where is my parcel?", "", "no word of it", "ROSES, é dry!",
                 "the the the parcel \"quoted\" is (late) OR NOT"]
    theirs = in_dspy(stage, dspy_python, "pick",
                     compiled=str(compiled), questions=questions)
    for question, messages in zip(questions, theirs["messages"]):
        assert messages == picked(stage, compiled, question), question
    assert "load the file without `program`" in theirs["refused"]


def test_the_python_package_picks_the_same_demos_in_scripts_without_spaces(
        made, dspy_python):
    stage, job, _ = made
    document = json.loads((job.parent / "compiled.json").read_text())
    demos = document["metadata"]["promptcc"]["pools"]["sort"]["demos"]
    texts = ["退款需要五个工作日才能到账", "返品は三十日以内に受け付けます", "包裹丢失，请联系客服",
             "การคืนเงินใช้เวลาห้าวัน", "환불을 받고 싶어요", "हिन्दी में लिखा", "“Größe” – n’est",
             "cafe\u0301 \U0001f339", "x退y款", "ປະເທດ", "ប្រទេស"]
    for demo, text in zip(demos, texts):
        demo["message"] = text
    compiled = job.parent / "scripts.json"
    compiled.write_text(json.dumps(document))
    rng = random.Random(3)
    questions = ["我想退款", "返品したい", "包裹呢？", "คืนเงิน", "환불", "हिन्दी", "größe", "CAFÉ 🌹", "退",
                 "退 款", "。", *("".join(rng.sample("".join(texts) + "\u0301 ,", 9))
                                 for _ in range(20))]
    theirs = in_dspy(stage, dspy_python, "pick",
                     compiled=str(compiled), questions=questions)
    for question, messages in zip(questions, theirs["messages"]):
        assert messages == picked(stage, compiled, question), question
    nearest = picked(stage, compiled, "我想退款")[-3]["content"]
    assert texts[0] in nearest, nearest
