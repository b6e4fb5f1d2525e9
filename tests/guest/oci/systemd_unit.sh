#!/bin/bash
# SPDX-License-Identifier: MIT
# --systemd-cgroup: a scope with the limits as properties, kept in step by update, gone after delete.
. "$(dirname "$0")/../../oci/lib.sh"
setup systemctl
[ -d /run/systemd/system ] || skip "systemd does not run"
v2=$(stat -f -c %T /sys/fs/cgroup)
[ "$v2" = cgroup2fs ] || v2=

oci() {
	timeout --foreground -k 1 30 "$OCI" --systemd-cgroup --root "$ROOT" "$@"
}
show() { # WHAT PROPERTY WANT
	eq "$1" "$(systemctl show -P "$2" "$UNIT")" "$3"
}
UNIT=box-$ID.scope
path=".linux.cgroupsPath=\"system.slice:box:$ID\""
up "$path" '.linux.resources={memory:{limit:67108864},pids:{limit:77},cpu:{shares:2048,quota:25000,period:50000}}' \
	'.annotations={"org.systemd.property.TimeoutStopUSec":"uint64 2000000","org.systemd.property.Description":"'\''box of mine'\''"}'
cg=$(systemctl show -P ControlGroup "$UNIT")
eq "the unit is where it was asked for" "$cg" "/system.slice/$UNIT"
show "it runs" ActiveState active
show "delegated" Delegate yes
show TasksMax TasksMax 77
show CPUQuota CPUQuotaPerSecUSec 500ms
show "a property by annotation" TimeoutStopUSec 2s
show "a text" Description "box of mine"
like "the process is in it" "$(cat "/proc/$(field pid)/cgroup")" "$cg"
if [ -n "$v2" ]; then
	C=/sys/fs/cgroup$cg
	show MemoryMax MemoryMax 67108864
	show CPUWeight CPUWeight "$(cat "$C/cpu.weight")"
	eq "pids.max" "$(cat "$C/pids.max")" 77
	eq "cpu.max" "$(cat "$C/cpu.max")" '25000 50000'
	check update oci update --memory 33554432 --pids-limit 20 --cpu-quota 10000 --cpuset-cpus 0 "$ID"
	show "MemoryMax updated" MemoryMax 33554432
	show "TasksMax updated" TasksMax 20
	show "CPUQuota updated" CPUQuotaPerSecUSec 200ms
	show "AllowedCPUs updated" AllowedCPUs 0
	eq "files updated" "$(cat "$C/memory.max" "$C/pids.max" "$C/cpu.max" "$C/cpuset.cpus" | tr '\n' ' ')" '33554432 20 10000 50000 0 '
	systemctl daemon-reload
	eq "systemd keeps them" "$(cat "$C/memory.max" "$C/pids.max" "$C/cpu.max" "$C/cpuset.cpus" | tr '\n' ' ')" '33554432 20 10000 50000 0 '
	echo '{"unified":{"memory.high":"16777216","pids.max":"30"}}' | oci update -r - "$ID" || no "update -r -"
	show "MemoryHigh by unified" MemoryHigh 16777216
	show "TasksMax by unified" TasksMax 30
else
	show MemoryLimit MemoryLimit 67108864
	show CPUShares CPUShares 2048
	eq "memory.limit_in_bytes" "$(cat "/sys/fs/cgroup/memory$cg/memory.limit_in_bytes")" 67108864
	check update oci update --memory 33554432 "$ID"
	show "MemoryLimit updated" MemoryLimit 33554432
fi
attempt exec "$ID" cat /proc/1/comm
eq exec "$out" sleep
check pause oci pause "$ID"
eq "paused" "$(field status)" paused
check resume oci resume "$ID"
conf "$path"
attempt run -b "$B" "$ID-2"
like "a unit in use is refused" "$status $out" '^1 .*not empty'
show "and lives on" ActiveState active
check "delete --force" oci delete --force "$ID"
show "removes the unit" LoadState not-found
check "and its cgroup" test ! -e "/sys/fs/cgroup/systemd$cg" -a ! -e "/sys/fs/cgroup$cg"

# a unit that failed and was kept does not stop the next container of that name
systemd-run --quiet --unit "$UNIT" --scope -p RuntimeMaxSec=1 sleep 100 >/dev/null 2>&1
show "a unit that failed" ActiveState failed
up "$path"
show "is replaced" ActiveState active
oci kill "$ID" KILL
stopped() { [ "$(field status)" = stopped ]; }
check "killed" soon stopped
check delete oci delete "$ID"
show "the unit is gone" LoadState not-found

up 'del(.linux.cgroupsPath)'
like "without a path: system.slice" "$(cat "/proc/$(field pid)/cgroup")" "/system.slice/[a-z]+-$ID.scope"
down
up ".linux.cgroupsPath=\"box-$$.slice:pre:$ID\""
like "a slice inside a slice" "$(cat "/proc/$(field pid)/cgroup")" "/box.slice/box-$$.slice/pre-$ID.scope"
down
systemctl stop "box-$$.slice" box.slice
gives "the cgroup mount shows the scope" 'ls /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null | wc -l' 1 "$path"
if [ -n "$v2" ]; then
	up "$path" '.linux.devices=[{path:"/dev/kmsg",type:"c",major:1,minor:11,fileMode:438}]' '.process.capabilities.bounding+=["CAP_SYSLOG"] | .process.capabilities.permitted+=["CAP_SYSLOG"] | .process.capabilities.effective+=["CAP_SYSLOG"]'
	show DevicePolicy DevicePolicy strict
	attempt exec "$ID" sh -c '(exec 3</dev/kmsg) 2>/dev/null && echo yes || echo no'
	eq "device rules" "$out" no
	systemctl daemon-reload
	attempt exec "$ID" sh -c '(exec 3</dev/kmsg) 2>/dev/null && echo yes || echo no; echo x >/dev/null && echo null'
	eq "after systemd wrote its own" "$out" $'no\nnull'
	down
fi
refuse "a path that is no unit" 'slice:prefix:name' '.linux.cgroupsPath="/a/b"'
refuse "a unit name with a slash" 'slash' '.linux.cgroupsPath="system.slice:a/b:c"'
refuse "an unknown property" 'Nonsense|nonsense' "$path" '.annotations={"org.systemd.property.Nonsense":"true"}'
refuse "a property value that cannot be read" 'TimeoutStop' "$path" '.annotations={"org.systemd.property.TimeoutStopUSec":"uint64 x"}'
