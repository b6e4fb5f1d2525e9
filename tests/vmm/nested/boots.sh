#!/bin/bash
# SPDX-License-Identifier: MIT
# boots.sh N CPUS: that many boots in a row, and how long they took.
# shellcheck source=lib.sh
. /opt/vmm/lib.sh

BOOT_TIMEOUT=3600 # who started this guest ends it earlier when it prints nothing
initramfs virtio_pci virtio_blk virtio-rng
truncate -s 4M disk.img
times=
for n in $(seq "$1"); do
	begun=$(date +%s%N)
	boot 'echo CPUS $(grep -c ^processor /proc/cpuinfo); dd if=/dev/vda of=/dev/null bs=1M 2>/dev/null || echo FAILED dd' \
		--cpus "$2" --disk disk.img
	times="$times $((($(date +%s%N) - begun) / 100000000))"
	expect "boot $n with $2 processors" 0 "^CPUS $2" >/tmp/verdict
	echo "$(cat /tmp/verdict), ${times##* } tenths of a second"
	[ $failed = 0 ] || break
done
# shellcheck disable=SC2086 # a word each
printf '%s\n' $times | sort -n | awk -v cpus="$2" '{ t[NR] = $1 / 10 }
	END { print NR " boots with " cpus " processors: " t[1] " to " t[NR] " s, median " t[int((NR + 1) / 2)] " s" }'
finish
