"""`check` asks a model about two rows, and says when it cannot read the
replies."""

import json

import harness


def check(stage, sim, job, *words):
    return stage.promptcc("check", job, "--ollama", sim.url, *words)


def test_replies_readable_only_under_a_schema_are_reported(stage, sim):
    gate = harness.Chatty(sim.url)
    try:
        job = stage.job()
        result = stage.promptcc("check", job, "--ollama", gate.url, "--set",
                                "adapter=chat")
        assert result.status == 0, result
        assert "0 could be read in the chat form" in result.err, result
        assert "2 under a schema" in result.err, result
        assert "set `adapter: json`" in result.err, result
        result = stage.promptcc("check", job, "--ollama", gate.url, "--set",
                                "adapter=json")
        assert result.status == 0 and "could be read" not in result.err, result
    finally:
        gate.close()


def test_a_model_with_readable_replies_is_not_mentioned(stage, sim):
    result = check(stage, sim, stage.job())
    assert result.status == 0 and "could be read" not in result.err, result
    assert 0 < len(sim.chats()) <= 8


def test_a_model_that_no_server_has_is_reported(stage):
    sim = stage.stand_in(model=["other:7b"])
    result = check(stage, sim, stage.job())
    assert result.status == 0 and "does not have the model" in result.err


def test_an_unreachable_named_server_is_reported(stage):
    url = f"http://127.0.0.1:{stage.reserve_port()}"
    result = stage.promptcc("check", stage.job(), "--ollama", url)
    assert result.status == 0 and "were not tried" in result.err, result


def test_one_unreachable_server_of_several_is_reported(stage, sim):
    url = f"http://127.0.0.1:{stage.reserve_port()}"
    told = findings(stage, stage.job(), sim.url, url)["server-away"]
    assert url in told["text"] and told["level"] == "warning"


class Renamed(harness.Gate):
    """A server that has other models under the same names."""

    def _answer(self, handler, status, reply):
        if handler.path == "/api/tags":
            document = json.loads(reply)
            for model in document["models"]:
                model["digest"] = model["digest"][::-1]
            reply = json.dumps(document).encode()
        harness.Gate._answer(handler, status, reply)


def findings(stage, job, *urls):
    words = [word for url in urls for word in ("--ollama", url)]
    return {f["code"]: f for f in stage.promptcc(
        "check", job, *words, "--json").json["findings"]}


def test_servers_with_different_models_under_one_name_are_reported(stage, sim):
    gate = Renamed(sim.url)
    try:
        job = stage.job()
        told = findings(stage, job, sim.url, gate.url)["model-differs"]
        assert told["level"] == "error" and "ollama pull" in told["remedy"]
        assert "model-differs" not in findings(stage, job, sim.url, sim.url)
    finally:
        gate.close()


def test_the_server_that_lacks_a_model_is_named(stage, sim):
    lacks = stage.stand_in(model=["other:7b"])
    told = findings(stage, stage.job(), sim.url, lacks.url)["model-missing"]
    assert lacks.url in told["text"] and told["level"] == "warning"


def test_servers_that_lack_a_model_are_reported_in_one_sentence(stage, sim):
    lack = [stage.stand_in(model=["other:7b"]).url for _ in range(2)]
    result = stage.promptcc("check", stage.job(), "--json", "--ollama", sim.url,
                            *[word for url in lack
                              for word in ("--ollama", url)])
    told = [f["text"] for f in result.json["findings"]
            if f["code"] == "model-missing"]
    assert len(told) == 1 and all(url in told[0] for url in lack), told
