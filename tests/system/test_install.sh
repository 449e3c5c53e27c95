#!/usr/bin/env bash
# What `make install` puts elsewhere works there: a run with programs, libraries, models and specs of the
# installed tree, completions, and a Debian package unpacked into a directory. The rest of the repository
# is not in reach of them.
# shellcheck disable=SC2317  # conditions are called by check
set -u
bin=${CROSSFLEET_BIN:-build/release}
# shellcheck source=tests/system/checks.sh
. tests/system/checks.sh
case $bin in
build/release) ;;
*) echo 'the installed programs are those of build/release' && exit 77 ;;
esac

# away from the repository, with nothing but the system's own places
away() { (cd "$work" && timeout 100 env -i PATH=/usr/bin:/bin OPENBLAS_NUM_THREADS=1 "$@"); }
quick=(--actors 1 --http off --quiet --set cluster.learner_threads=1 --set env.max_frame=1000
    --set agent.algorithm.training_start_step=950 --set meta.eval_frequency=0 --set meta.eval_episodes=1)
works() { # SENTENCE PREFIX
    local prefix=$2
    check "$1: the learner says its version" away "$prefix/bin/crossfleet-learner" --version
    check "$1: a run of 1000 steps" away "$prefix/bin/crossfleet-learner" train \
        "$prefix/share/crossfleet/configs/pendulum.yaml" --run "$prefix/run" "${quick[@]}"
    check "$1: its policy is there" test -s "$prefix/run/policy/latest.safetensors"
    check "$1: the model of a MuJoCo task is found" away "$prefix/bin/crossfleet-actor" envs HalfCheetah-v5
    check "$1: libraries are its own" is "$(away ldd "$prefix/bin/crossfleet-actor" |
        grep -E 'mujoco|openblas' | grep -vcE "$prefix|/lib/x86|/lib/aarch")" 0
}

make --no-print-directory install DESTDIR="$work/tree" PREFIX=/usr/local >"$work/log" 2>&1 ||
    { cat "$work/log" && exit 1; }
works installed "$work/tree/usr/local"

# --- bash asks the completion what may come
share=$work/tree/usr/local/share
offered() { # WORD...: what may stand for the last one
    # shellcheck disable=SC2016  # that bash's own
    away bash --norc -c '. "$1" && shift && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) &&
        "_${1//-/_}" && echo "${COMPREPLY[*]}"' bash "$share/bash-completion/completions/$1" "$@"
}
check 'bash completes a command' is "$(offered crossfleet-learner tr)" train
check 'and an option of it' is "$(offered crossfleet-learner train --re)" --resume
check 'not one of another' is "$(offered crossfleet-learner report --re)" ''
check 'and of the actor' is "$(offered crossfleet-actor video --epi)" --episodes
if command -v zsh >/dev/null; then
    # shellcheck disable=SC2016  # that is zsh's own
    check 'zsh knows both' is "$(away zsh -fc 'fpath=("$1" $fpath); autoload -U compinit; compinit -D
        echo $_comps[crossfleet-learner] $_comps[crossfleet-actor]' zsh "$share/zsh/site-functions")" \
        '_crossfleet-learner _crossfleet-actor'
else
    left_out 'zsh: not here'
fi

# --- the Debian package, without installing it
if command -v dpkg-shlibdeps >/dev/null; then
    make --no-print-directory deb >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
    package=$(ls build/release/crossfleet_*.deb)
    check 'the package is unpacked' dpkg-deb -x "$package" "$work/debian"
    check 'it depends on ZeroMQ' grep -q 'libzmq5' <(dpkg-deb -f "$package" Depends)
    check 'it says its licences' grep -q 'MIT License' "$work/debian/usr/share/doc/crossfleet/copyright"
    works package "$work/debian/usr"
else
    left_out 'the Debian package: no dpkg-shlibdeps (apt-get install dpkg-dev)'
fi

checks_end
