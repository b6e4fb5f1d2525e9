#!/bin/bash
# SPDX-License-Identifier: MIT
# Propagation of single mounts and rootfsPropagation.
. "$(dirname "$0")/lib.sh"
setup

mkdir -p "$T/src/sub"
mount --bind "$T/src" "$T/src"
mount --make-shared "$T/src"
prop='awk -v m=/mnt "\$5 == m { print \$7, \$8 }" /proc/self/mountinfo'
b() { echo ".mounts+=[{destination:\"/mnt\",type:\"bind\",source:\"$T/src\",options:[\"bind\",$1]}]"; }
ct "$prop" "$(b '"private"')"
unlike "private" "$out" 'shared|master'
ct "$prop" "$(b '"slave"')"
like "slave" "$out" '^master:'
ct "$prop" "$(b '"shared"')"
like "shared" "$out" '^shared:'
ct "$prop" "$(b '"unbindable"')"
like "unbindable" "$out" '^unbindable'
for p in rprivate rslave rshared runbindable; do
	ct "$prop" "$(b "\"$p\"")"
	case $p in
	rprivate) unlike "$p" "$out" 'shared|master' ;;
	rslave) like "$p" "$out" '^master:' ;;
	rshared) like "$p" "$out" '^shared:' ;;
	*) like "$p" "$out" '^unbindable' ;;
	esac
done

# what propagates, in both directions
up "$(b '"rslave"')"
mount -t tmpfs late "$T/src/sub"
attempt exec "$ID" grep -c ' /mnt/sub ' /proc/self/mountinfo
eq "a slave gets later mounts of the host" "$out" 1
umount "$T/src/sub"
down
up "$(b '"rprivate"')"
mount -t tmpfs late "$T/src/sub"
attempt exec "$ID" grep -c ' /mnt/sub ' /proc/self/mountinfo
eq "a private one does not" "$out" 0
umount "$T/src/sub"
down
ct 'mount -t tmpfs in /mnt/sub' "$(b '"rshared"')" '.linux.rootfsPropagation="shared"' '.process.capabilities=({bounding:["CAP_SYS_ADMIN"]} | .permitted=.bounding | .effective=.bounding)'
like "a shared one gives mounts of the container to the host" "$(grep " $T/src/sub " /proc/self/mountinfo)" tmpfs
umount "$T/src/sub"

root='awk "\$5 == \"/\" { print \$7, \$8 }" /proc/self/mountinfo'
ct "$root"
unlike "the root is not shared by default" "$out" shared
ct "$root" '.linux.rootfsPropagation="private"'
unlike "rootfsPropagation private" "$out" 'shared|master'
ct "$root" '.linux.rootfsPropagation="shared"'
like "rootfsPropagation shared" "$out" '^shared:'
ct "$root" '.linux.rootfsPropagation="unbindable"'
like "rootfsPropagation unbindable" "$out" '^unbindable'
mount --bind "$B/rootfs" "$B/rootfs"
mount --make-shared "$B/rootfs"
ct "$root" '.linux.rootfsPropagation="slave"'
like "rootfsPropagation slave" "$out" '^master:'
unlike "what the container mounts stays inside" "$(grep -c "$B/rootfs" /proc/self/mountinfo)" '^[2-9]'
umount "$B/rootfs"
refuse "an unknown rootfsPropagation" 'rootfsPropagation.*wild' '.linux.rootfsPropagation="wild"'
