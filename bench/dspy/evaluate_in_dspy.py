"""Scores the first step of the problem with dspy.Evaluate; for threads.py.

    evaluate_in_dspy.py FOLDER URL THREADS ROWS

Prints {"seconds", "cpu_s"}. The time of imports before does not count.
"""

import json
import pathlib
import sys
import time

import dspy
from through_dspy import Classify, read, score


def main():
    folder, url, threads, rows = sys.argv[1:]
    examples = read(pathlib.Path(folder) / "test.jsonl")[:int(rows)]
    dspy.configure(lm=dspy.LM("openai/student:14b", api_base=url + "/v1",
                              api_key="none", temperature=0, max_tokens=200))
    # As plain text: whatever a reply says can be read at the first attempt, so
    # that each row is one call.
    program = dspy.Predict(Classify)
    evaluate = dspy.Evaluate(devset=examples, metric=score,
                             num_threads=int(threads), display_progress=False,
                             max_errors=len(examples))
    start, before = time.monotonic(), time.process_time()
    evaluate(program)
    print("RESULT " + json.dumps(
        {"seconds": time.monotonic() - start,
         "cpu_s": time.process_time() - before}), flush=True)


if __name__ == "__main__":
    main()
