#!/bin/sh
# SPDX-License-Identifier: MIT
# collect-programs.sh BUILD BIN: link every program of a meson build into one folder.
set -eu
mkdir -p "$2"
for p in cleave cleave-oci cleave-oci-vm cleave-monitor cleave-init cleave-copy cleave-names cleave-ports cleave-guest cleave-systemd cleave-vmm cleave-registry; do
	f=$(find "$1" -maxdepth 4 -type f -name "$p" -perm -u+x | head -n 1)
	[ -z "$f" ] || cp -f "$f" "$2/.$p.new"
	[ -z "$f" ] || mv -f "$2/.$p.new" "$2/$p"
done
