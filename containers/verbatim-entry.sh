#!/bin/sh
# Starts the service with these options; or, when the first word is `verbatim`, the command line: `verbatim model get …`.
set -eu
mkdir -p /data/models
if [ "${1:-}" = verbatim ]; then exec "$@"; fi
exec node local/main.ts "$@"
