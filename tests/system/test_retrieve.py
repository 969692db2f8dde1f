"""Steps that search documents: in the search, on a cluster, and in
production."""

import json

import pytest

import harness
from harness import run

JOB = """\
name: leaflets
models: {{student: 'qwen2.5:0.5b', options: {{num_ctx: 4096, num_predict: 200}}}}
inputs:
  message: {{desc: What the customer wrote}}
steps:
  search:
    retrieve: {documents}
    inputs: {{query: message}}
    k: {{tune: [1, 2], default: 1}}
    fields: {fields}
  sort:
    predict: Say what the message is about.
    inputs: {{message: , passages: search.passages}}
    outputs:
      topic: {{enum: [delivery, returns, opening, plants]}}
outputs: {{topic: sort.topic, passages: search.passages}}
data: {{examples: examples.jsonl}}
metric: {{exact_match: topic}}
optimizer: {{bootstrap_random_search: {{num_candidate_programs: 4, max_bootstrapped_demos: 2}}}}
"""


def write(stage, folder_of_texts=False):
    folder = stage.folder / "leaflets"
    folder.mkdir()
    harness.write_rows(folder / "examples.jsonl", harness.rows(24))
    if folder_of_texts:
        (folder / "texts").mkdir()
        for topic, words in harness.TOPICS.items():
            (folder / "texts" / f"{topic}.txt").write_text(" ".join(words))
        (folder / "texts" / ".hidden").write_text("parcel courier")
    else:
        harness.write_documents(folder / "documents.jsonl")
    job = folder / "job.yaml"
    job.write_text(JOB.format(
        documents="texts" if folder_of_texts else "documents.jsonl",
        fields="text" if folder_of_texts else "{tune: [text, [title, text]]}"))
    return job


def test_passages_are_in_the_prompt_and_their_search_is_tuned(stage, sim):
    job = write(stage)
    first = run(stage, sim, job)
    assert first.status == 0, first
    tuned = [trial["tuned"] for trial in
             stage.promptcc("trials", job.parent, "--json").json]
    assert any(each.get("search.k") == 2 for each in tuned)
    assert any("search.fields" in each for each in tuned)
    # One message finds its document, which is in the prompt that was sent.
    texts = [text for text, in harness.store_rows(
        job.parent / "promptcc.db", "SELECT messages FROM v_calls")]
    assert any("parcel courier shipping" in str(text) for text in texts)
    before = (job.parent / "compiled.json").read_bytes()
    answered = sim.stats()["answered"]
    assert run(stage, sim, job).status == 0
    assert (job.parent / "compiled.json").read_bytes() == before
    assert sim.stats()["answered"] == answered

    # Other documents make another job.
    with (job.parent / "documents.jsonl").open("a") as out:
        out.write('{"title": "more", "text": "nothing"}\n')
    assert run(stage, sim, job).json["job"] != first.json["job"]


def test_predict_searches_documents_next_to_the_compiled_file(stage, sim):
    job = write(stage, folder_of_texts=True)
    assert run(stage, sim, job).status == 0
    compiled = job.parent / "compiled.json"
    result = stage.promptcc("predict", compiled, "--ollama", sim.url, "--json",
                            "message=The soil is dry, my ROSES too")
    assert result.status == 0, result
    # Documents from a folder have a name and a text.
    assert result.json["outputs"]["passages"][0].startswith("plants\nroses")
    elsewhere = stage.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "compiled.json").write_bytes(compiled.read_bytes())
    lost = stage.promptcc("predict", elsewhere / "compiled.json", "--ollama",
                          sim.url, "--json", "message=x")
    assert lost.status == 2 and "texts" in lost.error["text"], lost


def test_documents_are_sent_with_a_submission(stage, sim):
    job = write(stage, folder_of_texts=True)
    coordinator = stage.coordinator(stage.folder / "cluster.db")
    stage.worker(coordinator.endpoint, sim.url, "w")
    result = stage.promptcc("submit", job, "--coordinator",
                            coordinator.endpoint, "--wait", "--json")
    assert result.status == 0, result
    here = run(stage, sim, job)
    assert here.json["job"] == result.json["job"]
    assert here.json["compiled"] == result.json["compiled"]


def test_a_broken_document_is_named(stage, sim):
    job = write(stage)
    with (job.parent / "documents.jsonl").open("a") as out:
        out.write("no json\n")
    result = run(stage, sim, job)
    assert result.status == 2, result
    assert "documents.jsonl:5" in result.error["text"]


LISTED = [{"title": "delivery", "text": "Parcels take two days."},
          {"title": "plants", "text": "Roses need sun."}]
TABLE = "title,text\ndelivery,Parcels take two days.\nplants,Roses need sun.\n"


@pytest.mark.parametrize("name, content", [
    ("list.json", json.dumps(LISTED, indent=1).encode()),
    ("wrapped.json", json.dumps({"docs": LISTED}).encode()),
    ("utf16.jsonl", "\n".join(map(json.dumps, LISTED)).encode("utf-16")),
    ("table.csv", TABLE.encode()),
    ("table.tsv", TABLE.replace(",", "\t").encode("utf-16")),
])
def test_documents_may_have_any_form_of_data(stage, name, content):
    job = write(stage)
    (job.parent / name).write_bytes(content)
    job.write_text(job.read_text().replace("documents.jsonl", name))
    done = stage.promptcc("run", job, "--simulate", "--quiet")
    assert done.status == 0, done
    result = stage.promptcc("predict", job.parent / "compiled.json",
                            "--simulate", "--json", "message=my ROSES are dry")
    assert result.status == 0, result
    assert result.json["outputs"]["passages"] == ["plants\nRoses need sun."]


@pytest.mark.parametrize("name, content, words", [
    ("notes.txt", b"Parcels take two days, roses need sun.\n",
     "these are not JSON lines: write one object per document"),
    ("docs.zip", b"PK\x03\x04abcd", "not text but a zip"),
    ("docs.jsonl", b'{"text": "a"}\n{"text": "b"\n', "docs.jsonl:2: "),
    ("long.jsonl", json.dumps({"text": "x " * (1 << 20)}).encode(),
     "long.jsonl:1: a document is longer than 1 MiB"),
], ids=["text", "zip", "json", "long"])
def test_an_unreadable_file_of_documents_is_reported(stage, name, content,
                                                     words):
    job = write(stage)
    (job.parent / name).write_bytes(content)
    job.write_text(job.read_text().replace("documents.jsonl", name))
    result = stage.promptcc("check", job, "--json")
    told = [one["text"] for one in result.json["findings"]
            if one["code"] == "documents"]
    assert result.status == 2 and len(told) == 1 and words in told[0], result


def test_a_document_may_have_a_list_of_objects(stage):
    """A line with one is a document, not a wrapper of documents."""
    job = write(stage)
    harness.write_rows(job.parent / "documents.jsonl", [
        {"title": "plants", "text": "Roses need sun.", "by": [{"name": "Ann"}]},
        {"title": "delivery", "text": "Parcels take two days."}])
    done = stage.promptcc("run", job, "--simulate", "--quiet")
    assert done.status == 0, done
    result = stage.promptcc("predict", job.parent / "compiled.json",
                            "--simulate", "--json", "message=my ROSES are dry")
    assert result.json["outputs"]["passages"] == [
        'plants\nRoses need sun.\n[{"name":"Ann"}]'], result


def test_check_reports_overlong_passages(stage):
    job = write(stage)
    codes = [one["code"] for one in
             stage.promptcc("check", job, "--json").json["findings"]]
    assert "long-passages" not in codes
    harness.write_rows(job.parent / "documents.jsonl", [
        {"title": "delivery", "text": "parcel " * 6000},
        {"title": "plants", "text": "rose"}])
    told = [one for one in
            stage.promptcc("check", job, "--json").json["findings"]
            if one["code"] == "long-passages"]
    assert len(told) == 1 and "`search`" in told[0]["text"], told


def test_a_run_reports_that_no_query_finds_a_passage(stage, sim):
    job = write(stage)
    text = job.read_text().replace("  search:\n", """\
  ask:
    predict: Say what to search for.
    inputs: [message]
    outputs: {query: {enum: [uncharted, unheard]}}
  search:
""").replace("query: message", "query: ask.query")
    job.write_text(text)
    result = run(stage, sim, job, "--max-calls", "300")
    assert "`search` found no passage for any query" in result.err, result
    notes = [text for text, in harness.store_rows(
        job.parent / "promptcc.db",
        "SELECT text FROM events WHERE kind = 'note'")]
    assert any("`search` found no passage for any of" in note
               for note in notes), notes
    # What one query finds is not reported for the others.
    job.write_text(text.replace("[uncharted, unheard]", "[parcel, unheard]"))
    assert "found no passage" not in run(stage, sim, job).err
