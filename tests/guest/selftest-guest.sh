#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The part of selftest.sh that runs in the guest: is this the machine that was asked for, and can
# a container runtime work in it? Arguments: mode, control group layout, runtimes.

set -uo pipefail

mode=$1 layout=$2
shift 2
failures=0

# check NAME COMMAND...: run the command, report under this name.
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "  ok    $name"
	else
		echo "  FAIL  $name"
		echo "        ${output//$'\n'/$'\n        '}"
		failures=$((failures + 1))
	fi
}

is() {
	[ "$1" = "$2" ] || {
		echo "have '$1', want '$2'"
		return 1
	}
}

filesystem() {
	is "$(stat -f -c %T "$1")" "$2"
}

v2_controllers() {
	local name have
	have=" $(cat /sys/fs/cgroup/cgroup.controllers) "
	for name in cpuset cpu io memory hugetlb pids rdma misc; do
		[[ $have == *" $name "* ]] || {
			echo "no controller $name in$have"
			return 1
		}
	done
}

v2_delegated() {
	local name have
	have=" $(cat /sys/fs/cgroup/cgroup.subtree_control) "
	for name in $1; do
		[[ $have == *" $name "* ]] || {
			echo "$name is not enabled in$have"
			return 1
		}
	done
}

v1_hierarchies() {
	local name
	for name in cpu cpuacct cpuset memory devices freezer blkio pids; do
		filesystem "/sys/fs/cgroup/$name" cgroupfs || return
	done
}

check_cgroups() {
	case $layout in
	v2)
		check "/sys/fs/cgroup is control group v2" filesystem /sys/fs/cgroup cgroup2fs
		check "v2 controllers" v2_controllers
		if [ "$mode" = busybox ]; then
			check "v2 controllers for children" v2_delegated \
				"cpuset cpu io memory hugetlb pids rdma misc"
		else
			check "v2 controllers for children" v2_delegated "memory pids"
		fi
		;;
	*)
		check "/sys/fs/cgroup is not v2" filesystem /sys/fs/cgroup tmpfs
		check "v1 hierarchies" v1_hierarchies
		if [ "$layout" = hybrid ]; then
			check "v2 at /sys/fs/cgroup/unified" \
				filesystem /sys/fs/cgroup/unified cgroup2fs
		else
			check "no v2 anywhere" is "$(grep -c ' cgroup2 ' /proc/mounts)" 0
		fi
		;;
	esac
}

check_systemd() {
	check "PID 1 is systemd" is "$(cat /proc/1/comm)" systemd
	check "the system is running" is "$(systemctl is-system-running --wait)" running
	check "systemd starts a unit" systemd-run --quiet --wait --pipe -p MemoryMax=32M true
}

overlay() {
	mkdir -p /tmp/overlay/{lower,upper,work,merged} &&
		mount -t tmpfs tmpfs /tmp/overlay/upper &&
		mkdir /tmp/overlay/upper/{data,work} &&
		mount -t overlay -o "lowerdir=/tmp/overlay/lower,upperdir=/tmp/overlay/upper/data,workdir=/tmp/overlay/upper/work" \
			overlay /tmp/overlay/merged &&
		touch /tmp/overlay/merged/file && test -e /tmp/overlay/upper/data/file
}

network_devices() {
	ip link add dummy7 type dummy && ip link add veth7 type veth peer name veth8 &&
		ip link add bridge7 type bridge && ip link set veth7 master bridge7
}

namespaces() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare --user --map-root-user --mount --pid --fork --net --ipc --uts --cgroup --time \
		--mount-proc sh -c 'test $$ = 1 && test "$(id -u)" = 0'
}

apparmor_profile() {
	apparmor_parser -r <<'P'
profile guest-selftest flags=(attach_disconnected,mediate_deleted) {
	file, capability, network, mount, umount, pivot_root, signal, ptrace, unix,
	deny /proc/version r,
}
P
}

# Libraries of the host that the guest lacks go where the guest's loader finds them.
install_libraries() {
	local lib
	for lib in /opt/lib/*; do
		ldconfig -p | grep -q "^[[:space:]]${lib##*/} " || cp "$lib" /usr/local/lib/
	done
	ldconfig
}

make_bundle() {
	local bundle=$1 runtime=$2 path=$3
	mkdir -p "$bundle"/rootfs/{bin,dev,proc,sys,tmp}
	cp /bin/busybox "$bundle/rootfs/bin/"
	(cd "$bundle" && "$runtime" spec) || return
	jq --arg path "$path" '.process.terminal = false
		| .process.args = ["/bin/busybox", "sh", "-c",
			"/bin/busybox cat /proc/self/attr/current; /bin/busybox cat /proc/version; /bin/busybox sleep 600"]
		| .process.apparmorProfile = "guest-selftest"
		| .linux.resources.memory.limit = 67108864
		| .linux.resources.pids.limit = 30
		| .linux.cgroupsPath = $path' "$bundle/config.json" >"$bundle/new" &&
		mv "$bundle/new" "$bundle/config.json"
}

# The value of the memory limit in the control group of process $1.
memory_limit() {
	if [ "$layout" = v2 ]; then
		cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")/memory.max"
	else
		cat "/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' \
			"/proc/$1/cgroup")/memory.limit_in_bytes"
	fi
}

# Wait for the text $2 in file $1, at most five seconds.
wait_for() {
	local tries=0
	while ! grep -q "$2" "$1" && [ $tries -lt 50 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	grep -q "$2" "$1" || {
		echo "no '$2' in the output:"
		cat "$1"
		return 1
	}
}

tools() {
	local tool
	for tool in bash bats jq gawk ps nsenter getfattr python3 newuidmap iptables; do
		command -v $tool || return
	done
}

# container RUNTIME CGROUPS: start a container with a memory limit and an AppArmor profile, look
# at it from inside and outside, stop it. CGROUPS is cgroupfs or systemd.
container() {
	local runtime=$1 options=() path=/selftest bundle pid
	bundle=$(mktemp -d)
	if [ "$2" = systemd ]; then
		options=(--systemd-cgroup)
		path=system.slice:selftest:box
	fi
	make_bundle "$bundle" "$runtime" "$path" || return
	"$runtime" "${options[@]}" run --detach --bundle "$bundle" --pid-file "$bundle/pid" box \
		>"$bundle/output" 2>&1 </dev/null || {
		cat "$bundle/output"
		return 1
	}
	pid=$(cat "$bundle/pid")
	wait_for "$bundle/output" "version.*Permission denied" &&
		grep -qx "guest-selftest (enforce)" "$bundle/output" &&
		is "$("$runtime" state box | jq -r .status)" running &&
		is "$(memory_limit "$pid")" 67108864 &&
		if [ "$2" = systemd ]; then
			is "$(systemctl show -P ActiveState selftest-box.scope)" active
		fi
	local status=$?
	[ $status = 0 ] || cat "$bundle/output" "/proc/$pid/cgroup"
	"$runtime" "${options[@]}" delete --force box || status=1
	case $(grep -s '^State:' "/proc/$pid/status") in
	'' | *Z*) ;; # PID 1 may take a moment to reap it
	*)
		echo "process $pid still exists"
		status=1
		;;
	esac
	return $status
}

check "root" is "$(id -u)" 0
check "AppArmor is enabled" is "$(cat /sys/module/apparmor/parameters/enabled)" Y
check "AppArmor in securityfs" test -e /sys/kernel/security/apparmor/profiles
check "AppArmor loads a profile" apparmor_profile
check_cgroups
if [ "$mode" = systemd ]; then
	check_systemd
fi
check "overlay file systems" overlay
check "dummy, veth and bridge devices" network_devices
check "namespaces" namespaces
check "tools of the container suites" tools

install_libraries
for runtime in "$@"; do
	check "${runtime##*/} runs a container" container "$runtime" cgroupfs
	if [ "$mode" = systemd ]; then
		check "${runtime##*/} --systemd-cgroup runs a container" container "$runtime" systemd
	fi
done
[ $failures = 0 ]
