#!/bin/bash
# SPDX-License-Identifier: MIT
# linux.resources.devices: denied and allowed by type, number and access, in order.
. "$(dirname "$0")/lib.sh"
setup

[ -n "$(cg_dir devices)" ] || [ -e /sys/fs/cgroup/cgroup.controllers ] || skip "no device control"
nodes='.linux.devices=[{path:"/dev/loop",type:"b",major:7,minor:0,fileMode:438},{path:"/dev/fuse",type:"c",major:10,minor:229,fileMode:438},
	{path:"/dev/kmsg",type:"c",major:1,minor:11,fileMode:438}]'
caps='.process.capabilities=({bounding:["CAP_MKNOD","CAP_SYSLOG"]} | .permitted=.bounding | .effective=.bounding)'
try() { # WHAT WANT RULES: which of read, write and mknod of kmsg work
	ct 'r=-; w=-; m=-
		(exec 3</dev/kmsg) 2>/dev/null && r=r
		(exec 3>/dev/kmsg) 2>/dev/null && w=w
		mknod /tmp/k c 1 11 2>/dev/null && m=m
		echo $r$w$m' "$nodes" "$caps" ".linux.resources.devices=[$3]" '.mounts+=[{destination:"/tmp",type:"tmpfs",source:"t",options:["dev"]}]'
	eq "$1" "$out" "$2"
}
deny='{allow:false,access:"rwm"}'
try "everything denied: no access, but the node that is configured is there, mknod is a default" --m "$deny"
try "everything allowed" rwm '{allow:true,access:"rwm"}'
try "one allowed" rwm "$deny,{allow:true,type:\"c\",major:1,minor:11,access:\"rwm\"}"
try "for reading" r-m "$deny,{allow:true,type:\"c\",major:1,minor:11,access:\"r\"}"
try "for writing" -wm "$deny,{allow:true,type:\"c\",major:1,minor:11,access:\"w\"}"
try "every minor" rwm "$deny,{allow:true,type:\"c\",major:1,access:\"rwm\"}"
try "a block rule is not for characters" --m "$deny,{allow:true,type:\"b\",major:1,minor:11,access:\"rwm\"}"
try "denied again" --m "$deny,{allow:true,type:\"c\",major:1,minor:11,access:\"rwm\"},{allow:false,type:\"c\",major:1,minor:11,access:\"rwm\"}"
try "only one denied" --- '{allow:true,access:"rwm"},{allow:false,type:"c",major:1,minor:11,access:"rwm"}'
gives "what every container needs stays allowed" 'echo x >/dev/null; head -c1 /dev/zero | wc -c; head -c1 /dev/urandom | wc -c' $'1\n1' ".linux.resources.devices=[$deny]"
refuse "an unknown type" 'resources.devices.*type' '.linux.resources.devices=[{allow:true,type:"z",access:"r"}]'
refuse "an unknown access" 'resources.devices.*access' '.linux.resources.devices=[{allow:true,type:"c",access:"x"}]'

# a hundred starts: rules are written one by one, but no start may see them half written
bad=0
conf "$(script 'echo ok >/dev/null')"
for _ in {1..30}; do
	oci run -b "$B" "$ID" >"$T/log" 2>&1 || { bad=$((bad + 1)); cat "$T/log"; }
done
eq "starts that fail while rules are written" "$bad" 0
