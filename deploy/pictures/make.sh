#!/usr/bin/env bash
# make.sh BIN [RUN]
#
# Makes the README's pictures anew with the project's own commands: trains HalfCheetah-v5 with narrow
# critics and four actors in RUN (a temporary directory), one of them paused while the page's picture is
# taken. Needs chromium, gnuplot and ffmpeg. Half an hour at most on two free cores.
set -euo pipefail
bin=$1
here=$(dirname "$0")
port=${PORT:-9190}
steps=${STEPS:-40000}
work=$(mktemp -d)
run=${2:-$work/halfcheetah}
learner=
# shellcheck disable=SC2317  # called by the trap
leave() {
    [ -z "$learner" ] || kill "$learner" 2>/dev/null || true
    rm -rf "$work"
}
trap leave EXIT

for program in chromium gnuplot ffmpeg curl; do
    command -v "$program" >/dev/null || { echo "pictures need $program: apt-get install $program" >&2; exit 1; }
done

page() { # FILE [CHROMIUM-OPTION...]: the page as a browser shows it
    timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --hide-scrollbars --window-size=1160,1190 --virtual-time-budget=2500 \
        "${@:2}" --screenshot="$1" "http://127.0.0.1:$port/" >/dev/null 2>&1
}
done_steps() { curl -s "http://127.0.0.1:$port/status.json" | grep -o '"steps":[0-9]*' | sed 's/.*://;q'; }

critic=agent.critic_net.arc.modules.body.Sequential
"$bin/crossfleet-learner" train configs/paper/halfcheetah.yaml --run "$run" --resume --seed 1 --actors 4 \
    --http "127.0.0.1:$port" --set "$critic.1.LazyLinear.out_features=256" \
    --set "$critic.4.LazyLinear.out_features=256" --set cluster.learner_threads=1 \
    --set "env.max_frame=$steps" --set meta.log_frequency=1000 --set meta.eval_frequency=2500 \
    --set meta.eval_episodes=5 >"$work/log" 2>&1 &
learner=$!

# at three quarters one actor stands still for as long as the picture takes
until at=$(done_steps) && [ "$at" -ge $((steps * 3 / 4)) ]; do
    kill -0 $learner 2>/dev/null || { tail "$work/log" >&2; exit 1; }
    sleep 1
done
paused=
for child in $(tr ' ' '\n' <"/proc/$learner/task/$learner/children"); do
    tr '\0' ' ' <"/proc/$child/cmdline" | grep -q 'name local-2' && paused=$child
done
kill -STOP "$paused"
sleep 4
page "$here/page.png"
page "$here/page-dark.png" --blink-settings=preferredColorScheme=0
kill -CONT "$paused"
wait $learner
learner=

"$bin/crossfleet-learner" report "$run" -o "$here/curve.svg"
"$bin/crossfleet-actor" video "$run/policy/best.safetensors" -o "$here/halfcheetah.gif" --seconds 5
ls -l "$here"
