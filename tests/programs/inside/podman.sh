#!/bin/bash
# SPDX-License-Identifier: MIT
# machines only
# options: --privileged --sysctl net.ipv4.ip_forward=1
# Containers inside of the machine: layers, control groups, limits, a network of their own.  The kernel's modules are at /modules.
export HOME=/root
loaded=" "
# with what it needs, the last of which comes first
load() {
	local line words i
	for line in "${depend[@]}"; do
		[[ $line == */$1.ko:* ]] || continue
		read -ra words <<<"${line/:/}"
		for ((i = ${#words[@]} - 1; i >= 0; i--)); do
			case $loaded in *" ${words[i]} "*) continue ;; esac
			insmod "/modules/${words[i]}" 2>/dev/null
			loaded+="${words[i]} "
		done
	done
}
mapfile -t depend </modules/modules.dep
for module in overlay veth bridge nf_tables nft_compat nft_chain_nat xt_comment xt_conntrack xt_MASQUERADE xt_addrtype xt_mark xt_nat xt_multiport; do
	load $module
done
mkdir -p /var/lib/containers
mount -t tmpfs tmpfs /var/lib/containers && mount -t tmpfs tmpfs /run || exit 1
# controllers are for groups without processes
mkdir /sys/fs/cgroup/shell && echo $$ >/sys/fs/cgroup/shell/cgroup.procs && echo +memory +pids +cpu >/sys/fs/cgroup/cgroup.subtree_control
ldd /bin/bash /bin/ls /bin/cat /usr/bin/id | grep -o '/[^ ]*\.so[^ ]*' | sort -u | tar -chf root.tar -T - /bin/bash /bin/sh /bin/ls /bin/cat /usr/bin/id
podman import root.tar local/small >/dev/null 2>&1 || { podman import root.tar local/small; exit 1; }
podman info --format '{{.Store.GraphDriverName}} {{.Host.CgroupsVersion}}'
pod() { podman --cgroup-manager cgroupfs "$@"; }
[ "$(pod run --rm --network none local/small /bin/bash -c 'echo $$ $(id -u)')" = '1 0' ] || exit 1
[ "$(pod run --rm --network none --memory 64m --pids-limit 20 local/small /bin/bash -c \
	'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max' | xargs)" = '67108864 20' ] || { echo limits; exit 1; }
pod run -d --name web -p 8080:80 local/small /bin/bash -c 'while :; do read -r -t 5 x <> <(:); done' || exit 1
[ "$(pod exec web /bin/bash -c 'echo exec')" = exec ] || exit 1
pod port web
nft list ruleset | grep -c 8080
pod rm -f -t 0 web
