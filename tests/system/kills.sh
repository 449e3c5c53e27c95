#!/usr/bin/env bash
# SIGKILLs a learner at KILLS random moments of each run and resumes it each time; two actors on TCP
# outlive it. Prints a JSON object a run: rows that were acknowledged and are not in the replay memory,
# the ratio of the whole run, its final evaluation and that of an undisturbed run. Minutes long.
#
#   RUNS="pendulum halfcheetah"  KILLS=20  SEED=1  PORT=22100  TIMEOUT=3600 (seconds a run)
#   INTERVAL=5 (seconds between checkpoints: what a kill costs in updates that are done again)
set -u
bin=${CROSSFLEET_BIN:-build/release}
kills=${KILLS:-20} seed=${SEED:-1} port=${PORT:-22100} limit=${TIMEOUT:-3600}
work=$(mktemp -d)
helpers=()
trap 'kill "${helpers[@]}" 2>/dev/null; rm -rf "$work"' EXIT
failed=0
RANDOM=$seed

spec() { # NAME: its file and what is changed
    echo "--set cluster.learner_threads=1 --set cluster.checkpoint_interval_s=${INTERVAL:-5} --seed $seed"
    case $1 in
    pendulum) echo "configs/pendulum.yaml --set env.max_frame=20000" ;;
    halfcheetah)
        local layer='agent.critic_net.arc.modules.body.Sequential'
        echo "configs/paper/halfcheetah.yaml --set env.max_frame=30000" \
            "--set $layer.1.LazyLinear.out_features=256 --set $layer.4.LazyLinear.out_features=256"
        ;;
    esac
}
rows() { od -An -tu8 -j64 -N8 "$1/checkpoint/replay.bin" 2>/dev/null | tr -d ' '; }
# the value of COLUMN in the last row of FILE
cell() { # FILE COLUMN
    awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i }
        END { print $c }' "$1"
}

train() { # RUN: in the background, as $learner
    # shellcheck disable=SC2046 # a list of words
    timeout "$limit" "$bin/crossfleet-learner" train $(spec "$name") --actors 0 --http off --quiet \
        --bind "tcp://127.0.0.1:$port" --run "$1" --resume >>"$1.log" 2>&1 &
    learner=$!
}
helpers_start() {
    helpers=()
    for i in 0 1; do
        "$bin/crossfleet-actor" run --connect "tcp://127.0.0.1:$port" --name "actor-$i" \
            >>"$1.actors" 2>&1 &
        helpers+=($!)
    done
    "$bin/crossfleet-actor" run --connect "tcp://127.0.0.1:$port" --name eval --evaluator \
        >>"$1.actors" 2>&1 &
    helpers+=($!)
}

for name in ${RUNS:-pendulum halfcheetah}; do
    frames=$(spec "$name" | grep -o 'max_frame=[0-9]*' | cut -d= -f2)
    begin=$SECONDS
    helpers_start "$work/$name"
    mapfile -t moments < <(for _ in $(seq "$kills"); do
        echo $(((RANDOM * 32768 + RANDOM) % (frames * 95 / 100) + 50))
    done | sort -n)
    killed=0 missing=0
    for moment in "${moments[@]}"; do
        train "$work/$name"
        # not only at a row: some time after it
        until [ "$(rows "$work/$name" || echo 0)" -ge "$moment" ] 2>/dev/null; do
            kill -0 "$learner" 2>/dev/null || break
            sleep 0.02
        done
        sleep "0.0$((RANDOM % 90 + 10))"
        pid=$(cat "/proc/$learner/task/$learner/children")
        # shellcheck disable=SC2086 # at most one
        kill -KILL $pid && killed=$((killed + 1))
        wait "$learner" 2>/dev/null
        before=$(rows "$work/$name")
        [ "$before" -ge "$moment" ] || missing=$((missing + 1))
    done
    train "$work/$name"
    wait "$learner"
    code=$?
    wait "${helpers[@]}" 2>/dev/null
    disturbed=$((SECONDS - begin)) begin=$SECONDS
    helpers_start "$work/calm-$name"
    train "$work/calm-$name"
    wait "$learner"
    wait "${helpers[@]}" 2>/dev/null
    calm=$((SECONDS - begin))

    run="$work/$name"
    # each actor says at its end what the learner acknowledged, over all learners
    acknowledged=$(grep -o 'left: [0-9]* rows acknowledged' "$run.actors" | awk '{ n += $2 } END { print n + 0 }')
    inserted=$(rows "$run")
    start=$("$bin/crossfleet-learner" check "$run/spec.yaml" 2>/dev/null | awk '$1 == "training_start_step:" { print $2 }')
    # the last checkpoint is named by its update
    updates=$(find "$run/checkpoint" -regex '.*/[0-9]+' -printf '%f\n' | sort | tail -n 1)
    ratio=$(awk -v u="$((10#$updates))" -v s="$inserted" -v b="$start" 'BEGIN { printf "%.4f", u / (s - b) }')
    printf '{"bench":"kills","run":"%s","kills":%d,"exit":%d,"rows":%d,"acknowledged":%d,"lost":%d,"reported_lost":%d,' \
        "$name" "$killed" "$code" "$inserted" "$acknowledged" $((acknowledged - inserted)) \
        "$(cell "$run/progress.csv" net/transitions_lost)"
    printf '"ratio":%s,"eval":%s,"eval_undisturbed":%s,"seconds":%d,"seconds_undisturbed":%d}\n' "$ratio" \
        "$(cell "$run/evaluations.csv" mean)" "$(cell "$work/calm-$name/evaluations.csv" mean)" \
        "$disturbed" "$calm"
    if [ $code -ne 0 ] || [ "$inserted" -ne "$frames" ] || [ "$acknowledged" -ne "$inserted" ] ||
        [ "$killed" -ne "$kills" ] || [ $missing -gt 0 ] ||
        ! awk -v r="$ratio" 'BEGIN { exit !(r > 0.99 && r < 1.01) }'; then
        printf 'FAILED: %s\n' "$name"
        tail -n 5 "$run.log"
        failed=1
    fi
done
exit $failed
