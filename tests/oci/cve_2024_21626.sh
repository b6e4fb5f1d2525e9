#!/bin/bash
# SPDX-License-Identifier: MIT
# runc CVE-2024-21626: a working directory or program at a leaked descriptor of the host.
. "$(dirname "$0")/lib.sh"
setup

exec 7</ 8<"$T" 9</etc
bad=
for fd in {3..16}; do
	link=/proc/self/fd/$fd
	conf ".process.cwd=\"$link\"" '.process.args=["/bin/sh","-c","pwd; ls -d work usr/share boot bundle ../../../../etc/shadow 2>/dev/null; cat ../../../../etc/hostname 2>/dev/null"]'
	out=$("$OCI" --root "$ROOT" run -b "$B" "$ID" 2>&1 </dev/null)
	[[ $out == *usr/share* || $out == *boot* || $out == *bundle$'\n'* || $out == *shadow* ]] && bad="$bad cwd $link: $out"
done
eq "cwd at a descriptor gives no host directory" "$bad" ""
ln -s /proc/self/fd/8 "$B/rootfs/dir"
refuse "a link of the image to it" 'cwd|chdir|outside|not a directory|No such file|no such file|symbolic links' '.process.cwd="/dir/bundle"'
for fd in 3 4 5 6 7 8 9 10 11 12; do
	conf ".process.args=[\"/proc/self/fd/$fd/bin/ls\",\"/\"]"
	out=$("$OCI" --root "$ROOT" run -b "$B" "$ID" 2>&1 </dev/null)
	[ $? != 0 ] || bad="$bad args fd $fd: $out"
done
eq "nor a program of the host" "$bad" ""
# the image decides what its /bin/ls is: a way out over a directory that the runtime holds
host=$(realpath "$(command -v busybox)")
mv "$B/rootfs/bin/ls" "$T/ls"
for fd in {3..16}; do
	ln -sfn "/proc/self/fd/$fd/../../../../../../../..$host" "$B/rootfs/bin/ls"
	conf '.process.args=["/bin/ls","/proc"]'
	out=$("$OCI" --root "$ROOT" run -b "$B" "$ID" 2>&1 </dev/null)
	[ $? != 0 ] && [[ $out != *applet* ]] || bad="$bad link over fd $fd"
done
eq "nor one that a link of the image names" "$bad" ""
mv "$T/ls" "$B/rootfs/bin/ls"
up
for fd in {3..16}; do
	out=$("$OCI" --root "$ROOT" exec "$ID" "/proc/self/fd/$fd/../../../../../../../..$host" ls /proc 2>&1 </dev/null)
	[ $? != 0 ] || bad="$bad exec over fd $fd"
done
eq "nor exec" "$bad" ""
down
# HOME comes from the container's passwd, never from the host's
mv "$B/rootfs/etc/passwd" "$T/passwd"
mkdir "$T/etc"
echo "root:x:0:0::/leak:/bin/sh" >"$T/etc/passwd"
for fd in {3..16}; do
	ln -sfn "/proc/self/fd/$fd/../../../../../../../..$T/etc/passwd" "$B/rootfs/etc/passwd"
	conf '.process.args=["env"]'
	out=$("$OCI" --root "$ROOT" run -b "$B" "$ID" 2>&1 </dev/null)
	[[ $out != *leak* ]] || bad="$bad passwd over fd $fd"
done
eq "nor a file of the host as /etc/passwd" "$bad" ""
mv "$T/passwd" "$B/rootfs/etc/passwd"
up '.process.capabilities=({bounding:["CAP_SYS_PTRACE","CAP_DAC_OVERRIDE"]} | .permitted=.bounding | .effective=.bounding)'
for fd in {3..16}; do
	out=$("$OCI" --root "$ROOT" exec --cwd "/proc/self/fd/$fd" "$ID" /bin/sh -c 'pwd; ls -d usr/share boot bundle 2>/dev/null' 2>&1 </dev/null)
	[[ $out == *usr/share* || $out == *boot* || $out == *bundle ]] && bad="$bad exec $fd: $out"
done
eq "nor exec --cwd" "$bad" ""
# while execs come and go, a program inside looks at their descriptors
oci exec -d "$ID" sh -c 'i=0; while [ $i -lt 100 ]; do i=$((i+1)); for p in /proc/[0-9]*; do for f in $p/fd/*; do
	[ -d "$f/usr/share" ] && echo "$f $(readlink $f)" >>/found; done; [ -d $p/cwd/usr/share ] && echo "$p cwd" >>/found; [ -d $p/root/usr/share ] && echo "$p root" >>/found; done; done 2>/dev/null' >/dev/null 2>&1 </dev/null
for _ in {1..25}; do
	"$OCI" --root "$ROOT" exec "$ID" true >/dev/null 2>&1 </dev/null
done
eq "a program inside sees none of the host's directories through an exec" "$(cat "$B/rootfs/found" 2>/dev/null)" ""
down
