#!/usr/bin/env bash
# bare.sh: a machine with nothing but git and make (and what they need), the README's two commands,
# nothing typed between. Needs a Docker engine; makes the base image when it is not there.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
image=crossfleet-bare
"$here/deploy/make-base-image" debian:bookworm-slim
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q "$here" "$work/crossfleet"
cat >"$work/Dockerfile" <<'DOCKERFILE'
FROM debian:bookworm-slim
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends git make >/dev/null
COPY crossfleet /crossfleet
WORKDIR /crossfleet
DOCKERFILE
docker build -q -t "$image" "$work" >/dev/null
# shellcheck disable=SC2016  # the shell in the container
docker run --rm --cpus 2 "$image" bash -c '
    time make train SEED=1 && echo "make train: done" || exit
    time make test'
