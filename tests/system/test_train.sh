#!/usr/bin/env bash
# Training with real processes: from end to end, killed and resumed, stopped, in lock-step. Loopback
# only; each run is a few seconds long.
set -u
bin=${CROSSFLEET_BIN:-build/release}
# shellcheck source=tests/system/checks.sh
. tests/system/checks.sh
# sanitizers are slow: they see the same paths in a shorter run
case $bin in
*san) frames=1000 round=700 ;;
*) frames=3000 round=1500 ;;
esac
seedless=("$bin/crossfleet-learner" train configs/pendulum.yaml --http off --quiet
    --set "env.max_frame=$frames" --set meta.eval_frequency=0 --set meta.eval_episodes=2)
train=("${seedless[@]}" --seed 3)

last_row() { tail -n 1 "$1" | cut -d, -f"$2"; }

# --- a whole run
video=()
command -v ffmpeg >/dev/null && video=(--video) || echo 'no ffmpeg here: train --video is left out'
timeout 300 "${train[@]}" --run "$work/whole" "${video[@]}" --profile "$work/trace.json" >"$work/log" 2>&1
check 'a run ends with exit code 0' is $? 0
check 'the last evaluation is of the last step' is "$(last_row "$work/whole/evaluations.csv" 1)" $frames
check 'the profile is a trace with the parts of an update' grep -q '"linear forward"' "$work/trace.json"
check 'every row is in' is "$(last_row "$work/whole/progress.csv" 1)" $frames
check 'nothing was lost' grep -q 'transitions_lost' "$work/whole/progress.csv"
for file in spec.yaml policy/latest.safetensors policy/best.safetensors checkpoint/replay.bin \
    actor-0.monitor.csv; do
    check "the run leaves $file" test -s "$work/whole/$file"
done
if [ ${#video[@]} -gt 0 ]; then
    check 'the film is a GIF' is "$(head -c 6 "$work/whole/video.gif")" GIF89a
    check 'the film is for TensorBoard too' grep -qa GIF89a "$work/whole/tb/"events.*
fi
timeout 60 env PATH="$work" "${train[@]}" --run "$work/none" --video >"$work/log" 2>&1
check 'a film that cannot be made is refused before the training' is $? 1
check 'saying what to install' grep -q 'apt-get install ffmpeg' "$work/log"
timeout 60 "$bin/crossfleet-actor" eval "$work/whole" --episodes 2 --seed 0 --json >"$work/eval.json"
check 'eval repeats the last evaluation' grep -q \
    "\"mean\":$(last_row "$work/whole/evaluations.csv" 5 | cut -c1-7)" "$work/eval.json"
timeout 60 "${train[@]}" --run "$work/whole" >"$work/log" 2>&1
check 'a directory that holds a run is refused with exit code 2' is $? 2
timeout 60 "${train[@]}" --run "$work/whole" --resume >"$work/log" 2>&1
check 'a finished run resumes to exit code 0' is $? 0

# --- killed at three moments, then resumed
actors=
for _ in 1 2 3; do
    "${train[@]}" --run "$work/killed" --resume >"$work/log" 2>&1 &
    learner=$!
    sleep 1.5
    actors+=" $(cat "/proc/$learner/task/$learner/children")"
    kill -KILL $learner
    wait $learner 2>/dev/null
done
timeout 300 "${train[@]}" --run "$work/killed" --resume >"$work/log" 2>&1
check 'a killed run resumes to its end' is $? 0
check 'the resumed run has every row' is "$(last_row "$work/killed/progress.csv" 1)" $frames
alive=
for actor in $actors; do
    grep -qs 'crossfleet-actor' "/proc/$actor/cmdline" && alive+=" $actor"
done
check 'a learner had actors when it was killed' test -n "$actors"
check 'no actor outlives a killed learner' is "$alive" ''
timeout 60 "${seedless[@]}" --run "$work/whole" --resume >"$work/log" 2>&1
check 'a run goes on without --seed' is $? 0
check 'and keeps the seed that it had' grep -q 'seed: 3 ' "$work/whole/spec.yaml"

# --- stopped by a signal
"${train[@]}" --set env.max_frame=1000000 --run "$work/stopped" >"$work/log" 2>&1 &
learner=$!
sleep 2
kill -TERM $learner
wait $learner
check 'SIGTERM ends with exit code 143' is $? 143
check 'and leaves a checkpoint' test -n \
    "$(find "$work/stopped/checkpoint" -regex '.*/[0-9]+')"
timeout 60 "${train[@]}" --run "$work/stopped" --resume --set agent.algorithm.gamma=0.9 >"$work/log" 2>&1
check 'another spec is refused with exit code 2' is $? 2
check 'saying which key differs' grep -q 'was gamma: 0.99.*is now gamma: 0.9' "$work/log"

# --- lock-step repeats, also across a kill or a stop, for one, two and four actors, with a replay that is
# full: what was overwritten after the checkpoint comes back
steps=(--lockstep --set "agent.memory.max_size=$((round / 2))" --set "env.max_frame=$round" --set "cluster.lockstep_checkpoint_steps=$((round / 3))")
for actors in 1 2 4; do
    [ $actors = 4 ] && signal=TERM || signal=KILL
    first=$(timeout 300 "${train[@]}" "${steps[@]}" --actors $actors --run "$work/a$actors" 2>"$work/log")
    "${train[@]}" "${steps[@]}" --actors $actors --run "$work/b$actors" >"$work/log" 2>&1 &
    learner=$!
    # after its first checkpoint, well before its end
    for _ in $(seq 1200); do
        compgen -G "$work/b$actors/checkpoint/0*" >/dev/null && break
        sleep 0.05
    done
    kill "-$signal" $learner
    wait $learner 2>/dev/null
    second=$(timeout 300 "${train[@]}" "${steps[@]}" --actors $actors --run "$work/b$actors" --resume \
        2>"$work/log")
    check "lock-step with $actors actors prints its hash" grep -qE '^checkpoint sha256 [0-9a-f]{64}$' \
        <<<"$first"
    check "lock-step with $actors actors repeats across SIG$signal" is "$first" "$second"
done

checks_end
