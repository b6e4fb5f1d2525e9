#!/bin/bash
# SPDX-License-Identifier: MIT
# linux.cgroupsPath: absolute, relative, default, in use, escaping; what is left afterwards.
. "$(dirname "$0")/lib.sh"
setup
p=$(cg_dir pids /) || skip "no pids controller in cgroup v1"

seen='grep :pids: /proc/self/cgroup'
gives_like "absolute" "$seen" ":pids:/$ID-a/b\$" ".linux.cgroupsPath=\"/$ID-a/b\""
check "it is removed" test ! -e "$p/$ID-a/b"
rmdir /sys/fs/cgroup/*/"$ID-a" 2>/dev/null
gives_like "the default is named after the container" "$seen" ":pids:(/.*)?/$ID\$" 'del(.linux.cgroupsPath)'
gives_like "relative" "$seen" ":pids:(/.*)?/$ID-r\$" ".linux.cgroupsPath=\"$ID-r\""
ct "$seen" ".linux.cgroupsPath=\"/$ID-d/../../../../$ID-e\""
if [ "$status" = 0 ]; then
	like ".. does not leave the hierarchy" "$out" ":pids:/$ID-e\$"
else
	like ".. is refused by name" "$out" 'cgroupsPath|cgroup'
fi
rmdir /sys/fs/cgroup/*/"$ID-d" 2>/dev/null
refuse "a path with a newline" 'cgroupsPath|cgroup' ".linux.cgroupsPath=\"/$ID-n\\nx\""
refuse "a path that is a number" 'cgroupsPath' '.linux.cgroupsPath=5'
refuse "a very long path" 'cgroupsPath|too long|cgroup' ".linux.cgroupsPath=\"/$ID-$(printf 'x%.0s' {1..5000})\""

# one container's cgroup asked for by another
up
conf "$(script 'echo in')" 
attempt run -b "$B" "$ID-2"
like "a cgroup that holds another container: joined or refused, never emptied" "$status $out" '^(0 .*in|1 .*cgroup)'
eq "the first one lives" "$(field status)" running
down

# children that the container made in its cgroup go with it
up '.mounts |= map(select(.type != "cgroup"))' '.linux.namespaces+=[{type:"cgroup"}]'
mkdir "$p/$ID/child"
oci exec -d "$ID" sleep 1000 >/dev/null 2>&1 </dev/null
other=$(tail -1 "$p/$ID/cgroup.procs")
echo "$other" >"$p/$ID/child/cgroup.procs"
oci delete --force "$ID"
check "delete --force removes nested cgroups" test ! -e "$p/$ID"
soon test ! -e "/proc/$other"
check "and what ran there" test ! -e "/proc/$other"

# a cgroup mount shows the container's own, read-only
ct 'ls /sys/fs/cgroup/pids/pids.max; touch /sys/fs/cgroup/pids/x 2>/dev/null || echo ro; cat /sys/fs/cgroup/pids/cgroup.procs | head -1'
eq "mount of type cgroup" "$out" $'/sys/fs/cgroup/pids/pids.max\nro\n1'
gives "the same in a cgroup namespace" 'ls /sys/fs/cgroup/pids/pids.max; head -1 /sys/fs/cgroup/pids/cgroup.procs' $'/sys/fs/cgroup/pids/pids.max\n1' '.linux.namespaces+=[{type:"cgroup"}]'
