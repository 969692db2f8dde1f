"""The C library as a user gets it: installed, found by pkg-config, and linked
by the user's own program."""

import json
import os
import re
import subprocess

import pytest

import harness

SANITIZE = re.search(r"^PROMPTCC_SANITIZE:STRING=(.*)$",
                     (harness.BUILD / "CMakeCache.txt").read_text(), re.M)[1]
FLAGS = [f"-fsanitize={SANITIZE}"] if SANITIZE else []


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What `./bootstrap install PREFIX` installs, and a compiled file."""
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run(["cmake", "--install", harness.BUILD, "--prefix", prefix],
                   check=True, capture_output=True)
    stage = harness.Stage(tmp_path_factory.mktemp("library"))
    job = stage.job(student="llama3.2:3b")
    done = stage.promptcc("run", job, "--simulate", "--quiet")
    assert done.status == 0, done
    yield prefix, job.parent / "compiled.json"
    stage.close()


def build(prefix, source, program, *libraries):
    found = next(prefix.rglob("promptcc.pc")).parent
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "promptcc"], check=True, text=True,
        capture_output=True, env={**os.environ, "PKG_CONFIG_PATH": str(found)},
    ).stdout.split()
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic",
                    "-Werror", source, *FLAGS, *flags, *libraries,
                    f"-Wl,-rpath,{found.parent}", "-o", program], check=True)


def test_the_example_links_and_answers_like_predict(stage, installed, tmp_path):
    prefix, compiled = installed
    program = tmp_path / "ask"
    build(prefix, harness.ROOT / "examples" / "c" / "ask.c", program)
    sim = stage.stand_in(slots=2)
    message = "My parcel is late, and so is the courier."

    def ask(*words):
        return subprocess.run(
            [program, *words], capture_output=True, text=True,
            env=harness.environment(), timeout=harness.DEADLINE_S, check=False)

    given = ask(compiled, sim.url, json.dumps({"message": message}))
    assert given.returncode == 0, given.stderr
    ours = stage.promptcc("predict", compiled, "--ollama", sim.url, "--json",
                          f"message={message}")
    assert json.loads(given.stdout) == ours.json["outputs"]

    for words, said in [
            (["nowhere.json", sim.url, "{}"], "nowhere.json"),
            ([compiled, "http://127.0.0.1:1", "{}"], "no model server answers"),
            ([compiled, sim.url, "{}"], "message"),
            ([compiled, sim.url, "[1]"], "not a JSON object"),
            ([compiled, sim.url, '{"message": 7}'], "message")]:
        wrong = ask(*words)
        assert wrong.returncode == 1 and said in wrong.stderr, wrong
        assert "Sanitizer" not in wrong.stderr


def test_the_program_in_the_documentation_gives_an_answer(stage, installed,
                                                          tmp_path):
    prefix, compiled = installed
    sim = stage.stand_in(slots=2)
    page = (harness.ROOT / "docs" / "library.md").read_text()
    [text] = re.findall(r"^```c\n(.*?)^```", page, re.M | re.S)
    for shown, ours in (("http://localhost:11434", sim.url),
                        ("user_message", "message"),
                        ("compiled.json", str(compiled))):
        assert shown in text
        text = text.replace(shown, ours)
    source, program = tmp_path / "document.c", tmp_path / "document"
    source.write_text(text)
    build(prefix, source, program)
    done = subprocess.run([program], capture_output=True, text=True, timeout=harness.DEADLINE_S,
                          env=harness.environment(), check=False)
    assert done.returncode == 0, done
    assert json.loads(done.stdout)


def test_the_library_exports_only_its_public_names(installed):
    prefix, _ = installed
    library = next(prefix.rglob("libpromptcc.so"))
    symbols = subprocess.run(["nm", "-D", "--defined-only", library],
                             check=True, capture_output=True, text=True).stdout
    names = {line.split()[-1].split("@")[0] for line in symbols.splitlines()}
    header = (harness.ROOT / "library" / "promptcc.h").read_text()
    told = set(re.findall(r"\b(promptcc_\w+)\(", header))
    names = {n for n in names if n != "PROMPTCC_1" and
             not n.startswith(("__asan", "__odr_asan"))}
    assert names == told


LISTS = r"""
#include <promptcc.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct promptcc_error error = {0};
    struct promptcc_program *program = promptcc_load(argv[1], &error);
    struct promptcc_runner *runner =
        promptcc_runner_new(program, "ollama", argv[2], &error);
    char *texts[] = {
        promptcc_render(program, "sort", "{\"message\": \"a parcel\"}", &error),
        promptcc_render(program, "sort", NULL, &error),
        promptcc_describe(program, &error),
        promptcc_run_many(runner, argv[3], &error),
    };

    printf("[%d, \"%s\"", argc, promptcc_model(program));
    for (int i = 0; i < 4; i++) {
        printf(",\n%s", texts[i] == NULL ? error.text : texts[i]);
        promptcc_text_free(texts[i]);
    }
    printf(", \"%s\"", promptcc_render(program, "srt", NULL, &error) == NULL
                           ? error.text : "");
    printf(", %d, %d]\n", error.code, promptcc_simulated(program));
    promptcc_runner_free(runner);
    promptcc_free(program);
    return 0;
}
"""


def test_the_library_predicts_lists_renders_and_describes(stage, installed,
                                                          tmp_path):
    prefix, compiled = installed
    source, program = tmp_path / "lists.c", tmp_path / "lists"
    source.write_text(LISTS)
    build(prefix, source, program)
    sim = stage.stand_in(slots=4)
    inputs = [{"message": "a parcel and a courier"}, {"nothing": 1},
              {"message": "my roses"}, 7]
    done = subprocess.run(
        [program, compiled, f"{sim.url},slots=4", json.dumps(inputs)],
        capture_output=True, text=True, timeout=harness.DEADLINE_S, env=harness.environment(),
        check=False)
    assert done.returncode == 0, done
    (_, model, rendered, prefix_alone, described, results, wrong, code,
     simulated) = json.loads(done.stdout)
    assert model == "llama3.2:3b" and simulated == 1
    ours = stage.promptcc("render", compiled, "sort", "message=a parcel",
                          "--json").json
    assert rendered == ours and prefix_alone == ours[:-1]
    assert list(described) == ["inputs", "steps", "outputs"]
    assert set(results[0]["outputs"]) == set(results[2]["outputs"])
    assert results[1]["error"]["code"] == results[3]["error"]["code"] == "input"
    assert "did you mean `sort`?" in wrong and code == 1


GERMAN = r"""
#include <promptcc.h>
#include <locale.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct promptcc_error error = {0};
    const char *locale = setlocale(LC_ALL, "de_DE.UTF-8");
    struct promptcc_program *program = promptcc_load(argv[1], &error);
    struct promptcc_runner *runner =
        promptcc_runner_new(program, "ollama", argv[argc - 1], &error);
    char *outputs = promptcc_run(runner, "{\"message\": \"a parcel\"}", &error);

    printf("%s %.1f\n", locale == NULL ? "none" : locale, 0.5);
    puts(outputs == NULL ? error.text : outputs);
    promptcc_text_free(outputs);
    promptcc_runner_free(runner);
    promptcc_free(program);
    return outputs == NULL;
}
"""


def test_numbers_have_a_point_in_a_program_that_speaks_german(
        stage, installed, tmp_path):
    """Otherwise its requests say `"temperature":0,75`."""
    if subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8",
                       tmp_path / "de_DE.UTF-8"]).returncode != 0:
        pytest.skip("needs the sources of locales")
    prefix, compiled = installed
    warm = tmp_path / "warm.json"
    text = re.sub(r'"temperature": 0\.0', '"temperature": 0.75',
                  compiled.read_text())
    assert "0.75" in text
    warm.write_text(text)
    source, program = tmp_path / "german.c", tmp_path / "german"
    source.write_text(GERMAN)
    build(prefix, source, program)
    gate = stage.gate(stage.stand_in(slots=1))
    # glibc's setlocale leaks what it made of LOCPATH.
    env = harness.environment(LOCPATH=str(tmp_path),
                              ASAN_OPTIONS="exitcode=99:detect_leaks=0")
    done = subprocess.run(
        [program, warm, gate.url], text=True, capture_output=True, env=env,
        timeout=harness.DEADLINE_S, check=False)
    assert done.returncode == 0, done
    assert done.stdout.startswith("de_DE.UTF-8 0,5\n"), done
    assert gate.requests[-1]["options"]["temperature"] == 0.75


def run_built(prefix, source, folder, *words, libraries=()):
    """Builds a program from its text and returns how it ended."""
    path, program = folder / "program.c", folder / "program"
    path.write_text("#define _GNU_SOURCE\n" + source)
    build(prefix, path, program, *libraries)
    return subprocess.run(
        [program, *words], capture_output=True, text=True, check=False,
        env=harness.environment(), timeout=harness.DEADLINE_S)


FORKED = r"""
#include <promptcc.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUESTIONS = 12 };

static char *ask(struct promptcc_runner *runner, int n)
{
    struct promptcc_error error = {0};
    char inputs[80];
    char *outputs;

    snprintf(inputs, sizeof inputs, "{\"message\": \"%d parcels, %d roses\"}", n,
             n * n);
    outputs = promptcc_run(runner, inputs, &error);
    if (outputs == NULL)
        printf("question %d: %s\n", n, error.text);
    return outputs;
}

int main(int argc, char **argv)
{
    struct promptcc_error error = {0};
    struct promptcc_program *program = promptcc_load(argv[1], &error);
    struct promptcc_runner *runner =
        promptcc_runner_new(program, "ollama", argv[argc - 1], &error);
    char *alone[QUESTIONS];
    int wrong = 0, status = 0;
    pid_t child;

    for (int i = 0; i < QUESTIONS; i++)
        alone[i] = ask(runner, i);
    child = fork();
    for (int i = 0; i < QUESTIONS; i++) {
        int n = child == 0 ? i : QUESTIONS - 1 - i;
        char *outputs = ask(runner, n);

        wrong += outputs == NULL || strcmp(outputs, alone[n]) != 0;
        promptcc_text_free(outputs);
    }
    for (int i = 0; i < QUESTIONS; i++)
        promptcc_text_free(alone[i]);
    promptcc_runner_free(runner);
    promptcc_free(program);
    if (child > 0)
        waitpid(child, &status, 0);
    printf("%d wrong, status %d\n", wrong, status);
    return wrong != 0 || status != 0;
}
"""


def test_a_forked_child_gets_no_answers_of_its_parent(stage, installed,
                                                      tmp_path):
    """Servers load a program, and fork a process for each client then."""
    prefix, compiled = installed
    sim = stage.stand_in(slots=4, latency_ms=20)
    done = run_built(prefix, FORKED, tmp_path, compiled, sim.url)
    assert done.returncode == 0, done


INHERITED = r"""
#include <promptcc.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    struct promptcc_error error = {0};
    struct promptcc_program *program = promptcc_load(argv[1], &error);
    struct promptcc_runner *runner =
        promptcc_runner_new(program, "ollama", argv[argc - 1], &error);
    char *outputs = promptcc_run(runner, "{\"message\": \"a parcel\"}", &error);
    int connections = 0, inherited = 0;

    for (int fd = 3; fd < 100; fd++) {
        struct sockaddr_storage at;
        socklen_t len = sizeof at;

        if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
            at.ss_family != AF_INET)
            continue;
        connections++;
        inherited += (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
    }
    printf("%d of %d\n", inherited, connections);
    promptcc_text_free(outputs);
    promptcc_runner_free(runner);
    promptcc_free(program);
    return connections == 0 || inherited != 0;
}
"""


def test_a_program_that_the_user_starts_inherits_no_connection(
        stage, installed, tmp_path):
    """The server would work on for a call that was cancelled."""
    prefix, compiled = installed
    sim = stage.stand_in(slots=1)
    done = run_built(prefix, INHERITED, tmp_path, compiled, sim.url)
    assert done.returncode == 0, done


OWN_FILE = r"""
#include <promptcc.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct promptcc_error error = {0};
    struct promptcc_program *program = promptcc_load(argv[1], &error);
    struct promptcc_runner *runner;
    char *outputs;

    close(STDERR_FILENO);
    if (open(argv[3], O_WRONLY | O_CREAT, 0600) != STDERR_FILENO)
        return 3;
    runner = promptcc_runner_new(program, "ollama", argv[argc - 2], &error);
    outputs = promptcc_run(runner, "{\"message\": \"a parcel\"}", &error);
    puts(outputs == NULL ? error.text : outputs);
    promptcc_text_free(outputs);
    promptcc_runner_free(runner);
    promptcc_free(program);
    return outputs == NULL;
}
"""


def test_the_library_writes_nothing_into_a_file_of_its_user(stage, installed,
                                                            tmp_path):
    """In a daemon, descriptor 2 may be any file or connection."""
    prefix, compiled = installed
    asks, own = tmp_path / "json.json", tmp_path / "own"
    text = compiled.read_text()
    assert '"adapter": "chat"' in text
    asks.write_text(text.replace('"adapter": "chat"', '"adapter": "json"'))
    gate = stage.gate(stage.stand_in(slots=1))
    gate.refuse = lambda body: "format" in body
    gate.refusal = 400, {"error": "no json_schema here"}
    done = run_built(prefix, OWN_FILE, tmp_path, asks, gate.url, own)
    assert done.returncode == 0, done
    assert any("format" not in body for body in gate.requests)
    assert own.read_text() == ""


OWN_ALLOCATOR = r"""
#include <promptcc.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEAD = 16 };

static long taken;

static void *take(size_t size)
{
    char *piece = malloc(size + HEAD);

    taken += piece != NULL;
    return piece == NULL ? NULL : piece + HEAD;
}

static void give_back(void *piece)
{
    taken -= piece != NULL;
    if (piece != NULL)
        free((char *)piece - HEAD);
}

int main(int argc, char **argv)
{
    struct promptcc_error error = {0};
    struct promptcc_program *program;
    json_t *before, *after;

    json_set_alloc_funcs(take, give_back);
    before = json_string("made before");
    program = promptcc_load(argv[argc - 1], &error);
    after = json_string("made after");
    json_decref(before);
    json_decref(after);
    promptcc_free(program);
    printf("%ld pieces\n", taken);
    return program == NULL || taken != 0;
}
"""


def test_the_users_own_allocator_for_json_stays(installed, tmp_path):
    prefix, compiled = installed
    done = run_built(prefix, OWN_ALLOCATOR, tmp_path, compiled,
                     libraries=["-ljansson"])
    assert done.returncode == 0, done


CLOSED = r"""
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    void *handle = dlopen(argv[argc - 1], RTLD_NOW);

    if (handle == NULL || dlclose(handle) != 0)
        return 2;
    return dlopen(argv[argc - 1], RTLD_NOW | RTLD_NOLOAD) == NULL;
}
"""


def test_dlclose_does_not_take_the_code_from_a_thread_of_libcurl(installed,
                                                                 tmp_path):
    """A thread that waits for a name server outlives the call."""
    prefix, _ = installed
    library = next(prefix.rglob("libpromptcc.so.1"))
    path, program = tmp_path / "closed.c", tmp_path / "closed"
    path.write_text(CLOSED)
    subprocess.run(["cc", path, *FLAGS, "-ldl", "-o", program], check=True)
    done = subprocess.run([program, library], capture_output=True, text=True,
                          env=harness.environment(), check=False,
                          timeout=harness.DEADLINE_S)
    assert done.returncode == 0, done
