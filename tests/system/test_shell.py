"""Completion and manual pages, which come from the same tables as --help."""

import os
import pty
import re
import select
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


def completed(stage, *words, command=harness.PROMPTCC):
    """Returns what bash offers for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(
        ["bash", "-c", f"source {script(stage, 'bash')}\n"
         f"COMP_WORDS=({command} {line}); COMP_CWORD={len(words)}\n"
         "_promptcc; printf '%s\\n' \"${COMPREPLY[@]}\""],
        capture_output=True, text=True, check=True, cwd=stage.folder)
    assert done.stderr == ""
    return done.stdout.splitlines() if done.stdout != "\n" else []


def test_bash_completes_commands_options_values_and_files(stage):
    assert set(completed(stage, "")) >= set(VERBS)
    assert completed(stage, "rend") == ["render"]
    assert completed(stage, "run", "--max-c") == ["--max-calls"]
    assert "--allow-exec" not in completed(stage, "run", "--")
    assert completed(stage, "jobs", "--color", "") == ["auto", "always", "never"]
    (stage.folder / "job.yaml").write_text("")
    assert completed(stage, "run", "jo") == ["job.yaml"]


OPTIMIZERS = re.findall(r"^OPTIMIZER\((\w+)\)$",
                        (harness.ROOT / "search/optimizers/optimizers.def")
                        .read_text(), re.M)


@pytest.fixture
def files(stage):
    """Files of all kinds, and a store with one job."""
    for name in ("job.yaml", "two words.yaml", "compiled.json", "notes.txt",
                 "lab.db", "slow.sql"):
        (stage.folder / name).write_text("")
    (stage.folder / "shop").mkdir()
    done = stage.promptcc("run", stage.job(), "--simulate", "--json",
                          "--store", "promptcc.db")
    assert done.status == 0, done
    return done.json["job"]


def test_bash_offers_possible_values_of_options_and_operands(stage, files):
    """bash offers words of the tables, files with the right endings, and jobs
    of the store."""
    assert completed(stage, "run", "--optimizer", "") == OPTIMIZERS
    assert completed(stage, "run", "--optimizer", "=", "gep") == ["gepa"]
    assert completed(stage, "export", "--format", "m") == \
        ["messages", "modelfile", "markdown"]
    assert completed(stage, "ensemble", "--reduce-fn", "") == \
        ["majority", "judge"]
    assert completed(stage, "completion", "") == ["bash", "zsh", "fish"]
    assert set(completed(stage, "keys", "")) == {"worker", "client",
                                                 "coordinator", "revoke"}
    assert sorted(completed(stage, "run", "")) == ["job.yaml", "shop",
                                                   "two words.yaml"]
    assert sorted(completed(stage, "predict", "")) == ["compiled.json", "shop"]
    assert sorted(completed(stage, "query", "--file", "s")) == ["shop",
                                                                "slow.sql"]
    assert sorted(completed(stage, "jobs", "--store", "")) == \
        ["lab.db", "promptcc.db", "shop"]
    assert completed(stage, "run", "--seed", "") == []
    for words in (["show", files[:6]], ["jobs", "--remove", ""],
                  ["diff", "compiled.json", files[:4]],
                  ["trials", "--store", "promptcc.db", files[:6]]):
        assert files in completed(stage, *words), words
    assert files not in completed(stage, "show", "--store", "lab.db", "")


def test_job_names_are_never_expanded_by_a_shell(stage, files):
    program = stage.folder / "promptcc"
    program.write_text("#!/bin/sh\necho job,state\n"
                       "echo 'x$(touch owned)`touch owned`,done'\n")
    program.chmod(0o755)
    offered = completed(stage, "show", "x", command="./promptcc")
    assert offered == ["x$(touch owned)`touch owned`"]
    assert not (stage.folder / "owned").exists()


def test_bash_offers_job_keys_for_set(stage):
    """It offers keys of the schema and of the optimizers, and --set accepts
    each."""
    keys = completed(stage, "run", "--set", "")
    assert {"adapter=", "budget.max_calls=", "models.options.num_ctx=",
            "data.split.seed=", "optimizer.miprov2.auto=", "steps="} <= set(keys)
    assert completed(stage, "run", "--set", "optimizer.gepa.use_m") == \
        ["optimizer.gepa.use_merge="]
    job, parts = stage.job(), {}
    for key in keys:
        parts.setdefault(tuple(key.split(".")[:-1][:2]), []).append(key)
    for together in parts.values():
        words = [word for key in together for word in ("--set", key + "[[[]]]")]
        said = stage.promptcc("check", job, *words).err
        assert "nknown" not in said and "did you mean" not in said, said
    wrong = stage.promptcc("check", job, "--set", "budget.max_cal=1").err
    assert "nknown" in wrong and "did you mean" in wrong, wrong


def test_the_templates_offered_are_the_existing_ones(stage):
    offered = completed(stage, "init", "--template", "")
    for name in offered:
        assert stage.promptcc("init", name, "--template", name).status == 0
    wrong = stage.promptcc("init", "x", "--template", "nothing").err
    assert set(re.findall(r"\w+", wrong.split("it takes ")[1])) - {"or"} == \
        set(offered)


def run_fish(stage, line):
    """Returns what fish offers at the end of a command line."""
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script(stage, 'fish')}; "
         f"complete -C '{line}'"], check=True, capture_output=True, text=True,
        cwd=stage.folder, env=with_promptcc(stage))
    assert done.stderr == ""
    return [one.split("\t")[0] for one in done.stdout.splitlines()]


def with_promptcc(stage):
    tools = stage.folder / "bin"
    tools.mkdir(exist_ok=True)
    if not (tools / "promptcc").exists():
        (tools / "promptcc").symlink_to(harness.PROMPTCC.resolve())
    return harness.environment(PATH=f"{tools}:{os.environ['PATH']}",
                               HOME=str(stage.folder), TERM="xterm")


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_offers_the_same_completions(stage, files):
    assert run_fish(stage, "promptcc run --max-c") == ["--max-calls"]
    assert set(run_fish(stage, "promptcc run --optimizer ")) == set(OPTIMIZERS)
    assert run_fish(stage, "promptcc jobs --color a") == ["auto", "always"] or \
        run_fish(stage, "promptcc jobs --color a") == ["always", "auto"]
    assert "job.yaml" in run_fish(stage, "promptcc run j")
    assert files in run_fish(stage, f"promptcc show {files[:6]}")
    assert run_fish(stage, "promptcc run --seed ") == []
    assert run_fish(stage, "promptcc run --set optimizer.gepa.use_m") == \
        ["optimizer.gepa.use_merge="]
    # Here `worker` is an operand of `keys`, not the command.
    assert "--restart-cmd" not in run_fish(stage, "promptcc keys worker --re")


class Zsh:
    """An interactive zsh on its own terminal."""

    def __init__(self, stage):
        folder = stage.folder / "functions"
        folder.mkdir()
        script(stage, "zsh").rename(folder / "_promptcc")
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            ["zsh", "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs,
            cwd=stage.folder, env=with_promptcc(stage), start_new_session=True)
        os.close(theirs)
        self.shown = ""
        self.type(f"PS1='> '; fpath=({folder} $fpath); autoload -Uz compinit; "
                  "compinit -u -D; setopt no_beep; LISTMAX=1000; echo re''ady\n")
        self.wait("ready\r")

    def type(self, text):
        os.write(self.ours, text.encode())

    def wait(self, text):
        def look():
            if select.select([self.ours], [], [], 0.05)[0]:
                self.shown += os.read(self.ours, 1 << 16).decode(
                    errors="replace")
            return text in self.shown
        harness.wait_until(look, f"`{text}` of zsh in {self.shown!r}")

    def offers(self, line, *words):
        """Waits until all these words are on the screen."""
        self.type("\x15")  # clears the line before
        self.shown = ""
        self.type(line + "\t")
        for word in words:
            self.wait(word)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_offers_the_same_completions(stage, files):
    subprocess.run(["zsh", "-n", script(stage, "zsh")], check=True)
    zsh = Zsh(stage)
    try:
        zsh.offers("promptcc run --max-c", "--max-calls")
        zsh.offers("promptcc run --optimizer ", *OPTIMIZERS)
        zsh.offers("promptcc jobs --color ", "auto", "always", "never")
        zsh.offers("promptcc run --set optimizer.gepa.use_m",
                   "optimizer.gepa.use_merge=")
        zsh.offers("promptcc run ", "job.yaml", "shop/")
        assert "notes.txt" not in zsh.shown
        zsh.offers(f"promptcc show {files[:6]}", files)
        zsh.offers("promptcc keys ", "worker", "revoke")
    finally:
        zsh.close()


def test_the_error_for_an_unknown_shell_lists_the_known_ones(stage):
    done = stage.promptcc("completion", "tcsh")
    assert done.status == 2 and "bash, zsh or fish" in done.err


@pytest.mark.parametrize("verb", ["", "run", "query"])
def test_manual_pages_match_help(stage, verb):
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


def test_manual_pages_and_completions_are_installed(tmp_path):
    subprocess.run(["cmake", "--install", harness.BUILD, "--prefix", tmp_path],
                   check=True, capture_output=True)
    pages = {path.name for path in tmp_path.rglob("promptcc*.1")}
    assert pages == {"promptcc.1", *(f"promptcc-{one}.1" for one in VERBS)}
    for path in ("bash-completion/completions/promptcc",
                 "zsh/site-functions/_promptcc",
                 "fish/vendor_completions.d/promptcc.fish"):
        assert (tmp_path / "share" / path).stat().st_size > 1000
