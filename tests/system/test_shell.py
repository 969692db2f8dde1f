"""Completion and manual pages, made of the same tables as --help."""

import re
import shutil
import subprocess

import pytest

import harness

VERBS = re.findall(r"^COMMAND\(\w+, (\w+)\)$",
                   (harness.ROOT / "cli" / "commands.def").read_text(), re.M)


def script(stage, shell):
    done = stage.promptcc("completion", shell)
    assert done.status == 0, done
    path = stage.folder / f"completion.{shell}"
    path.write_text(done.out)
    return path


def completed(stage, *words):
    """What bash offers for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(
        ["bash", "-c", f"source {script(stage, 'bash')}\n"
         f"COMP_WORDS=(promptcc {line}); COMP_CWORD={len(words)}\n"
         "_promptcc; printf '%s\\n' \"${COMPREPLY[@]}\""],
        capture_output=True, text=True, check=True, cwd=stage.folder)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_options_values_and_files(stage):
    assert set(completed(stage, "")) >= set(VERBS)
    assert completed(stage, "rend") == ["render"]
    assert completed(stage, "run", "--max-c") == ["--max-calls"]
    assert "--allow-exec" not in completed(stage, "run", "--")
    assert completed(stage, "jobs", "--color", "") == ["auto", "always", "never"]
    (stage.folder / "job.yaml").write_text("")
    assert completed(stage, "run", "jo") == ["job.yaml"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_their_script(stage, shell):
    path = script(stage, shell)
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    subprocess.run([shell, "-n", path], check=True)
    if shell == "fish":
        offered = subprocess.run(
            ["fish", "--no-config", "-c", f"source {path}; complete -C "
             "'promptcc run --max-c'"], check=True, capture_output=True,
            text=True).stdout
        assert "--max-calls" in offered


def test_an_unknown_shell_is_told_what_there_is(stage):
    done = stage.promptcc("completion", "tcsh")
    assert done.status == 2 and "bash, zsh or fish" in done.err


@pytest.mark.parametrize("verb", ["", "run", "query"])
def test_manual_pages_say_what_help_says(stage, verb):
    page = stage.promptcc("man", *filter(None, [verb])).out
    if not verb:
        assert all(f"promptcc\\-{one}" in page for one in VERBS)
        return
    shown = stage.promptcc(verb, "--help").out
    options = set(re.findall(r"^ *(--[a-z-]+)", shown, re.M)) - {
        "--help", "--version"}
    assert options and all(one.replace("-", "\\-") in page for one in options)
    if shutil.which("groff"):
        lint = subprocess.run(["groff", "-man", "-ww", "-z"], input=page,
                              text=True, capture_output=True, check=True)
        assert lint.stderr == ""


def test_they_are_installed(tmp_path):
    subprocess.run(["cmake", "--install", harness.BUILD, "--prefix", tmp_path],
                   check=True, capture_output=True)
    pages = {path.name for path in tmp_path.rglob("promptcc*.1")}
    assert pages == {"promptcc.1", *(f"promptcc-{one}.1" for one in VERBS)}
    for path in ("bash-completion/completions/promptcc",
                 "zsh/site-functions/_promptcc",
                 "fish/vendor_completions.d/promptcc.fish"):
        assert (tmp_path / "share" / path).stat().st_size > 1000
