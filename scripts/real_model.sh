#!/bin/sh
# real_model.sh PROMPTCC [--small]: compiles jobs/small with a real model on
# this machine, without Ollama.
#
# Without --small, the model can do the task (1.1 GB). With --small, it has 135
# million weights (93 MB). docs/real-model.md says what to expect of each.
set -eu
cd "$(dirname "$0")/.."

promptcc=$1
model=able
[ "${2:-}" != --small ] || model=small
work=build/real-model
. scripts/model_server.sh

model_fetch
model_start

say "compiling jobs/small with it"
"$promptcc" run jobs/small --openai "$url,slots=$slots" \
    --set "models.student=$name" --set "models.revision=$revision" \
    --store "$work/promptcc.db" --out "$work/$model.json"
say "asking the compiled program"
"$promptcc" predict "$work/$model.json" --openai "$url,slots=$slots" \
    review="The handle broke on the second day."
# The server lives as long as this script. At a terminal, the script waits for
# the user.
if [ -t 0 ]; then
    say "ask it something of your own, in another terminal:"
    echo "  $promptcc predict $work/$model.json --openai $url review=\"...\""
    printf '==> Enter ends the server '
    read -r _ || true
else
    say "the server ends now; the same command starts it again, and reuses the answers in the store"
fi
