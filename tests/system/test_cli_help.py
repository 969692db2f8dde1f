"""Help, version, color, and the options of every command."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata

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
def test_help_describes_what_out_means_for_the_command(stage, command, file):
    for text in (stage.promptcc(command, "--help").out,
                 stage.promptcc("man", command).out):
        text = " ".join(text.split())
        assert re.search(r"\(default: " + re.escape(file), text), text
        assert ("where the compiled file goes" in text) == (command == "run")


@pytest.mark.parametrize("command, said", [
    ("coordinator", "(default: tcp://127.0.0.1:5570)"),
    ("coordinator", "may take (default: 10m)"),
    ("coordinator", "(default: promptcc.db in the current folder)"),
    ("serve", "--http HOST:PORT where to listen; port 0 picks a free one and "
              "prints it (default: 127.0.0.1:8071)"),
    ("worker", "answer probes there"), ("keys", "(default: keys)"),
    ("slurm", "for each worker (default: 1)"),
    ("slurm", "without a call to make (default: 10m)"),
    ("predict", "(default: 3s at the start, 5m in the middle of --input)"),
    ("run", "(default: 20s at the start, 5m after the first answer)")])
def test_help_shows_the_defaults_of_the_command(stage, command, said):
    """Where the defaults of commands differ, --help and the manual page show
    the command's own."""
    assert said in " ".join(stage.promptcc(command, "--help").out.split())
    page = stage.promptcc("man", command).out.replace("\\-", "-")
    if "--" not in said:
        assert said in " ".join(page.split())


def test_color_is_used_only_on_terminals_unless_requested(stage):
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


def columns_of(line):
    """Returns the width on a terminal, where an ideograph takes two columns."""
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def at_width(stage, width, *words, status=0, **env):
    """Returns what a command prints on a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, width, 0, 0))
    with subprocess.Popen([harness.PROMPTCC, "--color", "never", *words],
                          stdin=subprocess.DEVNULL, stdout=theirs,
                          stderr=subprocess.STDOUT, cwd=stage.folder,
                          env=harness.environment(
                              TERM="xterm", LC_ALL="C.UTF-8", **env)) as process:
        os.close(theirs)
        out = b""
        while True:
            try:
                chunk = os.read(ours, 1 << 16)
            except OSError:  # the end of a terminal on Linux
                break
            if not chunk:
                break
            out += chunk
    os.close(ours)
    assert process.returncode == status, out
    return out.decode().replace("\r\n", "\n")


WIDE = "\u9867\u5ba2\u304c\u4f55\u306b\u3064\u3044\u3066\u66f8\u3044\u305f\u304b\u3002" * 4


@pytest.fixture(scope="module")
def widths(tmp_path_factory):
    """Makes a store with a job that has a long name and an instruction without
    spaces."""
    stage = harness.Stage(tmp_path_factory.mktemp("widths"))
    job = stage.job(name="a-name-that-somebody-gave-to-a-job-in-november", n=40,
                    instruction=f"{WIDE} \U0001f389 and the rest of it",
                    more_steps=harness.SECOND_STEP)
    for words in (["run", job, "--out", "compiled.json"], ["eval", job],
                  ["run", job, "--out", "other.json", "--optimizer",
                   "labeled_few_shot"]):
        done = stage.promptcc(*words, "--simulate", "--store", "promptcc.db")
        assert done.status == 0, done
    yield stage
    stage.close()


COMMON = [["--help"], ["run", "--help"], ["serve", "--help"], ["jobs"],
          ["trials"], ["workers", "--all"], ["best"], ["show"],
          ["query", "SELECT trial, kind, state, score, calls FROM v_trials"],
          ["query", "SELECT instruction FROM v_candidates LIMIT 3"],
          ["query", "--vertical", "SELECT instruction FROM v_candidates"],
          ["diff", "compiled.json", "other.json"],
          ["plan", "a-name-that-somebody-gave-to-a-job-in-november/job.yaml",
           "--simulate"],
          ["check", "a-name-that-somebody-gave-to-a-job-in-november/job.yaml"]]


@pytest.mark.parametrize("width", [40, 50, 60, 80, 120, 200])
def test_text_fits_the_width_of_the_terminal(widths, width):
    """Exceptions are texts that wrapping would spoil: an id or a path that is
    wider, and commands to copy. Nothing is cut, and nothing is colored."""
    for words in COMMON:
        text = at_width(widths, width, *words, NO_COLOR="1")
        assert "\x1b" not in text, text
        for line in text.splitlines():
            words_of_line = [word for word in line.split()
                             if columns_of(word) > width - 20]
            assert columns_of(line) <= width or words_of_line or \
                line.startswith("  promptcc "), (words, line, text)
    ids = json.loads(widths.promptcc("jobs", "--json", "--store",
                                     "promptcc.db").out)
    jobs = at_width(widths, width, "jobs").split()
    assert ids and all(one["job"] in jobs for one in ids)


def test_a_narrow_table_keeps_every_value_of_a_wide_one(widths):
    """A value that does not fit is below its row, with the column's title."""
    wide = at_width(widths, 200, "trials").splitlines()
    narrow = " ".join(at_width(widths, 40, "trials").split())
    assert len(wide) > 3
    for value in set(wide[1].split()) - {"-"}:  # an empty value is not shown there
        assert value in narrow, (value, narrow)
    assert "tokens: " in narrow


def test_findings_are_wrapped_but_quoted_lines_are_not(stage):
    job = stage.job()
    job.write_text(job.read_text().replace("predict:", "prediction:"))
    done = at_width(stage, 40, "check", job, status=2)
    assert max(map(len, [line for line in done.splitlines()
                         if "|" not in line and "/" not in line])) <= 40, done


def test_the_program_can_be_installed(stage):
    """Checks where cmake installs files, without building anything."""
    prefix = stage.folder / "usr"
    done = subprocess.run(["cmake", "--install", harness.BUILD, "--prefix",
                           prefix], capture_output=True, text=True)
    assert done.returncode == 0, done
    assert (prefix / "bin" / "promptcc").exists()
    documents = {p.name for p in (prefix / "share/doc/promptcc").iterdir()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "docs"} <= documents
