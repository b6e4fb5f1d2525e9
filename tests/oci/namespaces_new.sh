#!/bin/bash
# SPDX-License-Identifier: MIT
# linux.namespaces: each kind new or shared with the caller, time offsets, cgroup view.
. "$(dirname "$0")/lib.sh"
setup

kinds="cgroup ipc mnt net pid time user uts"
list='for k in cgroup ipc mnt net pid time user uts; do echo "$k $(readlink /proc/self/ns/$k)"; done'
host() { readlink "/proc/self/ns/$1"; }
maps='.linux.uidMappings=[{containerID:0,hostID:0,size:65536}] | .linux.gidMappings=.linux.uidMappings'
ct "$list" '.linux.namespaces=[{type:"mount"},{type:"pid"},{type:"network"},{type:"ipc"},{type:"uts"},{type:"user"},{type:"cgroup"},{type:"time"}]' "$maps"
for k in $kinds; do
	got=$(awk -v k="$k" '$1 == k { print $2 }' <<<"$out")
	if [[ $got == "$k:["* ]] && [ "$got" != "$(host "$k")" ]; then yes "new $k"; else no "new $k" "$out"; fi
done
ct "$list" '.linux.namespaces=[{type:"mount"}] | del(.hostname)' '.mounts |= map(select(.type != "mqueue" and .type != "sysfs"))'
for k in cgroup ipc net pid time user uts; do
	eq "$k of the caller" "$(awk -v k="$k" '$1 == k { print $2 }' <<<"$out")" "$(host "$k")"
done

gives "loopback is up in a new network namespace" 'ip -o link | wc -l; ip -o link show lo | grep -o "[<,]UP[,>]"' $'1\n,UP,'
gives "time offsets" '
	read up _ </proc/uptime; [ "${up%.*}" -ge 86400 ] && [ "${up%.*}" -lt 700000 ] && echo boottime
	cat /proc/self/timens_offsets | tr -s " "' \
	"$([ "$(cut -d. -f1 /proc/uptime)" -lt 600000 ] && echo boottime)"$'\nmonotonic 3600 500\nboottime 86400 0' \
	'.linux.namespaces+=[{type:"time"}] | .linux.timeOffsets={monotonic:{secs:3600,nanosecs:500},boottime:{secs:86400}}'
refuse "time offsets without a time namespace" 'timeOffsets|time namespace' '.linux.timeOffsets={boottime:{secs:1}}'
refuse "an unknown clock" 'timeOffsets' '.linux.namespaces+=[{type:"time"}] | .linux.timeOffsets={realtime:{secs:1}}'
gives_like "a new cgroup namespace shows / as the own cgroup" 'grep :pids: /proc/self/cgroup; grep -c "\.\./" /proc/self/cgroup' '^[0-9]+:pids:/.0$' \
	'.linux.namespaces+=[{type:"cgroup"}]'
ct 'grep :pids: /proc/self/cgroup'
like "without one the host's path is seen" "$out" ":pids:/$ID\$"

refuse "an unknown namespace" 'namespaces.*type.*nope' '.linux.namespaces+=[{type:"nope"}]'
refuse "a namespace listed twice" 'namespaces.*(twice|duplicate|pid)' '.linux.namespaces+=[{type:"pid"}]'
refuse "a hostname without an UTS namespace" 'hostname|UTS|uts' '.linux.namespaces |= map(select(.type != "uts"))'
refuse "a relative path" 'namespaces.*path' '.linux.namespaces |= map(select(.type != "network")) + [{type:"network",path:"ns/net"}]'
