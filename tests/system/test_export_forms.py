"""`export --format` writes a compiled program for other programs and for
people; lists are exported as CSV."""

import csv
import io
import json

import pytest

import harness


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    stage = harness.Stage(tmp_path_factory.mktemp("forms"))
    path = stage.job(more_steps=harness.SECOND_STEP)
    done = stage.promptcc("run", path, "--simulate", "--quiet")
    assert done.status == 0, done
    yield path
    stage.close()


def export(stage, job, form, *words):
    return stage.promptcc("export", job.parent / "compiled.json", "--format",
                          form, *words)


def test_an_evaluation_of_a_cluster_has_no_compiled_file(stage):
    job = stage.job(optimizer="{labeled_few_shot: {k: 1}}")
    scored = stage.promptcc("eval", job, "--simulate", "--json")
    assert scored.status == 0, scored
    coordinator = stage.coordinator(job.parent / "promptcc.db")
    for words in ([], ["--format", "markdown"]):
        asked = stage.promptcc("export", scored.json["job"] + "-eval",
                               "--coordinator", coordinator.endpoint, *words)
        assert asked.status == 2 and "is an evaluation" in asked.err, asked


def test_exported_messages_match_render(stage, job):
    told = export(stage, job, "messages").json
    assert set(told["steps"]) == {"sort", "answer"}
    step = told["steps"]["sort"]
    ours = stage.promptcc("render", job.parent / "compiled.json", "sort",
                          "message={message}", "--json").json
    assert step == {"messages": ours, "format": None}
    assert told["options"]["num_ctx"] == 4096
    alone = export(stage, job, "messages", "--step", "answer").json
    assert list(alone["steps"]) == ["answer"]


def test_a_modelfile_holds_one_step(stage, job):
    refused = export(stage, job, "modelfile")
    assert refused.status == 2 and "--step sort" in refused.err
    text = export(stage, job, "modelfile", "--step", "sort").out
    assert "\nFROM qwen2.5:0.5b\n" in text and "\nPARAMETER num_ctx 4096\n" in text
    demos = json.loads((job.parent / "compiled.json").read_text())["sort"]["demos"]
    assert text.count("\nMESSAGE user ") == text.count(
        "\nMESSAGE assistant ") == len(demos) > 0
    document = json.loads((job.parent / "compiled.json").read_text())
    document["sort"]["signature"]["instructions"] = 'Say """ now.'
    bad = stage.folder / "quotes.json"
    bad.write_text(json.dumps(document))
    refused = stage.promptcc("export", bad, "--format", "modelfile", "--step",
                             "sort")
    assert refused.status == 2 and "three quotes" in refused.err


def test_the_step_option_requires_a_format(stage, job):
    refused = stage.promptcc("export", "--store", job.parent / "promptcc.db",
                             "--step", "sort", "--out", "one.json")
    assert refused.status == 2 and "--format" in refused.err, refused
    assert not (stage.folder / "one.json").exists()


def test_the_dspy_format_is_what_dspy_saves_itself(stage, job):
    ours = (job.parent / "compiled.json").read_text()
    theirs = export(stage, job, "dspy").out
    expected = json.loads(ours)
    del expected["metadata"]["promptcc"]
    assert json.loads(theirs) == expected
    assert theirs.split('"metadata"')[0] == ours.split('"metadata"')[0]


def test_exporting_a_compiled_file_without_a_format_lists_the_formats(stage,
                                                                      job):
    done = stage.promptcc("export", job.parent / "compiled.json")
    assert done.status == 2, done
    for form in ("messages", "modelfile", "dspy", "markdown"):
        assert form in done.err


def test_markdown_is_readable_and_can_be_exported_from_a_job(stage, job):
    out = stage.folder / "program.md"
    done = stage.promptcc("export", "shop", "--store",
                          job.parent / "promptcc.db", "--format", "markdown",
                          "--out", out)
    assert done.status == 0 and done.out == "", done
    text = out.read_text()
    assert text.startswith("# shop-") and "**Simulated**" in text
    assert "| compiled, validation |" in text and "### Demos (" in text
    assert "## answer" in text


@pytest.mark.parametrize("verb", ["trials", "best", "jobs"])
def test_lists_are_csv_on_request(stage, job, verb):
    store = ("--store", job.parent / "promptcc.db")
    rows = list(csv.DictReader(io.StringIO(
        stage.promptcc(verb, *store, "--csv").out)))
    documents = stage.promptcc(verb, *store, "--json").json
    assert len(rows) == len(documents) > 0
    assert set(rows[0]) == {key for one in documents for key in one}
