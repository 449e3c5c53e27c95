#!/usr/bin/env bash
# A learner and actors in containers: up, more actors, fewer, an actor and the learner crash, down.
# Needs a Docker engine, docker-compose and the image (docker build -t crossfleet -f deploy/Dockerfile .).
# shellcheck disable=SC2317  # conditions are called by check
set -u
export IMAGE=${IMAGE:-crossfleet} COMPOSE_PROJECT_NAME=crossfleet-test ACTORS=3 HTTP_PORT=19100 \
    PORT=15555 WEIGHTS_PORT=15556
docker info >/dev/null 2>&1 || { echo 'no Docker engine'; exit 77; }
docker image inspect "$IMAGE" >/dev/null 2>&1 || { echo "no image $IMAGE"; exit 77; }
if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
elif command -v docker-compose >/dev/null; then
    compose=(docker-compose)
else
    echo 'no docker compose'
    exit 77
fi

# keys and the compose file in a directory of their own: the tree's keys stay what they are
work=$(mktemp -d)
mkdir "$work/deploy"
cp deploy/compose.yaml "$work/deploy"
compose+=(-f "$work/deploy/compose.yaml")
trap '"${compose[@]}" down -v >/dev/null 2>&1; rm -rf "$work"' EXIT
"${CROSSFLEET_BIN:-build/release}/crossfleet-learner" keygen "$work/keys" || exit 1
KEYS_USER=$(id -u):$(id -g)
[ "$(id -u)" != 0 ] || { KEYS_USER=10001:10001 && chown -R 10001:10001 "$work/keys"; }
export KEYS_USER
failed=0

check() { # SENTENCE CONDITION...
    local sentence=$1
    shift
    "$@" && printf 'ok: %s\n' "$sentence" && return
    printf 'FAILED: %s\n' "$sentence"
    failed=$((failed + 1))
}
metric() { timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$HTTP_PORT && printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3 && cat <&3" 2>/dev/null |
    tr -d '\r' | sed -n "s/^crossfleet_$1 //p"; }
within() { # SECONDS CONDITION...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return
        sleep 0.5
    done
}
is() { [ "$(metric "$1")" = "$2" ]; }
above() { [ "$(metric "$1" | cut -d. -f1)" -gt "$2" ] 2>/dev/null; }
crash() { kill -KILL "$(docker inspect -f '{{.State.Pid}}' "$1")"; } # not docker kill: nothing restarts then
restarted() { [ "$(docker inspect -f '{{.RestartCount}}' "$1")" -ge 1 ] 2>/dev/null; }

timeout 180 "${compose[@]}" up -d --no-build >"$work/log" 2>&1
check 'up starts everything once the learner is healthy' test $? = 0
[ $failed = 0 ] || { cat "$work/log" && exit 1; }
check 'three actors come' within 60 is actors 3
check 'updates are made' within 120 above updates_total 0
timeout 120 "${compose[@]}" up -d --no-build --scale actor=6 >"$work/log" 2>&1
check 'six actors after a scale' within 60 is actors 6
timeout 120 "${compose[@]}" up -d --no-build --scale actor=2 >"$work/log" 2>&1
check 'two actors after a scale' within 60 is actors 2

actor=$("${compose[@]}" ps -q actor | head -n 1)
crash "$actor"
check 'a crashed actor is started again' within 30 restarted "$actor"
check 'and joins' within 60 is actors 2
check 'nothing was lost' is transitions_lost_total 0
check 'nothing came twice' is transitions_duplicate_total 0

learner=$("${compose[@]}" ps -q learner)
steps=$(metric env_steps_total)
crash "$learner"
check 'a crashed learner is started again' within 30 restarted "$learner"
check 'the actors find it' within 60 is actors 2
check 'it has all steps that it had' above env_steps_total "$((steps - 1))"

timeout 150 "${compose[@]}" stop >"$work/log" 2>&1
check 'the learner stops after a checkpoint' test \
    "$(docker inspect -f '{{.State.ExitCode}}' "$learner")" = 143
check 'which is complete' docker run --rm -v crossfleet-test_runs:/runs "$IMAGE" bash -c \
    '[ -s /runs/run/checkpoint/replay.bin ] && ls -d /runs/run/checkpoint/[0-9]*'
exit $((failed > 0))
