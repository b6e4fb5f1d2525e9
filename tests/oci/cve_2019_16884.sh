#!/bin/bash
# SPDX-License-Identifier: MIT
# runc CVE-2019-16884: a volume or link at /proc makes the runtime write labels and sysctls to plain files.
. "$(dirname "$0")/lib.sh"
setup

mkdir -p "$T/fake/self/attr/apparmor" "$T/fake/self/task" "$T/fake/thread-self/attr" "$T/fake/sys/net/ipv4" "$T/fake/1/attr"
touch "$T/fake/self/attr/exec" "$T/fake/self/attr/apparmor/exec" "$T/fake/sys/net/ipv4/ip_forward" "$T/fake/self/oom_score_adj"
clean() { [ -z "$(find "$T/fake" -type f -size +0)" ]; }
no_proc='.mounts |= map(select(.destination != "/proc"))'
refuse "a bind of a folder at /proc" '/proc' "$no_proc" ".mounts+=[{destination:\"/proc\",type:\"bind\",source:\"$T/fake\",options:[\"rbind\"]}]"
refuse "a tmpfs at /proc" '/proc' "$no_proc" '.mounts+=[{destination:"/proc",type:"tmpfs",source:"x"}]'
refuse "a folder below /proc" '/proc' ".mounts+=[{destination:\"/proc/self/attr\",type:\"bind\",source:\"$T/fake/self/attr\",options:[\"bind\"]}]"
refuse "a tmpfs over /proc after it was mounted" '/proc' '.mounts+=[{destination:"/proc",type:"tmpfs",source:"x"}]'
refuse "written with dots and slashes" '/proc' ".mounts+=[{destination:\"//tmp/../proc/.\",type:\"bind\",source:\"$T/fake\",options:[\"bind\"]}]"
mv "$B/rootfs/proc" "$B/rootfs/proc.real"
mkdir -p "$B/rootfs/volume"
cp -r "$T/fake/." "$B/rootfs/volume"
ln -s volume "$B/rootfs/proc"
ct 'cat /volume/self/attr/exec /volume/sys/net/ipv4/ip_forward /volume/self/oom_score_adj | wc -c' "$no_proc" \
	'.linux.sysctl={"net.ipv4.ip_forward":"1"} | .process.oomScoreAdj=5 | .process.apparmorProfile="" | .linux.maskedPaths=[] | .linux.readonlyPaths=[]'
eq "an image whose /proc is a link: nothing is written there" "$(find "$B/rootfs/volume" -type f -size +0)" ""
refuse "a mount of procfs on a link" '/proc' .
check "nothing was ever written to the folder" clean
