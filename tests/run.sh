#!/usr/bin/env bash
# run.sh TEST...
#
# Runs each test program and script, says how it went, and shows all that a failed one printed. Exit
# code 77 of a script means that this machine cannot run it. Each is ended, with what it started, after
# TEST_TIMEOUT seconds (1200): exit code 124.
set -u
passed=0 failed=0 skipped=0
for test in "$@"; do
    name=${test#*/tests/}
    name=${name#tests/}
    log=$(mktemp)
    start=$SECONDS
    timeout -k 10 "${TEST_TIMEOUT:-1200}" "$test" >"$log" 2>&1 </dev/null
    status=$?
    # a cmocka program counts its own tests
    count=$(sed -n 's/.*\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -n 1)
    bad=$(sed -n 's/.*\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$log" | head -n 1)
    if [ $status -eq 0 ]; then
        passed=$((passed + ${count:-1}))
        printf 'ok      %-36s %4s tests %4d s\n' "$name" "${count:-1}" $((SECONDS - start))
    elif [ $status -eq 77 ]; then
        skipped=$((skipped + 1))
        printf 'skipped %-36s %s\n' "$name" "$(tail -n 1 "$log")"
    else
        passed=$((passed + ${count:-0}))
        failed=$((failed + ${bad:-1}))
        printf 'FAILED  %-36s exit code %d\n' "$name" $status
        sed 's/^/    /' "$log"
    fi
    rm -f "$log"
done
printf '%d passed, %d failed' $passed $failed
[ $skipped -eq 0 ] || printf ', %d skipped' $skipped
printf '\n'
[ $failed -eq 0 ]
