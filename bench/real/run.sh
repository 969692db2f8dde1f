#!/bin/sh
# Optimizes the same job on real models through promptcc and through DSPy 3.4.1,
# and prints the table that stands in docs/real-model.md.
#
#   bench/real/run.sh [RUN...]
#
# MODELS="small able"  which models; the able one is 1.1 GB to fetch
# SEEDS=1              how many seeds
# TEST=200             held-out questions
# MAX_CALLS            promptcc's budget; without it each optimizer's own effort
# DATA=../shared/data/support   examples.jsonl and heldout.jsonl
#
# A RUN is SYSTEM/OPTIMIZER, see compare.py. Everything is kept in
# build/real/MODEL: what was asked is not asked again, and a run that was ended
# goes on. Remove the folder to begin anew. One core takes some hours.
set -eu
cd "$(dirname "$0")/../.."

models=${MODELS:-small able}
data=${DATA:-../shared/data/support}
. scripts/model_server.sh

[ -f "$data/heldout.jsonl" ] ||
    fail "there is no $data/heldout.jsonl: set DATA to a folder that has it"
runs=$(IFS=,; echo "$*")

cmake --preset release >/dev/null
cmake --build build/release --target promptcc -- --quiet
for model in $models; do
    work=build/real/$model
    model_fetch
    dspy_fetch
    model_start
    "$venv/bin/python" bench/real/compare.py --server "$url" --model "$name" \
        --work "$work" --data "$data" --seeds "${SEEDS:-1}" \
        --test "${TEST:-200}" --slots "$slots" \
        ${MAX_CALLS:+--max-calls "$MAX_CALLS"} ${runs:+--runs "$runs"}
    kill "$pid"
    wait "$pid" 2>/dev/null || true
done
