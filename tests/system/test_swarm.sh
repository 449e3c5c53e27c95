#!/usr/bin/env bash
# The stack of deploy/swarm on a swarm of one node: up, more actors, the learner killed and resumed, gone.
# Needs a Docker engine that is in no swarm yet, and the image (IMAGE, crossfleet).
# shellcheck disable=SC2317  # conditions are called by check
set -u
export IMAGE=${IMAGE:-crossfleet} ACTORS=2 HTTP_PORT=24990 \
    SPEC='configs/pendulum.yaml --set env.max_frame=100000000'
stack=crossfleet-test
docker info >/dev/null 2>&1 || { echo 'no Docker engine'; exit 77; }
docker image inspect "$IMAGE" >/dev/null 2>&1 || { echo "no image $IMAGE"; exit 77; }
[ "$(docker info -f '{{.Swarm.LocalNodeState}}')" = inactive ] || { echo 'this machine is in a swarm'; exit 77; }
# shellcheck source=tests/system/checks.sh
. tests/system/checks.sh
mkdir -p "$work/deploy/swarm"
cp deploy/swarm/stack.yaml "$work/deploy/swarm"
finish() {
    docker stack rm $stack >/dev/null 2>&1
    docker swarm leave --force >/dev/null 2>&1
    sleep 2
    docker network rm docker_gwbridge >/dev/null 2>&1
    docker volume rm ${stack}_runs >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT
"${CROSSFLEET_BIN:-build/release}/crossfleet-learner" keygen "$work/keys" || exit 1

learner() { docker ps -q --filter name=${stack}_learner; }
another() { [ -n "$(learner)" ] && [ "$(learner)" != "$1" ]; }

docker swarm init --advertise-addr 127.0.0.1 >/dev/null || exit 1
docker node update --label-add crossfleet.learner=true "$(docker node ls -q)" >/dev/null
check 'the stack is deployed' docker stack deploy -c "$work/deploy/swarm/stack.yaml" \
    --resolve-image never --detach=true $stack
check 'two actors come' within 120 counted actors_connected 2
[ $failed = 0 ] || { docker service ps --no-trunc ${stack}_learner && docker service logs ${stack}_learner; exit 1; }
check 'updates are made' within 120 above updates 0
docker service scale --detach ${stack}_actor=4 >/dev/null
check 'four after a scale' within 90 counted actors_connected 4
steps=$(count steps) first=$(learner)
kill -KILL "$(docker inspect -f '{{.State.Pid}}' "$first")"
check 'a learner that is killed is replaced' within 60 another "$first"
check 'the actors find it at its new address' within 120 counted actors_connected 4
check 'it goes on' within 60 above steps "$steps"
check 'nothing was lost' counted lost 0
check 'nothing came twice' counted duplicates 0
checks_end
