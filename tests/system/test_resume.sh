#!/usr/bin/env bash
# What a run's files look like after kills, signals and a full disk. Loopback only; short runs.
set -u
bin=${CROSSFLEET_BIN:-build/release}
# shellcheck source=tests/system/checks.sh
. tests/system/checks.sh
# sanitizers are slow: they see the same paths in a shorter run, and take their time to end it
case $bin in
*san) frames=1000 soon=60000 ;;
*) frames=3000 soon=10000 ;;
esac
train=("$bin/crossfleet-learner" train configs/pendulum.yaml --http off --quiet --seed 3
    --set meta.log_frequency=100 --set meta.eval_frequency=400 --set meta.eval_episodes=2
    --set cluster.checkpoint_interval_s=1 --set cluster.learner_threads=1
    --set agent.algorithm.training_frequency=4 --set agent.memory.batch_size=64)

# rows ever inserted, from the header of the replay's file
rows() { od -An -tu8 -j64 -N8 "$1/checkpoint/replay.bin" 2>/dev/null | tr -d ' ' || echo 0; }
# rows that a checkpoint counts
steps() { grep -ao '"steps":"[0-9]*"' "$@" | tr -dc '0-9\n' | sort -n | tail -n 1; }
await_rows() { # RUN N: until they are in, or the learner is gone
    for _ in $(seq 2400); do
        [ "$(rows "$1")" -ge "$2" ] 2>/dev/null && return
        kill -0 "$learner" 2>/dev/null || return
        sleep 0.05
    done
}
# the first column grows from row to row, by at most GAP once the warm-up is over
grows() { # FILE GAP
    awk -F, -v gap="$2" 'NR > 1 { if ($1 <= last || (last > 700 && $1 - last > gap)) bad = 1; last = $1 }
        END { exit bad || NR < 2 }' "$1"
}

# --- killed twice: files go on without a gap or a double row, no row of the replay is lost
for share in 4 2; do
    "${train[@]}" --set "env.max_frame=$frames" --run "$work/killed" --resume >"$work/log" 2>&1 &
    learner=$!
    await_rows "$work/killed" $((frames / share))
    kill -KILL $learner
    wait $learner 2>/dev/null
    before=$(rows "$work/killed")
    best=$(sort -t, -k5g "$work/killed/evaluations.csv" | tail -n 1 | cut -d, -f5)
done
timeout 300 "${train[@]}" --set "env.max_frame=$frames" --run "$work/killed" --resume >"$work/log" 2>&1
check 'a run that was killed twice ends well' is $? 0
check 'it had rows when it was killed' test "$before" -ge $((frames / 2))
check 'every row is in' is "$(rows "$work/killed")" $frames
check 'progress.csv has a row for each interval, none twice' grows "$work/killed/progress.csv" 250
# one that falls due while another runs is left out, so there may be gaps
check 'evaluations.csv has none twice' grows "$work/killed/evaluations.csv" "$frames"
check 'nothing was lost' is "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "net/transitions_lost") c = i }
    END { print $c }' "$work/killed/progress.csv")" 0
check 'no name has two slots' test "$(cat "$work"/killed/actor-*.monitor.csv | grep -c r,l,t)" -le 2
last=$(sort -t, -k5g "$work/killed/evaluations.csv" | tail -n 1 | cut -d, -f5)
check 'the best evaluation is no worse than before' awk -v a="${best:-x}" -v b="$last" \
    'BEGIN { exit !(a !~ /[0-9]/ || b >= a) }'
check 'policy/best.safetensors is that of the best evaluation' grep -aq \
    "\"eval_return\":\"$(printf %s "$last" | cut -c1-7)" "$work/killed/policy/best.safetensors"

# --- signals: a checkpoint, an exit code, and not more than 10 seconds
for signal in TERM INT; do
    "${train[@]}" --set env.max_frame=1000000 --run "$work/stopped" --resume >"$work/log" 2>&1 &
    learner=$!
    await_rows "$work/stopped" $(($(rows "$work/stopped") + 700))
    begin=$(date +%s%N) there=$(rows "$work/stopped")
    kill -$signal $learner
    wait $learner
    code=$?
    took=$((($(date +%s%N) - begin) / 1000000))
    check "SIG$signal ends with exit code $code" is $code $((128 + $(kill -l $signal)))
    check "after SIG$signal it took $took ms" test $took -lt $soon
done
newest=$(find "$work/stopped/checkpoint" -regex '.*/[0-9]+' | sort | tail -n 1)
check 'the last checkpoint has every row that was there' test "$(steps "$newest/state.safetensors")" -ge "$there"
# actors that do not answer hold the first signal up, the second one does not wait
"${train[@]}" --set env.max_frame=1000000 --run "$work/twice" >"$work/log" 2>&1 &
learner=$!
await_rows "$work/twice" 200
read -ra actors <"/proc/$learner/task/$learner/children"
kill -STOP "${actors[@]}"
kill -TERM $learner
sleep 1
begin=$(date +%s%N)
kill -INT $learner
wait $learner
check 'a second signal ends with its exit code' is $? 130
took=$((($(date +%s%N) - begin) / 1000000))
check "at once ($took ms)" test $took -lt 1500

# --- a damaged checkpoint: the one before it is used, and that is said
printf 'x' | dd of="$newest/state.safetensors" bs=1 seek=5000 conv=notrunc status=none
timeout 60 "${train[@]}" --set "env.max_frame=$(rows "$work/stopped")" --run "$work/stopped" --resume \
    >"$work/log" 2>&1
check 'a run with a damaged checkpoint goes on' is $? 0
check 'saying which one is damaged' grep -q "$(basename "$newest").*not what the manifest says" "$work/log"
rm -r "$work/stopped"

# --- a replay memory that does not fit is refused with the sizes
timeout 60 "${train[@]}" --set env.max_frame=10000000000 --set agent.memory.max_size=10000000000 \
    --run "$work/large" >"$work/log" 2>&1
check 'a replay larger than the machine is refused' is $? 1
check 'with both sizes' grep -qE 'max_size: a replay of 10000000000 rows .* needs [0-9]+ MB, .* [0-9]+ MB' \
    "$work/log"

# --- a disk that is full: said, survived, and good again once there is room
small() { # COMMAND...: with a disk of 8 MB at $work/disk, without being root
    # shellcheck disable=SC2016 # the inner shell expands them
    unshare --user --map-root-user --mount bash -c '
        mount -t tmpfs -o size=8m tmpfs "$0" && "$@"' "$work/disk" "$@"
}
mkdir "$work/disk"
if small true 2>/dev/null; then
    # shellcheck disable=SC2016 # the inner shell expands them
    small bash -c '
        "$@" --set env.max_frame=1000000 --run "$0/run" >"$0.log" 2>&1 &
        learner=$!
        for _ in $(seq 600); do compgen -G "$0/run/checkpoint/0*" >/dev/null && break; sleep 0.1; done
        dd if=/dev/zero of="$0/filler" bs=64k status=none 2>/dev/null
        for _ in $(seq 600); do grep -q "No space left" "$0.log" && break; sleep 0.1; done
        sleep 2
        rm "$0/filler"
        od -An -tu8 -j64 -N8 "$0/run/checkpoint/replay.bin" | tr -d " " >"$0.rows"
        kill -TERM $learner
        wait $learner
        echo $? >"$0.code"
        cat "$0"/run/checkpoint/0*/state.safetensors >"$0.state"' \
        "$work/disk" "${train[@]}" --set agent.memory.max_size=20000 >"$work/log" 2>&1
    check 'training survives a full disk' is "$(cat "$work/disk.code")" 143
    check 'the user is told' grep -qE 'checkpoint.*No space left.*training goes on' "$work/disk.log"
    check 'and once there is room a checkpoint has every row' test "$(steps "$work/disk.state")" -ge \
        "$(cat "$work/disk.rows")"
    small "${train[@]}" --set env.max_frame=1000000 --set agent.memory.max_size=1000000 --run "$work/disk/run" >"$work/log" 2>&1
    check 'a replay larger than the disk is refused' is $? 1
    check 'with both sizes named' grep -qE 'needs [0-9]+ MB, the disk has [0-9]+ MB left' "$work/log"
else
    echo 'no user namespaces here: the full disk is left out'
fi

checks_end
