#!/bin/sh
# Starts the service with these options; or, when the first word is `verbatim`, the command line: `verbatim model get …`.
set -eu
mkdir -p /data/models
if [ "${1:-}" = verbatim ]; then exec "$@"; fi
# As `npm start`: sound passes through in large buffers, and a young generation that grows with them only holds memory.
exec node --max-semi-space-size=4 local/main.ts "$@"
