#!/bin/bash
# SPDX-License-Identifier: MIT
# An unprivileged user: limits through the user's service manager, or no cgroup of its own at all.
. "$(dirname "$0")/../../oci/lib.sh"
[ -d /run/systemd/system ] || skip "systemd does not run"
# before setup makes a mount namespace, in which /run/user/1000 would not appear
systemctl start user@1000.service || skip "no service manager for users"
setup systemctl newuidmap setpriv
[ -e /sys/fs/cgroup/cgroup.controllers ] || skip "no cgroup v2"
id tester >/dev/null 2>&1 || skip "no user 'tester'"
soon test -S /run/user/1000/systemd/private

chmod 711 "$T" "$B"
install -d -o tester -g tester "$T/ub" "$T/rl"
make_rootfs "$T/ub/rootfs"
chown -hR tester:tester "$T/ub"
as_user() {
	setpriv --reuid tester --regid tester --init-groups env -i PATH="$PATH" HOME=/home/tester XDG_RUNTIME_DIR=/run/user/1000 "$@"
}
run_as_user() {
	as_user timeout --foreground -k 1 30 "$OCI" --root "$T/rl" "$@"
}
set_config() {
	rm -f "$T/ub/config.json"
	run_as_user spec --rootless -b "$T/ub"
	jq ".process.terminal=false | .root.readonly=false | $1" "$T/ub/config.json" >"$T/c" && cat "$T/c" >"$T/ub/config.json"
}

set_config ".process.args=[\"sleep\",\"1000\"] | .linux.resources={memory:{limit:67108864},pids:{limit:33}} | .linux.cgroupsPath=\"user.slice:box:$ID\""
run_as_user --systemd-cgroup run -d -b "$T/ub" "$ID" >"$T/out" 2>&1 </dev/null # a pipe would wait for the container
eq "run -d" "$? $(cat "$T/out")" "0 "
unit=$(as_user systemctl --user show -P ControlGroup "box-$ID.scope")
like "a scope of the user's manager" "$unit" "user@1000.service/.*/box-$ID.scope\$"
eq "its limits are properties" "$(as_user systemctl --user show -P MemoryMax -P TasksMax "box-$ID.scope" | sort -n | tr '\n' ' ')" "33 67108864 "
eq "and real" "$(cat "/sys/fs/cgroup$unit/memory.max" "/sys/fs/cgroup$unit/pids.max" | tr '\n' ' ')" "67108864 33 "
check update run_as_user --systemd-cgroup update --pids-limit 44 "$ID"
eq "updated" "$(cat "/sys/fs/cgroup$unit/pids.max")" 44
out=$(run_as_user --systemd-cgroup exec "$ID" cat /proc/self/cgroup 2>&1 </dev/null)
eq exec "$out" 0::/
check pause run_as_user --systemd-cgroup pause "$ID"
check resume run_as_user --systemd-cgroup resume "$ID"
check "delete --force" run_as_user --systemd-cgroup delete --force "$ID"
check "the cgroup is gone" test ! -e "/sys/fs/cgroup$unit"
eq "and the unit" "$(as_user systemctl --user show -P LoadState "box-$ID.scope")" not-found

# as Podman does it: already root of a user namespace
mapped() {
	as_user unshare --user --map-root-user --mount -- timeout --foreground -k 1 30 "$OCI" --root "$T/rl" "$@"
}
jq '.process.args=["cat","/proc/self/cgroup"] | del(.linux.uidMappings,.linux.gidMappings) | .linux.namespaces|=map(select(.type!="user" and .type!="cgroup"))' "$T/ub/config.json" >"$T/c" && cat "$T/c" >"$T/ub/config.json"
out=$(mapped --systemd-cgroup run -b "$T/ub" "$ID" 2>&1 </dev/null)
like "root of a user namespace has the user's manager, too" "$out" "user@1000.service/.*/box-$ID.scope\$"

set_config '.process.args=["sh","-c","id -u; cat /proc/self/cgroup | wc -l"] | del(.linux.resources,.linux.cgroupsPath)'
out=$(run_as_user run -b "$T/ub" "$ID" 2>&1 </dev/null)
eq "without systemd and limits: no cgroup is needed" "$out" $'0\n1'
set_config '.process.args=["true"] | .linux.resources={pids:{limit:5}} | del(.linux.cgroupsPath)'
out=$(run_as_user run -b "$T/ub" "$ID" 2>&1 </dev/null)
like "with limits: refused" "$? $out" '^1 .*rootless needs no limits'
set_config ".process.args=[\"true\"] | .linux.cgroupsPath=\"/$ID\""
out=$(run_as_user run -b "$T/ub" "$ID" 2>&1 </dev/null)
like "with a path: refused" "$? $out" '^1 .*permission denied'
set_config '.process.args=["cat","/proc/self/uid_map"] | .linux.uidMappings+=[{containerID:1,hostID:100000,size:1000}] | .linux.gidMappings+=[{containerID:1,hostID:100000,size:1000}]'
out=$(run_as_user run -b "$T/ub" "$ID" 2>&1 </dev/null)
eq "subordinate ids by newuidmap" "$(awk '{ print $1, $2, $3 }' <<<"$out")" $'0 1000 1\n1 100000 1000'
eq "nothing is left" "$(ls "$T/rl")" ""
systemctl stop user@1000.service
