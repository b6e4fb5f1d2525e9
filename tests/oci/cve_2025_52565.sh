#!/bin/bash
# SPDX-License-Identifier: MIT
# runc CVE-2025-52565: the terminal is mounted on /dev/console, which is a link or swapped for one.
. "$(dirname "$0")/lib.sh"
setup gcc

need setsid
type -P script >/dev/null || skip "no script(1)"
onpty() { command script -qec "$OCI --root $ROOT run -b $B $ID" /dev/null </dev/null 2>&1 | tr -d '\r'; }
nodev='.mounts |= map(select(.destination == "/dev" or .destination == "/dev/shm" or .destination == "/dev/mqueue" | not))'
mkdir -p "$B/rootfs/dev/pts" "$T/host"
echo untouched >"$T/host/file"
seen='awk "/devpts/ { print \$5 }" /proc/self/mountinfo; ls -l /etc/passwd /proc/sys/kernel/core_pattern | cut -c1'
for to in /etc/passwd /proc/sys/kernel/core_pattern "$T/host/file" ../../../../../../../.."$T/host/file" /dev/other/deep; do
	rm -f "$B/rootfs/dev/console"
	ln -s "$to" "$B/rootfs/dev/console"
	conf '.process.terminal=true' "$nodev" "$(script "$seen")"
	out=$(onpty)
	unlike "console -> $to: the terminal is not mounted there" "$out" '(passwd|core_pattern|host/file|deep)$|^/etc|(^|[^-])c$'
	eq "nor on the host" "$(grep -c "$T/host" /proc/self/mountinfo) $(cat "$T/host/file")" "0 untouched"
done
rm -f "$B/rootfs/dev/console"
mkdir "$B/rootfs/dev/console"
conf '.process.terminal=true' "$nodev"
out=$(onpty)
like "a directory is refused by name" "$out" '/dev/console'
rmdir "$B/rootfs/dev/console"
# /dev/pts that is not a devpts, and whose ptmx leads elsewhere
ln -s /etc/passwd "$B/rootfs/dev/pts/ptmx"
rm -f "$B/rootfs/dev/ptmx"
ln -s /etc/passwd "$B/rootfs/dev/ptmx"
conf '.process.terminal=true' '.mounts |= map(select(.destination | startswith("/dev") | not))' "$(script 'echo in; cat /etc/passwd | wc -l')"
out=$(onpty)
like "a ptmx that is none: refused, or a real one is used" "$out" '/dev/ptmx|in'
eq "the file behind it is as it was" "$(wc -l <"$B/rootfs/etc/passwd")" 2
