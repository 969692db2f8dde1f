"""Odd surroundings: how a program may be started, and on what machine."""

import os

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
