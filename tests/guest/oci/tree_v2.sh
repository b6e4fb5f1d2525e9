#!/bin/bash
# SPDX-License-Identifier: MIT
# The cgroup v2 directory of a container: path, freezing, cgroups below it, mounts, ownership, statistics.
. "$(dirname "$0")/../../oci/lib.sh"
setup
C=/sys/fs/cgroup/$ID
[ -e /sys/fs/cgroup/cgroup.controllers ] || skip "no cgroup v2"
newns='.linux.namespaces|=map(select(.type!="cgroup"))+[{type:"cgroup"}]'
hostns='.linux.namespaces|=map(select(.type!="cgroup"))'
rw='.mounts|=map(if .type=="cgroup" then .options-=["ro"] else . end)'

gives "a new cgroup namespace shows the container's cgroup as the root" 'cat /proc/self/cgroup; cat /sys/fs/cgroup/pids.max' \
	$'0::/\n55' "$newns" '.linux.resources.pids={limit:55}'
gives "the host's namespace shows the path" 'cat /proc/self/cgroup' "0::/$ID" "$hostns"
gives "the mount is read-only" 'mkdir /sys/fs/cgroup/x 2>/dev/null || echo ro' ro "$newns"
gives "a writable one takes cgroups" 'mkdir /sys/fs/cgroup/x && echo $$ >/sys/fs/cgroup/x/cgroup.procs && cat /proc/self/cgroup' 0::/x "$newns" "$rw"
check "which go with the container" test ! -e "$C"
gives_like "a nested path" 'cat /proc/self/cgroup' "^0::/$ID/a/b\$" "$hostns" ".linux.cgroupsPath=\"/$ID/a/b\""
rmdir "$C/a" "$C"
gives_like "a relative path is beside the caller" 'cat /proc/self/cgroup' "^0::(/.*)?/$ID-r\$" "$hostns" ".linux.cgroupsPath=\"$ID-r\""

# exec follows a first process that moved away to make room for controllers
conf "$newns" "$rw" '.linux.resources.pids={limit:50}' \
	"$(script 'mkdir /sys/fs/cgroup/in; echo 1 >/sys/fs/cgroup/in/cgroup.procs; echo +pids >/sys/fs/cgroup/cgroup.subtree_control; mkdir /sys/fs/cgroup/other; exec sleep 1000')"
oci run -d -b "$B" "$ID" >"$T/log" 2>&1 </dev/null || no "run" "$(cat "$T/log")"
check "the first process moves and gives a controller away" soon test -e "$C/other/pids.max"
attempt exec "$ID" cat /proc/self/cgroup
eq "exec where the first process is" "$out" 0::/in
attempt exec --cgroup /other "$ID" cat /proc/self/cgroup
eq "exec --cgroup" "$out" 0::/other
fails "exec --cgroup of none" 'cgroup' exec --cgroup /none "$ID" true
fails "exec --cgroup above" 'bad sub cgroup' exec --cgroup /../.. "$ID" true
oci exec -d --cgroup /other "$ID" sleep 1000 >/dev/null 2>&1 </dev/null
eq "ps shows the cgroups below, too" "$(oci ps -f json "$ID" | jq length)" 2
check pause oci pause "$ID"
eq "pause freezes" "$(grep frozen "$C/cgroup.events")" "frozen 1"
eq "and is a state" "$(field status)" paused
fails "exec into it" 'paused' exec "$ID" true
check resume oci resume "$ID"
eq "resume thaws" "$(grep frozen "$C/cgroup.events")" "frozen 0"
pids=$(cat "$C"/*/cgroup.procs)
check "kill --all in cgroups below" oci kill --all "$ID" KILL
gone() { local p; for p in $pids; do ! kill -0 "$p" || return 1; done; }
check "they die" soon gone
check "delete with cgroups below" oci delete "$ID"
check "removes them" test ! -e "$C"

up "$newns"
check "pause before delete" oci pause "$ID"
check "delete --force of a paused container" oci delete --force "$ID"
check "removes it" test ! -e "$C"
mkdir "$C"
echo 1 >"$C/cgroup.freeze"
refuse_reused() { conf "$2"; attempt run -b "$B" "$ID"; like "$1" "$status $out" "^1 .*$3"; }
refuse_reused "a cgroup that is frozen" . 'frozen'
echo 0 >"$C/cgroup.freeze"
sleep 1000 &
echo $! >"$C/cgroup.procs"
refuse_reused "a cgroup with processes" . 'not empty'
kill -0 $! && yes "which live on" || no "which live on"
{ kill -9 $! && wait; } 2>/dev/null
rmdir "$C"

# the container's root owns its cgroup where it can use it
owner='.linux.namespaces+=[{type:"user"}] | .linux.uidMappings=[{hostID:100000,containerID:0,size:65536}] | .linux.gidMappings=.linux.uidMappings'
chown 100000 "$T" "$B" "$B/rootfs"
own() { # WHAT WANT FILTER...
	local what=$1 want=$2
	shift 2
	up "$owner" "$@"
	eq "$what" "$(stat -c %u "$C" "$C/cgroup.procs" "$C/cgroup.subtree_control" "$C/pids.max" | tr '\n' ' ')" "$want "
	down
}
own "a writable mount and a namespace: delegated, but for the limits" '100000 100000 100000 0' "$newns" "$rw"
own "a read-only mount: not" '0 0 0 0' "$newns"
own "the host's namespace: not" '0 0 0 0' "$hostns" "$rw"
own "another user of the container" '100007 100007 100007 0' "$newns" "$rw" '.process.user={uid:7,gid:7}'
gives "it can be used" 'mkdir /sys/fs/cgroup/sub; echo $$ >/sys/fs/cgroup/sub/cgroup.procs; cat /proc/self/cgroup; echo 1 2>/dev/null >/sys/fs/cgroup/pids.max || echo refused' \
	$'0::/sub\nrefused' "$owner" "$newns" "$rw"
chown 0 "$T" "$B" "$B/rootfs"

up '.linux.resources={memory:{limit:67108864,swap:67108864},pids:{limit:9}}'
s=$(oci events --stats "$ID")
for f in '.type=="stats"' ".id==\"$ID\"" '.data.pids.limit==9' '.data.pids.current==1' '.data.memory.usage.limit==67108864' \
	'.data.memory.usage.usage>0' '.data.cpu.usage.total>0' '.data.memory.raw|length>10'; do
	eq "statistics: $f" "$(jq "$f" <<<"$s")" true
done
timeout 60 "$OCI" --root "$ROOT" events --interval 1s "$ID" >"$T/events" 2>&1 &
events=$!
soon grep -q stats "$T/events"
oci exec "$ID" sh -c 'head -c 300000000 /dev/zero | tail -c 299999999 | wc -c' >/dev/null 2>&1 </dev/null
soon grep -q '"oom"' "$T/events"
like "an event of the OOM killer" "$(cat "$T/events")" '"type":"oom"'
down
wait $events
eq "events ends with the container" $? 0
