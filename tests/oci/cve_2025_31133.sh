#!/bin/bash
# SPDX-License-Identifier: MIT
# runc CVE-2025-31133: /dev/null is replaced by a link, so that masking mounts or opens something else.
. "$(dirname "$0")/lib.sh"
setup gcc

# the image brings its own /dev, whose null is a link to what should be masked
nodev='.mounts |= map(select(.destination | startswith("/dev") | not))'
target=/proc/sys/kernel/core_pattern
before=$(cat $target)
ln -s $target "$B/rootfs/dev/null"
ct "cat $target; (echo owned >/masked) 2>&1; ls -l /dev/null" "$nodev" '.linux.maskedPaths=["/masked","/etc/passwd"]' "$(touch "$B/rootfs/masked"; echo .)"
eq "core_pattern is as it was" "$(cat $target)" "$before"
if [ "$status" = 0 ]; then unlike "/masked is no window to it" "$out" owned; fi
gives_like "a null that is a link is replaced or refused" 'stat -c %t:%T /dev/null; wc -c </etc/passwd' '^1:3|/dev/null' "$nodev" '.linux.maskedPaths=["/etc/passwd"]'
rm -f "$B/rootfs/dev/"*
echo fake >"$B/rootfs/dev/null"
gives_like "a null that is a file" 'stat -c %t:%T /dev/null; wc -c </etc/passwd' $'^1:3\n0|/dev/null' "$nodev" '.linux.maskedPaths=["/etc/passwd"]'
# a volume at /dev in which null is swapped while masks are mounted
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
mkdir "$T/dev"
mknod "$T/dev/null" c 1 3
ln -s $target "$T/dev/other"
"$B/rootfs/swap" "$T/dev/null" "$T/dev/other" &
swap=$!
conf "$nodev" ".mounts+=[{destination:\"/dev\",type:\"bind\",source:\"$T/dev\",options:[\"bind\"]}]" '.linux.maskedPaths=["/masked","/etc/passwd"] | .linux.readonlyPaths=[]' \
	"$(script 'cat /masked | head -c 20; echo owned >/masked')"
end=$((SECONDS + 2)) bad=
while [ $SECONDS -lt $end ]; do
	out=$("$OCI" --root "$ROOT" run -b "$B" "$ID" 2>/dev/null </dev/null)
	[ -z "$out" ] || bad=$out
	[ "$(cat $target)" = "$before" ] || { bad="core_pattern: $(cat $target)"; echo "$before" >$target; }
done
kill -9 $swap
wait $swap 2>/dev/null
eq "raced, masks never show another file" "$bad" ""
