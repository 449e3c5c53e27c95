#!/usr/bin/env bash
# run.sh BUILD RUNS [SECONDS [TARGET...]]: builds the fuzz targets with clang under address and undefined
# into BUILD/fuzz, and runs each RUNS times or SECONDS long, whichever ends first. New inputs stay there;
# the corpus of the tree is only read.
set -euo pipefail
out=$1/fuzz
runs=$2
seconds=${3:-0}
shift $(($# < 3 ? $# : 3))
clang=$(command -v clang-14 clang | head -n 1)
flags=(-std=c11 -D_POSIX_C_SOURCE=200809L -DBLAS_SYSTEM -Ideploy/c/plain -I. -O2 -g
    "-fsanitize=address,undefined" -fno-sanitize-recover=all)
sources=(common/{spec*,yaml*,safetensors*,policy*}.c
    common/{bundle,clock,task_spec,problems,json_scan,atomic_file,error,crc32c,rng}.c
    proto/{message,transition,weights}.c)
read -ra libs <<<"$(pkg-config --libs msgpack-c 2>/dev/null || pkg-config --libs msgpack) -lyaml -lm"
mkdir -p "$out"
# deep stacks of freed blocks cost a third of the time
export ASAN_OPTIONS=quarantine_size_mb=4:malloc_context_size=2

# inputs that are longer are slower and find no more
max_len() { # TARGET
    case $1 in
    spec) echo 700 ;;
    policy) echo 1500 ;;
    *) echo 500 ;;
    esac
}

objects=()
for source in "${sources[@]}"; do
    object=$out/${source//\//_}.o
    "$clang" -fsanitize=fuzzer-no-link "${flags[@]}" -c -o "$object" "$source"
    objects+=("$object")
done
for target in tests/fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    name=${name#fuzz_}
    [ $# -eq 0 ] || [[ " $* " = *" $name "* ]] || continue
    "$clang" -fsanitize=fuzzer "${flags[@]}" -o "$out/$name" "$target" "${objects[@]}" "${libs[@]}"
    mkdir -p "$out/found_$name"
    "$out/$name" -runs="$runs" -max_total_time="$seconds" -max_len="$(max_len "$name")" -timeout=20 \
        -malloc_limit_mb=64 -artifact_prefix="$out/$name-" \
        "$out/found_$name" "tests/fuzz/corpus_$name" >"$out/$name.log" 2>&1 || {
        tail -n 30 "$out/$name.log"
        exit 1
    }
    sed -n "s/^Done \([0-9]*\) runs in \([0-9]*\) second.*/fuzz $name: \1 runs in \2 s, clean/p" \
        "$out/$name.log"
done
