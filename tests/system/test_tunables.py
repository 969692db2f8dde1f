"""Values of the job that the search chooses, from the list to the file."""

import json

import pytest

import harness
from harness import run


@pytest.mark.parametrize("optimizer", [harness.MIPRO, harness.SMALL],
                         ids=["miprov2", "random"])
def test_the_search_chooses_the_num_predict_that_answers_need(stage, sim,
                                                              optimizer):
    # At the default every answer is cut, and only the length helps.
    job = stage.job(optimizer=optimizer)
    result = run(
        stage, sim, job, "--set",
        "models.student_options.num_predict={tune: [3, 300], default: 3}",
        "--set", "models.teacher_options.num_predict=300")
    assert result.status == 0, result
    assert result.json["baseline"]["score"] == 0
    assert result.json["compiled"]["score"] > 0
    assert result.json["tuned"] == {"num_predict": 300}

    text = (job.parent / "compiled.json").read_text()
    metadata = json.loads(text)["metadata"]["promptcc"]
    assert metadata["tuned"] == {"num_predict": 300}
    assert metadata["models"]["student"]["options"]["num_predict"] == 300
    assert metadata["models"]["teacher"]["options"]["num_predict"] == 300

    trials = stage.promptcc("trials", job.parent, "--json").json
    assert trials[0]["tuned"] == {}
    assert {"num_predict": 300} in [trial["tuned"] for trial in trials]
    table = stage.promptcc("trials", job.parent).out
    assert "TUNED" in table and "num_predict 300" in table
    best = stage.promptcc("best", job.parent, "--json").json
    assert best[0]["tuned"] == {"num_predict": 300}

    # The compiled file sets the length, although the job says 3.
    again = stage.promptcc(
        "eval", job, "--ollama", f"{sim.url},slots=2", "--json",
        "--set", "models.student_options.num_predict=3",
        "--set", "models.teacher_options.num_predict=300",
        "--compiled", job.parent / "compiled.json")
    assert again.status == 0, again
    assert again.json["model_faults"] == 0, "no answer is cut"
    predicted = stage.promptcc(
        "predict", job.parent / "compiled.json",
        "--ollama", f"{sim.url},slots=2", "message=Where is my parcel?")
    assert predicted.status == 0, predicted


def test_a_job_without_tunables_shows_no_tuned_column(stage, sim):
    job = stage.job()
    # If the job names no form, both are tried, which is a choice too.
    assert run(stage, sim, job, "--max-calls", "60", "--set",
               "adapter=chat").status == 0
    assert "TUNED" not in stage.promptcc("trials", job.parent).out
