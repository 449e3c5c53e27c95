#!/usr/bin/env bash
# What lies in deploy/ beside the containers: manifests held against their schemas, alerts and dashboard
# against a real learner's metrics, actors started over (a stand-in for) ssh. What a check needs and this
# machine cannot get is said, and the check left out.
# shellcheck disable=SC2317  # conditions are called by check
set -u
bin=$PWD/${CROSSFLEET_BIN:-build/release}
deps=${DEPS_DIR:-build/deps}
# shellcheck source=tests/system/checks.sh
. tests/system/checks.sh
port=$((24100 + RANDOM % 400 * 2)) HTTP_PORT=$((24900 + RANDOM % 100))
# learner and actors end with the test, whatever happens
finish() {
    [ -z "${learner:-}" ] || kill -KILL "$learner" 2>/dev/null
    [ ! -d "$work/home" ] || launch stop one two >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

# --- Kubernetes
schemas=$deps/kubernetes-validate-1.37.0
[ -d "$schemas" ] || timeout 180 python3 -m pip install -q --target "$schemas" \
    kubernetes-validate==1.37.0 >"$work/log" 2>&1 || rm -rf "$schemas"
valid() { PYTHONPATH=$schemas python3 "$schemas/bin/kubernetes-validate" --strict "$@"; }
listed() { sed -n 's/^ *-* *- \([a-z/]*\.yaml\)$/\1/p;s/^#  - //p' deploy/kubernetes/kustomization.yaml | sort; }
there() { (cd deploy/kubernetes && find . -name '*.yaml' ! -name kustomization.yaml | sed 's|^\./||' | sort); }
check 'kustomization.yaml lists every manifest and no other' is "$(listed)" "$(there)"
if [ -d "$schemas" ]; then
    # a PodMonitor is the operator's kind: it has no schema here
    for file in deploy/kubernetes/*.yaml; do
        [ "${file##*/}" = kustomization.yaml ] || check "$file is valid" valid "$file"
    done
    sed 's/replicas/replica/' deploy/kubernetes/actor.yaml >"$work/wrong.yaml"
    check 'a misspelt field is found' is "$(valid "$work/wrong.yaml" >/dev/null 2>&1; echo $?)" 1
else
    left_out 'Kubernetes schemas: pip cannot install kubernetes-validate'
fi

# --- Swarm, Compose
mkdir -p "$work/deploy/swarm"
cp deploy/swarm/stack.yaml "$work/deploy/swarm"
cp -R deploy/compose.yaml deploy/monitoring "$work/deploy"
"$bin/crossfleet-learner" keygen "$work/keys" || exit 1
if command -v docker >/dev/null; then
    check 'the stack file is one' docker stack config -c "$work/deploy/swarm/stack.yaml"
else
    left_out 'the stack file: no docker client'
fi
if command -v docker-compose >/dev/null; then
    check 'the compose file is one, with its monitoring' \
        docker-compose -f "$work/deploy/compose.yaml" --profile monitoring config
else
    left_out 'the compose file: no docker-compose'
fi

# --- systemd
if command -v systemd-analyze >/dev/null; then
    for unit in learner.service actor@.service; do
        sed "s|/usr/local/bin|$bin|" deploy/systemd/$unit >"$work/$unit"
        check "systemd takes $unit" systemd-analyze verify --man=no "$work/$unit"
        check "$unit is locked in" systemd-analyze security --no-pager --offline=true --threshold=20 \
            "$work/$unit"
    done
else
    left_out 'the units: no systemd-analyze'
fi

# --- actors over ssh: a host is a home directory here
mkdir -p "$work/home" "$work/logs"
cat >"$work/ssh" <<'SSH'
#!/bin/sh
home=$(dirname "$0")/home/$1
[ "$1" != down ] || exit 255
mkdir -p "$home" && cd "$home" && HOME=$home exec sh -c "$2"
SSH
chmod +x "$work/ssh"
launch() { (cd "$work" && SSH=$work/ssh KEYS=$work/keys ACTOR=$bin/crossfleet-actor "$repository/deploy/launch" "$@"); }
repository=$PWD
metrics() { page /metrics |
    tr -d '\r' | sed '1,/^$/d'; }
actors() { [ "$(metrics | sed -n 's/^crossfleet_actors //p')" = "$1" ]; }
lost() { metrics | sed -n 's/^crossfleet_transitions_lost_total //p'; }
begun() { [ "$(metrics | sed -n 's/^crossfleet_updates_total //p')" -gt 0 ]; }

learn() {
    "$bin/crossfleet-learner" train configs/pendulum.yaml --run "$work/run" --resume --actors 0 --quiet \
        --keys "$work/keys" --bind tcp://127.0.0.1:$port --http 127.0.0.1:$HTTP_PORT \
        --set env.max_frame=10000000 --set cluster.learner_threads=1 >"$work/learner.log" 2>&1 &
    learner=$!
}
learn
check 'launch starts two actors on one host and one on another' launch start tcp://127.0.0.1:$port one:2 two
check 'they join' within 60 actors 3
first=$(cat "$work/home/one/.crossfleet/actor-1.pid")
child=$(cat "/proc/$first/task/$first/children")
kill -KILL "${child% }"
check 'one that is killed starts again' within 30 grep -qs 'Killed' "$work/home/one/.crossfleet/actor-1.log"
check 'and joins' within 60 actors 3
launch status one two >"$work/status" 2>&1
check 'status counts them' grep -q '^one: 2 actors run' "$work/status"
check 'logs are fetched' launch logs one two
check 'one file an actor' is "$(cd "$work/logs" && find . -name '*.log' | sort | xargs)" \
    './one/actor-1.log ./one/actor-2.log ./two/actor-1.log'
launch status two down >"$work/status" 2>&1
check 'a host that does not answer is an error' is $? 1
check 'the others are worked on' grep -q '^two: 1 actors run' "$work/status"
check 'updates are made' within 60 begun
kill -TERM "$learner"
wait "$learner"
learn
check 'a learner that stopped and started has its actors again' within 60 actors 3
check 'updates go on' within 60 begun
metrics >"$work/metrics"
check 'launch stops them' launch stop one two
check 'the learner sees them go' within 20 actors 0
check 'nothing was lost' is "$(lost)" 0

kill -KILL "$learner"
wait "$learner" 2>/dev/null
learner=

# --- the planner and a sweep of two points
plan() { timeout 60 "$bin/crossfleet-learner" plan configs/pendulum.yaml --json "$@" >"$work/plan"; }
says() { grep -q "$1" "$work/plan"; }
check 'a plan is made' plan --actors 100 --remote --updates-rate 1000 \
    --set cluster.learner_threads=1
check 'with the rate that it was given' says '"learner_updates_per_s":1000,'
check 'and its bottleneck' says '"bottleneck":"learner","frames_per_s":1000,'
printf '%s\n' 'actors: [1, 2]' 'ratio: [off]' 'seconds: 1' 'warm_up_s: 0' >"$work/sweep.yaml"
scale() { BIN=$bin timeout 200 deploy/scaling "$work/sweep.yaml" -o "$work/scaling"; }
check 'a sweep runs' scale
check 'each point has its line' is "$(cut -d, -f3 "$work/scaling/scaling.csv" | xargs)" 'actors 1 2'
before=$(stat -c %Y "$work"/scaling/points/*.json)
check 'a sweep that is done runs nothing again' scale
check 'and keeps what it has' is "$(stat -c %Y "$work"/scaling/points/*.json)" "$before"
printf 'ratio: [1/0]\n' >"$work/sweep.yaml"
scale >"$work/status" 2>&1
check 'a ratio that is none is named' grep -q 'ratio 1/0' "$work/status"

# --- Prometheus and Grafana
# every metric that a query names, whatever stands around it
names() { grep -ohE '\b(crossfleet|process)_[a-z_]+' "$@" | sort -u; }
known() { sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$work/metrics" | sort -u; }
unknown() { names "$@" | comm -23 - <(known) | xargs; }
check 'the metrics came' test "$(known | wc -l)" -gt 20
# crossfleet_eval_return and such come with their first value
dashboard=deploy/monitoring/grafana/dashboards/crossfleet.json
check 'the dashboard is JSON' python3 -c "import json; json.load(open('$dashboard'))['panels'][0]"
check 'it asks for metrics that exist' is "$(unknown $dashboard)" ''
check 'so do the alerts' is "$(unknown deploy/monitoring/alerts.yml)" ''
promtool=$(command -v promtool || echo "$deps/prometheus/usr/bin/promtool")
if [ ! -x "$promtool" ] && command -v dpkg-deb >/dev/null; then
    (cd "$work" && timeout 120 apt-get download prometheus) >"$work/log" 2>&1 &&
        dpkg-deb -x "$work"/prometheus_*.deb "$deps/prometheus"
fi
if [ -x "$promtool" ]; then
    check 'Prometheus takes its configuration' "$promtool" check config deploy/monitoring/prometheus.yml
    check 'the alerts fire when they should' "$promtool" test rules deploy/monitoring/alerts_test.yml
    # lint of names is not what is asked here
    check 'Prometheus can read /metrics' is \
        "$("$promtool" check metrics <"$work/metrics" 2>&1 | grep -ci 'error while')" 0
else
    left_out 'promtool: not on PATH and no Debian package prometheus'
fi

checks_end
