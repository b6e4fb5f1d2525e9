#!/bin/bash
# SPDX-License-Identifier: MIT
# runc CVE-2023-27561: /proc or /sys of the image is a link into a volume, so that the mounts land there.
. "$(dirname "$0")/lib.sh"
setup

mkdir -p "$T/vol/proc/self/attr" "$T/vol/sys"
touch "$T/vol/proc/kcore"
for d in proc sys; do
	rm -rf "$B/rootfs/$d"
	ln -s "/vol/$d" "$B/rootfs/$d"
	ct 'ls -l / ; cat /proc/kcore' '.linux.maskedPaths=["/proc/kcore","/sys/firmware"] | .linux.readonlyPaths=["/proc/sys"]' \
		".mounts=[{destination:\"/vol\",type:\"bind\",source:\"$T/vol\",options:[\"bind\"]}] + .mounts"
	like "an image whose /$d is a link is refused, naming it" "$status $out" "^1 .*/$d"
	eq "and leaves nothing" "$(leftovers)" ""
	rm "$B/rootfs/$d"
	mkdir "$B/rootfs/$d"
done
gives "directories are fine" 'stat -f -c %T /proc /sys' $'proc\nsysfs'
