"""Odd surroundings: how a program may be started, and on what machine."""

import os
import re
import subprocess

import harness


# --- standard input, output and error ---

def test_a_closed_standard_error_is_no_number_for_something_else(stage):
    """Or the log would be written into the pipe or socket that got it."""
    closed = stage.add(harness.Process(
        stage, ["sh", "-c", 'exec "$0" "$@" <&- 2>&-', harness.PROMPTCC,
                "coordinator", "--listen", "tcp://127.0.0.1:0", "--store",
                stage.folder / "c.db"], "closed"))
    closed.wait_for_line("listening on")
    for number in 0, 2:
        assert os.readlink(f"/proc/{closed.pid}/fd/{number}") == "/dev/null"
    assert closed.terminate().status == 0


# --- names of folders ---

def test_a_command_to_copy_holds_whatever_a_folder_is_called(stage, sim):
    folder = stage.folder / "a 'b' \"c\" $(touch X) `d`\n\te; \u00fc"
    job = harness.write_job(folder, name="shop",
                            optimizer="{labeled_few_shot: {k: 1}}")
    done = stage.promptcc("run", job, "--ollama", sim.url)
    assert done.status == 0, done
    command = re.search(r"^  (promptcc predict .*) FIELD=VALUE$", done.out, re.M)
    assert command, done
    ran = subprocess.run(
        ["bash", "-c", f"{command[1]} message=hello --ollama {sim.url}"],
        env=harness.environment(
            PATH=f"{harness.PROMPTCC.parent}:{os.environ['PATH']}"),
        cwd=stage.folder, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0 and ran.stdout.startswith("topic: "), ran
    assert not (stage.folder / "X").exists()
