"""Measures held-out score against calls, for every optimizer on every world.

    run.py [--optimizers LIST] [--worlds LIST] [--calls LIST] [--seeds N]
           [--rows N] [--teacher able|dull] [--build FOLDER] [--out FILE]
           [--set KEY=VALUE]

Each run begins with an empty store and adds one JSON line to --out; a run that
is in the file is not repeated. Then a table is printed. Its last column is the
first optimizer of the list minus this one: the mean over the seeds that both
ran, with a 95 % interval. If the first is significantly below another anywhere,
the end says so. An optimizer may have parameters:
`screen_and_race:proposals=0`. --rows is the number of examples to learn from
(96). A dull teacher has learned no rule: its instructions are empty words.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import worlds

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import paired  # noqa: E402
from systems import ask_promptcc  # noqa: E402

ALL = ("screen_and_race,miprov2,gepa,copro,simba,bootstrap_random_search,"
       "bootstrap_few_shot,labeled_few_shot")
SLOTS = 8


def write_world(world, folder):
    rows = [row["fields"] for row in world.rows]
    for name, part in (("rows", rows[:world.n_train]),
                       ("held", rows[world.n_train:])):
        (folder / f"{name}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in part))
    (folder / "job.yaml").write_text(
        f"name: {world.name}\n"
        f"models: {{student: {world.name}-student, "
        f"teacher: {world.name}-teacher, options: "
        f"{{num_ctx: {world.num_ctx}, num_predict: 200, temperature: 0}}}}\n"
        "adapter: chat\n" + world.job +
        "data: {examples: rows.jsonl, "
        "split: {train: 0.5, val: 0.5, test: 0}}\n")


def ask(args, url, verb, folder, *more):
    return ask_promptcc(args.build / "cli" / "promptcc", verb,
                        folder / "job.yaml", "--ollama",
                        f"{url},slots={SLOTS}", *more)


def score_of(part):
    """Returns None if the budget ended before this score was complete."""
    return part and part["score"]


def place_of(run):
    """Returns what makes a run the same as another; a file may have been
    written before there was a choice of rows and teacher."""
    return (run["world"], run["optimizer"], run["seed"], run["budget"],
            run.get("rows", 96), run.get("taught_by", "able"))


def one_run(args, url, world, optimizer, seed, calls):
    name, *given = re.split(r"[:;]", optimizer)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        write_world(world, folder)
        more = [x for one in given for x in
                ("--set", f"optimizer.{name}.{one}")]
        more += [x for one in args.set for x in ("--set", one)]
        if calls > 0:
            more += ["--max-calls", str(calls)]
        made = ask(args, url, "run", folder, "--optimizer", name,
                   "--seed", str(seed), *more)
        held = ask(args, url, "eval", folder, "--compiled",
                   folder / "compiled.json", "--data", folder / "held.jsonl")
        return {"world": world.name, "optimizer": optimizer, "seed": seed,
                "budget": calls, "rows": args.rows, "taught_by": args.teacher,
                "held": held["score"],
                "student": made["calls"]["student"],
                "teacher": made["calls"]["teacher"],
                "baseline": score_of(made["baseline"]),
                "val": score_of(made["compiled"]),
                "finish": made["finish_reason"],
                "demos": max(c["demos"] for c in made["changes"].values())}


def mean_of(runs, key):
    known = [run[key] for run in runs if run[key] is not None]
    return statistics.mean(known) if known else None


def line_of(optimizer, runs, apart):
    held = sorted(100 * run["held"] for run in runs)
    base = mean_of(runs, "baseline")
    cells = [f"  {optimizer:28} {statistics.median(held):5.1f} "
             f"({held[0]:.0f} to {held[-1]:.0f})",
             f"calls {mean_of(runs, 'student'):5.0f} "
             f"+{mean_of(runs, 'teacher'):4.0f}",
             "base  -" if base is None else f"base {100 * base:2.0f}"]
    if apart:
        cells.append(paired.show(apart))
    return "  ".join(cells)


def table(runs, args):
    first, *others = args.optimizers
    below, compared = [], 0
    for world in args.worlds:
        for calls in args.calls:
            place = f"{world}, {f'{calls} calls' if calls else 'no limit'}"
            print(f"\n{place}")
            of = {o: {r["seed"]: r for r in runs
                      if (r["world"], r["optimizer"], r["budget"]) ==
                      (world, o, calls)} for o in args.optimizers}
            for optimizer in args.optimizers:
                if not of[optimizer]:
                    continue
                apart = None
                if optimizer in others:
                    apart = paired.difference(*(
                        {seed: run["held"] for seed, run in of[o].items()}
                        for o in (first, optimizer)))
                compared += apart is not None
                if apart and apart[2] < 0:
                    below.append(f"{place}: {optimizer}")
                print(line_of(optimizer, of[optimizer].values(), apart))
    if compared:
        print(f"\n{first} is significantly below another optimizer in "
              f"{len(below)} of {compared} comparisons"
              f"{''.join(chr(10) + '  ** ' + one for one in below)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--optimizers", default=ALL)
    parser.add_argument("--worlds", default=",".join(worlds.WORLDS))
    parser.add_argument("--calls", default="250,1000")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--teacher", choices=("able", "dull"), default="able")
    parser.add_argument("--build", type=pathlib.Path,
                        default=HERE.parents[1] / "build" / "release")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args()
    args.optimizers = args.optimizers.split(",")
    args.worlds = args.worlds.split(",")
    args.calls = [int(n) for n in args.calls.split(",")]
    runs = []
    if args.out and args.out.exists():
        runs = [json.loads(line) for line in args.out.open()]
    seen = {place_of(run) for run in runs}
    runs = [run for run in runs if place_of(run)[4:] == (args.rows, args.teacher)]
    made = worlds.make_all(args.rows, args.teacher)
    server = subprocess.Popen([sys.executable, HERE / "server.py",
                               str(args.rows), args.teacher],
                              stdout=subprocess.PIPE, text=True)
    try:
        url = re.search(r"http\S+", server.stdout.readline())[0]
        for name in args.worlds:
            for optimizer in args.optimizers:
                for calls in args.calls:
                    for seed in range(args.seeds):
                        if (name, optimizer, seed, calls, args.rows,
                                args.teacher) in seen:
                            continue
                        run = one_run(args, url, made[name], optimizer, seed,
                                      calls)
                        runs.append(run)
                        if args.out:
                            with args.out.open("a") as out:
                                out.write(json.dumps(run) + "\n")
    finally:
        server.terminate()
        server.wait()
    table(runs, args)


if __name__ == "__main__":
    main()
