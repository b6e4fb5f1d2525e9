#!/bin/bash
# SPDX-License-Identifier: MIT
# Options that limit: memory, processors, block devices, resource limits, shm, cgroup parent.
. "$(dirname "$0")/lib.sh"
setup
inside() { cleave run --rm "$@"; }
v1=$([ -d /sys/fs/cgroup/memory ] && echo yes)
# limit V1-FILE V2-FILE OPTION... - what the container's cgroup says
limit() {
	local file=/sys/fs/cgroup/${v1:+$1}
	[ -n "$v1" ] || file+=$2
	shift 2
	inside "$@" cleave/tiny cat "$file"
}
# both WHAT HAVE V1 V2
both() { if [ -n "$v1" ]; then is "$1" "$2" "$3"; else is "$1" "$2" "$4"; fi; }
mem=memory/memory.limit_in_bytes
is "-m" "$(limit $mem memory.max -m 64m)" 67108864
is "-m with a fraction" "$(limit $mem memory.max -m 0.5g)" 536870912
is "-m 0" "$(inside -m 0 cleave/tiny echo ok)" ok
both "--memory-reservation" "$(limit memory/memory.soft_limit_in_bytes memory.low -m 64m --memory-reservation 32m)" 33554432 33554432
if [ -z "$v1" ] || [ -f /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ]; then
	both "swap is as much again" "$(limit memory/memory.memsw.limit_in_bytes memory.swap.max -m 64m)" 134217728 67108864
	both "--memory-swap" "$(limit memory/memory.memsw.limit_in_bytes memory.swap.max -m 64m --memory-swap 96m)" 100663296 33554432
	like "--memory-swap -1" "$(limit memory/memory.memsw.limit_in_bytes memory.swap.max -m 64m --memory-swap -1)" '^(max|[0-9]{16,})$'
	is "--memory-swap as --memory" "$(inside -m 64m --memory-swap 64m cleave/tiny echo ok)" ok
fi
[ -z "$v1" ] || is "--oom-kill-disable" "$(inside -m 64m --oom-kill-disable cleave/tiny grep oom_kill_disable /sys/fs/cgroup/memory/memory.oom_control)" 'oom_kill_disable 1'
is "--oom-score-adj" "$(inside --oom-score-adj 500 cleave/tiny cat /proc/self/oom_score_adj)" 500
both "--cpu-shares" "$(limit cpu/cpu.shares cpu.weight --cpu-shares 512)" 512 59
both "-c" "$(limit cpu/cpu.shares cpu.weight -c 512)" 512 59
both "--cpu-period, --cpu-quota" "$(limit cpu/cpu.cfs_quota_us cpu.max --cpu-period 50000 --cpu-quota 25000)" 25000 '25000 50000'
is "--cpuset-cpus" "$(limit cpuset/cpuset.cpus cpuset.cpus --cpuset-cpus 0)" 0
is "--cpuset-mems" "$(limit cpuset/cpuset.mems cpuset.mems --cpuset-mems 0)" 0
is "--pids-limit 0 is no limit" "$(inside --pids-limit 0 cleave/tiny cat /sys/fs/cgroup/${v1:+pids/}pids.max)" max
like "--shm-size" "$(inside --shm-size 5m cleave/tiny df -k /dev/shm)" ' 5120 '
like "usual size of shm" "$(inside cleave/tiny df -k /dev/shm)" ' 65536 '
is "--ulimit" "$(inside --ulimit nofile=100:200 cleave/tiny sh -c 'ulimit -Sn; ulimit -Hn' | tr '\n' ' ')" '100 200 '
is "--ulimit, one number" "$(inside --ulimit nofile=99 cleave/tiny sh -c 'ulimit -Sn; ulimit -Hn' | tr '\n' ' ')" '99 99 '
is "--ulimit -1" "$(inside --ulimit core=-1 cleave/tiny sh -c 'ulimit -c')" unlimited
is "--ulimit, the last counts" "$(inside --ulimit nofile=99 --ulimit nofile=98 cleave/tiny sh -c 'ulimit -n')" 98
! as_root || is "--cgroup-parent" "$(inside --cgroup-parent /cleave-test-parent --cgroupns host cleave/tiny grep -c '/cleave-test-parent/[0-9a-f]*$' /proc/self/cgroup | grep -cv '^0$')" 1
find /sys/fs/cgroup -maxdepth 2 -name cleave-test-parent -exec rmdir {} + 2>/dev/null
disk=$(lsblk -dpno NAME 2>/dev/null | head -n 1)
[ -b "$disk" ] || disk=$(find /dev -maxdepth 1 -type b | head -n 1)
if [ -b "$disk" ] && { [ -z "$v1" ] || [ -f /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device ]; }; then
	like "--device-read-bps" "$(limit blkio/blkio.throttle.read_bps_device io.max --device-read-bps "$disk:1mb")" '1048576'
	like "--device-write-bps" "$(limit blkio/blkio.throttle.write_bps_device io.max --device-write-bps "$disk:2mb")" '2097152'
	like "--device-read-iops" "$(limit blkio/blkio.throttle.read_iops_device io.max --device-read-iops "$disk:77")" 77
	like "--device-write-iops" "$(limit blkio/blkio.throttle.write_iops_device io.max --device-write-iops "$disk:78")" 78
fi
run 0 --rm --blkio-weight 300 cleave/tiny true
[ -z "$v1" ] || [ -f /sys/fs/cgroup/blkio/blkio.weight ] || [ -f /sys/fs/cgroup/blkio/blkio.bfq.weight ] ||
	like "a weight that the kernel does not know" "$out" 'weight discarded'

r() { refuse 125 "$1" run --rm "${@:2}" cleave/tiny true; }
r 'minimum is 6m' -m 1m
r "--memory 'lots': invalid size" -m lots
r "number is too large" -m 99999999999g
r "set the limit --memory, too" --memory-swap 64m
r "must not be smaller than --memory" -m 64m --memory-swap 32m
r "must not be larger than --memory" -m 64m --memory-reservation 128m
r "range is -1000 to 1000" --oom-score-adj 1001
r "expected a number" --oom-score-adj x
r "expected a number such as 1.5" --cpus many
r "minimum is 0.01" --cpus 0.001
r "CPUs available" --cpus 10000
r "conflicting options: --cpus and --cpu-period" --cpus 1 --cpu-period 50000
r "conflicting options: --cpus and --cpu-quota" --cpus 1 --cpu-quota 50000
r "range is 1000 to 1000000" --cpu-period 5
r "minimum is 1000" --cpu-quota 5
r "range is 2 to 262144" -c 1
r "invalid list" --cpuset-cpus 0-
r "invalid list" --cpuset-cpus 3-1
r "requested CPUs are not available" --cpuset-cpus 60000
r "invalid list" --cpuset-mems a
r "--pids-limit 'many'" --pids-limit many
r "range is 10 to 1000" --blkio-weight 5
r "range is 10 to 1000" --blkio-weight-device /dev/null:5
r "bad format" --device-read-bps sda:1m
r "invalid rate" --device-read-bps /dev/null:x
r "this is no block device" --device-read-bps /dev/null:1m
r "o such file" --device-read-bps /dev/no-such-disk:1m
r "invalid ulimit type: x" --ulimit x=1
r "invalid ulimit argument" --ulimit nofile
r "less than or equal to hard limit" --ulimit nofile=2:1
r "invalid soft limit" --ulimit nofile=x
r "invalid hard limit" --ulimit nofile=1:x
r "'..' is not allowed" --cgroup-parent /a/../../b
r "invalid size" --shm-size x
