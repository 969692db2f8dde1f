#!/bin/sh
# Builds the benchmarks (release) and prints the numbers of docs/benchmarks.md,
# each the median of RUNS runs.
#
#   bench/run.sh [BUILD_FOLDER]
#
# BUILD_FOLDER is any build folder that was configured with PROMPTCC_BENCH=ON,
# with any generator; build/release is made if it is missing.
#
# RUNS=5, CALLS=100000. Stores are made under $BENCH_FOLDER, else /tmp.

set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$here/build/release}
runs=${RUNS:-5}
calls=${CALLS:-100000}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

fail() {
    echo "bench/run.sh: $*" >&2
    exit 1
}

# Prints how a build folder was configured: `setting NAME`.
setting() {
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}

if [ ! -f "$build/CMakeCache.txt" ]; then
    (cd "$here" && cmake --preset release -B "$build" >"$out/cmake" 2>&1) ||
        { cat "$out/cmake"; fail "cannot configure $build, see above"; }
fi
home=$(setting CMAKE_HOME_DIRECTORY)
[ "$home" = "$here" ] ||
    fail "$build was configured for $home: name a build folder of $here"
case $(setting PROMPTCC_BENCH) in
ON | 1 | TRUE | YES) ;;
*) fail "$build was configured without benchmarks:" \
    "run \`cmake -B $build -DPROMPTCC_BENCH=ON\`, or name another folder" ;;
esac
[ -z "$(setting PROMPTCC_SANITIZE)" ] && [ "$(setting CMAKE_BUILD_TYPE)" != Debug ] ||
    echo "bench/run.sh: $build is not optimized: these numbers are not those" \
        "of a release build" >&2
cmake --build "$build" --target bench >"$out/build" 2>&1 ||
    { cat "$out/build"; fail "the benchmarks do not build, see above"; }

i=0
while [ "$i" -lt "$runs" ]; do
    i=$((i + 1))
    for name in calls replay floor; do
        "$build/bench/bench_$name" "$calls" >>"$out/$name"
    done
    "$build/bench/bench_floor" "$calls" inproc 4400 durable >>"$out/durable"
done
"$build/bench/bench_stages" "$calls" >"$out/stages"

# Prints the median of a key's values: `median FILE KEY`.
median() {
    sed -n "s/^$2 *\([0-9.]*\).*/\1/p" "$out/$1" | sort -n |
        sed -n "$(((runs + 1) / 2))p"
}

whole=$(median calls calls_per_s)
floor=$(median floor floor_calls_per_s)
durable=$(median durable durable_floor_calls_per_s)

# Prints how large a share the first number is of the second: `share PART
# WHOLE`.
share() {
    echo "$2 $1" | awk '{ printf "%.0f", 100 * $2 / $1 }'
}
row='| %-56s | %10s | %-12s |\n'

echo "$(nproc) cores, $calls calls, medians of $runs"
echo
printf "$row" 'what' 'measured' 'to reach'
printf "$row" '---' '---' '---'
printf "$row" 'calls a second, workers in process' "$whole" '20000'
printf "$row" 'calls a second, workers in another process, ipc' \
    "$(median replay run_calls_per_s)" ''
printf "$row" 'calls a second, ZeroMQ and SQLite alone' "$floor" ''
printf "$row" 'share of that which the first is, %' \
    "$(share "$whole" "$floor")" '50'
printf "$row" 'calls a second, the same, each committed before the next' \
    "$durable" ''
printf "$row" 'share of that which the first is, %' \
    "$(share "$whole" "$durable")" ''
printf "$row" 'replay of the finished job, seconds' \
    "$(median replay replay_s)" '1'
printf "$row" 'peak memory of the coordinator, running it, MiB' \
    "$(median replay run_peak_mib)" '64'
printf "$row" 'peak memory of the coordinator, replaying it, MiB' \
    "$(median replay replay_peak_mib)" '64'
echo
grep '^us a call' "$out/calls" | sort -t' ' -k5n | sed -n "$(((runs + 1) / 2))p"
echo
cat "$out/stages"
