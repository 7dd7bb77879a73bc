#!/bin/sh
# ffmpeg.sh <folder>: Debian's source of ffmpeg (with its security fixes), built with the few decoders of sound that
# the service uses. Debian's package would bring 200 others (480 MB) for screens, cameras and video, each of which
# could be reached by a stranger's file.
set -eu
out=$1
here=$(cd "$(dirname "$0")" && pwd)

if [ -f /etc/apt/sources.list.d/debian.sources ]; then
  sed -i 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources
else
  sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >/etc/apt/sources.list.d/source.list
fi
apt-get update -qq
work=$(mktemp -d)
cd "$work"
apt-get source -qq ffmpeg >/dev/null
cd ffmpeg-*/
node "$here/ffmpeg-flags.ts" >"$work/flags"
./configure --disable-everything --disable-autodetect --disable-doc --disable-debug --disable-network \
  --disable-avdevice --disable-swscale --disable-postproc --disable-ffplay --disable-ffprobe --enable-zlib \
  $(cat "$work/flags") >"$work/log" || { tail -20 "$work/log" ffbuild/config.log && exit 1; }
make -s -j"$(nproc)" ffmpeg >"$work/log" 2>&1 || { tail -20 "$work/log" && exit 1; }
node "$here/ffmpeg-flags.ts" ./ffmpeg
mkdir -p "$out"
install -s -m 755 ffmpeg "$out/ffmpeg"
install -m 644 COPYING.LGPLv2.1 "$out/LICENSE.ffmpeg"
rm -rf "$work" /var/lib/apt/lists/*
