#!/bin/bash
# SPDX-License-Identifier: MIT
# User namespaces: several mappings, owners of files, what is refused.
. "$(dirname "$0")/lib.sh"
setup

user='.linux.namespaces+=[{type:"user"}]'
several='.linux.uidMappings=[{containerID:0,hostID:100000,size:1000},{containerID:1000,hostID:200000,size:1},{containerID:2000,hostID:300000,size:500}]
	| .linux.gidMappings=[{containerID:0,hostID:400000,size:1000},{containerID:1000,hostID:500000,size:10}]'
chown -hR 100000:400000 "$B/rootfs"
touch "$B/rootfs/file"
chown 200000:500005 "$B/rootfs/file"
chmod 711 "$B"
gives "uid_map and gid_map" 'tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map' \
	$' 0 100000 1000\n 1000 200000 1\n 2000 300000 500\n 0 400000 1000\n 1000 500000 10' "$user" "$several"
gives "files have mapped owners" 'stat -c "%u:%g" /file /bin' $'1000:1005\n0:0' "$user" "$several"
gives "root inside, without rights outside" 'id -u; chown 5:6 /file && stat -c %u:%g /file; chown 1500 /file 2>/dev/null || echo unmapped' \
	$'0\n5:6\nunmapped' "$user" "$several" '.process.capabilities=({bounding:["CAP_CHOWN"]} | .permitted=.bounding | .effective=.bounding)'
eq "owner on the host" "$(stat -c %u:%g "$B/rootfs/file")" 100005:400006
gives "process.user is an id of the container" 'id -u; id -g; cat /proc/self/uid_map | wc -l' $'1000\n1001\n3' "$user" "$several" '.process.user={uid:1000,gid:1001}'
gives "setgroups is allowed with root's mapping" 'grep Groups: /proc/self/status' $'Groups:\t1003 ' "$user" "$several" '.process.user={uid:0,gid:0,additionalGids:[1003]}'
gives "devices are there" 'echo x >/dev/null && head -c1 /dev/zero | wc -c; ls /dev/full /dev/tty /dev/urandom | wc -l' $'1\n3' "$user" "$several"
up "$user" "$several"
pid=$(field pid)
eq "uid on the host" "$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")" 100000
attempt exec --user 1000:1000 "$ID" id -u
eq "exec --user" "$out" 1000
attempt exec "$ID" cat /proc/self/uid_map
eq "exec joins the namespace" "$(wc -l <<<"$out")" 3
jq '.process | .args=["sh","-c","ulimit -n; echo $HOME"] | .rlimits=[{type:"RLIMIT_NOFILE",soft:3,hard:3}]' "$B/config.json" >"$T/process.json"
attempt exec --process "$T/process.json" "$ID"
eq "exec with a limit of descriptors that its set-up is above" "$out" "3"$'\n'/root
down
refuse "a uid without mapping" 'uid|user' "$user" "$several" '.process.user.uid=1500'
refuse "mappings without a user namespace" 'Mappings|user namespace' "$several"
refuse "a user namespace without mappings" 'Mappings|mapping' "$user"
refuse "overlapping mappings" 'Mappings|map' "$user" '.linux.gidMappings=[{containerID:0,hostID:0,size:10}] | .linux.uidMappings=[{containerID:0,hostID:0,size:10},{containerID:5,hostID:100,size:10}]'
refuse "a mapping of size 0" 'Mappings.*size|size' "$user" '.linux.gidMappings=[{containerID:0,hostID:0,size:10}] | .linux.uidMappings=[{containerID:0,hostID:0,size:0}]'
refuse "a mapping beyond 32 bits" 'Mappings.*4294967296' "$user" '.linux.gidMappings=[{containerID:0,hostID:0,size:10}] | .linux.uidMappings=[{containerID:0,hostID:4294967296,size:1}]'
