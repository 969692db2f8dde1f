# real_models.sh: what the benchmarks on real models have in common.
#
# To be read with `.` by a script that stands at the top of the checkout.
#
#   MODELS="small able"  which models; the able one is 1.1 GB to fetch
#   DATA=../shared/data/support   examples.jsonl and heldout.jsonl
#
#   on_each_model FOLDER FUNCTION
#
# starts a server for each model in turn and calls FUNCTION with $url, $name,
# $slots, $data and $python set, and $work: build/FOLDER/MODEL, where everything
# that was asked is kept.

models=${MODELS:-small able}
data=${DATA:-../shared/data/support}
. scripts/model_server.sh
python=$venv/bin/python

[ -f "$data/heldout.jsonl" ] ||
    fail "there is no $data/heldout.jsonl: set DATA to a folder that has it"

on_each_model() {
    for model in $models; do
        work=build/$1/$model
        model_fetch
        dspy_fetch
        model_start
        "$2"
        kill "$pid"
        wait "$pid" 2>/dev/null || true
    done
}
