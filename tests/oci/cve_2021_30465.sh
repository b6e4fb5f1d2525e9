#!/bin/bash
# SPDX-License-Identifier: MIT
# runc CVE-2021-30465: a directory of a shared volume is swapped for a link while mounts go there.
. "$(dirname "$0")/lib.sh"
setup gcc

static swap <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	for (;;)
		renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE);
}
C
mkdir -p "$T/vol/real/sub" "$T/payload" "$T/host"
echo host >"$T/host/file"
echo payload >"$T/payload/file"
ln -s / "$T/vol/link"
"$B/rootfs/swap" "$T/vol/real" "$T/vol/link" &
swap=$!
bad=0 good=0
conf ".mounts+=[{destination:\"/vol\",type:\"bind\",source:\"$T/vol\",options:[\"rbind\"]},
	{destination:\"/vol/real$T/host\",type:\"bind\",source:\"$T/payload\",options:[\"bind\",\"rw\"]},
	{destination:\"/vol/real/sub\",type:\"tmpfs\",source:\"racer\"}]" \
	'.process.args=["sh","-c","awk \"\\$5 !~ /^\\\\/(vol|dev|proc|sys|tmp|sub)/ && /racer/\" /proc/self/mountinfo; cat /etc/hostname-of-host '"$T/host/file"' 2>/dev/null; ls -d /work /usr/lib/x86_64-linux-gnu 2>/dev/null"]'
end=$((SECONDS + 2))
while [ $SECONDS -lt $end ]; do
	out=$("$OCI" --root "$ROOT" run -b "$B" "$ID" 2>/dev/null </dev/null)
	[[ $out == *host* ]] && bad=$((bad + 1)) && first=$out
	good=$((good + 1))
	grep -q -e " $T/host " -e racer /proc/self/mountinfo && { bad=$((bad + 1)); first=$(grep -e racer -e "$T/host" /proc/self/mountinfo); break; }
done
kill -9 $swap
wait $swap 2>/dev/null
check "starts were raced ($good)" test "$good" -ge 10
eq "no mount left the root, no host file came in" "$bad ${first:-}" "0 "
eq "the host's file" "$(cat "$T/host/file")" host
