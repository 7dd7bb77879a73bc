#!/bin/sh
# What the build stages need on a Debian or Ubuntu base: compilers, Node and npm. `tools.sh compilers` leaves out Node
# where another stage brings it. Node and npm are the registry's own packages, pinned by version and SHA-512, so that
# one base image is enough and the distribution's older Node has no part in it.
set -eu
. "$(dirname "$0")/trust.sh"

export DEBIAN_FRONTEND=noninteractive
if ! command -v ninja >/dev/null; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends \
    ca-certificates cmake curl dpkg-dev g++ make nasm ninja-build xz-utils zlib1g-dev >/dev/null
  rm -rf /var/lib/apt/lists/*
fi
[ "${1:-}" != compilers ] || exit 0

REGISTRY=${NPM_REGISTRY:-https://registry.npmjs.org}
# The developers' own: test/containers compares it with package.json.
NODE=24.21.0
NPM=11.6.2
NPM_SHA512=ee22b335fcbc95662cdf3ab8a053daf045d9cf9c6df6040d28965abb707512b2c16fa6c5eec049d34c74f78f390cebd14f697919eadb97756564d4f9eccc4954
case $(dpkg --print-architecture) in
  amd64)
    machine=x64
    NODE_SHA512=de750bb336795f47dc898a46d2de93add029273027f3e16520d3fa3a2317ed5f07aefa404cf37ddfa5352e545e389ae22d16b87bcc84a900580a72f23cd02ced
    ;;
  arm64)
    machine=arm64
    NODE_SHA512=1692513c4cf63afbd32df8c83a5346158f492cf30a825e66f9de2819804b836e242759a6bcdd5997f1cf2601781c3689e752127afd65d5c459fc333e91e5d6e6
    ;;
  *)
    echo "There is no pinned Node for $(dpkg --print-architecture)." >&2
    exit 1
    ;;
esac

# unpack <package> <version> <sha512> <folder>
unpack() {
  curl -fsSL --retry 3 -o /tmp/package.tgz "$REGISTRY/$1/-/$1-$2.tgz"
  echo "$3  /tmp/package.tgz" | sha512sum -c --quiet
  mkdir -p "$4"
  tar -xzf /tmp/package.tgz -C "$4" --strip-components=1
  rm /tmp/package.tgz
}

unpack "node-linux-$machine" "$NODE" "$NODE_SHA512" /tmp/node
install -D -m 755 /tmp/node/bin/node /usr/local/bin/node
install -D -m 644 /tmp/node/LICENSE /usr/local/share/licenses/node/LICENSE
rm -rf /tmp/node
unpack npm "$NPM" "$NPM_SHA512" /usr/local/lib/npm
ln -s ../lib/npm/bin/npm-cli.js /usr/local/bin/npm
node --version

# Says how Node reads the sources. The program's own is not taken for it: what is compiled here would then be compiled
# anew after every change of a script or a version in it.
echo '{"type":"module"}' >package.json
