"""Steps that search by embeddings, which come from calls to a model like any
other."""

import json

import pytest

import harness
from test_serve import Server

SLOTS = 2
JOB = """\
name: leaflets
models: {{student: 'qwen2.5:0.5b', embed: all-minilm, options: {{num_ctx: 4096, num_predict: 200}}}}
inputs:
  message: {{desc: What the customer wrote}}
steps:
  search:
    retrieve: documents.jsonl
    inputs: {{query: message}}
    by: {by}
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
budget: {{max_calls: {max_calls}}}
"""
N_DOCUMENTS = len(harness.TOPICS)


def write(stage, name="leaflets", by="embeddings", fields="[title, text]",
          max_calls=10000):
    folder = stage.folder / name
    folder.mkdir(parents=True)
    harness.write_rows(folder / "examples.jsonl", harness.rows(24))
    harness.write_documents(folder / "documents.jsonl")
    job = folder / "job.yaml"
    job.write_text(JOB.format(by=by, fields=fields, max_calls=max_calls))
    return job


def start(stage, url, job, *words, slots=SLOTS):
    return stage.start("run", job, "--ollama", f"{url},slots={slots}", "--json",
                       *words)


def run(stage, url, job, *words):
    return start(stage, url, job, *words).wait()


def pause(stage, url, job, says):
    return stage.pauses("run", job, "--ollama", f"{url},slots={SLOTS}", "--json",
                        says=says)


def embeddings(sim):
    return sim.answered(harness.EMBEDDINGS)


def stored(job, what="count(*)"):
    return harness.store_rows(
        job.parent / "promptcc.db",
        f"SELECT purpose, {what} FROM v_calls WHERE role = 'embed' "
        "GROUP BY purpose ORDER BY purpose")


# --- once, and never again ---

def test_every_text_is_embedded_once_and_counted_under_its_role(stage, sim):
    job = write(stage)
    first = run(stage, sim.url, job)
    assert first.status == 0, first
    assert stored(job) == [("documents", N_DOCUMENTS), ("trial", 24)]
    assert first.json["calls"]["embed"] == N_DOCUMENTS + 24
    assert len(embeddings(sim)) == len(set(embeddings(sim)))
    compiled = (job.parent / "compiled.json").read_bytes()
    models = json.loads(compiled)["metadata"]["promptcc"]["models"]
    assert models["embed"]["name"] == "all-minilm"
    assert models["embed"]["options"] == {"num_ctx": 8192}
    assert len(models["embed"]["digest"]) > 60

    # A replay asks nothing, and one more document costs one more embedding.
    before = sim.stats()["answered"]
    assert run(stage, sim.url, job).status == 0
    assert (job.parent / "compiled.json").read_bytes() == compiled
    assert sim.stats()["answered"] == before
    with (job.parent / "documents.jsonl").open("a") as out:
        out.write('{"title": "more", "text": "nothing of interest"}\n')
    asked = len(embeddings(sim))
    assert run(stage, sim.url, job).status == 0
    assert len(embeddings(sim)) == asked + 1


def test_the_optimizer_can_tune_how_to_search(stage, sim):
    job = write(stage, by="{tune: [words, embeddings], default: words}",
                fields="{tune: [text, [title, text]]}")
    result = run(stage, sim.url, job)
    assert result.status == 0, result
    assert stored(job)[0] == ("documents", 2 * N_DOCUMENTS)
    tuned = [trial["tuned"] for trial in
             stage.promptcc("trials", job.parent, "--json").json]
    assert any(each.get("search.by") == "embeddings" for each in tuned), tuned


def test_embedding_documents_counts_against_the_budget(stage, sim):
    job = write(stage, max_calls=N_DOCUMENTS - 1)
    checked = stage.promptcc("check", job)
    assert checked.status != 0 and "nothing is left" in str(checked), checked
    result = run(stage, sim.url, job)
    assert result.json["finish_reason"] == "budget", result
    assert embeddings(sim) == []
    assert "embedding of documents" in str(result), result


def test_check_counts_the_embeddings_of_demo_pools(stage):
    job = write(stage)
    words = ["check", job, "--json", "--optimizer", "screen_and_race"]
    for more, said in [([], f"{N_DOCUMENTS} texts of the documents are"),
                       (["--set", "demos={nearest: 4, by: embeddings}"],
                        "texts of the demo pools are")]:
        told = [one["text"] for one in
                stage.promptcc(*words, *more).json["findings"]
                if one["code"] == "embeddings"]
        assert len(told) == 1 and said in told[0], told


# --- the same result, whoever answers and whatever dies ---

def test_one_and_sixteen_workers_produce_the_same_bytes(stage):
    sim = stage.stand_in(slots=4)
    job = write(stage, "here")
    assert run(stage, sim.url, job).status == 0
    for n in (1, 16):
        there = write(stage, f"there-{n}")
        coordinator = stage.coordinator(stage.folder / f"cluster-{n}.db")
        for i in range(n):
            stage.worker(coordinator.endpoint, sim.url, f"w{n}-{i}")
        result = stage.promptcc("submit", there, "--coordinator",
                                coordinator.endpoint, "--wait", "--json")
        assert result.status == 0, result
        assert (there.parent / "compiled.json").read_bytes() == \
            (job.parent / "compiled.json").read_bytes()
        coordinator.terminate()


@pytest.mark.parametrize("k", [0, 1, N_DOCUMENTS - 1, N_DOCUMENTS + 6, 60])
def test_no_embedding_is_paid_twice_after_a_kill(stage, k):
    sim = stage.stand_in(slots=SLOTS)
    job = write(stage, "undisturbed")
    assert run(stage, sim.url, job).status == 0
    sim = stage.stand_in(slots=SLOTS)
    gate = stage.gate(sim)
    gate.hold_after(k)
    killed = write(stage, "killed")
    process = start(stage, gate.url, killed)
    assert gate.wait_held(process)
    process.kill()
    gate.release()
    committed = harness.committed_calls(killed.parent / "promptcc.db")
    assert k - SLOTS - 1 <= len(committed) <= k
    sent = len(gate.requests)
    assert run(stage, gate.url, killed).status == 0
    again = {harness.call_of(r) for r in gate.requests[sent:]}
    assert not again & committed
    assert (killed.parent / "compiled.json").read_bytes() == \
        (job.parent / "compiled.json").read_bytes()


def test_a_worker_without_the_model_embeds_nothing(stage):
    # One machine chats, the other one embeds.
    chats = stage.stand_in(slots=2, model=["qwen2.5:0.5b"])
    embeds = stage.stand_in(slots=2, model=["all-minilm"])
    job = write(stage)
    coordinator = stage.coordinator(stage.folder / "cluster.db")
    stage.worker(coordinator.endpoint, chats.url, "chats", slots=2)
    stage.worker(coordinator.endpoint, embeds.url, "embeds", slots=2)
    harness.wait_until(
        lambda: coordinator.errors().count("worker-joined") == 2, "both workers")
    result = stage.promptcc("submit", job, "--coordinator",
                            coordinator.endpoint, "--wait", "--json")
    assert result.status == 0, result
    assert chats.asked(harness.EMBEDDINGS) == []
    # A model that embeds is never asked to chat, not even to prove itself.
    paths = [json.loads(line)["path"]
             for line in embeds.log_path.read_text().splitlines()]
    assert "/api/chat" not in paths
    assert len(set(embeddings(embeds))) == N_DOCUMENTS + 24


@pytest.mark.parametrize("backend", ["--openai", "--llama"])
def test_other_server_kinds_embed_too(stage, backend):
    sim = stage.stand_in(slots=2, model=["qwen2.5:0.5b", "all-minilm"])
    job = write(stage)
    job.write_text(job.read_text().replace("embed: all-minilm,",
                                           "embed: all-minilm, revision: v1,"))
    coordinator = stage.coordinator(stage.folder / "cluster.db")
    stage.start("worker", "--coordinator", coordinator.endpoint, backend,
                sim.url)
    result = stage.promptcc("submit", job, "--coordinator",
                            coordinator.endpoint, "--wait", "--json")
    assert result.status == 0, result
    assert len(set(sim.answered(["/v1/embeddings"]))) == N_DOCUMENTS + 24
    models = json.loads((job.parent / "compiled.json").read_text())[
        "metadata"]["promptcc"]["models"]
    assert models["embed"]["revision"] == "v1"


def test_job_names_the_embedding_model_that_no_server_has(stage):
    chats = stage.stand_in(slots=2, model=["qwen2.5:0.5b"])
    result = run(stage, chats.url, write(stage))
    assert result.status == 2, result
    assert "all-minilm" in result.error["text"], result


# --- what goes wrong never becomes a score ---

class Spoiler(harness.Gate):
    """A server with wrong embeddings."""

    reply = {}
    after = 0  # how many embeddings are right before the wrong ones

    def _forward(self, handler, body):
        handler.spoils = handler.path in harness.EMBEDDINGS and \
            len([r for r in self.requests if "input" in r]) >= self.after
        super()._forward(handler, body)

    def _answer(self, handler, status, reply):
        if handler.spoils:
            reply = json.dumps(self.reply).encode()
        harness.Gate._answer(handler, status, reply)


@pytest.mark.parametrize("reply, after, words", [
    ({"embeddings": [[0.0] * 256]}, 0, "nothing but zeros"),
    ({"embeddings": [[1.0] * 9000]}, 0, "has 9000 numbers, where 1 to 8192"),
    ({"embeddings": [[1.0, float("nan")]]}, 0, "that is not a number"),
    ({"embeddings": []}, 0, "exactly one embedding"),
    ({"embeddings": [[1.0, 2.0]]}, 2, "2 numbers, where this model's first"),
], ids=["zeros", "huge", "nan", "none", "other-size"])
def test_an_invalid_vector_pauses_the_job_and_is_not_scored(stage, sim, reply,
                                                            after, words):
    spoiler = Spoiler(sim.url)
    stage.gates.append(spoiler)
    spoiler.reply, spoiler.after = reply, after
    job = write(stage)
    pause(stage, spoiler.url, job, words)
    assert harness.store_rows(job.parent / "promptcc.db",
                              "SELECT count(*) FROM evaluations") == [(0,)]
    # With a server that works, the job continues.
    assert run(stage, sim.url, job).status == 0


def test_stored_vectors_determine_the_expected_size(stage, sim):
    job = write(stage)
    assert run(stage, sim.url, job).status == 0
    with (job.parent / "documents.jsonl").open("a") as out:
        out.write('{"title": "more", "text": "nothing of interest"}\n')
    spoiler = Spoiler(sim.url)
    stage.gates.append(spoiler)
    spoiler.reply = {"embeddings": [[1.0, 2.0]]}
    pause(stage, spoiler.url, job, "this model's first had 256")
    assert run(stage, sim.url, job).status == 0


def test_a_server_that_fails_pauses_the_job(stage, sim):
    gate = stage.gate(sim)
    gate.refuse = lambda body: "input" in body
    gate.refusal = 500, {"error": "out of memory"}
    job = write(stage)
    pause(stage, gate.url, job, "out of memory")
    gate.refuse = lambda body: False
    assert run(stage, gate.url, job).status == 0


def test_an_overlong_document_is_named(stage, sim):
    job = write(stage)
    text = job.read_text().replace("embed: all-minilm,", "embed: all-minilm, "
                                   "embed_options: {num_ctx: 128},")
    job.write_text(text)
    with (job.parent / "documents.jsonl").open("a") as out:
        out.write(json.dumps({"title": "saga", "text": "a word " * 200}) + "\n")
    result = run(stage, sim.url, job)
    assert result.status == 2, result
    assert "the text that begins `saga" in result.error["text"], result


# --- demos that are picked by embeddings ---

FEW = "{labeled_few_shot: {k: 1}}"
NEAR = ["--set", "demos={nearest: 4, by: embeddings}",
        "--set", "models.embed=all-minilm"]


def near(stage, url, job, *words):
    return start(stage, url, job, *NEAR, *words).wait()


def test_demos_are_picked_by_embeddings(stage, sim):
    job = stage.job(optimizer=FEW, student="llama3.2:3b")
    first = near(stage, sim.url, job)
    assert first.status == 0, first
    (step, shown), = first.json["tuned"].items()
    assert (step.split(".")[1], shown) == ("nearest", 4), first
    text = (job.parent / "compiled.json").read_text()
    about = json.loads(text)["metadata"]["promptcc"]
    pool = about["pools"][step.split(".")[0]]
    assert about["format"] == 3 and pool["by"] == "embeddings"
    assert about["models"]["embed"]["name"] == "all-minilm"
    # A row's question and its demo are the same text, so they need one
    # embedding.
    assert len(embeddings(sim)) == len(set(embeddings(sim)))
    assert stored(job)[0] == ("demos", len(pool["demos"]))
    # No question is shown with its own demo.
    for messages, in harness.store_rows(
            job.parent / "promptcc.db",
            "SELECT messages FROM v_calls WHERE role = 'student'"):
        *before, question = json.loads(messages)
        assert question["content"].split("[[ ## ")[1] not in \
            [m["content"].split("[[ ## ")[1] for m in before
             if m["role"] == "user"]

    before = sim.stats()["answered"]
    assert near(stage, sim.url, job).status == 0
    assert (job.parent / "compiled.json").read_text() == text
    assert sim.stats()["answered"] == before

    # A cluster of another size gives the same bytes.
    there = stage.job("there/shop", optimizer=FEW, student="llama3.2:3b")
    coordinator = stage.coordinator(stage.folder / "cluster.db")
    for i in range(3):
        stage.worker(coordinator.endpoint, sim.url, f"w{i}")
    result = stage.promptcc("submit", there, "--coordinator",
                            coordinator.endpoint, "--wait", "--json", *NEAR)
    assert result.status == 0, result
    assert (there.parent / "compiled.json").read_text() == text


@pytest.mark.parametrize("k", [0, 20, 45])
def test_no_demo_embedding_is_paid_twice_after_a_kill(stage, k):
    sim = stage.stand_in(slots=SLOTS)
    job = stage.job("undisturbed/shop", optimizer=FEW, student="llama3.2:3b")
    assert near(stage, sim.url, job).status == 0
    sim = stage.stand_in(slots=SLOTS)
    gate = stage.gate(sim)
    gate.hold_after(k)
    killed = stage.job("killed/shop", optimizer=FEW, student="llama3.2:3b")
    process = start(stage, gate.url, killed, *NEAR)
    assert gate.wait_held(process)
    process.kill()
    gate.release()
    committed = harness.committed_calls(killed.parent / "promptcc.db")
    sent = len(gate.requests)
    assert near(stage, gate.url, killed).status == 0
    again = {harness.call_of(r) for r in gate.requests[sent:]}
    assert not again & committed
    assert (killed.parent / "compiled.json").read_bytes() == \
        (job.parent / "compiled.json").read_bytes()


def test_a_compiled_file_with_embedded_demos_runs_where_the_model_is(stage,
                                                                     sim):
    job = stage.job(optimizer=FEW, student="llama3.2:3b")
    assert near(stage, sim.url, job).status == 0
    compiled = job.parent / "compiled.json"
    (step, pool), = json.loads(compiled.read_text())["metadata"]["promptcc"][
        "pools"].items()
    before = len(embeddings(sim))
    gate = stage.gate(sim)
    value = next(iter(pool["demos"][0].values()))
    name = next(iter(pool["demos"][0]))
    result = stage.promptcc("predict", compiled, "--ollama", gate.url, "--json",
                            f"{name}={value}")
    assert result.status == 0, result
    assert len(embeddings(sim)) == before + len(pool["demos"]) + 1
    # The demo with the same text comes right before the question.
    *_, demo, _, question = gate.requests[-1]["messages"]
    assert value in demo["content"] and value in question["content"]
    rendered = stage.promptcc("render", compiled, step, f"{name}={value}",
                              "--json")
    assert rendered.status == 2, rendered
    assert "which takes a model" in rendered.error["text"], rendered
    # A job that picks by words does not score the file as if it picked by
    # words.
    other = stage.promptcc("eval", job, "--ollama", sim.url, "--compiled",
                           compiled, "--json", "--set", "demos={nearest: 4}")
    assert other.status == 2 and "by: embeddings" in other.error["text"], other
    same = stage.promptcc("eval", job, "--ollama", sim.url, "--compiled",
                          compiled, "--json", *NEAR)
    assert same.status == 0, same


# --- in production ---

def test_predict_embeds_documents_next_to_the_compiled_file(stage, sim):
    job = write(stage)
    assert run(stage, sim.url, job).status == 0
    compiled = job.parent / "compiled.json"
    before = len(embeddings(sim))
    result = stage.promptcc("predict", compiled, "--ollama", sim.url, "--json",
                            "message=The soil is dry, my ROSES too")
    assert result.status == 0, result
    # No document contains the word "rose": only similarity finds the right one.
    assert result.json["outputs"]["passages"][0].startswith("plants\n")
    assert len(embeddings(sim)) == before + N_DOCUMENTS + 1
    # A query without words finds nothing and asks nobody.
    empty = stage.promptcc("predict", compiled, "--ollama", sim.url, "--json",
                           "message= ")
    assert empty.json["outputs"]["passages"] == [], empty

    lacks = stage.stand_in(model=["qwen2.5:0.5b"])
    refused = stage.promptcc("predict", compiled, "--ollama", lacks.url,
                             "--json", "message=x")
    assert refused.status == 2 and "all-minilm" in refused.error["text"]
    gate = stage.gate(sim)
    gate.refuse = lambda body: "input" in body
    broken = stage.promptcc("predict", compiled, "--ollama", gate.url,
                            "--json", "message=x")
    assert broken.status != 0
    assert "cannot be embedded" in broken.error["text"], broken


def test_serve_embeds_once_and_then_for_each_query(stage, sim):
    job = write(stage)
    assert run(stage, sim.url, job).status == 0
    before = len(embeddings(sim))
    server = Server(stage, job.parent / "compiled.json", sim.url)
    # No request is needed: the documents are embedded before the first one
    # comes.
    harness.wait_until(lambda: len(embeddings(sim)) == before + N_DOCUMENTS,
                       "embedding of the documents")
    for i in range(2):
        status, answer = server.ask("POST", "/predict",
                                    {"message": f"The soil is dry, {i}"})
        assert status == 200 and answer["outputs"]["passages"], answer
    assert len(embeddings(sim)) == before + N_DOCUMENTS + 2


def test_serve_reports_embedding_failures_and_recovers(stage, sim):
    job = write(stage)
    assert run(stage, sim.url, job).status == 0
    gate = stage.gate(sim)
    gate.refuse = lambda body: "input" in body
    server = Server(stage, job.parent / "compiled.json", gate.url)
    status, answer = server.ask("POST", "/predict", {"message": "dry soil"})
    assert status >= 500 or "cannot be embedded" in str(answer), answer
    gate.refuse = lambda body: False
    status, answer = server.ask("POST", "/predict", {"message": "dry soil"})
    assert status == 200 and answer["outputs"]["passages"], answer


def test_a_job_without_an_embedding_model_is_refused(stage):
    job = write(stage)
    job.write_text(job.read_text().replace("embed: all-minilm, ", ""))
    result = stage.promptcc("check", job, "--json")
    assert result.status == 2, result
    assert "the model that computes them" in str(result), result
