#!/usr/bin/env bash
# lint.sh: the rules of the tree that a compiler does not know. FLAGS are the compiler's.
set -u
status=0
complain() {
    printf 'lint: %s\n' "$1"
    status=1
}

# only FILES may include HEADER
header() { # HEADER FILES...
    local pattern=$1 found
    shift
    found=$(grep -rlE "^#include <($pattern)" common proto actor learner --include='*.[ch]' |
        grep -vxF "$(printf '%s\n' "$@")")
    [ -z "$found" ] || complain "<$pattern> belongs in $* only, not in: $(echo "$found" | xargs)"
}
header 'f?cblas.h' common/blas.h
header 'yaml.h' common/yaml.c
header 'zmq' proto/link.c
header 'msgpack' proto/message.c
header 'mujoco/' actor/mujoco.h
header 'microhttpd.h' learner/http.c
header 'sodium' learner/state.c

# common <- proto <- actor, learner
arrow() { # MODULE NOT
    local found
    found=$(grep -rnE "^#include \"($2)/" "$1" --include='*.[ch]')
    [ -z "$found" ] || complain "$1 must not include $2: $found"
}
arrow common 'proto|actor|learner'
arrow proto 'actor|learner'
arrow actor learner
arrow learner actor

for main in learner/main.c actor/main.c; do
    [ "$(wc -l <$main)" -le 60 ] || complain "$main is longer than 60 lines"
done

sources=$(find common proto actor learner -name '*.c' | sort)
echo "$sources" | xargs -P "$(nproc)" -n 8 sh -c \
    'clang-tidy-14 --quiet --warnings-as-errors="*" "$@" -- '"$FLAGS"' 2>/dev/null' sh ||
    complain 'clang-tidy found something'
shellcheck -x deploy/*.sh deploy/make-base-image deploy/launch deploy/slurm/*.sbatch tests/*.sh tests/*/*.sh .ci/run || complain 'shellcheck found something'
exit $status
