# real_models.sh: what the benchmarks on real models have in common.
#
# A script that runs at the top of the checkout reads this file with `.`.
#
#   MODELS="small able"  which models; the able one is 1.1 GB to fetch
#   DATA=../shared/data/support   examples.jsonl and heldout.jsonl
#   SERVER=URL           a llama-server that is already running, such as one
#                        compiled for this very processor; it has the only model
#                        of MODELS under its name in scripts/model_server.sh.
#                        Questions that another server has answered are not
#                        asked again: remove $work first
#
#   on_each_model FOLDER FUNCTION
#
# starts a server for each model in turn, unless SERVER is given, and calls
# FUNCTION with $url, $name, $slots, $data and $python set, and $work:
# build/FOLDER/MODEL, where everything that was asked is kept.

models=${MODELS:-small able}
data=${DATA:-../shared/data/support}
. scripts/model_server.sh
python=$venv/bin/python

[ -f "$data/heldout.jsonl" ] ||
    fail "$data/heldout.jsonl is missing: set DATA to the folder that contains it"

on_each_model() {
    for model in $models; do
        work=build/$1/$model
        if [ -n "${SERVER:-}" ]; then
            on_server "$2"
            continue
        fi
        model_fetch
        dspy_fetch
        model_start
        "$2"
        kill "$pid"
        wait "$pid" 2>/dev/null || true
    done
}

on_server() {
    [ "$models" = "$model" ] ||
        fail "SERVER has one model: set MODELS to small or able"
    url=${SERVER%/}
    model_describe
    mkdir -p "$work"
    dspy_fetch
    "$1"
}
