"""`diff`: compares two compiled programs word by word."""

import copy
import json
import os
import threading

import pytest

import harness


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    stage = harness.Stage(tmp_path_factory.mktemp("diff"))
    path = stage.job()
    done = stage.promptcc("run", path, "--simulate", "--quiet")
    assert done.status == 0, done
    yield path
    stage.close()


@pytest.mark.parametrize("content, words", [
    (b"{}", "this is not a compiled file: it has no prompts"),
    (b'{"data": [{"text": "a"}]}', "this is not a compiled file"),
    (b"5", "this is not a compiled file"),
    (b"\x1f\x8b\x08\0\0", "compressed by gzip: unpack it"),
    (b"SQLite format 3\0", "an SQLite database: name the JSON file that "
     "`promptcc run` wrote"),
    (b"\x7fELF\2\1\1\0", "binary data: name the JSON file"),
    (b"{", "not valid JSON"),
])
def test_what_is_not_a_compiled_file_is_refused(stage, job, content, words):
    (stage.folder / "x.json").write_bytes(content)
    result = stage.promptcc("diff", job.parent / "compiled.json", "x.json")
    assert result.status == 2 and words in result.err, result
    assert result.err.count("x.json") == 1, result


def test_a_compiled_file_may_come_from_a_pipe_or_in_utf16(stage, job):
    compiled = job.parent / "compiled.json"
    (stage.folder / "wide.json").write_bytes(
        compiled.read_text().encode("utf-16"))
    pipe = stage.folder / "pipe"
    os.mkfifo(pipe)
    for command in (["diff", "wide.json", pipe],
                    ["eval", job, "--simulate", "--compiled", pipe],
                    ["run", job, "--simulate", "--out", "o.json", "--from",
                     pipe]):
        writer = threading.Thread(
            target=lambda: pipe.write_bytes(compiled.read_bytes()))
        writer.start()
        result = stage.promptcc(*command, "--quiet" if command[0] != "diff"
                                else "--json")
        writer.join()
        assert result.status == 0, result
    result = stage.promptcc("eval", job, "--simulate", "--compiled",
                            "wide.json", "--quiet")
    assert result.status == 0, result


def test_diff_shows_instructions_demos_and_settings(stage, job):
    a = json.loads((job.parent / "compiled.json").read_text())
    b = copy.deepcopy(a)
    part = b["sort"]
    part["signature"]["instructions"] = "Sort the mail.\nTwo lines."
    a["sort"]["signature"]["instructions"] = "Sort mail."
    gone = part["demos"].pop(0)
    b["metadata"]["promptcc"]["adapter"] = "json"
    b["metadata"]["promptcc"]["models"]["student"]["options"]["num_ctx"] = 8192
    b["metadata"]["promptcc"]["tuned"] = {"search.k": 5}
    for name, document in (("a.json", a), ("b.json", b)):
        (stage.folder / name).write_text(json.dumps(document))

    shown = stage.promptcc("diff", "a.json", "b.json")
    assert shown.status == 0, shown
    assert "Sort {+the +}mail.\n    {+Two lines.+}\n" in shown.out
    assert f"demos: {len(part['demos']) + 1} -> {len(part['demos'])}" in shown.out
    assert "    - " + json.dumps(gone, separators=(",", ":")) in shown.out
    assert 'adapter: "chat" -> "json"\nnum_ctx: 4096 -> 8192\nsearch.k: not set -> 5' in shown.out

    told = stage.promptcc("diff", "a.json", "b.json", "--json").json
    assert told["steps"][0]["demos_gone"] == [gone]
    assert [one["change"] for one in told["steps"][0]["instruction"]] == [
        "same", "new", "same", "new"]


def test_diff_accepts_a_job_in_place_of_its_compiled_file(stage, job):
    same = stage.promptcc("diff", job.parent / "compiled.json", "shop",
                          "--store", job.parent / "promptcc.db")
    assert same.status == 0 and "the same" in same.out, same


def test_diff_reports_what_cannot_be_compared(stage, job):
    (stage.folder / "bad.json").write_text("[1]")
    for words, said in [(("bad.json", "bad.json"), "not a compiled file"),
                        (("none.json", "bad.json"), "none.json"),
                        (("nothing", "bad.json"), "nothing")]:
        wrong = stage.promptcc("diff", *words, "--store",
                               job.parent / "promptcc.db")
        assert wrong.status == 2 and said in wrong.err, wrong


def test_diff_prints_hostile_text_as_text(stage, job):
    document = json.loads((job.parent / "compiled.json").read_text())
    other = copy.deepcopy(document)
    other["sort"]["signature"]["instructions"] = "evil \x1b[2J \u202e text"
    (stage.folder / "a.json").write_text(json.dumps(document))
    (stage.folder / "b.json").write_text(json.dumps(other))
    for words in ((), ("--color", "always")):
        shown = stage.promptcc("diff", "a.json", "b.json", *words)
        assert "\x1b[2J" not in shown.out and "\u202e" not in shown.out
