#!/bin/bash
# SPDX-License-Identifier: MIT
# Device rules as eBPF programs: enforced for run and exec, changed and kept by updates.
. "$(dirname "$0")/../../oci/lib.sh"
setup
[ -e /sys/fs/cgroup/cgroup.controllers ] || skip "no cgroup v2"
nodes='.linux.devices=[{path:"/dev/kmsg",type:"c",major:1,minor:11,fileMode:438}]'
deny='{allow:false,access:"rwm"}' kmsg='{allow:true,type:"c",major:1,minor:11,access:"r"}'

reads() { # WHAT WANT
	attempt exec "$ID" sh -c '(exec 3</dev/kmsg) 2>/dev/null && echo yes || echo no'
	eq "$1" "$out" "$2"
}
update() {
	jq -n "{devices:[$1]}" | oci update -r - "$ID" || no "update of device rules"
}
caps='.process.capabilities=({bounding:["CAP_SYSLOG"]} | .permitted=.bounding | .effective=.bounding)'
up "$nodes" "$caps" ".linux.resources.devices=[$deny]"
reads "denied to an exec" no
update "$deny,$kmsg"
reads "allowed by an update" yes
check "an update of something else" oci update --pids-limit 50 "$ID"
reads "leaves the rules" yes
update "$deny"
reads "denied by an update" no
check "a default is still there" oci exec "$ID" sh -c 'echo x >/dev/null'
down
up "$nodes" "$caps" '.linux.resources={}'
reads "no rules at all mean denied" no
down
up "$nodes" "$caps" 'del(.linux.resources)'
reads "so does no linux.resources" no
down
