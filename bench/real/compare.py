"""Runs the same job, data, real model and seeds through promptcc and DSPy.

    compare.py --server URL --model NAME --work FOLDER [--data FOLDER]
               [--seeds N] [--runs LIST] [--test N] [--max-calls N] [--slots N]
               [--promptcc PROGRAM] [--table]

A run is SYSTEM/OPTIMIZER, such as promptcc/gepa; the optimizer `none` is the
program as written. Everything is kept in FOLDER: a finished run is not
repeated, and one that was ended continues where it was (promptcc from its
store, DSPy from its cache). --table asks nothing and shows what is kept.
"""

import argparse
import json
import pathlib
import sys

import problem
from meter import Meter

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path += [str(HERE.parent), str(HERE.parent / "wording")]
from ask import mcnemar, wilson  # noqa: E402
from systems import ask_dspy, ask_promptcc  # noqa: E402

RUNS = ("promptcc/none", "dspy/none", "promptcc/screen_and_race",
        "promptcc/miprov2", "dspy/miprov2", "promptcc/gepa", "dspy/gepa")


def ask(args, verb, folder, meter, *more):
    return ask_promptcc(args.promptcc, verb, args.work / "job.yaml",
                        "--openai", f"{meter.url},slots={args.slots}",
                        "--store", folder / "promptcc.db", *more)


def right_rows(path):
    """Returns 1 for each row that was right and 0 for others, in the file's
    order."""
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [int(row["score"] == 1) for row in sorted(
        rows, key=lambda row: row["line"])]


def promptcc(args, folder, optimizer, seed, meter):
    made = {"search": meter.figures(), "error": None}
    program = []
    if optimizer != "none":
        compiled = folder / "compiled.json"
        budget = ["--max-calls", str(args.max_calls)] if args.max_calls else []
        result = ask(args, "run", folder, meter, "--optimizer", optimizer,
                     "--seed", str(seed), "--out", compiled, *budget)
        program = ["--compiled", compiled]
        change, = result["changes"].values()
        made |= {"search": meter.figures(), "noise": result["noise"],
                 "instruction": change["after"], "demos": change["demos"],
                 "verdict": result["verdict"]["outcome"]}
    rows = folder / "rows.jsonl"
    ask(args, "eval", folder, meter, "--data", args.work / "test.jsonl",
        "--rows", rows, *program)
    return made | {"right": right_rows(rows)}


def dspy(args, folder, optimizer, seed, meter):
    return ask_dspy(sys.executable, HERE / "bank_in_dspy.py", folder / "cache",
                    args.work, optimizer, seed, meter.url, args.slots,
                    args.model)


SYSTEMS = {"promptcc": promptcc, "dspy": dspy}


def run(args, name, seed):
    """Returns the result of one run, which is made now or was kept."""
    system, optimizer = name.split("/")
    folder = args.work / f"{system}-{optimizer}-{seed}"
    kept = folder / "result.json"
    if kept.exists():
        made = json.loads(kept.read_text())
        return made | {"right": made["right"][:args.test]}
    if args.table:
        return None
    folder.mkdir(exist_ok=True)
    with Meter(args.server, folder / "count.json") as meter:
        made = SYSTEMS[system](args, folder, optimizer, seed, meter)
    kept.write_text(json.dumps(made))
    return made


# --- results ---

def whole(value):
    return f"{value:,.0f}"


def interval(right):
    low, high = wilson(sum(right), len(right))
    return (f"{100 * sum(right) / len(right):.1f} % ({low:.0f} to {high:.0f})")


def beside(right, written):
    """Returns the rows that are only right now, those that were only right
    before, and the paired test on them."""
    if not written:
        return " | "
    gained = sum(a > b for a, b in zip(right, written))
    lost = sum(a < b for a, b in zip(right, written))
    return f"+{gained} -{lost} | {mcnemar(gained, lost):.3f}"


def line(name, seed, made, written):
    found = made["search"]
    tokens = found["prompt_tokens"] + found["generated_tokens"]
    noise = made.get("noise")
    return " | ".join([
        f"| {name}", str(seed), interval(made["right"]),
        beside(made["right"], written), whole(found["answered"]),
        whole(tokens), f"{found['seconds']:.0f}", str(made.get("demos", 0)),
        f"{noise['changed']} of {noise['n']}" if noise else "",
        made["error"] or made.get("verdict") or ""]) + " |"


HEAD = ("run", "seed", "right (95 %)", "against as written", "p", "requests",
        "tokens", "seconds", "demos", "other answers when asked again", "said")


def table(args, results):
    print(f"{args.model}, {args.test} held-out questions; requests, tokens and "
          f"seconds are those of the search\n\n| {' | '.join(HEAD)} |\n" +
          "| --- " * len(HEAD) + "|")
    for (name, seed), made in results.items():
        system, optimizer = name.split("/")
        written = results.get((f"{system}/none", 1))
        print(line(name, seed, made, written and optimizer != "none" and
                   written["right"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--data", default=ROOT.parent / "shared/data/support")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--runs", type=lambda text: text.split(","), default=RUNS)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--max-calls", type=int)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--promptcc", default=ROOT / "build/release/cli/promptcc")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    args.work = args.work.resolve()
    problem.write(args.work, args.data, args.model, args.test)
    results = {}
    for seed in range(1, args.seeds + 1):
        for name in args.runs:
            if seed > 1 and name.endswith("/none"):
                continue
            made = run(args, name, seed)
            if made is not None:
                results[name, seed] = made
                print(line(name, seed, made, None), file=sys.stderr,
                      flush=True)
    table(args, results)


if __name__ == "__main__":
    main()
