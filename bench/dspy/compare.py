"""Runs the same job, data, model server and seeds through promptcc and DSPy.

    compare.py [--seeds N] [--optimizers LIST] [--systems LIST] [--build FOLDER]
               [--python PYTHON] [--set KEY=VALUE] [--out FILE]

Each run has its own stand-in server, so requests and tokens are counted where
they arrive, whatever either system reports. DSPy's cache and promptcc's store
begin empty. Each run adds one JSON line to --out; a run that is in the file is
not repeated. Then a table goes to standard output, with the difference of the
two systems over the seeds of both. A run that crashed is named below the table,
is left out of all its numbers, and is tried again by the next compare.py. These
numbers say nothing about any real model.
"""

import argparse
import collections
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import problem

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import paired  # noqa: E402
from systems import ask_dspy, ask_promptcc  # noqa: E402

OPTIMIZERS = ("miprov2", "gepa", "bootstrap_random_search", "copro", "simba")
SLOTS = 4


class Server:
    """A stand-in on its own port, which serves two models."""

    def __init__(self, build):
        self.process = subprocess.Popen(
            [build / "simulated" / "simulated_ollama", "--slots", str(SLOTS),
             "--models-loaded", "2", "--model", "student:14b",
             "--model", "teacher:70b"],
            stdout=subprocess.PIPE, text=True)
        self.url = re.search(r"http\S+", self.process.stdout.readline())[0]

    def figures(self):
        with urllib.request.urlopen(self.url + "/sim/stats") as answer:
            return json.load(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def ask(args, verb, folder, server, *more):
    return ask_promptcc(args.build / "cli" / "promptcc", verb,
                        folder / "job.yaml", "--ollama",
                        f"{server.url},slots={SLOTS}", *more)


def promptcc(args, folder, optimizer, seed, server):
    compiled = folder / "compiled.json"
    options = ["--set", "skipped_steps=leave"]
    for value in args.set:
        options += ["--set", value]
    start = time.monotonic()
    ask(args, "run", folder, server, "--optimizer", optimizer, "--seed",
        str(seed), "--store", folder / f"{optimizer}-{seed}.db", "--out",
        compiled, *options)
    seconds = time.monotonic() - start
    search = server.figures()
    # In its own store: DSPy's test also pays for every call.
    held_out = ["--data", folder / "test.jsonl", "--store",
                folder / f"{optimizer}-{seed}-test.db", *options]
    before = ask(args, "eval", folder, server, *held_out)
    after = ask(args, "eval", folder, server, "--compiled", compiled, *held_out)
    return {"seconds": seconds, "search": search, "error": None,
            "before": before["score"], "after": after["score"]}


def dspy(args, folder, optimizer, seed, server):
    with tempfile.TemporaryDirectory() as cache:
        return ask_dspy(args.python, HERE / "through_dspy.py", cache, folder,
                        optimizer, seed, server.url, SLOTS)


SYSTEMS = {"promptcc": promptcc, "dspy": dspy}


def run_all(args, known):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        problem.write(folder)
        for seed in range(1, args.seeds + 1):
            for optimizer in args.optimizers:
                for system in args.systems:
                    key = {"system": system, "optimizer": optimizer,
                           "seed": seed}
                    if any(key.items() <= run.items() for run in known):
                        continue
                    with Server(args.build) as server:
                        made = SYSTEMS[system](args, folder, optimizer, seed,
                                               server)
                    figures = made.pop("search")
                    yield key | made | {
                        "calls": figures["answered"],
                        "tokens": figures["prompt_tokens"] +
                        figures["generated_tokens"]}


def spread(values, form):
    middle = statistics.median(values)
    return f"{form(middle)} ({form(min(values))} to {form(max(values))})"


def percent(value):
    return f"{100 * value:.1f}"


def whole(value):
    return f"{value:,.0f}"


def finished(runs):
    return [run for run in runs if run["error"] is None]


def crashes(runs):
    """Returns a line for each run whose score says nothing about its
    optimizer."""
    return "\n".join(f"crashed: {run['optimizer']} in {run['system']}, seed "
                     f"{run['seed']}: {run['error']}" for run in runs
                     if run["error"] is not None)


def table(runs):
    groups = collections.defaultdict(list)
    for run in runs:
        groups[run["optimizer"], run["system"]].append(run)
    lines = ["| optimizer | system | seeds | held out, % | as written, % | "
             "calls | tokens | seconds |", "| --- " * 8 + "|"]
    for (optimizer, system), all_of in sorted(groups.items()):
        of = finished(all_of)
        crashed = len(all_of) - len(of)
        cells = [f"`{optimizer}`", system,
                 f"{len(of)}" + (f", {crashed} crashed" if crashed else "")]
        cells += [            spread([run["after"] for run in of], percent),
            percent(statistics.median(run["before"] for run in of)),
            spread([run["calls"] for run in of], whole),
            whole(statistics.median(run["tokens"] for run in of)),
            f"{statistics.median(run['seconds'] for run in of):.0f}"
        ] if of else ["-"] * 5
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def comparison(runs):
    """Returns promptcc minus DSPy, by optimizer, over the seeds that both
    finished."""
    lines, runs = [], finished(runs)
    for optimizer in sorted({run["optimizer"] for run in runs}):
        of = {system: {run["seed"]: run["after"] for run in runs
                       if (run["optimizer"], run["system"]) ==
                       (optimizer, system)} for system in SYSTEMS}
        apart = paired.difference(of["promptcc"], of["dspy"])
        if apart is not None:
            lines.append(f"{optimizer}: promptcc minus dspy, points held out "
                         f"(95 %): {paired.show(apart)}")
    return "\n".join(lines)


def words(text):
    return text.split(",")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--optimizers", type=words, default=OPTIMIZERS)
    parser.add_argument("--systems", type=words, default=list(SYSTEMS))
    parser.add_argument("--build", type=pathlib.Path,
                        default=HERE.parent.parent / "build" / "release")
    parser.add_argument("--python",
                        default=HERE.parent.parent / ".venv/bin/python")
    parser.add_argument("--set", action="append", default=[],
                        help="for promptcc: a value of the job file")
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    known = []
    if args.out and args.out.exists():
        known = finished([json.loads(line) for line in
                          args.out.read_text().splitlines()])
    runs = list(known)
    for run in run_all(args, known):
        runs.append(run)
        if args.out:
            with open(args.out, "a") as out:
                out.write(json.dumps(run) + "\n")
        print(run, file=sys.stderr, flush=True)
    for text in (table(runs), crashes(runs), comparison(runs)):
        if text:
            print(text)


if __name__ == "__main__":
    main()
