#!/usr/bin/env bash
# Builds the images and runs them: containers/test.sh [verbatim] [lambda] [poller]   (all three by default)
#
#   CONTAINER_TOOL    docker or podman; the first that works
#   BASE              base image; without a registry, `containers/debian-base.sh` makes one
#   BUILD_ARGS        more options for `build`, such as --secret id=ca,src=… behind a proxy that ends TLS
#   AWS_ENDPOINT_URL  an AWS-compatible endpoint on this machine: the workers are then tested from upload to transcript
#   IMAGES=existing   tests the images that an earlier run has built
#
# The workers are built with the small model of this repository; nothing is fetched but packages and source.
set -euo pipefail
cd "$(dirname "$0")/.."

works() { command -v "$1" >/dev/null && "$1" info >/dev/null 2>&1; }
if [ -z "${CONTAINER_TOOL:-}" ]; then
  if works docker; then CONTAINER_TOOL=docker
  elif works podman; then CONTAINER_TOOL=podman
  else
    echo "Neither docker nor podman runs here." >&2
    exit 1
  fi
fi
export CONTAINER_TOOL

node=node_modules/.bin/node
[ -x "$node" ] || node=node

build() { # build <image> <Dockerfile> <options>
  local image=$1 file=$2
  shift 2
  echo "== $image"
  [ "${IMAGES:-}" != existing ] || return 0
  local -a options=()
  # Podman keeps health checks only in docker's format.
  [ "$CONTAINER_TOOL" != podman ] || options+=(--format docker --layers)
  [ -z "${BASE:-}" ] || options+=(--build-arg "BASE=$BASE")
  # shellcheck disable=SC2086
  local begin=$SECONDS
  "$CONTAINER_TOOL" build "${options[@]}" ${BUILD_ARGS:-} "$@" --tag "$image" --file "containers/$file" . >"/tmp/build.$$" 2>&1 || {
    tail -40 "/tmp/build.$$"
    exit 1
  }
  rm "/tmp/build.$$"
  echo "  ok  built in $((SECONDS - begin)) s"
}

[ $# -gt 0 ] || set -- verbatim lambda poller
for what in "$@"; do
  case $what in
    verbatim)
      build verbatim:test verbatim.Dockerfile
      "$node" containers/test/service.ts verbatim:test
      ;;
    lambda)
      build verbatim-worker-lambda:test worker-lambda.Dockerfile --build-arg MODEL=mini
      "$node" containers/test/workers.ts lambda verbatim-worker-lambda:test
      ;;
    poller)
      # The GPU image's twin: the same program and stages, the engine compiled for processors.
      build verbatim-worker-poller:test worker-gpu.Dockerfile --build-arg MODEL=mini \
        --build-arg ENGINE_BASE=tools --build-arg CUDA_ARCHITECTURES=
      "$node" containers/test/workers.ts poller verbatim-worker-poller:test
      ;;
    *)
      echo "containers/test.sh [verbatim] [lambda] [poller]" >&2
      exit 2
      ;;
  esac
done
