#!/bin/bash
# SPDX-License-Identifier: MIT
# intelRdt, memoryPolicy, netDevices, apparmorProfile, selinuxLabel, mountLabel: used, or refused by name.
. "$(dirname "$0")/lib.sh"
setup ip

# memoryPolicy
gives "memoryPolicy MPOL_BIND" 'awk "NR == 1 { print \$2 }" /proc/self/numa_maps' 'bind:0' '.linux.memoryPolicy={mode:"MPOL_BIND",nodes:"0"}'
gives "memoryPolicy with a flag" 'awk "NR == 1 { print \$2 }" /proc/self/numa_maps' 'bind=static:0' '.linux.memoryPolicy={mode:"MPOL_BIND",nodes:"0",flags:["MPOL_F_STATIC_NODES"]}'
gives "memoryPolicy MPOL_INTERLEAVE" 'awk "NR == 1 { print \$2 }" /proc/self/numa_maps' 'interleave:0' '.linux.memoryPolicy={mode:"MPOL_INTERLEAVE",nodes:"0"}'
refuse "an unknown mode" 'memoryPolicy.*mode.*MPOL_X|MPOL_X' '.linux.memoryPolicy={mode:"MPOL_X",nodes:"0"}'
refuse "an unknown flag" 'memoryPolicy.*F_X|F_X' '.linux.memoryPolicy={mode:"MPOL_BIND",nodes:"0",flags:["F_X"]}'
refuse "MPOL_BIND without nodes" 'memoryPolicy|memory policy' '.linux.memoryPolicy={mode:"MPOL_BIND"}'

# netDevices
dev=cl$$
if ip link add "$dev" type dummy 2>/dev/null; then
	ip addr add 10.99.0.7/24 dev "$dev"
	ip link set "$dev" mtu 1400 up
	ct "ip -o addr show $dev; ip -o link show $dev" ".linux.netDevices={\"$dev\":{}}"
	like "netDevices moves a device with address and MTU" "$out" '10\.99\.0\.7/24.*mtu 1400'
	ip link del "$dev" 2>/dev/null
	ip link add "$dev" type dummy
	ct 'ip -o link show eth7' ".linux.netDevices={\"$dev\":{name:\"eth7\"}}"
	like "netDevices renames" "$out" 'eth7'
	ip link del "$dev" 2>/dev/null
	refuse "a device that is not there" "$dev" ".linux.netDevices={\"$dev\":{}}"
else
	echo "skip: no dummy network devices"
fi
refuse "netDevices without a network namespace" 'netDevices|NET namespace' '.linux.netDevices={"eth9":{}} | .linux.namespaces |= map(select(.type != "network"))'
refuse "a name with a slash" 'netDevices|name' '.linux.netDevices={"a/b":{}}'

# intelRdt
if grep -qw resctrl /proc/mounts; then
	gives "intelRdt" 'echo up' up '.linux.intelRdt={closID:"'"$ID"'"}'
else
	refuse "intelRdt on a machine without" 'intelRdt|Intel RDT|resctrl' '.linux.intelRdt={closID:"x",l3CacheSchema:"L3:0=f"}'
fi
refuse "intelRdt with a closID that leads out" 'closID|ClosID' '.linux.intelRdt={closID:"../x"}'

# labels
if [ -e /sys/module/apparmor/parameters/enabled ] && grep -q Y /sys/module/apparmor/parameters/enabled; then
	refuse "an AppArmor profile that is not loaded" 'apparmor|AppArmor' '.process.apparmorProfile="no-such-profile"'
else
	ct 'echo up' '.process.apparmorProfile="no-such-profile"'
	like "an AppArmor profile on a kernel without: a warning or a refusal, by name" "$out" 'apparmor|AppArmor'
fi
if [ ! -e /sys/fs/selinux/enforce ]; then
	refuse "an SELinux label on a kernel without" 'selinux|SELinux' '.process.selinuxLabel="system_u:system_r:svirt_lxc_net_t:s0"'
fi
