"""Held-out score against calls, for every optimizer on every world.

    run.py [--optimizers LIST] [--worlds LIST] [--calls LIST] [--seeds N]
           [--build FOLDER] [--out FILE] [--set KEY=VALUE]

Each run begins with an empty store. One JSON line a run goes to --out; a run
that is there already is not repeated. Then a table is printed, and for each
world whether an optimizer is better or worse than the first of the list, by a
paired test over seeds. An optimizer may have parameters:
`screen_and_race:proposals=0`.
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
        "{num_ctx: 16384, num_predict: 200, temperature: 0}}\n"
        "adapter: chat\n" + world.job +
        "data: {examples: rows.jsonl, "
        "split: {train: 0.5, val: 0.5, test: 0}}\n")


def ask(args, url, verb, folder, *more):
    return ask_promptcc(args.build / "cli" / "promptcc", verb,
                        folder / "job.yaml", "--ollama",
                        f"{url},slots={SLOTS}", *more)


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
                "budget": calls, "held": held["score"],
                "student": made["calls"]["student"],
                "teacher": made["calls"]["teacher"],
                "baseline": made["baseline"]["score"],
                "val": made["compiled"]["score"],
                "finish": made["finish_reason"],
                "demos": max(c["demos"] for c in made["changes"].values())}


def flips(gains):
    """One-sided: how often signs by chance give so low a sum."""
    total, n = sum(gains), len(gains)
    if n > 14:
        mean = total / n
        sd = statistics.pstdev(gains) or 1e-9
        return statistics.NormalDist().cdf(mean / (sd / n ** 0.5))
    worse = 0
    for bits in range(1 << n):
        worse += sum(g if bits >> i & 1 else -g
                     for i, g in enumerate(gains)) <= total + 1e-12
    return worse / (1 << n)


def table(runs, args):
    best = args.optimizers[0]
    for world in args.worlds:
        for calls in args.calls:
            print(f"\n{world}, {'no limit' if calls == 0 else f'{calls} calls'}")
            of = {o: {r["seed"]: r for r in runs
                      if (r["world"], r["optimizer"], r["budget"]) ==
                      (world, o, calls)} for o in args.optimizers}
            for optimizer, got in of.items():
                if not got:
                    continue
                held = sorted(100 * r["held"] for r in got.values())
                seeds = sorted(set(got) & set(of[best]))
                p = flips([of[best][s]["held"] - got[s]["held"]
                           for s in seeds]) if optimizer != best else 1
                print(f"  {optimizer:28} {statistics.median(held):5.1f} "
                      f"({held[0]:.0f} to {held[-1]:.0f})  "
                      f"calls {statistics.mean(r['student'] for r in got.values()):5.0f}"
                      f" +{statistics.mean(r['teacher'] for r in got.values()):4.0f}"
                      f"  base {100 * statistics.mean(r['baseline'] for r in got.values()):.0f}"
                      f"  {'** better than ' + best if p < 0.05 else ''}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--optimizers", default=ALL)
    parser.add_argument("--worlds", default=",".join(worlds.WORLDS))
    parser.add_argument("--calls", default="250,1000")
    parser.add_argument("--seeds", type=int, default=3)
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
    seen = {(r["world"], r["optimizer"], r["seed"], r["budget"]) for r in runs}
    server = subprocess.Popen([sys.executable, HERE / "server.py"],
                              stdout=subprocess.PIPE, text=True)
    try:
        url = re.search(r"http\S+", server.stdout.readline())[0]
        for name in args.worlds:
            world = worlds.WORLDS[name]()
            for optimizer in args.optimizers:
                for calls in args.calls:
                    for seed in range(args.seeds):
                        if (name, optimizer, seed, calls) in seen:
                            continue
                        run = one_run(args, url, world, optimizer, seed, calls)
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
