#!/bin/bash
# SPDX-License-Identifier: MIT
# tmpcopyup: a tmpfs that begins with what the image has there.
. "$(dirname "$0")/lib.sh"
setup

mkdir -p "$B/rootfs/data/deep/er"
echo content >"$B/rootfs/data/deep/er/file"
chmod 640 "$B/rootfs/data/deep/er/file"
chown 12:34 "$B/rootfs/data/deep/er/file"
ln -s /etc/passwd "$B/rootfs/data/link"
mkfifo "$B/rootfs/data/pipe"
ln "$B/rootfs/data/deep/er/file" "$B/rootfs/data/hard"
chmod 2751 "$B/rootfs/data/deep"
touch -d @1000000 "$B/rootfs/data/old"
copyup='.mounts+=[{destination:"/data",type:"tmpfs",source:"tmpfs",options:["tmpcopyup","mode=755"]}]'
caps='.process.capabilities=({bounding:["CAP_DAC_OVERRIDE"]} | .permitted=.bounding | .effective=.bounding)'
gives "contents" 'cat /data/deep/er/file; readlink /data/link; test -p /data/pipe && echo pipe' $'content\n/etc/passwd\npipe' "$copyup" "$caps"
gives "owners and modes" 'stat -c "%a %u:%g" /data/deep/er/file /data/deep' $'640 12:34\n2751 0:0' "$copyup" "$caps"
gives "it is a tmpfs, and writing there does not reach the image" 'echo new >/data/deep/er/file; stat -f -c %T /data' tmpfs "$copyup" "$caps"
eq "the image is as before" "$(cat "$B/rootfs/data/deep/er/file")" content
gives "an empty directory" 'ls /tmp | wc -l' 0 '.mounts+=[{destination:"/tmp",type:"tmpfs",source:"tmpfs",options:["tmpcopyup"]}]'
gives "read-only in the end" 'touch /data/x 2>/dev/null || echo ro; cat /data/hard' $'ro\ncontent' \
	'.mounts+=[{destination:"/data",type:"tmpfs",source:"tmpfs",options:["tmpcopyup","ro"]}]' "$caps"
rm -rf "$B/rootfs/data"
ln -s "$T" "$B/rootfs/data"
echo secret >"$T/secret"
ct 'cat /data/secret 2>&1' "$copyup" "$caps"
unlike "a link that leads out copies nothing of the host" "$out" '^secret'
