"""Writes the job that compare.py gives to both systems: real customers' questions.

    problem.py FOLDER DATA MODEL N_TEST

DATA is a folder with examples.jsonl (100 questions to a bank, ten intents) and
heldout.jsonl. Seven examples of each intent are for training, three for
validation; the first N_TEST of heldout.jsonl are for the final test.
"""

import collections
import json
import pathlib
import sys

N_TRAIN = 7

JOB = """\
name: bank
description: What does a customer of a bank want?
models:
  student: MODEL
  revision: as-served      # a server of OpenAI's kind tells no digest
  options: {num_ctx: 4096, num_predict: 60, temperature: 0}
inputs:
  message: {desc: Question of a customer of a bank}
steps:
  classify:
    predict: Classify the message.
    inputs: [message]
    outputs:
      intent: {enum: [LABELS]}
data:
  train: train.jsonl
  val: val.jsonl
metric: {exact_match: intent}
adapter: json
"""


def read(path):
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [{"message": row["user_message"], "intent": row["intent"]}
            for row in rows]


def write(folder, data, model, n_test):
    folder, data = pathlib.Path(folder), pathlib.Path(data)
    folder.mkdir(parents=True, exist_ok=True)
    examples = read(data / "examples.jsonl")
    shares = {"train": [], "val": [],
              "test": read(data / "heldout.jsonl")[:n_test]}
    seen = collections.Counter()
    for row in examples:
        seen[row["intent"]] += 1
        share = "train" if seen[row["intent"]] <= N_TRAIN else "val"
        shares[share].append(row)
    for share, rows in shares.items():
        (folder / f"{share}.jsonl").write_text("".join(
            json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    (folder / "job.yaml").write_text(
        JOB.replace("LABELS", ", ".join(sorted(seen)))
        .replace("MODEL", model))


if __name__ == "__main__":
    write(*sys.argv[1:4], int(sys.argv[4]))
