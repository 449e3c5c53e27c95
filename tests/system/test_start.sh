#!/usr/bin/env bash
# A start that fails leaves nothing behind: the same command works once the reason is gone, without
# --resume. Ports are asked from the kernel.
set -u
bin=$PWD/${CROSSFLEET_BIN:-build/release}
spec=$PWD/configs/pendulum.yaml
# shellcheck source=tests/system/checks.sh
. tests/system/checks.sh
evidence=$work/log
holder=
# shellcheck disable=SC2317  # called by the trap
finish() {
    [ -z "$holder" ] || kill "$holder" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1

directories=('' '--run given' '--run empty')
start() { # REASON STATUS OPTION...
    local reason=$1 wanted=$2 directory
    shift 2
    for directory in "${directories[@]}"; do
        mkdir -p empty
        # shellcheck disable=SC2086  # an option and its value
        timeout 60 "${learner:-$bin/crossfleet-learner}" train "$spec" --set env.max_frame=500 $directory \
            "$@" >log 2>&1
        check "$reason: the exit code" is $? "$wanted"
        check "$reason: no word of a directory" is "$(grep -c 'resume ' log)" 0
        check "$reason: no directory of a run is left" is "$(ls -A given empty runs 2>/dev/null)" \
            "$(printf 'empty:%s' "$([ ! -d runs ] || printf '\n\nruns:')")"
    done
}

coproc python3 -c '
import socket, sys
taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in taken), flush=True)
sys.stdin.read()'
holder=$COPROC_PID
read -r page port <&"${COPROC[0]}"

start 'the page port is taken' 1 --http "127.0.0.1:$page"
directories=('--run given')
start 'the page has no address' 2 --http nonsense:1:2
start 'the actors port is taken' 1 --http off --actors 0 --bind "tcp://127.0.0.1:$port"
start 'the actors have no address' 2 --http off --actors 0 --bind nonsense --insecure
start 'a port of others without keys' 2 --http off --actors 0 --bind "tcp://0.0.0.0:$port"
start 'no keys' 1 --http off --keys "$work/nowhere"
start 'no such task' 2 --http off --set env.name=Nothing-v1
mkdir lonely
cp "$bin/crossfleet-learner" lonely
export LD_LIBRARY_PATH=${bin%/*}/deps/openblas/lib:${LD_LIBRARY_PATH:-}
learner=lonely/crossfleet-learner start 'no actor beside the learner' 1 --http off

# --- what others made stays
mkdir theirs
echo mine >theirs/note
timeout 60 "$bin/crossfleet-learner" train "$spec" --run theirs --http "127.0.0.1:$page" >log 2>&1
check 'a directory with something else in it is refused' is $? 2
check 'and stays as it is' is "$(ls theirs)" note
timeout 100 "$bin/crossfleet-learner" train "$spec" --run ended --http off --quiet --actors 1 \
    --set env.max_frame=300 >log 2>&1
check 'a run of 300 steps ends' is $? 0
timeout 60 "$bin/crossfleet-learner" train "$spec" --run ended --http "127.0.0.1:$page" --resume --actors 1 \
    --set env.max_frame=400 >log 2>&1
check 'a resume that fails' is $? 1
check 'keeps the run' test -s ended/checkpoint/replay.bin -a -s ended/spec.yaml

checks_end
