"""Runs promptcc and DSPy for the benchmarks, each in its own process."""

import json
import os
import re
import subprocess
import sys


def ask_promptcc(program, verb, job, *more):
    """Returns the JSON document of one command on a job."""
    done = subprocess.run([program, verb, job, "--json", "--quiet", *more],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"promptcc {verb} ended with {done.returncode}: "
                 f"{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def ask_dspy(python, script, cache, *more):
    """Runs one of our scripts with its own cache; returns the result that it
    prints."""
    done = subprocess.run(
        [python, script, *map(str, more)], capture_output=True, text=True,
        env=os.environ | {"DSPY_CACHEDIR": str(cache), "PYTHONHASHSEED": "0",
                          "LITELLM_LOCAL_MODEL_COST_MAP": "true"})
    found = re.search(r"^RESULT (.*)$", done.stdout, re.M)
    if found is None:
        sys.exit(f"{script} printed no result: {done.stdout[-2000:]}"
                 f"{done.stderr[-2000:]}")
    return json.loads(found[1])
