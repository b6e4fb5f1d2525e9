#!/bin/bash
# SPDX-License-Identifier: MIT
# linux.namespaces with a path: every kind, the wrong kind, no namespace at all.
. "$(dirname "$0")/lib.sh"
setup

up '.linux.namespaces=[{type:"mount"},{type:"pid"},{type:"network"},{type:"ipc"},{type:"uts"},{type:"cgroup"},{type:"time"}]' \
	'.linux.timeOffsets={boottime:{secs:86400}}'
first=$(field pid)
second=$ID-two
join() { # WHAT KIND FILE SCRIPT WANT
	conf ".linux.namespaces |= map(select(.type != \"$2\")) + [{type:\"$2\",path:\"/proc/$first/ns/$3\"}]" \
		'del(.hostname)' ".linux.cgroupsPath=\"/$second\"" "$(script "$4")"
	attempt run -b "$B" "$second"
	eq "join $1" "$out" "$5"
}
for k in network:net ipc:ipc uts:uts cgroup:cgroup; do
	join "$k" "${k%:*}" "${k#*:}" "readlink /proc/self/ns/${k#*:}" "$(readlink "/proc/$first/ns/${k#*:}")"
done
join pid pid pid 'readlink /proc/self/ns/pid; grep -c "^sleep" /proc/1/comm' "$(readlink "/proc/$first/ns/pid")"$'\n1'
join time time time 'readlink /proc/self/ns/time; awk "/boottime/ { print \$2 }" /proc/self/timens_offsets' "$(readlink "/proc/$first/ns/time")"$'\n86400'
down
unshare --mount sleep 100 &
soon sh -c "readlink /proc/$!/ns/mnt | grep -qv '$(readlink /proc/self/ns/mnt)'"
want=$(readlink "/proc/$!/ns/mnt")
gives "join mount" 'readlink /proc/self/ns/mnt; ls /etc/passwd' "$want"$'\n/etc/passwd' \
	".linux.namespaces |= map(select(.type != \"mount\")) + [{type:\"mount\",path:\"/proc/$!/ns/mnt\"}]"
kill "$!"

# a user namespace that is joined together with a network namespace it owns
unshare --user --map-root-user --net --fork sleep 100 &
soon sh -c "readlink /proc/$!/ns/user | grep -qv '$(readlink /proc/self/ns/user)'"
holder=$(pgrep -P "$!" sleep || echo "$!")
soon grep -q . "/proc/$holder/uid_map"
chmod 755 "$T"
ct 'readlink /proc/self/ns/user; readlink /proc/self/ns/net; id -u' \
	".linux.namespaces |= map(select(.type != \"network\")) + [{type:\"user\",path:\"/proc/$holder/ns/user\"},{type:\"network\",path:\"/proc/$holder/ns/net\"}]" \
	'.mounts |= map(select(.type != "mqueue" and .type != "devpts"))'
eq "join user and network" "$out" "$(readlink "/proc/$holder/ns/user" "/proc/$holder/ns/net")"$'\n0'
kill "$holder" "$!" 2>/dev/null

net='.linux.namespaces |= map(select(.type != "network")) + [{type:"network",path:'
refuse "a namespace of another kind" 'is not a network namespace' "$net\"/proc/self/ns/ipc\"}]"
refuse "a plain file" 'network namespace|/etc/passwd' "$net\"/etc/passwd\"}]"
refuse "a missing file" '/nowhere.*No such file|/nowhere.*no such file' "$net\"/nowhere\"}]"
