"""An output never replaces a file that the command reads."""

import fcntl
import json
import os
import shutil
import stat
import struct

import pytest

import harness


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder of a job that was run."""
    stage = harness.Stage(tmp_path_factory.mktemp("spared"))
    job = harness.write_job(stage.folder / "job")
    done = stage.promptcc("run", job, "--simulate", "--quiet")
    assert done.status == 0, done
    stage.close()
    return job.parent


@pytest.fixture
def folder(ran, tmp_path):
    return shutil.copytree(ran, tmp_path / "job")


COMMANDS = {
    "run": ["run", "job.yaml", "--simulate", "--quiet", "--out"],
    "resume": ["resume", "job", "--quiet", "--out"],
    "export": ["export", "--out"],
    "submit": ["submit", "job.yaml", "--wait", "--coordinator",
               "tcp://127.0.0.1:9", "--out"],
    "eval": ["eval", "job.yaml", "--simulate", "--quiet", "--rows"],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("how", ["as it is", "spelled otherwise", "a link",
                                 "a hard link"])
@pytest.mark.parametrize("file", ["job.yaml", "examples.jsonl", "promptcc.db"])
def test_a_command_does_not_overwrite_the_files_it_reads(stage, folder, name,
                                                         how, file):
    if name == "submit" and file == "promptcc.db":
        return  # no store is read
    before = (folder / file).read_bytes()
    place = {"as it is": file, "spelled otherwise": f"../job/./{file}",
             "a link": "link", "a hard link": "hard"}[how]
    if how == "a link":
        (folder / "link").symlink_to(file)
    if how == "a hard link":
        os.link(folder / file, folder / "hard")
    done = stage.promptcc(*COMMANDS[name], place, cwd=folder)
    assert done.status == 2 and "would be lost" in done.err, done
    assert (folder / file).read_bytes() == before


@pytest.mark.parametrize("words, file", [
    (["report"], "promptcc.db"), (["report", "job.yaml"], "job.yaml"),
    (["export", "--format", "markdown"], "promptcc.db"),
    (["export", "compiled.json", "--format", "markdown"], "compiled.json")])
def test_report_and_export_do_not_overwrite_the_files_they_read(stage, folder,
                                                                words, file):
    before = (folder / file).read_bytes()
    done = stage.promptcc(*words, "--out", f"./{file}", cwd=folder)
    assert done.status == 2 and "would be lost" in done.err, done
    assert (folder / file).read_bytes() == before


@pytest.mark.parametrize("words", [["report"], ["report", "job"], ["export"],
                                   ["export", "--format", "markdown"]])
@pytest.mark.parametrize("file", ["job.yaml", "examples.jsonl"])
def test_files_of_a_job_are_not_overwritten_if_its_store_is_elsewhere(
        stage, folder, tmp_path, words, file):
    store = tmp_path / "elsewhere.db"
    done = stage.promptcc("run", "job.yaml", "--simulate", "--quiet", "--store",
                          store, cwd=folder)
    assert done.status == 0, done
    before = (folder / file).read_bytes()
    done = stage.promptcc(*words, "--store", store, "--out", folder / file,
                          cwd=tmp_path)
    assert done.status == 2 and "would be lost" in done.err, done
    assert (folder / file).read_bytes() == before


@pytest.mark.parametrize("file", ["job.yaml", "examples.jsonl"])
def test_slurm_does_not_overwrite_the_files_of_the_job(stage, folder, file):
    before = (folder / file).read_bytes()
    done = stage.promptcc("slurm", "job.yaml", "--workers", "1", "--dry-run",
                          "--out", file, cwd=folder)
    assert done.status == 2 and "would be lost" in done.err, done
    assert (folder / file).read_bytes() == before


def test_two_outputs_of_one_command_must_be_different_files(stage, folder):
    for again in ("rows.csv", "./rows.csv"):
        done = stage.promptcc("eval", "job.yaml", "--simulate", "--quiet",
                              "--rows", "rows.csv", "--junit", again,
                              cwd=folder)
        assert done.status == 2 and "--rows and --junit" in done.err, done
        assert not (folder / "rows.csv").exists()


@pytest.mark.parametrize("option, file", [("--compiled", "compiled.json"),
                                          ("--data", "more.jsonl")])
def test_eval_rows_do_not_overwrite_the_other_files_of_eval(stage, folder,
                                                            option, file):
    shutil.copy(folder / "examples.jsonl", folder / "more.jsonl")
    before = (folder / file).read_bytes()
    done = stage.promptcc("eval", "job.yaml", "--simulate", "--quiet", option,
                          file, "--rows", file, cwd=folder)
    assert done.status == 2 and "would be lost" in done.err, done
    assert (folder / file).read_bytes() == before


def test_predict_output_does_not_overwrite_compiled_file_or_input(stage,
                                                                  folder):
    row = '{"message": "x"}\n'
    for name in ("in.jsonl", "out.jsonl.partial"):
        (folder / name).write_text(row)
    before = (folder / "compiled.json").read_bytes()
    for source, place in (("in.jsonl", "compiled.json"),
                          ("out.jsonl.partial", "out.jsonl")):
        done = stage.promptcc("predict", "compiled.json", "--simulate",
                              "--input", source, "--output", place, cwd=folder)
        assert done.status == 2 and "would be lost" in done.err, done
        assert (folder / source).read_text() == row
    assert (folder / "compiled.json").read_bytes() == before


def test_a_folder_at_the_output_path_is_reported_before_any_call(stage, folder):
    (folder / "promptcc.db").unlink()
    (folder / "there").mkdir()
    done = stage.promptcc("run", "job.yaml", "--simulate", "--quiet", "--out",
                          "there", cwd=folder)
    assert done.status == 2 and "Is a directory" in done.err, done
    assert not (folder / "promptcc.db").exists()


def test_a_device_is_written_to_but_not_replaced(stage, folder):
    done = stage.promptcc("run", "job.yaml", "--simulate", "--quiet", "--out",
                          "/dev/full", cwd=folder)
    assert done.status == 1 and "No space left" in done.err, done
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@pytest.mark.parametrize("ending", ["-wal", "-shm", ".lock"])
def test_the_side_files_of_a_store_are_not_overwritten(stage, folder, ending):
    (folder / f"promptcc.db{ending}").touch()
    done = stage.promptcc("export", "--out", f"promptcc.db{ending}",
                          cwd=folder)
    assert done.status == 2 and "would be lost" in done.err, done


@pytest.mark.parametrize("words", [
    ("export",), ("report",), ("run", "job.yaml", "--simulate")])
def test_a_dash_does_not_create_a_file_of_that_name(stage, folder, words):
    done = stage.promptcc(*words, "--out", "-", cwd=folder)
    assert done.status == 2 and "/dev/stdout" in done.err, done
    assert not (folder / "-").exists()


def test_a_compiled_file_on_standard_output_is_its_only_content(stage, folder):
    done = stage.promptcc("export", "--out", "/dev/stdout", cwd=folder)
    assert done.status == 0, done
    assert json.loads(done.out) == \
        json.loads((folder / "compiled.json").read_text())


def test_a_finished_job_is_exported_from_a_read_only_store(stage, folder):
    with open(folder / "promptcc.db.lock", "r+") as lock:
        fcntl.fcntl(lock, fcntl.F_OFD_SETLK,  # as a run does
                    struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        done = stage.promptcc("export", "--out", "again.json", cwd=folder)
        assert done.status == 0, done
    assert (folder / "again.json").read_bytes() == \
        (folder / "compiled.json").read_bytes()
