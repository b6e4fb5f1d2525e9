#!/bin/bash
# SPDX-License-Identifier: MIT
# fio with checksums on disks and files as memory, iperf3 over a network, ten seconds each (LOADS=SECONDS: so long).
# ACCEL=kvm: in the emulated guest that has one.  fio and iperf3 of this host are what guests run.
LOADS=${LOADS:-10}
. "$(dirname "$0")/lib.sh"
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
for program in fio iperf3; do
	command -v $program >/dev/null || { echo "skip: $program is not installed"; exit 77; }
	command -v $program
	ldd "$(command -v $program)" | grep -o '/[^ ]*'
done | sort -u | cpio -oL -H newc 2>/dev/null >"$files/programs.cpio"
add=(--add "$files/programs.cpio:/opt/vmm/programs.cpio")
if [ "${ACCEL:-soft}" = kvm ]; then
	nested loads.sh "$LOADS"
else
	soft loads.sh "$LOADS"
fi
