"""Asks a real model the same questions in several wordings, and counts right answers.

    ask.py --server URL --model NAME --program bench_wording --work FOLDER
           [--data FOLDER] [--rows choose|report] [--limit N] [--slots N]
           [--block N] [--table] [CELL...]

A cell is FORM/WORDING, without demos, or FORM/WORDING+demos, with the first
example of each label. With +demos1, +demos2, ... the examples and their order
are random. FORM is chat, json (the server enforces the schema), or loose (JSON
without a schema). WORDING is promptcc, dspy, or a name of variants.py; `FORM/*`
is all of them. Answers are kept in FOLDER, so a run that was ended continues
where it was. The cells take turns, N questions each, so whenever the run ends,
all cells have been asked the same questions. --table asks nothing and shows
what is kept.

Only first answers count: neither promptcc's second try nor DSPy's. Each system's
answers are read by its own reader, and are right when the label is.
"""

import argparse
import collections
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import threading
import typing
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import variants

INSTRUCTION = "Classify the message."
DESCRIPTION = "Question of a customer of a bank"
JOB = """\
name: wording
models: {{student: any}}
inputs:
  user_message: {{desc: {desc}}}
steps:
  classify:
    predict: {instruction}
    inputs: [user_message]
    outputs:
      intent: {{enum: [{labels}]}}
data: {{examples: examples.jsonl}}
metric: {{exact_match: intent}}
optimizer: labeled
"""
MAX_TOKENS = 32
# The end marker only says that the answer is over, and is a third of it, so the
# server stops there.
STOP = "[[ ## completed"


def read_rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Promptcc:
    """promptcc's own prompts, and its reader."""

    def __init__(self, program, job):
        self.process = subprocess.Popen([program, job], text=True,
                                        stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.lock = threading.Lock()

    def ask(self, **request):
        with self.lock:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        if not line:
            sys.exit("ask.py: bench_wording ended, see above")
        return json.loads(line)

    def render(self, adapter, demos, inputs):
        return self.ask(adapter=adapter, demos=demos, inputs=inputs)

    def read(self, adapter, reply):
        found = self.ask(adapter=adapter, reply=reply)
        if "problem" in found:
            return None, found["problem"]
        return found["outputs"]["intent"], " ".join(found["lenient"])


class Dspy:
    """DSPy's prompts, and its parser."""

    def __init__(self, labels):
        import dspy
        self.signature = dspy.make_signature({
            "user_message": (str, dspy.InputField(desc=DESCRIPTION)),
            "intent": (typing.Literal[tuple(labels)], dspy.OutputField()),
        }, INSTRUCTION)
        self.adapters = {"chat": dspy.ChatAdapter(),
                         "json": dspy.JSONAdapter()}

    def render(self, adapter, demos, inputs):
        return self.adapters[adapter].format(self.signature, demos, inputs)

    def read(self, adapter, reply):
        try:
            found = self.adapters[adapter].parse(self.signature, reply)
        except Exception as problem:  # its parser raises many kinds
            return None, f"{type(problem).__name__}: {problem}"[:200]
        return found.get("intent"), ""


def first_of_each(examples):
    """Returns one example per label, in the file's order."""
    seen = set()
    return [row for row in examples if not (
        row["intent"] in seen or seen.add(row["intent"]))]


def drawn(examples, seed):
    """Returns one random example per label, in random order."""
    rng = random.Random(seed)
    of = {}
    for row in examples:
        of.setdefault(row["intent"], []).append(row)
    demos = [rng.choice(of[label]) for label in sorted(of)]
    rng.shuffle(demos)
    return demos


class Bench:
    def __init__(self, given):
        self.given = given
        data = pathlib.Path(given.data)
        examples = read_rows(data / "examples.jsonl")
        self.examples = examples
        self.labels = sorted({row["intent"] for row in examples})
        # Held-out rows are only for reporting. Wordings are chosen on the
        # examples that are not demos.
        first = first_of_each(examples)
        self.rows = ([row for row in examples if row not in first]
                     if given.rows == "choose"
                     else read_rows(data / "heldout.jsonl"))
        self.work = pathlib.Path(given.work)
        self.work.mkdir(parents=True, exist_ok=True)
        job = self.work / "job.yaml"
        job.write_text(JOB.format(desc=DESCRIPTION, instruction=INSTRUCTION,
                                  labels=", ".join(self.labels)))
        (self.work / "examples.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in examples))
        self.promptcc = Promptcc(given.program, str(job))
        self.task = variants.Task(INSTRUCTION, {"user_message": DESCRIPTION},
                                  {"intent": self.labels})
        self.schema = self.promptcc.render("json", [], self.inputs(0))["format"]
        self.dspy = None
        self.dspy_lock = threading.Lock()
        self.write_lock = threading.Lock()

    def inputs(self, i):
        return {"user_message": self.rows[i]["user_message"]}

    def demos(self, number, i):
        """Returns the demos of a cell for row i, which is never shown to
        itself."""
        if number is None:
            return []
        shown = (drawn(self.examples, number) if number > 0
                 else first_of_each(self.examples))
        return [row for row in shown if row != self.rows[i]]

    # --- a cell ---

    def in_dspy(self):
        """Imports DSPy for a cell that needs it, since the import takes
        seconds."""
        with self.dspy_lock:
            self.dspy = self.dspy or Dspy(self.labels)
        return self.dspy

    def render(self, form, wording, demos, i):
        adapter = "chat" if form == "chat" else "json"
        inputs = self.inputs(i)
        if wording == "promptcc":
            return self.promptcc.render(adapter, demos, inputs)["messages"]
        if wording == "dspy":
            return self.in_dspy().render(adapter, demos, inputs)
        return variants.WORDINGS[adapter][wording](self.task, demos, inputs)

    def read(self, form, wording, reply):
        reader = self.in_dspy() if wording == "dspy" else self.promptcc
        return reader.read("chat" if form == "chat" else "json", reply)

    def post(self, path, body):
        request = urllib.request.Request(
            self.given.server + path, json.dumps(body).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as reply:
            return json.load(reply)

    def ask(self, form, messages):
        body = {"model": self.given.model, "messages": messages,
                "temperature": 0, "max_tokens": MAX_TOKENS, "stop": [STOP]}
        if form == "json":
            body["response_format"] = {"type": "json_schema", "json_schema": {
                "name": "reply", "strict": True, "schema": self.schema}}
        reply = self.post("/v1/chat/completions", body)
        return reply["choices"][0]["message"]["content"] or ""

    def answer(self, cell, i, out):
        form, wording, demos = cell
        reply = self.ask(form, self.render(
            form, wording, self.demos(demos, i), i))
        label, note = self.read(form, wording, reply)
        line = {"row": i, "reply": reply, "label": label,
                "wanted": self.rows[i]["intent"], "note": note}
        with self.write_lock:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            out.flush()

    def path(self, cell):
        name = cell_name(cell).replace("/", "-")
        return self.work / f"{self.given.rows}-{name}.jsonl"

    def kept(self, cell, n):
        """Returns {row: answer} of the first n rows."""
        path = self.path(cell)
        lines = read_rows(path) if path.exists() else []
        return {line["row"]: line for line in lines if line["row"] < n}

    def run(self, cell, first, n):
        """Asks the rows from first up to n whose answers are not kept yet."""
        have = self.kept(cell, n)
        with open(self.path(cell), "a", encoding="utf-8") as out, \
                ThreadPoolExecutor(self.given.slots) as pool:
            list(pool.map(lambda i: self.answer(cell, i, out),
                          [i for i in range(first, n) if i not in have]))


# --- results ---

def wilson(right, n):
    """Returns the 95 % interval, in percent."""
    if n == 0:
        return 0, 100
    z = 1.959964
    p = right / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(
        p * (1 - p) / n + z * z / (4 * n * n))
    return 100 * (middle - half), 100 * (middle + half)


def mcnemar(ours, theirs):
    """Returns the exact two-sided p of a split at least this uneven among the
    rows on which exactly one of two was right."""
    n = ours + theirs
    tail = sum(math.comb(n, k) for k in range(min(ours, theirs) + 1))
    return min(1.0, 2 * tail / 2 ** n)


def cell_name(cell):
    form, wording, demos = cell
    shown = "" if demos is None else f"+demos{demos or ''}"
    return f"{form}/{wording}{shown}"


def is_right(line):
    return line["label"] == line["wanted"]


def show(cell, lines):
    right = sum(map(is_right, lines))
    unread = sum(line["label"] is None for line in lines)
    low, high = wilson(right, len(lines))
    most = collections.Counter(line["label"] for line in lines).most_common(1)
    label, n = most[0] if most else ("", 0)
    print(f"| {cell_name(cell):34} | {right:3} of {len(lines):3} | {low:3.0f} "
          f"to {high:3.0f} | {unread:6} | {n:3} {label} |")


def show_pair(cell, lines, other, others):
    """Shows two cells on the questions that both were asked."""
    rows = lines.keys() & others.keys()
    ours, theirs = ({row for row in rows if is_right(of[row])}
                    for of in (lines, others))
    print(f"| {cell_name(cell)}, {cell_name(other)} | {len(rows)} | "
          f"{len(ours)} | {len(theirs)} | {len(ours - theirs)} | "
          f"{len(theirs - ours)} | "
          f"{mcnemar(len(ours - theirs), len(theirs - ours)):.2f} |")


def show_all(answers):
    print("| wording | right | 95 % interval | unread | most frequent |\n"
          "| --- | --- | --- | --- | --- |")
    for cell, lines in answers.items():
        show(cell, list(lines.values()))
    print("\n| pair, on the same questions | questions | first right | second "
          "right | only the first | only the second | p |\n"
          "| --- | --- | --- | --- | --- | --- | --- |")
    for cell, lines in answers.items():
        other = cell[0], "dspy", cell[2]
        if cell != other and other in answers:
            show_pair(cell, lines, other, answers[other])


def parse_cell(word):
    form, _, rest = word.partition("/")
    wording, plus, demos = rest.partition("+")
    number = re.fullmatch(r"demos(\d{0,4})", demos)
    if form not in ("chat", "json", "loose") or (plus and not number):
        sys.exit(f"ask.py: `{word}` is neither FORM/WORDING nor FORM/WORDING+demos")
    known = ["promptcc", "dspy"] + list(
        variants.WORDINGS["chat" if form == "chat" else "json"])
    if wording != "*" and wording not in known:
        sys.exit(f"ask.py: there is no wording `{wording}` for {form}; there "
                 f"are {', '.join(known)}")
    shown = int(number[1] or 0) if plus else None
    return [(form, one, shown)
            for one in (known if wording == "*" else [wording])]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rows", choices=("choose", "report"),
                        default="report")
    parser.add_argument("--limit", type=int, default=10**9)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--block", type=int, default=25)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("cells", nargs="*", metavar="CELL")
    return parser.parse_args()


def parse_cells(words):
    return [cell for word in words for cell in parse_cell(word)]


def main():
    given = arguments()
    bench = Bench(given)
    cells = parse_cells(given.cells)
    n = min(given.limit, len(bench.rows))
    for first in range(0, 0 if given.table else n, given.block):
        for cell in cells:
            bench.run(cell, first, min(first + given.block, n))
    print(f"{given.model}, {given.rows} rows\n")
    show_all({cell: bench.kept(cell, n) for cell in cells})


if __name__ == "__main__":
    main()
