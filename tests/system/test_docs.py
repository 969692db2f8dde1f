"""Every command that the documents show works as it is.

Blocks marked `sh` run in order, in one shell, in a folder with a copy of jobs/.
The model is the stand-in, unless a command names a server. In a block with
lines that begin with `$ `, those lines are the commands, and the rest is what
they print. Blocks marked `text` or `console` are not run.
"""

import json
import os
import pathlib
import re
import shutil
import signal

import pytest

import harness


def commands_of(block):
    """Returns the commands of a block, without prompts and output."""
    lines = block.splitlines()
    if not any(line.startswith("$ ") for line in lines):
        return block
    kept, goes_on = [], False
    for line in lines:
        if line.startswith("$ ") or goes_on:
            kept.append(line.removeprefix("$ "))
            goes_on = line.endswith("\\")
    return "\n".join(kept) + "\n"


def blocks_of(path):
    if not path.exists():
        pytest.skip(f"{path.relative_to(harness.ROOT)} is not written yet")
    found = re.findall(r"^```sh\n(.*?)^```", path.read_text(), re.M | re.S)
    return [commands_of(block) for block in found]


def run_script(stage, blocks):
    """Runs the blocks in one shell; a failure names the block."""
    place = stage.folder / "place"
    place.mkdir()
    if (harness.ROOT / "jobs").exists():
        shutil.copytree(harness.ROOT / "jobs", place / "jobs",
                        ignore=shutil.ignore_patterns("*.db*",
                                                      "compiled.json"))
    tools = stage.folder / "bin"
    tools.mkdir()
    for program in (harness.PROMPTCC, harness.STAND_IN):
        (tools / program.name).symlink_to(program.resolve())
    script = stage.folder / "blocks.sh"
    script.write_text("set -e\n" + "".join(
        f"\necho '### block {i}' >&2\n{block}" for i, block in
        enumerate(blocks, 1)))
    process = stage.add(harness.Process(
        stage, ["bash", script], "blocks", cwd=place,
        env={"PATH": f"{tools}:{os.environ['PATH']}",
             "PROMPTCC_SIMULATE": "1", "HOME": str(stage.folder)}))
    try:
        result = process.wait(600)
    finally:
        try:  # what a block leaves in the background is in our session
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    last = result.err.rsplit("### block ", 1)[-1]
    assert result.status == 0, (f"block {last.splitlines()[0]} of "
                                f"{len(blocks)}:\n{result}")
    return result


def test_the_tutorial_works_from_first_to_last_command(stage):
    blocks = blocks_of(harness.ROOT / "docs" / "tutorial.md")
    assert blocks, "docs/tutorial.md has no block marked `sh`"
    assert "promptcc run" in "".join(blocks)
    result = run_script(stage, blocks)
    printed = set(f"{result.out}\n{result.err}".splitlines())
    text = (harness.ROOT / "docs" / "tutorial.md").read_text()
    shown = "\n".join(re.findall(r"^```text\n(.*?)^```", text, re.M | re.S))
    # Ignores the clock, what a kill left, and an instruction that the width
    # wraps.
    varies = re.compile(r"time |running |killed: |state |\.\.\.$| +after ")
    missing = [line for line in shown.splitlines() if line not in printed and
               not varies.match(line) and not line.startswith(" " * 11)]
    assert missing == []


@pytest.mark.parametrize("page", ["exec-metric.md", "other-model.md",
                                  "report.md"])
def test_the_commands_of_a_how_to_page_work(stage, page):
    blocks = blocks_of(harness.ROOT / "docs" / page)
    assert blocks, f"docs/{page} has no block marked `sh`"
    run_script(stage, blocks)


def test_queries_in_console_blocks_work(stage):
    """Runs the queries in blocks marked `console` on the store of a job
    `my-job`."""
    queries = []
    for path in documents():
        for block in re.findall(r"^```console\n(.*?)^```", path.read_text(),
                                re.M | re.S):
            queries += [line for line in commands_of(block).splitlines()
                        if line.startswith("promptcc query")]
    assert queries
    run_script(stage, ["promptcc init my-job --template customer_care\n"
                       "promptcc run my-job --max-calls 100\n"]
               + [query + "\n" for query in queries])


@pytest.mark.parametrize("page", ["jobs.md", "jobs/customer_care.md",
                                  "jobs/support_unlabelled.md",
                                  "zero-scores.md"])
def test_console_commands_that_need_only_a_model_work(stage, page):
    """Runs the blocks marked `console` whose commands need only a model."""
    text = (harness.ROOT / "docs" / page).read_text()
    blocks = [commands_of(block) for block in
              re.findall(r"^```console\n(.*?)^```", text, re.M | re.S)]
    assert blocks
    made = ("promptcc init my-job --template customer_care\n"
            "promptcc run my-job --max-calls 100\n")
    run_script(stage, [made] * (page == "zero-scores.md") + blocks)


# The rest of the job around a snippet of docs/job-file.md. The key is a word
# that only that snippet has; with SNIPPET replaced, the text is a whole job.
INPUTS = "inputs: {user_message: }\n"
ROWS = "data: {examples: rows.jsonl}\n"
EXACT = "metric: {exact_match: [%s]}\n"
MODEL = "models: {student: m}\n"
SORT = """\
steps:
  classify:
    predict: Say what the customer wants.
    inputs: [%s]
    outputs: {intent: {enum: [refund_request, general_query, escalate]}}
"""
AROUND = {
    "decline:": MODEL + INPUTS + SORT % "user_message" + "SNIPPET"
    "outputs: {answer: answer}\n" + ROWS + EXACT % "answer",
    "careful:": MODEL + "inputs: {message: }\nsteps:\nSNIPPET"
    "outputs: {intent: agreed.intent}\n" + ROWS + EXACT % "intent",
    "retrieve: leaflets.jsonl\n    inputs: {query: ask.query}":
    MODEL + "inputs: {question: }\nsteps:\n  ask:\n    predict: Write a query.\n"
    "    inputs: [question]\n    outputs: {query: }\nSNIPPET"
    "outputs: {answer: answer.answer}\n" + ROWS + EXACT % "answer",
    "by: embeddings": "inputs: {message: }\nSNIPPET"
    "  answer:\n    predict: Answer.\n"
    "    inputs: {message: message, passages: search.passages}\n"
    "    outputs: {answer: }\n" + ROWS + EXACT % "answer",
    "Customer message": MODEL + "SNIPPET" + ROWS + EXACT % "intent",
    "judge:": MODEL + INPUTS + "steps:\n  reply:\n    predict: Answer.\n"
    "    inputs: [user_message]\n    outputs: {response: }\n" + ROWS + "SNIPPET",
    "adapter:": INPUTS + SORT % "user_message" + ROWS + EXACT % "intent" +
    "SNIPPET",
    "demos: {nearest": MODEL + INPUTS + SORT % "user_message" + ROWS +
    EXACT % "intent" + "SNIPPET",
}


def job_snippets():
    text = (harness.ROOT / "docs" / "job-file.md").read_text()
    return re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)


def test_every_job_file_snippet_has_a_job_to_be_checked_in():
    for snippet in job_snippets():
        assert [word for word in AROUND if word in snippet], snippet
    assert len(job_snippets()) == len(AROUND)


@pytest.mark.parametrize("word", AROUND)
def test_job_file_snippets_are_valid(stage, word):
    [snippet] = [one for one in job_snippets() if word in one]
    folder = stage.folder / "job"
    folder.mkdir()
    (folder / "job.yaml").write_text(
        "name: snippet\n" + AROUND[word].replace("SNIPPET", snippet))
    (folder / "leaflets.jsonl").write_text("".join(
        json.dumps({"id": f"l{i}", "title": f"Leaflet {i}",
                    "text": f"Text {i} of a leaflet."}) + "\n"
        for i in range(9)))
    intents = ("track", "cancel") if "Customer message" in word else \
        ("refund", "delivery") if "careful" in word else \
        ("refund_request", "general_query")
    composed = "decline:" in word
    (folder / "rows.jsonl").write_text("".join(
        json.dumps({name: f"Text {i}" for name in (
            "user_message", "message", "question", "Customer message")} |
            {"fields": {"question": f"Question {i}"},
             "answer": {"refund": f"Answer {i}"} if composed else f"Answer {i}",
             "intent": intents[i % 2], "Label": intents[i % 2]}) + "\n"
        for i in range(40)))
    result = stage.promptcc("check", folder)
    assert result.status == 0, result


def test_the_commands_of_the_readme_work(stage):
    lines = "".join(blocks_of(harness.ROOT / "README.md")).splitlines()
    for line in lines:  # installs packages: not run here, but it must be on the page
        named = re.match(r"\./bootstrap (\w+)", line)
        if named:
            text = (harness.ROOT / "bootstrap").read_text()
            assert re.search(rf"\b{named[1]}\b", text), line
    own = [line for line in lines if line.startswith("promptcc ")]
    if own:
        run_script(stage, ["\n".join(own) + "\n"])


# Pages with commands that stand alone: the kinds of blocks with such commands,
# besides indented ones, and the files that must exist before.
ALONE = {
    "README.md": ("", ""),
    "docs/http-api.md": ("", "cp -r jobs/customer_care/* .\n"),
    "docs/store.md": ("sh", "promptcc init my-job --template customer_care\n"
                            "promptcc run my-job --max-calls 100\n"
                            "cp my-job/promptcc.db .\n"
                            "echo 'SELECT max(total_us) FROM v_calls' "
                            "> slow.sql\n"),
    "docs/command-line.md": ("text",
                             "promptcc init job --template customer_care\n"
                             "printf '#!/bin/sh\\ncat >> said\\n' "
                             "> my-chat-bot\n"
                             "chmod +x my-chat-bot\nPATH=.:$PATH\n"),
    "simulated/README.md": ("", ""),
}
# These commands run until they are ended.
SERVES = re.compile(r"(promptcc coordinator|simulated_ollama) ")


@pytest.mark.parametrize("page", ALONE)
def test_self_contained_commands_work(stage, page):
    """Runs the commands as they are, but on free ports."""
    kinds, before = ALONE[page]
    commands = commands_in(harness.ROOT / page, kinds)
    assert commands
    for program in ("jq", "sqlite3"):
        if program in "".join(commands) and shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    lines = [before]
    for command in commands:
        command = re.sub(r"127\.0\.0\.1:8070", "127.0.0.1:0", command)
        command = re.sub(r"--port \d+", "--port 0", command)
        if SERVES.match(command):
            if "promptcc" in command:
                command += " --listen tcp://127.0.0.1:0"
            command = (f"{command} > served &\n"
                       "until grep 'listening on' served; do kill -0 $!; "
                       "sleep 0.05; done; kill $!; wait $! || true")
        lines.append(command + "\n")
    run_script(stage, lines)
    if page == "docs/command-line.md":
        said = (stage.folder / "place" / "said").read_text()
        assert re.search(r"^customer-care-\w+: done 0\.\d+$", said, re.M), said


def test_programs_and_options_of_commands_not_run_here_exist():
    """Checks the programs, presets, targets and options in commands that
    install, build or take long."""
    read = {name: (harness.ROOT / name).read_text() for name in
            ("bootstrap", "CMakePresets.json", "bench/run.sh")}
    seen = 0
    for path in documents():
        for command in commands_in(path):
            words = [word for word in command.split()
                     if not re.match(r"[A-Z_]+=|nice$|-n$|19$|python3$", word)]
            program = words[0]
            if program == "./bootstrap":
                wanted = [(word, read["bootstrap"]) for word in words[1:]]
            elif program == "bench/run.sh":
                wanted = [(name, read["bench/run.sh"])
                          for name in re.findall(r"([A-Z_]+)=", command)]
            elif program == "cmake" and words[1] == "--preset":
                wanted = [(f'"{words[2]}"', read["CMakePresets.json"])]
            elif program.startswith("build/") and "/tests/" in program:
                folder = harness.ROOT / pathlib.Path(program).parent.relative_to(
                    pathlib.Path(*pathlib.Path(program).parts[:2]))
                source = "".join(one.read_text() for one in folder.iterdir()
                                 if one.suffix in (".c", ".txt", ".h"))
                wanted = [(word, source) for word in
                          [pathlib.Path(program).name.removeprefix("fuzz_"),
                           *re.findall(r" --([a-z]+)", command)]]
            elif re.match(r"(bench|scripts|tests)/\S+\.(py|sh)$", program):
                script = (harness.ROOT / program).read_text()
                wanted = [(word, script) for word in
                          re.findall(r" (--[a-z]+)", command)]
            else:
                continue
            seen += 1
            for word, text in wanted:
                assert word in text, (path, command, word)
    assert seen > 12


# --- snippets that are not commands ---

def block_of(page, kind, which=0):
    text = (harness.ROOT / "docs" / page).read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.M | re.S)[which]


def shape(value):
    """Returns the keys of an object, and of the objects in it."""
    return {key: shape(inner) for key, inner in value.items()
            if inner != {}} if isinstance(value, dict) else None


def test_run_documents_match_the_page(stage):
    """The event and the document of `run --json` have every key that the page
    shows, and no other keys but those that it calls conditional."""
    stage.promptcc("init", "shop", "--template", "customer_care")
    done = stage.promptcc("run", "shop", "--simulate", "--json", "--quiet",
                          "--on-event", "cat >> events")
    assert done.status == 0, done
    events = [json.loads(line) for line in
              (stage.folder / "events").read_text().splitlines()]
    best = [one for one in events if one["event"] == "best"]
    assert set(json.loads(block_of("command-line.md", "json"))) == set(best[0])
    shown, real = json.loads(block_of("command-line.md", "json", 1)), done.json
    assert set(real) - {"reason", "judge", "fault_example"} == set(shown)
    for key in ("baseline", "compiled", "noise", "adapter", "calls", "tokens"):
        assert set(shown[key]) == set(real[key]), key
    assert set(shown["same_rows"]) == set(real["same_rows"])
    assert set(shown["front"][0]) == set(real["front"][0])
    assert set(shown["verdict"]) - {"reasons"} <= set(real["verdict"])
    assert set(shown["changes"]["classify"]) == \
        set(real["changes"]["classify"])


def test_a_compiled_file_matches_its_page(stage):
    stage.promptcc("init", "shop", "--template", "customer_care")
    done = stage.promptcc("run", "shop", "--simulate", "--quiet", "--max-calls",
                          "400")
    assert done.status == 0, done
    real = json.loads((stage.folder / "shop" / "compiled.json").read_text())
    shown = json.loads(block_of("compiled.md", "json").replace("...", ""))
    assert set(shown) <= set(real) and list(shown["classify"]) == \
        list(real["classify"])
    assert list(shown["metadata"]) == list(real["metadata"])
    ours = real["classify"]["signature"]
    assert shape(shown["classify"]["signature"]) == shape(ours)
    assert [field["prefix"] for field in
            shown["classify"]["signature"]["fields"]] == \
        [field["prefix"] for field in ours["fields"]]
    assert set(shown["metadata"]["dependency_versions"]) == \
        set(real["metadata"]["dependency_versions"])


@pytest.mark.parametrize("page, template", [
    ("exec-metric.md", "customer_care"),
    ("jobs/support_unlabelled.md", "support_unlabelled")])
def test_a_job_snippet_is_valid_in_the_job_its_page_describes(stage, page,
                                                              template):
    yaml = pytest.importorskip("yaml", reason="needs the package python3-yaml")
    stage.promptcc("init", "shop", "--template", template)
    job = stage.folder / "shop" / "job.yaml"
    for name, text in re.findall(r"^cat > (\w+\.py) <<'PY'\n(.*?)^PY$", (
            harness.ROOT / "docs" / page).read_text(), re.M | re.S):
        (stage.folder / "shop" / name).write_text(text)
    whole = yaml.safe_load(job.read_text())
    job.write_text(yaml.safe_dump(
        whole | yaml.safe_load(block_of(page, "yaml")), sort_keys=False))
    result = stage.promptcc("check", job)
    assert result.status == 0, result


# The tests that check the snippets of a page in a language.
SHOWN_BY = {
    ("docs/command-line.md", "bash"): "test_docs.py",
    ("docs/command-line.md", "json"): "test_docs.py",
    ("docs/compiled.md", "json"): "test_docs.py",
    ("docs/compiled.md", "python"): "dspy_program.py",
    ("docs/exec-metric.md", "yaml"): "test_docs.py",
    ("docs/job-file.md", "yaml"): "test_docs.py",
    ("docs/jobs/support_unlabelled.md", "yaml"): "test_docs.py",
    ("docs/library.md", "c"): "test_library.py",
    ("docs/python.md", "python"): "test_python.py",
    ("docs/store.md", "sql"): "test_commands.py",
    ("python/README.md", "python"): "test_python.py",
}


def test_every_snippet_has_a_test_that_checks_it():
    found = {(str(path.relative_to(harness.ROOT)), kind)
             for path in documents() for kind in
             re.findall(r"^```(\w+)$", path.read_text(), re.M)
             if kind not in ("sh", "text", "console")}
    assert found == set(SHOWN_BY)
    here = pathlib.Path(__file__).parent
    for (page, _), test in SHOWN_BY.items():
        if page != "docs/compiled.md" or test == "test_docs.py":
            assert pathlib.Path(page).name in (here / test).read_text(), page
    # dspy_program.py loads every compiled file this way.
    assert '.load("compiled.json")' in block_of("compiled.md", "python")
    assert ".load(" in (here / "dspy_program.py").read_text()


# The tests that run the commands of a page, or check what these name.
RUN_BY = {
    "README.md": "test_docs.py test_docs_machines.py",
    "bench/dspy/README.md": "test_docs.py",
    "bench/quality/README.md": "test_docs.py",
    "deploy/README.md": "test_docs_machines.py",
    "docs/benchmarks.md": "test_docs.py",
    "docs/cluster.md": "test_docs_machines.py",
    "docs/command-line.md": "test_docs.py",
    "docs/exec-metric.md": "test_docs.py",
    "docs/first-ollama.md": "test_docs_machines.py",
    "docs/http-api.md": "test_web_api.py test_docs.py",
    "docs/jobs.md": "test_docs.py",
    "docs/jobs/customer_care.md": "test_docs.py",
    "docs/jobs/support_unlabelled.md": "test_docs.py",
    "docs/library.md": "test_library.py",
    "docs/other-model.md": "test_docs.py",
    "docs/python.md": "test_python.py",
    "docs/real-model.md": "test_docs.py",
    "docs/report.md": "test_docs.py",
    "docs/serve.md": "test_serve.py",
    "docs/store.md": "test_docs.py test_commands.py",
    "docs/tutorial.md": "test_docs.py",
    "docs/zero-scores.md": "test_docs.py",
    "python/README.md": "test_python.py",
    "simulated/README.md": "test_docs.py",
    "tests/fault/README.md": "test_docs.py",
    "tests/fuzz/README.md": "test_docs.py",
    "tests/simulation/README.md": "test_docs.py",
    "tests/system/README.md": "test_docs.py",
}


def test_every_page_with_commands_has_a_test_that_runs_them():
    pages = {str(path.relative_to(harness.ROOT)) for path in documents()
             if commands_in(path)}
    assert pages == set(RUN_BY)
    here = pathlib.Path(__file__).parent
    for page, tests in RUN_BY.items():
        for test in tests.split():
            assert pathlib.Path(page).name in (here / test).read_text(), page


def documents():
    found = [harness.ROOT / "README.md"]
    for folder in ("bench", "deploy", "docs", "examples", "jobs", "python",
                   "simulated", "tests"):
        found += harness.ROOT.glob(f"{folder}/**/*.md")
    return sorted(path for path in found if path.exists())


# A line of a block that is a command: a prompt, variables, a program.
COMMAND = re.compile(
    r"(?:[\w-]*\$ +)?((?:[A-Z_]+=\S* +)*(?:nice -n 19 )?(?:promptcc|"
    r"simulated_ollama|curl|echo|kubectl|helm|docker|ssh|scp|pip|cmake|cc|"
    r"sqlite3|python3|timeout|\./bootstrap|(?:bench|build|scripts|tests|"
    r"\.venv)/\S+)(?: .*|$))", re.S)


def commands_in(path, kinds="sh|text|console"):
    """Returns the commands that a page shows, indented or in blocks of these
    kinds, without the text around them."""
    text = path.read_text()
    blocks = [block for kind, block in
              re.findall(r"^```(\w+)\n(.*?)^```", text, re.M | re.S)
              if kind in kinds.split("|")]
    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    blocks += re.findall(r"(?:^    \S.*\n)+", rest, re.M)
    lines = [line.strip() for block in blocks
             for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    found = [COMMAND.match(line) for line in lines]
    return [match[1].split("  #")[0].strip() for match in found if match]


def test_every_link_between_documents_resolves():
    broken = []
    for path in documents():
        text = re.sub(r"```.*?```", "", path.read_text(), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(harness.ROOT)}: {target}")
    assert not broken, broken


def test_every_option_in_the_documents_exists(stage):
    """Checks commands in code: `promptcc VERB ... --option`."""
    text = "\n".join(path.read_text() for path in documents())
    known = {}
    wrong = []
    # `kubectl -n promptcc create` is not a command of ours, nor is `-n
    # promptcc`.
    for verb, rest in re.findall(r"(?<!-n )(?<!install )promptcc (\w+)\b"
                                 r"([^\n`|&;]*)", text):
        own = re.sub(r"--sbatch \S+", "--sbatch", rest)  # its value is an option of Slurm
        options = re.findall(r"(?<![\w-])--([a-z][a-z-]*)", own)
        if not options:
            continue
        if verb not in known:
            known[verb] = stage.promptcc(verb, "--help").out
        wrong += [f"promptcc {verb} --{option}" for option in options
                  if f"--{option}" not in known[verb] and option != "help"]
    assert not wrong, wrong


def own_files():
    """Returns the repository's files, without what builds and tools leave
    behind."""
    tops = [top for top in harness.ROOT.iterdir()
            if top.name != "build" and not top.name.startswith(".")]
    return {str(path.relative_to(harness.ROOT)) for top in tops
            for path in (top.rglob("*") if top.is_dir() else [top])
            if path.is_file()}


def test_every_file_named_in_the_tour_exists():
    """The tour names a path from the root of the repository, or a test."""
    text = (harness.ROOT / "docs" / "tour.md").read_text()
    files = own_files()
    names = {path.rsplit("/", 1)[-1] for path in files}
    wrong = []
    for code in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text,
                                                  flags=re.S)):
        if not re.fullmatch(r"[\w./-]+(/|\.(c|h|md|py|sh|sql|def|json|txt))",
                            code) or "_<" in code:
            continue
        there = ((harness.ROOT / code).exists() if "/" in code
                 else code in names or (harness.ROOT / code).exists())
        if not there and code != "CMakeLists.txt":
            wrong.append(code)
    assert not wrong, wrong


def test_every_function_named_in_the_tour_exists():
    text = (harness.ROOT / "docs" / "tour.md").read_text()
    named = set(re.findall(r"(?<![\w/.<-])([a-z]+(?:_[a-z0-9]+)+)(?![\w/.>])",
                           text))
    source = set()
    for path in own_files():
        if path.endswith((".c", ".h", ".py", ".json", ".txt", ".cmake")):
            source |= set(re.findall(r"\w+", (harness.ROOT / path).read_text()))
    folders = {path.name for path in (harness.ROOT / "jobs").iterdir()}
    missing = sorted(named - source - folders)
    assert not missing, missing
