"""harness: starts, watches and kills real promptcc programs for the tests.

A `Stage` (the fixture `stage`) owns a folder and every process that a test
starts in it. Processes that still run when the test ends are killed by their
process ids. Tests wait for conditions with a deadline (`wait_until`) and never
sleep for a fixed time.

    sim = stage.stand_in(slots=2)               the stand-in model server
    gate = stage.gate(sim)                      a proxy that can hold calls
    job = stage.job()                           a small job folder
    result = stage.promptcc("run", job, "--ollama", sim.url, "--json")
    assert result.status == 0, result

The programs come from the build folder in PROMPTCC_BUILD (build/dev). If they
are built with sanitizers, a process that ends with a sanitizer's report fails
the test, whatever else it did.
"""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PROMPTCC_BUILD", ROOT / "build" / "dev"))
PROMPTCC = BUILD / "cli" / "promptcc"
STAND_IN = BUILD / "simulated" / "simulated_ollama"
SUPPORT = ROOT.parent / "shared" / "data" / "support"

# How long a test waits for what must come. It only bounds a failure: a machine
# that does other work may halt any process for many seconds.
DEADLINE_S = 180
# Commands whose jobs pause while nothing answers. Unless a test says after how
# long, they wait for as long as a machine may halt.
PAUSING = ("run", "eval", "plan", "resume", "coordinator", "predict")
SANITIZER = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer"
                       r"|runtime error:")


def wait_until(condition, what, deadline_s=DEADLINE_S):
    """Waits until condition() is true and returns its value; a failure names
    `what`."""
    end = time.monotonic() + deadline_s
    while True:
        # Read before the last look, so that one look comes after the deadline,
        # however long we were halted.
        last = time.monotonic() >= end
        value = condition()
        if value:
            return value
        assert not last, f"after {deadline_s} s: no {what}"
        time.sleep(0.005)


def environment(**more):
    """Returns our environment without PROMPTCC_ options; a sanitizer's finding
    exits with 99."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("PROMPTCC_") and "proxy" not in k.lower()}
    # Tests of memory must not count freed memory that the sanitizer keeps.
    env["ASAN_OPTIONS"] = "exitcode=99:quarantine_size_mb=16"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    env["TSAN_OPTIONS"] = f"exitcode=99 suppressions={ROOT}/tests/tsan.supp"
    env.update(more)
    return env


class Result:
    """How a command ended, and what it printed."""

    def __init__(self, command, status, out, err):
        self.command, self.status, self.out, self.err = command, status, out, err

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError(f"standard output is not JSON: {self}")

    @property
    def error(self):
        """Returns the document of a failure, after checking its form."""
        document = self.json
        assert set(document) == {"error"}, self
        assert set(document["error"]) == {"code", "text", "place"}, self
        return document["error"]

    def __repr__(self):
        return (f"{' '.join(map(str, self.command))}\nexit status {self.status}"
                f"\n--- standard output\n{self.out[-4000:]}"
                f"\n--- standard error\n{self.err[-4000:]}")


class Process:
    """A running program. Its output goes to files, so that no pipe ever fills
    up."""

    def __init__(self, stage, command, name, cwd=None, stdin=None, env=None):
        self.stage, self.command = stage, [str(word) for word in command]
        self.out_path = stage.folder / f"{name}.out"
        self.err_path = stage.folder / f"{name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.popen = subprocess.Popen(
                self.command, stdout=out, stderr=err, cwd=cwd or stage.folder,
                stdin=subprocess.PIPE if stdin is not None else
                subprocess.DEVNULL, env=environment(**(env or {})),
                start_new_session=True)
        self.pid = self.popen.pid
        if stdin is not None:
            self.popen.stdin.write(stdin.encode())
            self.popen.stdin.close()

    @property
    def running(self):
        return self.popen.poll() is None

    def output(self):
        return self.out_path.read_text(errors="replace")

    def errors(self):
        return self.err_path.read_text(errors="replace")

    def result(self):
        return Result(self.command, self.popen.returncode, self.output(),
                      self.errors())

    def wait(self, deadline_s=DEADLINE_S):
        try:
            self.popen.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"after {deadline_s} s still running: "
                                 f"{self.result()}")
        self.check_sanitizers()
        return self.result()

    def check_sanitizers(self):
        assert not SANITIZER.search(self.errors()), self.result()

    def signal(self, number):
        self.popen.send_signal(number)

    def kill(self):
        """Sends SIGKILL and waits until the process is gone."""
        if self.running:
            self.popen.kill()
        self.popen.wait()

    def terminate(self, deadline_s=DEADLINE_S):
        self.popen.terminate()
        return self.wait(deadline_s)

    def wait_for_line(self, pattern, errors=False):
        """Waits until the output matches a pattern; returns the match."""
        def look():
            running = self.running  # before the look, since it may end now
            found = re.search(pattern, self.errors() if errors else
                              self.output())
            assert found or running, self.result()
            return found
        return wait_until(look, f"`{pattern}` from {self.command[:2]}")


# When a worker joins, it shows what its server can do (docs/protocol.md). The
# calls for this have their own limit of tokens, belong to no job, and are not
# counted.
PROOF_TOKENS = 24

# Paths on which a model is asked.
CHATS = ("/api/chat", "/v1/chat/completions")
EMBEDDINGS = ("/api/embed", "/v1/embeddings")


class StandIn(Process):
    """The stand-in model server. restart() uses the same port again."""

    def __init__(self, stage, name, port=None, **options):
        port = port or stage.reserve_port()
        self.log_path = stage.folder / f"{name}.log"
        self.options, self.name = options, name
        command = [STAND_IN, "--port", port, "--log", self.log_path]
        for key, value in options.items():
            for one in value if isinstance(value, list) else [value]:
                command += ["--" + key.replace("_", "-"), one]
        super().__init__(stage, command, name)
        found = self.wait_for_line(r"listening on (http://[\d.]+:(\d+))")
        self.url, self.port = found[1], int(found[2])

    def restart(self):
        """Starts the same server again after kill(), on the same port and
        log."""
        return self.stage.add(StandIn(self.stage, self.name, self.port,
                                      **self.options))

    def stats(self):
        return get_json(self.url + "/sim/stats")

    def asked(self, paths=CHATS + EMBEDDINGS):
        """Returns the requests for an answer, in order of completion."""
        if not self.log_path.exists():
            return []
        lines = self.log_path.read_text().splitlines(keepends=True)
        records = [json.loads(line) for line in lines if line.endswith("\n")]
        return [r for r in records if r["path"] in paths and
                r["num_predict"] != PROOF_TOKENS]

    def chats(self):
        return self.asked(CHATS)

    def answered(self, paths=CHATS + EMBEDDINGS):
        """Returns the bodies of the answered requests, in order of
        completion."""
        return [r["body"] for r in self.asked(paths)
                if r["outcome"] == "answered"]

    def repeated(self):
        """Returns how many answers were for a body that already had one."""
        bodies = self.answered()
        return len(bodies) - len(set(bodies))


class Gate:
    """A proxy in front of a model server that records what passes.

    `requests` are the bodies of chats and of texts to embed, in order of
    arrival. After hold_after(k), the k-th answer is the last one that passes:
    later requests are held, and counted in `held`, until release(), which drops
    them, or let_pass(), which forwards them. Requests for
    which refuse(body) is true get `refusal`, a pair of status and body. If
    `refuses_all` is set, so do all other requests.
    """

    def __init__(self, url):
        self.requests, self.held, self.passed = [], 0, 0
        self.refuse = lambda body: False
        self.refuses_all = False
        self.refusal = 400, {"error": "it broke"}
        self._limit, self._drops = None, True
        self._change = threading.Condition()
        self._upstream = url.removeprefix("http://")
        gate = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # otherwise each answer takes 40 ms

            def log_message(self, *_):
                pass

            def forward(self, body):
                try:
                    gate._forward(self, body)
                except OSError:
                    self.close_connection = True

            def do_GET(self):
                self.forward(None)

            def do_POST(self):
                self.forward(self.rfile.read(
                    int(self.headers["Content-Length"])))

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # the client was killed in the middle

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        kwargs={"poll_interval": 0.02})
        self._thread.start()

    def hold_after(self, passed):
        with self._change:
            self.passed, self.held, self._limit = 0, 0, passed
            self._drops = True

    def release(self):
        with self._change:
            self._limit = None
            self._change.notify_all()

    def let_pass(self):
        with self._change:
            self._limit, self._drops = None, False
            self._change.notify_all()

    def wait_held(self, process):
        """Waits until a request is held; fails if the process ends before
        that."""
        wait_until(lambda: self.held > 0 or not process.running,
                   f"call beyond {self._limit}")
        return self.held > 0

    def close(self):
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _admit(self):
        with self._change:
            if self._limit is not None and self.passed >= self._limit:
                self.held += 1
                self._change.wait_for(lambda: self._limit is None)
                if self._drops:
                    return False  # the sender has died meanwhile
            self.passed += 1
            return True

    def _forward(self, handler, body):
        if self.refuses_all:
            status, said = self.refusal
            self._answer(handler, status, json.dumps(said).encode())
            return
        chat = handler.path in CHATS + EMBEDDINGS and \
            f'"num_predict":{PROOF_TOKENS},' not in body.decode() and \
            f'"max_tokens":{PROOF_TOKENS},' not in body.decode()
        if chat:
            with self._change:
                self.requests.append(json.loads(body))
                refused = self.refuse(self.requests[-1])
            if refused:
                status, said = self.refusal
                self._answer(handler, status, json.dumps(said).encode())
                return
            if not self._admit():
                handler.close_connection = True
                return
        upstream = http.client.HTTPConnection(self._upstream,
                                              timeout=DEADLINE_S)
        upstream.request(handler.command, handler.path, body,
                         {"Content-Type": "application/json"})
        response = upstream.getresponse()
        reply = response.read()
        upstream.close()
        self._answer(handler, response.status, reply)

    @staticmethod
    def _answer(handler, status, reply):
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(reply)))
        handler.end_headers()
        handler.wfile.write(reply)


class Chatty(Gate):
    """A model that keeps to a form only under a schema. A stubborn one does not
    even then, if it is asked for the chat form."""

    stubborn = False

    def _forward(self, handler, body):
        self.free = handler.path == "/api/chat" and (
            not json.loads(body).get("format") or
            self.stubborn and b"[[ ## completed" in body)
        super()._forward(handler, body)

    def _answer(self, handler, status, reply):
        if self.free:
            document = json.loads(reply)
            document["message"]["content"] = "I would rather talk of weather."
            reply = json.dumps(document).encode()
        Gate._answer(handler, status, reply)


class Tap:
    """A listener in front of a local port that records in `bytes` everything
    that passes in either direction."""

    def __init__(self, port):
        self.bytes = bytearray()
        self._port, self._open = port, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self._port))
            self._open += [here, there]
            for a, b in ((here, there), (there, here)):
                threading.Thread(target=self._pass, args=(a, b),
                                 daemon=True).start()

    def _pass(self, source, target):
        try:
            while data := source.recv(65536):
                self.bytes += data
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def release(self):
        pass

    def close(self):
        self._listener.close()
        for one in self._open:
            one.close()


@contextlib.contextmanager
def small_disk(stage, size):
    """Mounts a file system of `size` ("2m") on the folder `disk` of the stage.
    Ends the stage's processes before unmounting it."""
    folder = stage.folder / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True
                                           ).returncode != 0:
        pytest.skip("needs the right to mount a tmpfs (root)")
    try:
        yield folder
    finally:
        stage.close()
        subprocess.run(["umount", "-l", str(folder)], check=True)


def alive(pid):
    """Returns true while there is such a process that has not ended."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def get_json(url):
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=DEADLINE_S)
    try:
        connection.request("GET", "/" + path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


class Stage:
    """A test's folder and processes."""

    def __init__(self, folder):
        self.folder = folder
        self.processes, self.gates, self.started = [], [], 0
        self.reserved = []

    def add(self, process):
        self.processes.append(process)
        return process

    def name(self, kind):
        self.started += 1
        return f"{kind}-{self.started}"

    def reserve_port(self):
        """Returns a port that nothing listens on, and that the system gives to
        nobody who asks for any port. A server that names it may listen there,
        again and again, until the stage is closed."""
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        self.reserved.append(held)
        return held.getsockname()[1]

    def stand_in(self, **options):
        return self.add(StandIn(self, self.name("stand-in"), **options))

    def gate(self, stand_in):
        gate = Gate(stand_in.url)
        self.gates.append(gate)
        return gate

    def tap(self, port):
        tap = Tap(port)
        self.gates.append(tap)
        return tap

    def start(self, *words, cwd=None, stdin=None, env=None):
        if words[0] in PAUSING and "--wait" not in words:
            env = {"PROMPTCC_WAIT": f"{2 * DEADLINE_S}s", **(env or {})}
        return self.add(Process(self, [PROMPTCC, *words],
                                self.name(str(words[0])), cwd, stdin, env))

    def promptcc(self, *words, deadline_s=DEADLINE_S, **how):
        return self.start(*words, **how).wait(deadline_s)

    def pauses(self, *words, says, never="\0", **how):
        """Runs a command whose job pauses when nothing has answered for a
        while, with some words and without others. A slow machine needs a
        longer while to find out why nothing answers."""
        for wait in ("1s", "10s", "60s"):
            result = self.promptcc(*words, "--wait", wait, **how)
            said = result.out + result.err
            if says in said and never not in said:
                break
        assert result.status == 3 and says in said, result
        assert never not in said, result
        return result

    def keys(self, *made):
        """Makes a folder of keys, each given as (role, name); returns its
        path."""
        folder = self.folder / "keys"
        for role, name in made or [("worker", "rack"), ("client", "ann")]:
            result = self.promptcc("keys", role, name, "--keys", folder)
            assert result.status == 0, result
        return folder

    def coordinator(self, store, *words, port=None):
        port = port or self.reserve_port()
        process = self.start("coordinator", "--listen",
                             f"tcp://127.0.0.1:{port}", "--store", store,
                             *words)
        found = re.compile(r"tcp://127\.0\.0\.1:(\d+)")
        wait_until(lambda: found.search(process.output()) or
                   found.search(process.errors()) or not process.running,
                   "endpoint of the coordinator")
        match = found.search(process.output()) or found.search(process.errors())
        assert match and int(match[1]) != 0, process.result()
        process.endpoint, process.port = match[0], int(match[1])
        return process

    def worker(self, endpoint, url, name, *words, slots=1):
        return self.start("worker", "--coordinator", endpoint, "--ollama",
                          f"{url},slots={slots}", "--name", name, *words)

    def job(self, name="shop", **changes):
        return write_job(self.folder / name, **changes)

    def close(self):
        for gate in self.gates:
            gate.release()
        for process in self.processes:
            if process.running:
                process.signal(signal.SIGCONT)
            process.kill()
        for gate in self.gates:
            gate.close()
        for held in self.reserved:
            held.close()
        for process in self.processes:
            process.check_sanitizers()


def run(stage, server, job, *words, slots=2, command="run", **how):
    """Runs a job on one server, and prints its document."""
    return stage.promptcc(command, job, "--ollama",
                          f"{server.url},slots={slots}", "--json", *words,
                          **how)


# --- jobs ---

TOPICS = {
    "delivery": ["parcel", "courier", "shipping", "package", "doorstep",
                 "tracking"],
    "returns": ["refund", "exchange", "receipt", "broken", "faulty", "warranty"],
    "opening": ["hours", "sunday", "closing", "holiday", "evening", "morning"],
    "plants": ["roses", "watering", "leaves", "soil", "pruning", "seedling"],
}
FRAMES = [
    "I have a question about the {0}, and about {1}.",
    "Can you tell me more on {0} and {1}?",
    "My {0} is not what I expected; is {1} to blame?",
    "Hello, {0} please, then {1}. Thanks!",
    "What do you do about {1} when {0} goes wrong?",
]

JOB = """\
name: {name}
models: {{student: {student}, options: {{num_ctx: 4096, num_predict: 200}}}}
inputs:
  message: {{desc: What the customer wrote}}
steps:
  sort:
    predict: {instruction}
    inputs: [message]
    outputs:
      topic: {{enum: [delivery, returns, opening, plants]}}
{more_steps}data: {data}
metric: {metric}
optimizer: {optimizer}
"""

SECOND_STEP = """\
  answer:
    chain_of_thought: Write a short answer to the customer.
    inputs: {message: , topic: sort.topic}
    outputs:
      reply: {desc: Two sentences at most}
outputs: {topic: sort.topic, reply: answer.reply}
"""

# Makes about 60 calls with 24 rows.
SMALL = "{bootstrap_random_search: {num_candidate_programs: 3, " \
        "max_bootstrapped_demos: 2, max_labeled_demos: 4}}"
GEPA = "{gepa: {max_metric_calls: 220}}"
SIMBA = "{simba: {bsize: 6, num_candidates: 2, max_steps: 3}}"
COPRO = "{copro: {breadth: 3, depth: 2}}"
MIPRO = "{miprov2: {auto: light, seed: 9, num_candidates: 3, num_trials: 4, " \
        "max_bootstrapped_demos: 2, max_labeled_demos: 2, minibatch_size: 6}}"
RACE = "{screen_and_race: {evaluations: 60, seed: 9, max_demos: 4}}"


def rows(n, labelled=True):
    """Returns n examples with the topics in turn; no two messages are equal."""
    topics = sorted(TOPICS)
    made = []
    for i in range(n):
        words = TOPICS[topics[i % 4]]
        k = i // 4
        first, second = words[k % 6], words[(k // 6 + k + 1) % 6]
        row = {"message": f"{FRAMES[(i + k) % 5].format(first, second)} ({i})"}
        if labelled:
            row["topic"] = topics[i % 4]
        made.append(row)
    return made


def write_rows(path, made):
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


def write_documents(path):
    """Writes one document per topic, in the same words as the topic's
    messages."""
    return write_rows(path, [{"title": topic, "text": " ".join(words)}
                             for topic, words in TOPICS.items()])


def write_job(folder, n=24, name=None, student="qwen2.5:0.5b",
              instruction="Say what the message is about.", more_steps="",
              data="{examples: examples.jsonl}", metric="{exact_match: topic}",
              optimizer=SMALL):
    """Writes a job folder with generated data; returns the path of its job
    file."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "examples.jsonl", rows(n))
    path = folder / "job.yaml"
    path.write_text(JOB.format(name=name or folder.name, student=student,
                               instruction=instruction, more_steps=more_steps,
                               data=data, metric=metric, optimizer=optimizer))
    return path


def write_support_job(folder, optimizer):
    """Writes a job with ten intents of real customers' questions."""
    intents = sorted({json.loads(line)["intent"] for line in
                      (SUPPORT / "examples.jsonl").open()})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "examples.jsonl").write_text(
        (SUPPORT / "examples.jsonl").read_text())
    path = folder / "job.yaml"
    path.write_text(f"""\
name: support
models:
  student: llama3.2:3b
  teacher: qwen2.5:14b
  options: {{num_ctx: 8192, num_predict: 300}}
inputs:
  user_message: {{desc: Question of a customer of a bank}}
steps:
  classify:
    predict: Classify the message.
    inputs: [user_message]
    outputs:
      intent: {{enum: [{", ".join(intents)}]}}
data:
  examples: examples.jsonl
  split: {{train: 0.4, val: 0.6, test: 0, stratify: intent}}
metric: {{exact_match: intent}}
optimizer: {optimizer}
""")
    return path


# --- the store, read with plain SQLite ---

def store_rows(path, sql, *arguments):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True,
                         timeout=DEADLINE_S)
    try:
        return db.execute(sql, arguments).fetchall()
    finally:
        db.close()


def copies(path):
    """Returns how often the stored calls were sent beyond once each. A worker
    that is slow, or silent for three seconds, keeps a call that another one is
    asked as well; on a busy machine both may answer."""
    return store_rows(path, "SELECT coalesce(sum(attempts - 1), 0) "
                      "FROM v_calls")[0][0]


def committed_calls(path, which="true"):
    """Returns the calls whose answers are in the store, in the form of
    call_of."""
    if not path.exists():
        return set()
    try:
        found = store_rows(path, "SELECT model, messages, options "
                           f"FROM v_calls WHERE {which}")
    except sqlite3.OperationalError:
        return set()  # the coordinator was killed before it made the tables
    return {call_form(model, json.loads(messages), json.loads(options))
            for model, messages, options in found}


def call_of(request):
    """Returns what determines the answer to a request, in a form that is the
    same for the body that was sent and the row that was stored."""
    return call_form(request["model"],
                     request.get("messages", request.get("input")),
                     request["options"])


def call_form(model, messages, options):
    keys = ("num_ctx", "num_predict", "temperature", "seed")
    if isinstance(messages[0], str):
        keys = ("num_ctx",)  # for a text to embed
    options = {key: options[key] for key in keys}
    return json.dumps([model, messages, options], sort_keys=True)
