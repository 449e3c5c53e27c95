#!/usr/bin/env bash
# Instruction counts of an update and of an actor step against tests/bench/baseline: unlike times they
# do not depend on what else the machine does. `check.sh BUILD` compares, `check.sh BUILD --store` writes
# a new baseline. Fails when a count has grown by more than its margin.
set -eu

build=$1
baseline=tests/bench/baseline
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v valgrind > /dev/null || { echo "bench-check: valgrind is not installed" >&2; exit 1; }

# instructions inside a function of a program: name function command...
# one kernel on every machine that has AVX2, so that counts can be compared
count() {
    name=$1 function=$2
    shift 2
    OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 valgrind --tool=callgrind \
        --callgrind-out-file="$work/out" --toggle-collect="$function" "$@" > "$work/log" 2>&1 ||
        { cat "$work/log" >&2; exit 1; }
    echo "$name $(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$work/log")"
}

{
    THREADS=1 COUNT=3 WIDTHS=64 count updates update_step "$build/tests/learner/bench_learner"
    count actor_steps count_steps "$build/tests/actor/count_step"
} > "$work/counts"

if [ "${2-}" = --store ]; then
    { echo "# instructions, and the growth in percent that is let through (tests/bench/check.sh)"
      sed 's/$/ 5/' "$work/counts"; } > "$baseline"
    cat "$baseline"
    exit
fi

status=0
while read -r name now; do
    read -r _ old margin < <(grep "^$name " "$baseline") ||
        { echo "bench-check: no baseline for $name" >&2; exit 1; }
    change=$(awk -v now="$now" -v old="$old" 'BEGIN { printf "%+.2f", 100 * (now / old - 1) }')
    verdict=$(awk -v change="$change" -v margin="$margin" 'BEGIN { print (change > margin) ? "FAILED" : "ok" }')
    echo "bench-check $name: $now instructions, $change% against the baseline, margin $margin%: $verdict"
    [ "$verdict" = ok ] || status=1
done < "$work/counts"
exit $status
