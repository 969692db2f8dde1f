"""promptcc and DSPy, as the benchmarks ask them: each in a process of its own."""

import json
import os
import re
import subprocess
import sys


def ask_promptcc(program, verb, job, *more):
    """The JSON document of one command on a job."""
    done = subprocess.run([program, verb, job, "--json", "--quiet", *more],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"promptcc {verb} ended with {done.returncode}: "
                 f"{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def ask_dspy(python, script, cache, *more):
    """The result that a script of ours prints, run with a cache of its own."""
    done = subprocess.run(
        [python, script, *map(str, more)], capture_output=True, text=True,
        env=os.environ | {"DSPY_CACHEDIR": str(cache), "PYTHONHASHSEED": "0",
                          "LITELLM_LOCAL_MODEL_COST_MAP": "true"})
    found = re.search(r"^RESULT (.*)$", done.stdout, re.M)
    if found is None:
        sys.exit(f"{script} printed no result: {done.stdout[-2000:]}"
                 f"{done.stderr[-2000:]}")
    return json.loads(found[1])
