#!/bin/bash
# SPDX-License-Identifier: MIT
# crun CVE-2019-18837: the image makes paths of the configuration links to /proc or to the host.
. "$(dirname "$0")/lib.sh"
setup

echo secret >"$T/secret"
before=$(cat /proc/sys/kernel/core_pattern)
ln -s /proc/self/exe "$B/rootfs/exe"
ln -s /proc/self/root "$B/rootfs/rootlink"
ln -s /proc/1/root "$B/rootfs/initroot"
ln -s "$T" "$B/rootfs/away"
for d in /rootlink/mnt /initroot/mnt /away/mnt /exe/x /proc/self/root/mnt; do
	ct 'echo in; ls /away 2>/dev/null' ".mounts+=[{destination:\"$d\",type:\"tmpfs\",source:\"strayed\"}]"
	eq "a mount at $d leaves the host alone" "$(grep -c strayed /proc/self/mountinfo) $(find "$T" -maxdepth 1 -name "*mnt*" | wc -l)" "0 0"
	unlike "and shows nothing of it" "$out" secret
done
for d in /rootlink/etc /away /away/secret /proc/self/root; do
	ct 'cat /away/secret 2>/dev/null' ".linux.maskedPaths=[\"$d\"] | .linux.readonlyPaths=[\"$d\"]"
	eq "masking $d leaves the host's file" "$(cat "$T/secret") $(grep -c "$T/secret" /proc/self/mountinfo)" "secret 0"
done
check "and it is writable" touch "$T/secret"
ct 'echo in' '.linux.devices=[{path:"/away/dev",type:"c",major:1,minor:3},{path:"/rootlink/dev/x",type:"c",major:1,minor:3}]'
check "devices are not made outside" test ! -e "$T/dev"
eq "core_pattern" "$(cat /proc/sys/kernel/core_pattern)" "$before"
rm -rf "$B/rootfs/dev"
ln -s "$T" "$B/rootfs/dev"
ct 'echo in'
check "an image whose /dev is a link makes no nodes on the host" test ! -e "$T/null" -a ! -e "$T/pts" -a ! -e "$T/fd"
eq "nor mounts" "$(grep -c " $T/\(shm\|pts\|mqueue\)" /proc/self/mountinfo)" 0
