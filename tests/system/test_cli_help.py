"""Help, version, color and what every command takes."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

import harness

COMMANDS = re.findall(r"^COMMAND\(\w+, (\w+)\)",
                      (harness.ROOT / "cli" / "commands.def").read_text(),
                      re.M)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_version_and_color(stage, command):
    long = stage.promptcc(command, "--help")
    short = stage.promptcc("--color", "never", command, "-h")
    assert long.status == short.status == 0 and long.out == short.out
    assert "example:" in long.out and "--color WHEN" in long.out
    assert max(map(len, long.out.splitlines())) < 80, long
    version = stage.promptcc(command, "-V")
    assert version.status == 0 and version.out.startswith("promptcc ")
    wrong = stage.promptcc(command, "--color", "purple")
    assert wrong.status == 2 and "auto, always or never" in wrong.err


def test_the_overview_lists_every_command(stage):
    overview = stage.promptcc("help").out
    for words in (["-h"], ["help", "--help"], ["help", "-h"], ["help", "help"]):
        assert stage.promptcc(*words).out == overview, words
    assert stage.promptcc("help", "-V").out == stage.promptcc("-V").out
    missing = stage.promptcc("--color")
    assert missing.status == 2 and "needs a value" in missing.err
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", overview, re.M), command


@pytest.mark.parametrize("command, file", [
    ("report", "report.html"), ("ensemble", "ensemble.json"),
    ("run", "compiled.json")])
def test_help_tells_what_out_is_of_this_command(stage, command, file):
    for text in (stage.promptcc(command, "--help").out,
                 stage.promptcc("man", command).out):
        text = " ".join(text.split())
        assert re.search(r"\(default: " + re.escape(file), text), text
        assert ("where the compiled file goes" in text) == (command == "run")


def test_help_tells_the_default_that_is_used(stage):
    text = stage.promptcc("coordinator", "--help").out
    assert "(default: tcp://127.0.0.1:5570)" in " ".join(text.split())
    assert "(default: 10m)" in " ".join(text.split())


def test_color_is_for_terminals_unless_it_is_asked_for(stage):
    job = stage.job()
    plain = stage.promptcc("run", job, "--simulate", "--optimizer",
                           "labeled_few_shot")
    assert "\x1b" not in plain.out + plain.err
    asked = stage.promptcc("show", "shop", "--store", job.parent / "promptcc.db",
                           "--color=always")
    assert "\x1b[1m" in asked.out, asked
    never = stage.promptcc("show", "shop", "--store", job.parent / "promptcc.db",
                           env={"PROMPTCC_COLOR": "never"})
    assert "\x1b" not in never.out


def at_width(stage, width, *words):
    """What a terminal of that width gets of a command."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, width, 0, 0))
    with subprocess.Popen([harness.PROMPTCC, "--color", "never", *words],
                          stdin=subprocess.DEVNULL, stdout=theirs,
                          stderr=subprocess.STDOUT, cwd=stage.folder,
                          env=harness.environment()) as process:
        os.close(theirs)
        out = b""
        while True:
            try:
                chunk = os.read(ours, 1 << 16)
            except OSError:  # Linux' end of a terminal
                break
            if not chunk:
                break
            out += chunk
    os.close(ours)
    assert process.returncode == 0, out
    return out.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [50, 80])
def test_text_keeps_to_the_width_of_the_terminal(stage, width):
    stage.job(n=40, more_steps=harness.SECOND_STEP)
    for words in (["--help"], ["check", "shop/job.yaml"]):
        text = at_width(stage, width, *words)
        assert max(map(len, text.splitlines())) <= width, text


def test_the_program_can_be_installed(stage):
    """What cmake puts where, without building anything anew."""
    prefix = stage.folder / "usr"
    done = subprocess.run(["cmake", "--install", harness.BUILD, "--prefix",
                           prefix], capture_output=True, text=True)
    assert done.returncode == 0, done
    assert (prefix / "bin" / "promptcc").exists()
    documents = {p.name for p in (prefix / "share/doc/promptcc").iterdir()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "docs"} <= documents
