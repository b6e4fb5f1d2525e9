#!/bin/bash
# SPDX-License-Identifier: MIT
# root.path and bundle that are no place for a container.
. "$(dirname "$0")/lib.sh"
setup

refuse "a root that is missing" 'nowhere' '.root.path="nowhere"'
refuse "a root that is a file" 'file' ".root.path=\"$(touch "$B/file"; echo file)\""
refuse "no root" 'root' 'del(.root)'
refuse "an empty path" 'root' '.root.path=""'
refuse "a path that is too long" 'root|too long' ".root.path=\"$(printf 'x%.0s' {1..5000})\""
ct 'ls / | wc -l' '.root.path="/"' '.mounts=[] | .linux.maskedPaths=[] | .linux.readonlyPaths=[]'
like "the host's root: refused, or a container in it, never a broken host" "$status" '^[01]$'
check "the host has its root still" test -d /proc/self -a -d "$T"
ln -s rootfs "$B/link"
gives "a root that is a link" 'echo in' in '.root.path="link"'
gives "an absolute root" 'echo in' in ".root.path=\"$B/rootfs\""
gives "a root with .. in it" 'echo in' in '.root.path="../bundle/rootfs"'
mkdir -p "$T/outside"
echo secret >"$T/outside/f"
# destinations of mounts through links stay inside
ln -s "$T/outside" "$B/rootfs/abs"
ln -s ../../../../../../../../../../..$T/outside "$B/rootfs/rel"
ln -s abs "$B/rootfs/chain1"
ln -s chain1 "$B/rootfs/chain2"
for l in abs rel chain2 abs/sub ../../../..$T/outside; do
	ct "grep -c ' t ' /proc/self/mounts; ls /abs 2>&1 | grep -c secret" ".mounts+=[{destination:\"/$l\",type:\"tmpfs\",source:\"t\"}]"
	eq "a mount at $l leaves the outside alone" "$(cat "$T/outside/f") $(ls "$T/outside") $(grep -c "$T/outside" /proc/self/mountinfo)" "secret f 0"
	rm -rf "$B/rootfs/tmp/cleave"* "$B/rootfs$T"
done
ln -s loop "$B/rootfs/loop"
refuse "a loop of links" 'loop|symbolic links' '.mounts+=[{destination:"/loop/x",type:"tmpfs",source:"t"}]'
ct 'echo in' '.mounts+=[{destination:"/",type:"tmpfs",source:"t"}]'
like "a mount on the root: refused, or the program is not found in it" "$status" '^1$'
# the working directory
refuse "a cwd below a link that leads out is taken inside" 'cwd|outside|No such file|no such file' '.process.cwd="/proc/1/root/../../nowhere/file\u0000"'
gives "a cwd through a link stays inside" 'ls | wc -l' 0 ".process.cwd=\"/abs\""
eq "cwd made inside the image, not outside" "$(ls "$T/outside")" f
