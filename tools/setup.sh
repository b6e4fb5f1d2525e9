#!/bin/sh
# SPDX-License-Identifier: MIT
# setup.sh: install the Debian packages that building and testing need.  Quick when all are there.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
lists="$here/tools/packages.txt"
for f in "$here"/tests/*/packages.txt "$here"/bench/packages.txt; do
	[ -f "$f" ] && lists="$lists $f"
done
want=$(sed 's/#.*//' $lists | tr -s ' \n' '\n' | sort -u)
missing=
for p in $want; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
	echo "setup: these packages are missing; install them as root:$missing" >&2
	exit 1
fi
echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends $missing >/dev/null
