#!/bin/sh
# Asks real models the held-out questions in promptcc's wording and in DSPy's,
# and prints the table in docs/real-model.md.
#
#   bench/wording/run.sh [CELL...]
#
# LIMIT=200            questions per cell
# ROWS=report          `choose`: the examples instead of the held-out questions,
#                      to compare wordings before one is chosen
# HOW=ask              `weigh`: how likely the right label is, see weigh.py
# MODELS, DATA, SERVER see bench/real_models.sh
#
# A CELL is FORM/WORDING, FORM/WORDING+demos or +demosN, see ask.py. Answers are
# kept in build/wording/MODEL, so what was asked is not asked again; remove the
# folder to begin anew. On one core a question takes 0.4 to 1 s (small), 2 to 5 s
# (able).
set -eu
cd "$(dirname "$0")/../.."
. bench/real_models.sh

cells=${*:-"chat/promptcc chat/dspy chat/promptcc+demos chat/dspy+demos
    chat/promptcc+demos1 chat/dspy+demos1 chat/promptcc+demos2 chat/dspy+demos2
    chat/promptcc+demos3 chat/dspy+demos3
    json/promptcc json/dspy json/promptcc+demos json/dspy+demos
    loose/promptcc loose/dspy loose/promptcc+demos loose/dspy+demos"}

# A cell contains no spaces, so the list of cells can be split.
ask_cells() {
    "$python" "bench/wording/${HOW:-ask}.py" --server "$url" --model "$name" \
        --program build/release/bench/bench_wording --work "$work" \
        --data "$data" --rows "${ROWS:-report}" --limit "${LIMIT:-200}" \
        --slots "$slots" $cells
}

cmake --preset release >/dev/null
cmake --build build/release --target bench_wording -- --quiet
on_each_model wording ask_cells
