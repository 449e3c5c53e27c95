#!/usr/bin/env bash
# make benchmark with a small Pendulum: killed and stopped in the middle, gone on with, its numbers held
# against hand values, its page written from the stored files alone. What is not a result is named.
# shellcheck disable=SC2317  # conditions are called by check
set -u
bin=$PWD/${CROSSFLEET_BIN:-build/release}
# shellcheck source=tests/system/checks.sh
. tests/system/checks.sh
pid=
finish() {
    [ -z "$pid" ] || kill -KILL -- "-$pid" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

# --- numbers
numbers() { # PYTHON: true there
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/benchmarks python3 -c "
import math, results as res
r = res.Result('a', 1, {}, [(10, 6.0, -9.0), (20, 12.0, -5.0), (40, 30.0, -7.0)])
value = $1
assert value, value"
}
check 'IQM of one to three runs is their mean' numbers 'res.iqm([1, 2, 9]) == 4 and res.iqm([5]) == 5'
check 'of four to seven it leaves out one at either end' numbers \
    'res.iqm([9, 1, 2, 3]) == 2.5 and res.iqm([100, 1, 2, 3, 4, -50, 5]) == 3'
check 'of eight two' numbers 'res.iqm([0, 0, 1, 2, 3, 4, 90, 90]) == 2.5'
# resamples of 0 and 1 have means 0, 1/2, 1 with chances 1/4, 1/2, 1/4
check 'the interval of two runs is from one to the other' numbers 'res.interval([0, 1]) == (0, 1)'
# of 0, 0, 0 and 4 the middle two of a resample are 0, 2 or 4: 4 with chance 13/256, above 2.5 %
check 'that of four has the middle of the resamples' numbers 'res.interval([0, 0, 0, 4]) == (0, 4)'
# of 0 (seven times) and 8 the middle four have one 8 with chance 0.056, more with 0.011
check 'and of eight' numbers 'res.interval([0] * 7 + [8]) == (0, 2)'
check 'a single run has none' numbers 'res.interval([3]) is None'
check 'the first evaluation at the score counts' numbers 'res.reached(r, -5) == (20, 12)'
check 'a score that was never reached is no number' numbers 'res.reached(r, -1)[0] == math.inf'
check 'between evaluations lies a line' numbers \
    'res.at([(0, 1), (10, 3)], 5) == 2 and res.at([(0, 1), (10, 3)], 11) is None'

# --- runs
mkdir "$work/specs" "$work/store"
sed 's/out_features: 256/out_features: 16/; s/max_frame: .*/max_frame: 3000/
    s/training_start_step: .*/training_start_step: 300/; s/eval_frequency: .*/eval_frequency: 500/
    s/eval_episodes: .*/eval_episodes: 2/' configs/paper/pendulum.yaml >"$work/specs/pendulum.yaml"
cat >"$work/page.md" <<'PAGE'
Before.
<!-- table:results specs -->
<!-- end -->
Between.
<!-- table:runs specs -->
<!-- end -->
<!-- table:versus specs specs pendulum=-2000,0 -->
<!-- end -->
<!-- table:curves specs -->
<!-- end -->
After.
PAGE
where=(--specs "$work/specs" --runs "$work/runs" --store "$work/store" --page "$work/page.md")
benchmark() { BIN=$bin timeout 300 tests/benchmark "$@" "${where[@]}"; }
stored() { zcat "$work/store/specs/pendulum-s$1.csv.gz"; }
evaluated() { # SEED: has its first evaluation; looks often, a run lasts a second where nothing else runs
    for _ in $(seq 4000); do
        [ "$(wc -l <"$work/runs/pendulum-s$1/evaluations.csv")" -ge 2 ] && return
        sleep 0.05
    done 2>/dev/null
    return 1
}
begin() { # a process group of its own, which one signal reaches
    set -m
    BIN=$bin tests/benchmark pendulum --seeds '1 2' --set cluster.checkpoint_interval_s=1 "${where[@]}" \
        >>"$work/log" 2>&1 &
    pid=$!
    set +m
}
evidence=$work/log
begin
check 'a run starts' evaluated 1
kill -KILL -- "-$pid"
wait $pid 2>/dev/null
check 'what was killed is not stored' test ! -e "$work/store/specs"
begin
check 'the same line goes on to the second seed' evaluated 2
kill -TERM $pid
wait $pid
check 'SIGTERM ends with exit code 143' is $? 143
pid=
check 'no learner is left' is "$(pgrep -f "crossfleet-learner train $work/specs" | xargs)" ''
check 'the killed run has gone on' grep -q 'pendulum-s1: goes on' "$work/log"
check 'and is stored' test -s "$work/store/specs/pendulum-s1.csv.gz"
check 'the second is not' test ! -e "$work/store/specs/pendulum-s2.csv.gz"
check 'the same line ends' benchmark pendulum --seeds '1 2' --set cluster.checkpoint_interval_s=1
for seed in 1 2; do
    check "seed $seed is stored to its last step" is "$(stored $seed | tail -n 1 | cut -d, -f1)" 3000
    check "with what the learner wrote" is "$(stored $seed | grep -v '^#')" \
        "$(cat "$work/runs/pendulum-s$seed/evaluations.csv")"
    check "and what made it" is "$(stored $seed | grep -cE '^# (task: Pendulum-v1|seed: '$seed'|commit: .+)$')" 3
done
rm -r "$work/store/specs"
benchmark pendulum --seeds '1 2 3' --take >"$work/took" 2>&1
check 'finished runs are taken as they are' is $? 0
check 'the others are not started' grep -q 'pendulum-s3 is not finished' "$work/took"
check 'taken is what the learner wrote' is "$(stored 2 | grep -v '^#')" \
    "$(cat "$work/runs/pendulum-s2/evaluations.csv")"
check 'and what of the machine was set' grep -q '^# set: cluster.checkpoint_interval_s=1$' <(stored 2)
sum=$(cat "$work/store/specs/"*.gz | sha256sum)
mv "$work/runs" "$work/away"
begun=$SECONDS
check 'what is stored is not run again' benchmark pendulum --seeds '1 2'
check 'nor changed' is "$(cat "$work/store/specs/"*.gz | sha256sum)" "$sum"
check 'and takes no time' test $((SECONDS - begun)) -lt 10
mv "$work/away" "$work/runs"

# --- the page
page_anew() { tests/benchmarks/page.py --store "$work/store" --page "$work/page.md"; }
ends() { for seed in 1 2; do stored $seed | tail -n 1 | cut -d, -f5; done; }
# rounded, with a comma at the thousands
mean=$(ends | awk '{ s -= $1 } END { x = s / NR; y = int(x + 0.5)
    if (x >= 1000) printf "-%d,%03d", int(y / 1000), y % 1000; else printf "%.1f", -x }')
check 'the prose stays' is "$(grep -cE '^(Before|Between|After)\.$' "$work/page.md")" 3
check 'the row has the mean of two seeds' grep -qF "| $mean [" "$work/page.md"
check 'and the command that makes it' grep -qF 'make benchmark TASKS=pendulum SEEDS="1 2"' "$work/page.md"
check 'a row a run' is "$(grep -cE '^\| Pendulum-v1 \| [12] \| 3,000 ' "$work/page.md")" 2
check 'a score that all reach' grep -qE '^\| Pendulum-v1 \| -2,000 \| [0-9,]+ \| [0-9.]+ \| 2 of 2 ' "$work/page.md"
check 'and one that none does' grep -qE '^\| Pendulum-v1 \| 0.00 \| - \| - \| 0 of 2 ' "$work/page.md"
for axis in steps minutes; do
    check "a picture against $axis" env PYTHONPATH=tests/benchmarks python3 -B -c '
import sys, xml.etree.ElementTree as xml
import results as res
n = max(len(res.read(path).rows) for path in sys.argv[2:])
lines = [e.get("d") for e in xml.parse(sys.argv[1]).iter() if e.get("stroke-width") == "2"]
assert len(lines) == 1 and lines[0].count(",") == n, (n, lines)' "$work/store/pictures/specs-$axis.svg" \
        "$work/store/specs/"*.gz
done
cp "$work/page.md" "$work/first.md"
check 'the page is made from what is stored' page_anew
check 'and is the same again' cmp "$work/page.md" "$work/first.md"
sed -i 's/gamma: 0.99/gamma: 0.9/' "$work/specs/pendulum.yaml"
check 'a spec that changed since' page_anew
check 'is said' grep -q 'pendulum, seed 1, 2: made with another version of its spec' "$work/page.md"

# --- the repository's own page
mkdir -p "$work/clone/tests"
cp -R configs BENCHMARKS.md "$work/clone" && cp -R tests/benchmarks "$work/clone/tests"
check 'BENCHMARKS.md is made anew' "$work/clone/tests/benchmarks/page.py"
check 'and says what the stored files say' cmp BENCHMARKS.md "$work/clone/BENCHMARKS.md"
for picture in tests/benchmarks/pictures/*.svg; do
    [ ! -e "$picture" ] || check "so does $picture" cmp "$picture" "$work/clone/$picture"
done

# --- what is wrong is named
refused() { # SENTENCE TEXT COMMAND...
    local sentence=$1 text=$2
    shift 2
    "$@" >"$work/log" 2>&1
    check "$sentence is refused" test $? -ne 0
    check '  and named' grep -qF -- "$text" "$work/log"
}
refused 'a task without a spec' 'nothing.yaml: no such spec; there are pendulum' benchmark nothing
refused 'a seed that is no number' 'one: not numbers' benchmark --seeds one
refused 'a setting of the algorithm' 'only cluster. keys' benchmark --set agent.algorithm.gamma=0.5
rm -r "$work/store/specs"
refused 'a run of another spec' 'gamma: 0.99, not gamma: 0.9' benchmark pendulum --take
sed 's/name: CrossQ/name: Nonsense/' "$work/specs/pendulum.yaml" >"$work/specs/wrong.yaml"
refused 'a spec with an error' 'wrong-s1: ended with exit code 2' benchmark wrong --seeds 1
refused 'a table that does not exist' 'table:nonsense: there are results' tests/benchmarks/page.py \
    --store "$work/store" --page <(printf '<!-- table:nonsense -->\n<!-- end -->\n')
refused 'a table without an end' 'needs an <!-- end -->' tests/benchmarks/page.py --store "$work/store" \
    --page <(printf '<!-- table:results specs -->\n')
sed -i 's/gamma: 0.9$/gamma: 0.99/' "$work/specs/pendulum.yaml"
check 'the spec as it was takes them again' benchmark pendulum --seeds '1 2' --take
head -c 100 "$work/store/specs/pendulum-s1.csv.gz" >"$work/cut" && mv "$work/cut" "$work/store/specs/pendulum-s1.csv.gz"
refused 'a stored file that was cut' 'pendulum-s1.csv.gz: ' page_anew
printf 'timesteps,wall_s,mean\n1,2,3\n' | gzip >"$work/store/specs/pendulum-s1.csv.gz"
refused 'a stored file without its facts' 'does not say task, spec' page_anew

checks_end
