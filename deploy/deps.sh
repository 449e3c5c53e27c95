#!/usr/bin/env bash
# deps.sh missing|install GROUP...
#
# Says, or gets, what this machine lacks. GROUP is build (what builds and tests need), dev (other
# compiler, formatter, linters), video (what films policies), pictures (what makes the README's) or deb
# (what makes a Debian package).
# Packages come from apt, MuJoCo, OpenBLAS and the task models from pinned wheels (wheels.txt),
# unpacked into DEPS_DIR (build/deps).
#
#   MUJOCO=system  BLAS=system   the distribution's instead of the wheel
#   MUJOCO_DIR=DIR               an unpacked MuJoCo release
#   CC                           the compiler that must be there (gcc)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
deps=${DEPS_DIR:-$here/../build/deps}
wheels=()    # name-version
packages=()  # apt names

say() { printf 'deps: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- what is missing ------------------------------------------------------------

program() { # PROGRAM PACKAGE...
    command -v "$1" >/dev/null || packages+=("${@:2}")
}

library() { # PKG-CONFIG-NAME PACKAGE
    pkg-config --exists "$1" 2>/dev/null || packages+=("$2")
}

wheel() { # NAME: its version is the one that wheels.txt pins
    local version
    version=$(sed -n "s/^$1==\([^ ]*\).*/\1/p" "$here/wheels.txt")
    [ -e "$deps/.$1-$version" ] || wheels+=("$1-$version")
}

msgpack() { # C and C++ were one package before version 6
    pkg-config --exists msgpack-c 2>/dev/null || pkg-config --exists msgpack 2>/dev/null ||
        packages+=(libmsgpack-dev)
}

compiler() {
    local cc=${CC:-gcc}
    case ${cc##*/} in
    *clang*) program "$cc" "${cc##*/}" libc6-dev ;;
    *) program "$cc" gcc libc6-dev ;;
    esac
}

find_build() {
    compiler
    program pkg-config pkg-config
    if ! pkg-config --exists libzmq yaml-0.1 libmicrohttpd libsodium egl cmocka 2>/dev/null; then
        library libzmq libzmq3-dev
        library yaml-0.1 libyaml-dev
        library libmicrohttpd libmicrohttpd-dev
        library libsodium libsodium-dev
        library egl libegl-dev
        library cmocka libcmocka-dev
    fi
    msgpack
    program gnuplot gnuplot-nox
    wheel gymnasium
    if [ "${BLAS:-}" = system ]; then
        library openblas libopenblas-dev
    else
        wheel scipy-openblas32
    fi
    if [ "${MUJOCO:-}" = system ]; then
        [ -e /usr/include/mujoco/mujoco.h ] || packages+=(libmujoco-dev)
    elif [ -n "${MUJOCO_DIR:-}" ]; then
        [ -e "$MUJOCO_DIR/include/mujoco/mujoco.h" ] ||
            die "MUJOCO_DIR=$MUJOCO_DIR has no include/mujoco/mujoco.h"
    else
        wheel mujoco
    fi
    if [ ${#wheels[@]} -gt 0 ]; then
        program python3 python3
        python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
    fi
}

find_video() { # also MuJoCo's drawing without a display
    program ffmpeg ffmpeg
    compgen -G '/usr/lib/*/dri/*_dri.so' >/dev/null || packages+=(libegl1 libgl1-mesa-dri)
}

find_pictures() {
    program chromium chromium
    program curl curl
}

find_deb() {
    program dpkg-shlibdeps dpkg-dev
}

find_dev() {
    program clang-14 clang-14
    [ -e /usr/lib/llvm-14/lib/clang/14.0.6/lib ] || [ -e /usr/lib/llvm-14/lib/clang/14.0.0/lib ] ||
        packages+=(libclang-rt-14-dev)
    program clang-format-14 clang-format-14
    program clang-tidy-14 clang-tidy-14
    program shellcheck shellcheck
    program valgrind valgrind
}

# --- getting it -------------------------------------------------------------------

newer_msgpack() { # the name of the C package from version 6 on
    if apt-cache show libmsgpack-c-dev >/dev/null 2>&1; then
        packages=("${packages[@]/#libmsgpack-dev/libmsgpack-c-dev}")
    fi
}

install_packages() {
    command -v apt-get >/dev/null ||
        die "no apt-get here: install the like of: ${packages[*]}"
    local root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            die "neither root nor sudo. As root: apt-get install ${packages[*]}"
        root=(sudo)
    fi
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0
        -o DPkg::Lock::Timeout=300)
    "${root[@]}" "${apt[@]}" update >&2 || say 'apt-get update failed; trying all the same'
    newer_msgpack
    "${root[@]}" "${apt[@]}" install -y --no-install-recommends "${packages[@]}" >&2 ||
        die "apt-get failed. By hand: ${root[*]} apt-get install ${packages[*]}"
}

# shellcheck disable=SC2016  # python's text, not the shell's
unpack='
import os, sys, zipfile
wheel, name, into = sys.argv[1:]
take = {
    "mujoco": ("mujoco/include/", "mujoco/libmujoco.so."),
    "scipy-openblas32": ("scipy_openblas32/include/", "scipy_openblas32/lib/lib"),
    "gymnasium": ("gymnasium/envs/mujoco/assets/",),
}[name]
with zipfile.ZipFile(wheel) as z:
    for member in z.namelist():
        if member.startswith(take):
            z.extract(member, into)
        elif "/licenses/" in member and not member.endswith("/"):
            os.makedirs(os.path.join(into, "licenses"), exist_ok=True)
            text = os.path.join(into, "licenses", name + "-" + os.path.basename(member))
            with open(text, "wb") as out:
                out.write(z.read(member))
'

# Wheels are made for one python; which one does not matter for what is taken from them.
install_wheels() {
    local machine work name file
    machine=$(uname -m)
    case $machine in x86_64 | aarch64) ;; *) die "no wheels for $machine: MUJOCO_DIR, BLAS=system" ;; esac
    mkdir -p "$deps"
    work=$(mktemp -d "$deps/.get.XXXXXX")
    # shellcheck disable=SC2064  # the directory of now
    trap "rm -rf '$work'" EXIT
    for name in "${wheels[@]}"; do
        name=${name%-*}
        sed -n "/^$name==/,/[^\\]\$/p" "$here/wheels.txt" >>"$work/wanted"
    done
    python3 -m pip download -q --no-deps --require-hashes --only-binary=:all: \
        --python-version 311 --implementation cp --abi cp311 --abi none \
        --platform "manylinux_2_28_$machine" --platform any \
        -d "$work" -r "$work/wanted" >&2 || die "pip could not fetch: ${wheels[*]}"
    for name in "${wheels[@]}"; do
        file=$(find "$work" -name "${name%-*}-*.whl" -o -name "$(tr - _ <<<"${name%-*}")-*.whl")
        python3 -c "$unpack" "$file" "${name%-*}" "$deps"
        touch "$deps/.$name"
    done
    ln -sfn scipy_openblas32 "$deps/openblas"
    ln -sfn gymnasium/envs/mujoco/assets "$deps/assets"
}

# --- main ---------------------------------------------------------------------------

verb=${1:-}
shift || true
for group in "$@"; do
    "find_$group"
done
case $verb in
missing)
    echo "${packages[*]} ${wheels[*]}" | xargs
    ;;
install)
    if [ ${#packages[@]} -gt 0 ] || [ ${#wheels[@]} -gt 0 ]; then
        say "missing here:" "${packages[@]}" "${wheels[@]}"
    fi
    [ ${#packages[@]} -eq 0 ] || install_packages
    [ ${#wheels[@]} -eq 0 ] || install_wheels
    ;;
*) die 'usage: deps.sh missing|install GROUP...' ;;
esac
