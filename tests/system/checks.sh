# shellcheck shell=bash
# What the test scripts of this folder share; each sources it from the repository's root.
#
#   work      a directory of its own, removed at its end; a script with a trap of its own removes it there
#   check     counts a condition and says how it went; after a failure also what the condition printed,
#             and the file that $evidence names
#   within    waits for a condition
#   count     a number of a learner's page, at port $HTTP_PORT; counted and above compare it
#   checks_end  the last line of a script: the sum, and the exit code
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 passed=0 evidence=

check() { # SENTENCE CONDITION...
    local sentence=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        passed=$((passed + 1))
        printf '%4d s  ok: %s\n' $SECONDS "$sentence"
    else
        failed=$((failed + 1))
        printf '%4d s  FAILED: %s\n' $SECONDS "$sentence"
        cat "$work/said" ${evidence:+"$evidence"}
    fi
}
left_out() { printf 'left out: %s\n' "$1"; }
is() { [ "$1" = "$2" ]; }
within() { # SECONDS CONDITION...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return
        sleep 0.5
    done
}

page() { # PATH
    timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$HTTP_PORT && printf 'GET $1 HTTP/1.0\r\n\r\n' >&3 && cat <&3" 2>/dev/null
}
# the run's own number, not an actor's
count() { page /status.json | grep -o "\"$1\":[0-9.]*" | head -n 1 | cut -d: -f2; } # KEY
counted() { [ "$(count "$1")" = "$2" ]; }
above() { [ "$(count "$1" | cut -d. -f1)" -gt "$2" ] 2>/dev/null; }

checks_end() {
    printf '%d passed, %d failed\n' $passed $failed
    [ $failed -eq 0 ] && printf '[  PASSED  ] %d test(s).\n' $passed
    [ $failed -eq 0 ]
}
