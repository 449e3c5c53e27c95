#!/usr/bin/env bash
# run.sh BUILD SECONDS: builds each fuzz target with clang under address and undefined into BUILD/fuzz
# and lets it run. New inputs stay there; the corpus of the tree is only read.
set -euo pipefail
out=$1/fuzz
seconds=${2:-60}
mkdir -p "$out"
for target in tests/fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    clang -std=c11 -D_POSIX_C_SOURCE=200809L -I. -O1 -g \
        -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o "$out/$name" "$target" \
        common/{spec*,yaml*,safetensors*,task_spec,problems,json_scan,atomic_file,error,crc32c}.c \
        -lyaml -lm
    mkdir -p "$out/found_${name#fuzz_}"
    "$out/$name" -max_total_time="$seconds" -max_len=1500 -timeout=10 -artifact_prefix="$out/" \
        "$out/found_${name#fuzz_}" "tests/fuzz/corpus_${name#fuzz_}"
done
