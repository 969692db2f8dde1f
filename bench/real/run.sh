#!/bin/sh
# Optimizes the same job on real models through promptcc and through DSPy 3.4.1,
# and prints the table in docs/real-model.md.
#
#   bench/real/run.sh [RUN...]
#
# SEEDS=1              how many seeds
# TEST=200             held-out questions
# MAX_CALLS            promptcc's budget; without it each optimizer's own effort
# MODELS, DATA, SERVER see bench/real_models.sh
#
# A RUN is SYSTEM/OPTIMIZER, see compare.py. Everything is kept in
# build/real/MODEL: what was asked is not asked again, and a run that was ended
# continues. Remove the folder to begin anew. On one core it takes some hours.
set -eu
cd "$(dirname "$0")/../.."
. bench/real_models.sh

runs=$(IFS=,; echo "$*")

compare() {
    "$python" bench/real/compare.py --server "$url" --model "$name" \
        --work "$work" --data "$data" --seeds "${SEEDS:-1}" \
        --test "${TEST:-200}" --slots "$slots" \
        ${MAX_CALLS:+--max-calls "$MAX_CALLS"} ${runs:+--runs "$runs"}
}

cmake --preset release >/dev/null
cmake --build build/release --target promptcc -- --quiet
on_each_model real compare
