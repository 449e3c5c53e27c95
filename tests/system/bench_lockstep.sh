#!/usr/bin/env bash
# What lock-step costs: environment steps a second after the warm-up, with and without it, one JSON line
# for each task and number of actors.
#
#   RUNS="pendulum halfcheetah"  ACTORS="1 2 4"  STEPS=3000 (after the warm-up)  SEED=1
set -u
bin=${CROSSFLEET_BIN:-build/release}
steps=${STEPS:-3000} seed=${SEED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

spec() { # NAME: its file and what is changed
    case $1 in
    pendulum) echo "configs/pendulum.yaml" ;;
    halfcheetah)
        local layer='agent.critic_net.arc.modules.body.Sequential'
        echo "configs/paper/halfcheetah.yaml" \
            "--set $layer.1.LazyLinear.out_features=256 --set $layer.4.LazyLinear.out_features=256"
        ;;
    esac
}
start() { # NAME: steps before the first update
    # shellcheck disable=SC2046 # a list of words
    "$bin/crossfleet-learner" check $(spec "$1") 2>/dev/null | awk '$1 == "training_start_step:" { print $2 }'
}
# steps a second between the first row after the warm-up and the last one
speed() { # NAME ACTORS [--lockstep]
    local name=$1 actors=$2 warm
    shift 2
    warm=$(start "$name")
    rm -rf "$work/run"
    # shellcheck disable=SC2046 # a list of words
    timeout 1200 "$bin/crossfleet-learner" train $(spec "$name") --seed "$seed" --actors "$actors" --http off --quiet \
        --set cluster.learner_threads=1 --set "env.max_frame=$((warm + steps))" --set meta.log_frequency=100 \
        --set meta.eval_frequency=0 --set meta.eval_episodes=1 --run "$work/run" "$@" >"$work/log" 2>&1 || return
    awk -F, -v warm="$warm" 'NR > 1 && $1 >= warm + 200 { if (!n++) { s = $1; t = $2 } S = $1; T = $2 }
        END { printf "%.1f", (S - s) / (T - t) }' "$work/run/progress.csv"
}

for name in ${RUNS:-pendulum halfcheetah}; do
    for actors in ${ACTORS:-1 2 4}; do
        free=$(speed "$name" "$actors") locked=$(speed "$name" "$actors" --lockstep)
        printf '{"bench":"lockstep","run":"%s","actors":%d,"steps_per_s":%s,"lockstep_steps_per_s":%s,"cost":%s}\n' \
            "$name" "$actors" "${free:-null}" "${locked:-null}" \
            "$(awk -v a="$free" -v b="$locked" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }')"
    done
done
