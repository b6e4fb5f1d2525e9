#!/bin/bash
# SPDX-License-Identifier: MIT
# runc CVE-2025-52881: writes to /proc (sysctls, labels, oom score) are redirected by mounts of a racing container.
. "$(dirname "$0")/lib.sh"
setup gcc

static swap <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	for (;;)
		renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE);
}
C
# a harmless file of the machine stands for sysrq-trigger and core_pattern
target=/proc/sys/kernel/core_pattern
before=$(cat $target)
mkdir -p "$T/vol"
touch "$T/vol/file" "$T/vol/sink"
ln -s $target "$T/vol/link"
conf '.linux.sysctl={"net.ipv4.ip_forward":"1","kernel.domainname":"owned"}' '.process.oomScoreAdj=99' \
	".mounts+=[{destination:\"/proc/sys/net/ipv4/ip_forward\",type:\"bind\",source:\"$T/vol/sink\",options:[\"bind\"]}]"
attempt run -b "$B" "$ID"
eq "a mount below /proc/sys is refused, or the sysctl does not land in it" "$(cat "$T/vol/sink")" ""
conf '.linux.sysctl={"net.ipv4.ip_forward":"1"}' '.process.oomScoreAdj=99' \
	".mounts+=[{destination:\"/proc/self/oom_score_adj\",type:\"bind\",source:\"$T/vol/sink\",options:[\"bind\"]}]"
attempt run -b "$B" "$ID"
eq "nor the oom score" "$(cat "$T/vol/sink")" ""
mkdir -p "$T/fakeproc/sys/net/ipv4" "$T/fakeproc/sys/kernel" "$T/fakeproc/self/attr"
ln -s $target "$T/fakeproc/sys/net/ipv4/ip_forward"
ln -s $target "$T/fakeproc/self/oom_score_adj"
ln -s $target "$T/fakeproc/self/attr/exec"
conf '.linux.sysctl={"net.ipv4.ip_forward":"1"}' '.process.oomScoreAdj=99' '.mounts |= map(select(.destination != "/proc"))' \
	".mounts+=[{destination:\"/proc\",type:\"bind\",source:\"$T/fakeproc\",options:[\"bind\"]}]"
attempt run -b "$B" "$ID"
eq "a false /proc is not written through" "$(cat $target)" "$before"
# race: a shared volume that has a proc mount at a path which is swapped
mkdir -p "$T/shared/a" "$T/shared/b/sys/net/ipv4"
ln -s $target "$T/shared/b/sys/net/ipv4/ip_forward"
"$B/rootfs/swap" "$T/shared/a" "$T/shared/b" &
swap=$!
conf '.linux.sysctl={"net.ipv4.ip_forward":"1"}' '.process.oomScoreAdj=99' \
	".mounts=[{destination:\"/s\",type:\"bind\",source:\"$T/shared\",options:[\"bind\"]},{destination:\"/s/a\",type:\"proc\",source:\"proc\"}] + .mounts" \
	"$(script 'cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj')"
end=$((SECONDS + 2)) n=0 wrong=
while [ $SECONDS -lt $end ]; do
	out=$("$OCI" --root "$ROOT" run -b "$B" "$ID" 2>/dev/null </dev/null)
	n=$((n + 1))
	[ -z "$out" ] || [ "$out" = $'1\n99' ] || wrong=$out
	[ "$(cat $target)" = "$before" ] || { wrong="core_pattern: $(cat $target)"; echo "$before" >$target; }
done
kill -9 $swap
wait $swap 2>/dev/null
check "starts were raced ($n)" test "$n" -ge 10
eq "values land where they belong" "$wrong" ""
