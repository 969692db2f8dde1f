"""Weighs wordings by how likely they make the right label.

    weigh.py (the arguments of ask.py)

Two wordings differ in few answers, so telling them apart by right answers takes
hundreds of questions. How likely the right label is differs in every question,
so some fifty are enough, and each costs a single token. Each cell's line has the
mean of -log p, where p is the right label's share among all labels at the point
where the label begins; less is better. Next comes the mean difference from the
first cell on the same rows, with its standard error. This says nothing about the
form of an answer, so a wording that looks better here should be asked with
ask.py as well.

Needs llama.cpp's own API (/apply-template, /completion). A label is known by its
first token; labels that begin with the same token share it.
"""

import math
from concurrent.futures import ThreadPoolExecutor

import ask

BEGINNINGS = {"chat": "[[ ## intent ## ]]\n", "json": '{\n  "intent": "'}
FIRST_TOKENS = 60   # how many of the most likely ones to ask for
LEAST = 1e-6        # for a label that is not among them


def shares(bench, tops):
    """Returns {label: probability}; the sum is 1."""
    mass = dict.fromkeys(bench.labels, LEAST)
    for top in tops:
        token = top["token"].strip()
        begun = [label for label in bench.labels
                 if token and label.startswith(token)]
        for label in begun:
            mass[label] += math.exp(top["logprob"]) / len(begun)
    total = sum(mass.values())
    return {label: one / total for label, one in mass.items()}


def weigh(bench, cell, i):
    """Returns the right label's share, and whether it is the largest."""
    form, wording, demos = cell
    messages = bench.render(form, wording, bench.demos(demos, i), i)
    prompt = bench.post("/apply-template", {"messages": messages})["prompt"]
    found = bench.post("/completion", {
        "prompt": prompt + BEGINNINGS["chat" if form == "chat" else "json"],
        "n_predict": 1, "n_probs": FIRST_TOKENS, "temperature": 0,
        "cache_prompt": True})
    share = shares(bench, found["completion_probabilities"][0]["top_logprobs"])
    wanted = bench.rows[i]["intent"]
    return share[wanted], max(share, key=share.get) == wanted


def beside(losses, first):
    """Returns the mean difference over the rows, and its standard error."""
    n = len(losses)
    each = [a - b for a, b in zip(losses, first)]
    mean = sum(each) / n
    square = sum((one - mean) ** 2 for one in each)
    return f"{mean:+.3f} ± {math.sqrt(square / (n * max(1, n - 1))):.3f}"


def main():
    given = ask.arguments()
    bench = ask.Bench(given)
    # Picks rows evenly, since they may be sorted by label.
    n = min(given.limit, len(bench.rows))
    rows = range(0, len(bench.rows), len(bench.rows) // n)[:n]
    print("| wording | -log p | against the first | most likely is right |\n"
          "| --- | --- | --- | --- |")
    first = None
    for cell in ask.parse_cells(given.cells):
        with ThreadPoolExecutor(given.slots) as pool:
            found = list(pool.map(lambda i: weigh(bench, cell, i), rows))
        losses = [-math.log(share) for share, _ in found]
        first = first or losses
        right = sum(most for _, most in found)
        print(f"| {ask.cell_name(cell):34} | {sum(losses) / len(losses):.3f} | "
              f"{beside(losses, first)} | {right:3} of {len(found):3} |",
              flush=True)


if __name__ == "__main__":
    main()
