#!/bin/bash
# SPDX-License-Identifier: MIT
# linux.sysctl: set in own namespaces, refused where the host would change.
. "$(dirname "$0")/lib.sh"
setup

gives "network" 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/core/somaxconn' $'1\n1234' '.linux.sysctl={"net.ipv4.ip_forward":"1","net.core.somaxconn":"1234"}'
gives "ipc" 'cat /proc/sys/kernel/shmmax /proc/sys/fs/mqueue/msg_max' $'65536\n7' '.linux.sysctl={"kernel.shmmax":"65536","fs.mqueue.msg_max":"7"}'
gives "uts" 'cat /proc/sys/kernel/domainname' dom '.linux.sysctl={"kernel.domainname":"dom"}'
gives "slashes as separators" 'cat /proc/sys/net/ipv4/ip_forward' 1 '.linux.sysctl={"net/ipv4/ip_forward":"1"}'
gives "it is set also when /proc/sys is read-only or absent" 'ls /proc/sys/net 2>/dev/null | wc -l; hostname' $'0\nh' '.linux.sysctl={"kernel.domainname":"d"} | .hostname="h"' \
	'.mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths=[] | .linux.readonlyPaths=[]'
before=$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax /proc/sys/vm/swappiness)
refuse "one of the whole machine" 'sysctl.*vm.swappiness' '.linux.sysctl={"vm.swappiness":"10"}'
refuse "network without a network namespace" 'sysctl.*net.ipv4.ip_forward' '.linux.sysctl={"net.ipv4.ip_forward":"1"} | .linux.namespaces |= map(select(.type != "network"))'
refuse "network when the host's is joined by path" 'sysctl.*net' \
	'.linux.sysctl={"net.ipv4.ip_forward":"1"} | .linux.namespaces |= map(select(.type != "network")) + [{type:"network",path:"/proc/self/ns/net"}]'
refuse "ipc without an ipc namespace" 'sysctl.*kernel.shmmax' '.linux.sysctl={"kernel.shmmax":"65536"} | .linux.namespaces |= map(select(.type != "ipc"))'
refuse "kernel.hostname, which has a field" 'sysctl.*kernel.hostname' '.linux.sysctl={"kernel.hostname":"x"} | .hostname="y"'
refuse "a name with .." 'sysctl' '.linux.sysctl={"net/../vm/swappiness":"10"}'
refuse "a name with dots that becomes .." 'sysctl' '.linux.sysctl={"net.//vm.swappiness":"10"}'
refuse "one that does not exist" 'sysctl.*net.ipv4.nope|net/ipv4/nope' '.linux.sysctl={"net.ipv4.nope":"1"}'
refuse "a value that the kernel refuses" 'sysctl.*ip_forward' '.linux.sysctl={"net.ipv4.ip_forward":"abc"}'
refuse "a value that is a number" 'sysctl' '.linux.sysctl={"net.ipv4.ip_forward":1}'
eq "the host is as before" "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax /proc/sys/vm/swappiness)" "$before"
