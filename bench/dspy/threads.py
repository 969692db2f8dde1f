"""Measures how much more slots speed up an evaluation, in promptcc and in DSPy.

    threads.py [--slots 1,2,4,8,16,64,256] [--latency-ms 500] [--rows 240]

One simulated server answers as many calls at once as there are slots, each
after the same time. Both systems run the first step of problem.py's program on
the same rows. DSPy gets one thread per slot (num_threads), promptcc one worker
with all slots. promptcc is timed from the start of its process to its end, DSPy
without its imports. Prints a table; each run adds one JSON line to --out.
"""

import argparse
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import problem  # noqa: E402
from systems import ask_dspy, ask_promptcc  # noqa: E402


class Server:
    """A stand-in on its own port, which begins with nothing cached."""

    def __init__(self, build, slots, latency_ms):
        self.process = subprocess.Popen(
            [build / "simulated" / "simulated_ollama", "--slots", str(slots),
             "--latency-ms", str(latency_ms), "--model", "student:14b",
             "--model", "teacher:70b", "--models-loaded", "2"],
            stdout=subprocess.PIPE, text=True)
        self.url = re.search(r"http\S+", self.process.stdout.readline())[0]

    def calls(self):
        with urllib.request.urlopen(self.url + "/sim/stats") as answer:
            return json.load(answer)["chats"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def children_cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def promptcc(args, folder, slots, server):
    start, before = time.monotonic(), children_cpu_s()
    ask_promptcc(args.build / "cli" / "promptcc", "eval", folder / "job.yaml",
                 "--data", folder / "some.jsonl", "--store",
                 folder / f"{slots}.db", "--ollama",
                 f"{server.url},slots={slots}")
    return {"seconds": time.monotonic() - start,
            "cpu_s": children_cpu_s() - before}


def dspy(args, folder, slots, server):
    with tempfile.TemporaryDirectory() as cache:
        return ask_dspy(args.python, HERE / "evaluate_in_dspy.py", cache,
                        folder, server.url, slots, args.rows)


SYSTEMS = {"promptcc": promptcc, "dspy": dspy}


def run_all(args, folder):
    runs = {}
    for slots in args.slots:
        for name, ask in SYSTEMS.items():
            with Server(args.build, slots, args.latency_ms) as server:
                run = {"slots": slots, "system": name,
                       **ask(args, folder, slots, server),
                       "calls": server.calls()}
            runs[slots, name] = run
            if args.out:
                with open(args.out, "a") as out:
                    print(json.dumps(run), file=out)
    return runs


def table(args, runs):
    print("| slots | at best | " + " | ".join(
        f"{name} | of the slots | CPU a call" for name in SYSTEMS) + " |")
    print("| --- " * (2 + 3 * len(SYSTEMS)) + "|")
    for slots in args.slots:
        best = -(-args.rows // slots) * args.latency_ms / 1000
        cells = []
        for name in SYSTEMS:
            run = runs[slots, name]
            cells.append(f"{run['seconds']:.1f} s | "
                         f"{100 * best / run['seconds']:.0f} % | "
                         f"{1000 * run['cpu_s'] / run['calls']:.1f} ms")
        print(f"| {slots} | {best:.1f} s | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path,
                        default=HERE.parents[1] / "build" / "release")
    parser.add_argument("--python", default=sys.executable,
                        help="one with DSPy")
    parser.add_argument("--slots", default="1,2,4,8,16,64,256",
                        type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--latency-ms", type=int, default=500)
    parser.add_argument("--rows", type=int, default=240)
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        problem.write(folder)
        rows = (folder / "test.jsonl").read_text().splitlines(True)
        (folder / "some.jsonl").write_text("".join(rows[:args.rows]))
        table(args, run_all(args, folder))


if __name__ == "__main__":
    main()
