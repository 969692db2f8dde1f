#!/bin/sh
# Asks real models the held-out questions in promptcc's wording and in DSPy's,
# and prints the table that stands in docs/real-model.md.
#
#   bench/wording/run.sh [CELL...]
#
# MODELS="small able"  which models; the able one is 1.1 GB to fetch
# LIMIT=200            questions a cell
# ROWS=report          `choose`: the examples instead of the held-out questions,
#                      to compare wordings before one is chosen
# DATA=../shared/data/support   examples.jsonl and heldout.jsonl
#
# A CELL is FORM/WORDING or FORM/WORDING+demos, see ask.py. Answers are kept in
# build/wording/MODEL, so what was asked is not asked again; remove the folder
# to begin anew. On one core a question takes 0.4 to 1 s (small), 2 to 5 s (able).
set -eu
cd "$(dirname "$0")/../.."

models=${MODELS:-small able}
data=${DATA:-../shared/data/support}
. scripts/model_server.sh

[ -f "$data/heldout.jsonl" ] ||
    fail "there is no $data/heldout.jsonl: set DATA to a folder that has it"
[ $# -gt 0 ] || set -- \
    chat/promptcc chat/dspy chat/promptcc+demos chat/dspy+demos \
    json/promptcc json/dspy json/promptcc+demos json/dspy+demos \
    loose/promptcc loose/dspy loose/promptcc+demos loose/dspy+demos

cmake --preset release >/dev/null
cmake --build build/release --target bench_wording -- --quiet
for model in $models; do
    work=build/wording/$model
    model_fetch
    dspy_fetch
    model_start
    "$venv/bin/python" bench/wording/ask.py --server "$url" --model "$name" \
        --program build/release/bench/bench_wording --work "$work" \
        --data "$data" --rows "${ROWS:-report}" --limit "${LIMIT:-200}" \
        --slots "$slots" "$@"
    kill "$pid"
    wait "$pid" 2>/dev/null || true
done
