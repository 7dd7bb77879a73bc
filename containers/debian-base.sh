#!/bin/sh
# debian-base.sh <image>: a base image from Debian's packages, where there is no registry to get one from. Needs root,
# debootstrap and podman (or docker). Slimmed as debian:bookworm-slim is: no documents, manuals and translations.
set -eu
image=${1:-localhost/debian:bookworm-slim}
tool=${CONTAINER_TOOL:-podman}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase bookworm "$root" "$mirror/debian"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
  "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/locale/*
cat >"$root/etc/apt/sources.list" <<END
deb $mirror/debian bookworm main
deb $mirror/debian bookworm-updates main
deb $mirror/debian-security bookworm-security main
END
tar -C "$root" -c . | "$tool" import - "$image"
