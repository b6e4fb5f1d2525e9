#!/bin/bash
# SPDX-License-Identifier: MIT
# Default device nodes and links, linux.devices: types, modes, owners, replaced files, bad ones.
. "$(dirname "$0")/lib.sh"
setup

gives "default nodes" 'for d in null zero full random urandom tty; do stat -c "%n %t:%T %a" /dev/$d; done' \
	$'/dev/null 1:3 666\n/dev/zero 1:5 666\n/dev/full 1:7 666\n/dev/random 1:8 666\n/dev/urandom 1:9 666\n/dev/tty 5:0 666'
gives "default links" 'for l in fd stdin stdout stderr; do readlink /dev/$l; done; test -c /dev/ptmx && echo ptmx' \
	$'/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\nptmx'
gives "default nodes work" 'echo x >/dev/null; head -c2 /dev/zero | wc -c; head -c4 /dev/urandom | wc -c; echo x 2>/dev/null >/dev/full || echo full' $'2\n4\nfull'
gives "char, unbuffered, block and fifo" 'stat -c "%F %t:%T %a %u:%g" /dev/c1 /dev/sub/u1 /dev/b1 /dev/p1' \
	$'character special file a:e5 640 5:6\ncharacter special file 1:3 666 0:0\nblock special file 7:0 600 0:0\nfifo 0:0 622 9:9' \
	'.linux.devices=[{path:"/dev/c1",type:"c",major:10,minor:229,fileMode:416,uid:5,gid:6},{path:"/dev/sub/u1",type:"u",major:1,minor:3},
		{path:"/dev/b1",type:"b",major:7,minor:0,fileMode:384,uid:0,gid:0},{path:"/dev/p1",type:"p",fileMode:402,uid:9,gid:9}]'
ln -s /etc/passwd "$B/rootfs/etc/link"
gives "a node outside /dev, below directories that are missing" 'stat -c %t:%T /opt/x/zero; head -c1 /opt/x/zero 2>/dev/null | wc -c' $'1:5\n1' \
	'.linux.devices=[{path:"/opt/x/zero",type:"c",major:1,minor:5}]'
gives "a configured default device keeps its mode" 'stat -c "%a %u" /dev/null' '600 7' \
	'.linux.devices=[{path:"/dev/null",type:"c",major:1,minor:3,fileMode:384,uid:7}]'
refuse "an unknown type" 'devices.*type' '.linux.devices=[{path:"/dev/x",type:"q",major:1,minor:3}]'
refuse "without numbers" 'devices.*major' '.linux.devices=[{path:"/dev/x",type:"c"}]'
refuse "without path" 'devices.*path' '.linux.devices=[{type:"c",major:1,minor:3}]'
refuse "a number out of range" 'devices.*major.*5000000000' '.linux.devices=[{path:"/dev/x",type:"c",major:5000000000,minor:3}]'
ct 'stat -c %F /etc/passwd; true' '.linux.devices=[{path:"/etc/link",type:"c",major:1,minor:3}]'
eq "a link in the image does not lead the node elsewhere" "$(stat -c %F "$B/rootfs/etc/passwd")" "regular file"
ct 'ls /dev/null' '.mounts |= map(select(.destination != "/dev" and .destination != "/dev/pts" and .destination != "/dev/shm" and .destination != "/dev/mqueue"))'
eq "nodes are made in an image without a mount at /dev" "$out" /dev/null
