#!/usr/bin/env bash
# What other programs read is read by their own code: /metrics by prometheus_client, tb/ by TensorBoard, .onnx by
# onnxruntime, .npz and policies by numpy. The packages go to build/deps; skipped where pip cannot get them.
set -u
bin=${CROSSFLEET_BIN:-build/release}
readers=build/deps/readers-1 address=127.0.0.1:29117
if [ ! -d $readers ]; then
    timeout 300 python3 -m pip install -q --target $readers prometheus_client==0.22.1 tensorboard==2.20.0 \
        onnxruntime==1.23.2 numpy==1.26.4 >/dev/null 2>&1 || { rm -rf $readers; echo 'pip cannot install the readers'; exit 77; }
fi
export PYTHONPATH=$PWD/$readers PYTHONDONTWRITEBYTECODE=1
# shellcheck source=tests/system/checks.sh
. tests/system/checks.sh

# --- unit tests that leave a part out where these are missing
for test in learner/test_tensorboard learner/test_eval_npz common/test_onnx deploy/test_python_policy; do
    "$bin/tests/$test" >"$work/log" 2>&1
    check "$test passes" test $? = 0
    check "$test leaves nothing out" test "$(grep -c SKIPPED "$work/log")" = 0
done

# --- /metrics of a run
"$bin/crossfleet-learner" train configs/pendulum.yaml --seed 1 --quiet --run "$work/run" --set env.max_frame=1000000 \
    --set cluster.learner_threads=1 --set meta.eval_frequency=800 --set meta.eval_episodes=1 \
    --http $address >"$work/log" 2>&1 &
learner=$!
# the row of progress.csv after the first evaluation has its value
for _ in $(seq 1200); do
    [ "$(wc -l <"$work/run/evaluations.csv")" -gt 1 ] && [ "$(wc -l <"$work/run/progress.csv")" -gt 3 ] && break
    sleep 0.1
done 2>/dev/null
cat >"$work/metrics.py" <<'PY'
import sys, urllib.request
from prometheus_client.parser import text_string_to_metric_families as parse
text = urllib.request.urlopen("http://" + sys.argv[1] + "/metrics", timeout=20).read().decode()
got = {(s.name, *s.labels) for family in parse(text) for s in family.samples}
wanted = {(name,) for name in """crossfleet_env_steps_total crossfleet_updates_total crossfleet_episodes_total
    crossfleet_replay_rows crossfleet_actors crossfleet_transitions_lost_total crossfleet_transitions_duplicate_total
    crossfleet_utd_ratio crossfleet_weights_version process_resident_memory_bytes""".split()} | {
    ("crossfleet_messages_rejected_total", "reason"), ("crossfleet_limiter_wait_seconds_total", "reason"),
    ("crossfleet_policy_lag_versions", "quantile"), ("crossfleet_episode_return", "stat"),
    ("crossfleet_eval_return", "stat")}
print("missing:", *sorted(wanted - got)) if wanted - got else print("all")
PY
check 'prometheus_client finds every metric' test "$(python3 "$work/metrics.py" $address)" = all
kill -TERM $learner
wait $learner

# --- tb/ of the same run
cat >"$work/tb.py" <<'PY'
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
steps = [s.step for s in events.Scalars("time/fps")]
print(steps == sorted(set(steps)) and len(steps) > 0, "eval/mean_reward" in events.Tags()["scalars"])
PY
check 'TensorBoard reads the scalars of a run' test "$(python3 "$work/tb.py" "$work/run/tb" 2>/dev/null)" = 'True True'

checks_end
