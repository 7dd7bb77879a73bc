#!/bin/sh
# The engine lies in a folder that begins with its version, which is known only once it is built. `exec`: signals are
# for the program.
set -eu
for ENGINE_PATH in /opt/verbatim/engine/*/whisper-server; do :; done
folder=${ENGINE_PATH%/*}
name=${folder##*/}
ENGINE_VERSION=${name%%-*}
export ENGINE_PATH ENGINE_VERSION
exec node --enable-source-maps "$@"
