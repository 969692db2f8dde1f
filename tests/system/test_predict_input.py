"""`predict --input`: data as people have it, one line of output for each line
of input, and nothing lost."""

import fcntl
import json
import os
import select
import subprocess
import threading

import pytest

import harness


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A program with an input that has a default, and one from a nested key."""
    stage = harness.Stage(tmp_path_factory.mktemp("predict"))
    folder = stage.folder
    (folder / "job.yaml").write_text(
        "name: feed\nmodels: {student: 'm:1'}\n"
        "inputs:\n  text: {from: body.text}\n  hint: {default: none}\n"
        "steps:\n  go:\n    predict: Decide.\n    inputs: [text, hint]\n"
        "    outputs:\n      label: {enum: [A, B], from: Gold}\n"
        "data: {examples: rows.jsonl}\nmetric: {exact_match: label}\n"
        "optimizer: labeled_few_shot\n")
    (folder / "rows.jsonl").write_text("".join(
        json.dumps({"body": {"text": f"row {i}"}, "Gold": "AB"[i % 2]}) + "\n"
        for i in range(8)))
    done = stage.promptcc("run", folder / "job.yaml", "--simulate", "--quiet",
                          "--out", folder / "compiled.json")
    assert done.status == 0, done
    yield folder / "compiled.json"
    stage.close()


def predict(stage, compiled, *words, **how):
    return stage.promptcc("predict", compiled, "--simulate", *words, **how)


def lines_of(result):
    return [json.loads(line) if line else None
            for line in result.out.split("\n")[:-1]]


FORMS = {
    "json lines": ("in.jsonl", b'{"text": "a"}\n{"text": "b"}\n'),
    "a byte order mark": ("in.jsonl",
                          b'\xef\xbb\xbf{"text":"a"}\r\n{"text":"b"}\r\n'),
    "the keys of the data": ("in.jsonl", b'{"body": {"text": "a"}}\n'
                                         b'{"body": {"text": "b"}}'),
    "labels beside the inputs": ("in.jsonl", b'{"text": "a", "Gold": "?"}\n'
                                             b'{"text": "b", "label": 7}\n'),
    "a list": ("in.json", b'[{"text": "a"},\n {"text": "b"}]'),
    "csv": ("in.csv", b"text\na\nb\n"),
    "csv with the key of the data": ("in.csv", b"body.text,hint\na,x\nb,\n"),
    "semicolons and a mark": ("in.csv", b"\xef\xbb\xbftext;hint\na;x\nb;y\n"),
    "tabs of no ending": ("in", b"hint\ttext\nx\ta\ny\tb\n"),
    "a pandas index": ("in.csv", b",text\n0,a\n1,b\n"),
    "utf-16": ("in.jsonl", '{"text": "ä"}\n{"text": "b"}\n'.encode("utf-16")),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("piped", [False, True])
def test_inputs_can_have_any_supported_format(stage, compiled, tmp_path, name,
                                              piped):
    file, content = FORMS[name]
    path = tmp_path / file
    path.write_bytes(content)
    if piped and name == "utf-16":
        pytest.skip("standard input is text in this harness")
    result = predict(stage, compiled, "--input", "-" if piped else path,
                     stdin=content.decode() if piped else None)
    assert result.status == 0, result
    assert [set(line["outputs"]) for line in lines_of(result)] == [{"label"}] * 2


@pytest.mark.parametrize("text, words", [
    ("body-text\na\n", "if `body-text` is it, rename it"),
    ("a\nb\n", "the first line must name the columns"),
])
def test_header_errors_are_reported_without_mentioning_a_job(
        stage, compiled, tmp_path, text, words):
    path = tmp_path / "in.csv"
    path.write_text(text)
    result = stage.promptcc("predict", compiled, "--simulate", "--input", path)
    assert result.status == 2, result
    assert words in result.err, result
    assert "from:" not in result.err, result


@pytest.mark.parametrize("text", [b"", b"text\n", b"\n \n\t", b"\xef\xbb\xbf",
                                  b"\xff\xfe"])
def test_a_file_without_inputs_is_reported(stage, compiled, tmp_path, text):
    path = tmp_path / "in.csv"
    path.write_bytes(text)
    result = stage.promptcc("predict", compiled, "--simulate", "--input", path)
    assert result.status == 0 and result.out == "", result
    assert "holds no inputs" in result.err, result


def test_a_folder_is_refused_as_an_input_file(stage, compiled, tmp_path):
    result = stage.promptcc("predict", compiled, "--simulate", "--input",
                            tmp_path)
    assert result.status == 2 and "name a file in it" in result.err, result


def test_an_empty_line_keeps_its_position(stage, compiled, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('\n{"text": "a"}\n\n\n{"text": "b"}\n \n')
    lines = lines_of(predict(stage, compiled, "--input", path))
    assert [line is not None for line in lines] == [
        False, True, False, False, True, False]


def test_a_bad_row_is_reported_at_its_position_in_the_output(stage, compiled,
                                                             tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a"}\n{"txt": "b"}\n{"text": "c", "hnt": "x"}\n'
                    '{"text": "d", "zzz": 1}\n[1]\n{"text": "e"}\n')
    result = predict(stage, compiled, "--input", path)
    lines = lines_of(result)
    assert result.status == 1 and len(lines) == 6, result
    assert ["outputs" in line for line in lines] == [
        True, False, False, False, False, True]
    texts = [line.get("error", {}).get("text", "") for line in lines]
    assert "in.jsonl:2: there is no input `txt`, did you mean `text`" in texts[1]
    assert "there is no input `hnt`, did you mean `hint`" in texts[2]
    assert "there is no input `zzz`; the inputs are text, hint" in texts[3]
    assert "in.jsonl:5: a row must be a JSON object" in texts[4]


def test_an_unknown_column_is_reported_once_before_any_call(stage, sim,
                                                            compiled, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("text,hnt\na,x\nb,y\n")
    result = predict(stage, compiled, "--input", path, "--json")
    assert result.status == 2, result
    assert "in.csv:1: there is no input `hnt`" in result.error["text"], result


def test_input_and_output_must_be_different_files(stage, compiled, tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_text('{"text": "a"}\n')
    (tmp_path / "hard.jsonl").hardlink_to(path)
    (tmp_path / "soft.jsonl").symlink_to(path)
    for out in ("f.jsonl", "hard.jsonl", "soft.jsonl"):
        result = predict(stage, compiled, "--input", path, "--output",
                         tmp_path / out, "--json")
        assert result.status == 2, result
        assert "write the outputs to another file" in result.error["text"]
        assert path.read_text() == '{"text": "a"}\n'


def test_output_is_written_completely_or_left_unchanged(stage, compiled,
                                                        tmp_path):
    path, out = tmp_path / "in.csv", tmp_path / "out.jsonl"
    out.write_text("earlier\n")
    path.write_text("nonsense\na\n")
    assert predict(stage, compiled, "--input", path, "--output",
                   out).status == 2
    assert out.read_text() == "earlier\n"
    path.write_text("text\na\n")
    assert predict(stage, compiled, "--input", path, "--output",
                   out).status == 0
    assert json.loads(out.read_text())["outputs"]
    assert not (tmp_path / "out.jsonl.partial").exists()


def test_output_through_a_link_or_to_a_device_keeps_it(stage, compiled,
                                                       tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("text\na\n")
    (tmp_path / "link").symlink_to(tmp_path / "out.jsonl")
    assert predict(stage, compiled, "--input", path, "--output",
                   tmp_path / "link").status == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "out.jsonl").read_text().startswith('{"outputs"')
    assert predict(stage, compiled, "--input", path, "--output",
                   "/dev/null").status == 0


def test_a_folder_is_refused_as_input_and_output(stage, compiled, tmp_path):
    (tmp_path / "in.csv").write_text("text\na\n")
    result = predict(stage, compiled, "--input", tmp_path, "--json")
    assert result.status == 2, result
    assert str(tmp_path) in result.error["text"], result
    result = predict(stage, compiled, "--input", tmp_path / "in.csv",
                     "--output", tmp_path, "--json")
    assert result.status == 2 and "folder" in result.error["text"], result


def test_an_overlong_line_is_reported_and_the_next_is_still_read(
        stage, compiled, tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"text": "x" * (5 << 20)}) + "\n" +
                    json.dumps({"text": "a"}) + "\n")
    lines = lines_of(predict(stage, compiled, "--input", path))
    assert "longer than" in lines[0]["error"]["text"], lines[0]
    assert lines[1]["outputs"]


def test_a_named_pipe_is_read_while_it_is_written(stage, compiled, tmp_path):
    pipe = tmp_path / "in"
    os.mkfifo(pipe)
    writer = threading.Thread(
        target=lambda: pipe.write_text('{"text": "a"}\n' * 3))
    writer.start()
    result = predict(stage, compiled, "--input", pipe)
    writer.join()
    assert result.status == 0 and len(lines_of(result)) == 3, result


class Late(harness.Gate):
    """A server that hangs up on its first client, as a starting one does."""

    asked = 0

    def _forward(self, handler, body):
        self.asked += 1
        if self.asked == 1:
            raise OSError("not yet")
        super()._forward(handler, body)


def test_predict_waits_for_a_server_that_is_starting(stage, compiled):
    sim = stage.stand_in(model=["m:1"])
    gate = Late(sim.url)
    try:
        done = stage.promptcc("predict", compiled, "--ollama", gate.url, "text=a")
        assert done.status == 0 and done.out, done
    finally:
        gate.close()


class Feed:
    """predict on a pipe, so that a test decides what it has read when its model
    server dies."""

    def __init__(self, stage, compiled, folder, *words):
        self.sim = stage.stand_in(slots=2, model=["m:1"])
        self.out = folder / "out.jsonl"
        os.mkfifo(folder / "in.jsonl")
        self.process = stage.start("predict", compiled, "--ollama",
                                   self.sim.url, "--input",
                                   folder / "in.jsonl", "--output", self.out,
                                   *words)
        self.pipe = open(folder / "in.jsonl", "w")
        self.give(20)
        harness.wait_until(lambda: len(self.sim.answered()) >= 20, "answers")
        self.sim.kill()
        self.give(20)
        self.pipe.close()

    def give(self, n):
        for i in range(n):
            print(json.dumps({"text": f"row {i}"}), file=self.pipe, flush=True)


def test_predict_waits_for_a_server_that_dies_midway(stage, compiled, tmp_path):
    """The server is away for longer than a single call is retried."""
    feed = Feed(stage, compiled, tmp_path)
    feed.process.wait_for_line("waiting for the model server", errors=True)
    feed.sim.restart()
    result = feed.process.wait()
    assert result.status == 0, result
    lines = [json.loads(line) for line in feed.out.read_text().splitlines()]
    assert len(lines) == 40 and all("outputs" in line for line in lines)


def test_finished_rows_are_kept_when_the_server_stays_away(stage, compiled,
                                                           tmp_path):
    feed = Feed(stage, compiled, tmp_path, "--wait", "20s")
    result = feed.process.wait()
    kept = (tmp_path / "out.jsonl.partial").read_text().splitlines()
    assert result.status == 3 and f"first {len(kept)} lines" in result.err
    # An answer in each slot may have been on its way when the server died.
    assert 18 <= len(kept) <= 20 and not feed.out.exists()


def test_partial_output_of_an_earlier_run_is_kept(stage, compiled, tmp_path):
    """These outputs were paid for. A second run uses another name for its own,
    and does not disturb a run that is still going."""
    sim = stage.stand_in(slots=2, model=["m:1"])
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n')
    aside = tmp_path / "out.jsonl.partial"
    (tmp_path / "out.jsonl.partial.1").write_text("oldest\n")
    aside.write_text("earlier\n")
    words = ["predict", compiled, "--ollama", sim.url, "--input",
             tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl"]
    with open(aside) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        busy = stage.promptcc(*words)
        assert busy.status == 2 and "another `promptcc predict`" in busy.err
    assert aside.read_text() == "earlier\n"
    result = stage.promptcc(*words)
    assert result.status == 0 and f"{aside}.2" in result.err, result
    assert (tmp_path / "out.jsonl.partial.2").read_text() == "earlier\n"
    assert (tmp_path / "out.jsonl.partial.1").read_text() == "oldest\n"
    assert "outputs" in (tmp_path / "out.jsonl").read_text()
    assert not aside.exists()


def test_only_whole_lines_are_counted_and_kept_on_a_full_disk(stage, compiled):
    with harness.small_disk(stage, "64k") as disk:
        rows, out = stage.folder / "rows.jsonl", disk / "out.jsonl"
        rows.write_text("".join(json.dumps({"text": f"row {i} " + "x" * i}) +
                                "\n" for i in range(600)))
        (disk / "ballast").write_bytes(bytes(52 << 10))
        result = predict(stage, compiled, "--input", rows, "--output", out)
        assert result.status == 1 and not out.exists(), result
        kept = (disk / "out.jsonl.partial").read_text()
        assert kept.endswith("}\n"), kept[-100:]
        n = len(kept.splitlines())
        assert f"the first {n} lines of the input are kept" in result.err, \
            (n, result)


def test_each_output_is_written_before_the_next_input_is_needed(stage, sim,
                                                                compiled):
    """A program that keeps `predict` running does this, over two pipes."""
    process = subprocess.Popen(
        [harness.PROMPTCC, "predict", compiled, "--simulate", "--input", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        for i in range(3):
            process.stdin.write(json.dumps({"body": {"text": f"a{i}"}}) + "\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [],
                                        harness.DEADLINE_S)
            assert ready, f"no output for input {i}"
            assert "outputs" in json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(harness.DEADLINE_S) == 0
    finally:
        process.kill()
