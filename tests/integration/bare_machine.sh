#!/bin/bash
# The Debian packages on a machine that has nothing: installs them with apt into a bare Debian 12 and
# runs netfleet there on simulated devices. As root, by hand, since it needs debootstrap, a mirror and
# a minute or two:
#
#   tests/integration/bare_machine.sh [BUILD [MIRROR]]      # build/release, http://deb.debian.org/debian
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build/release}
mirror=${2:-http://deb.debian.org/debian}

work=$(mktemp -d "${TMPDIR:-/tmp}/netfleet-bare.XXXXXX")
root=$work/root
# Nothing is mounted in it, so it can be deleted.
trap 'rm -rf "$work"' EXIT

cpack --config "$build/CPackConfig.cmake" -B "$work/packages" >"$work/log" 2>&1
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/log" || { tail "$work/log"; exit 1; }
mkdir "$root/packages"
cp "$work"/packages/*.deb "$root/packages/"
before=$(chroot "$root" dpkg-query -W | wc -l)
chroot "$root" env DEBIAN_FRONTEND=noninteractive \
  sh -c 'apt-get -q install -y --no-install-recommends /packages/*.deb' >"$work/log" 2>&1 ||
  { tail -n 30 "$work/log"; exit 1; }
echo "packages: $before before, $(chroot "$root" dpkg-query -W | wc -l) with netfleet's and what they need"

mkfifo "$work/said"
chroot "$root" devsim --listen 127.0.0.1:0 --count 50 --write-inventory /devices.txt \
  --die-with-parent >"$work/said" &
simulator=$!
read -rt 20 _ <"$work/said"
export PASSWORD=admin XDG_STATE_HOME=/var/lib
chroot "$root" netfleet run -i /devices.txt -u admin --password-env PASSWORD -c "show version" \
  -o summary | tail -n 1
chroot "$root" netfleet results last -o jsonl >"$work/results"
kill "$simulator"
wait "$simulator" || true
ok=$(grep -c '"outcome":"ok"' "$work/results")
echo "bare machine: $ok of 50 devices ok"
[ "$ok" -eq 50 ]
