#!/bin/bash
# SPDX-License-Identifier: MIT
# linux.resources on cgroup v1: every field is seen in its file.
. "$(dirname "$0")/lib.sh"
setup
cg_dir memory >/dev/null || skip "no cgroup v1"

show() { # WHAT CONTROLLER FILE WANT: of the container that runs
	if [ ! -e "$(cg_dir "$2" "$ID")/$3" ]; then echo "skip: no $3 ($1)"; else eq "$1" "$(cg "$2" "$3")" "$4"; fi
}
up '.linux.resources={memory:{limit:67108864,reservation:33554432,swap:134217728,swappiness:11,disableOOMKiller:true},
	cpu:{shares:321,quota:25000,period:50000,burst:1000,cpus:"0",mems:"0"},pids:{limit:77}}'
show memory.limit memory memory.limit_in_bytes 67108864
show memory.reservation memory memory.soft_limit_in_bytes 33554432
show memory.swap memory memory.memsw.limit_in_bytes 134217728
show memory.swappiness memory memory.swappiness 11
show memory.disableOOMKiller memory memory.oom_control "$(printf 'oom_kill_disable 1\nunder_oom 0\noom_kill 0')"
show cpu.shares cpu cpu.shares 321
show cpu.quota cpu cpu.cfs_quota_us 25000
show cpu.period cpu cpu.cfs_period_us 50000
show cpu.burst cpu cpu.cfs_burst_us 1000
show cpu.cpus cpuset cpuset.cpus 0
show cpu.mems cpuset cpuset.mems 0
show pids.limit pids pids.max 77
pid=$(field pid)
for c in memory cpu cpuset pids freezer devices blkio cpuacct name=systemd; do
	cg_dir "$c" >/dev/null && like "the process is in $c" "$(grep -E "[:,]${c}[,:]" "/proc/$pid/cgroup")" "/$ID\$"
done
down
up '.linux.resources={memory:{limit:-1},pids:{limit:-1},cpu:{quota:-1}}'
show "memory.limit -1" memory memory.limit_in_bytes 9223372036854771712
show "pids.limit -1" pids pids.max max
show "cpu.quota -1" cpu cpu.cfs_quota_us -1
down
if [ -e "$(cg_dir cpu .)/cpu.idle" ]; then
	up '.linux.resources.cpu={idle:1}'
	show cpu.idle cpu cpu.idle 1
	down
fi
if [ -e "$(cg_dir cpu .)/cpu.rt_runtime_us" ]; then
	up '.linux.resources.cpu={realtimePeriod:900000,realtimeRuntime:1500}'
	show cpu.realtimePeriod cpu cpu.rt_period_us 900000
	show cpu.realtimeRuntime cpu cpu.rt_runtime_us 1500
	down
fi
dev=$(lsblk -dnro MAJ:MIN 2>/dev/null | head -1)
if [ -n "$dev" ]; then
	d="major:${dev%:*},minor:${dev#*:}"
	up ".linux.resources.blockIO={throttleReadBpsDevice:[{$d,rate:1048576}],throttleWriteBpsDevice:[{$d,rate:2097152}],
		throttleReadIOPSDevice:[{$d,rate:300}],throttleWriteIOPSDevice:[{$d,rate:400}]}"
	show throttleReadBpsDevice blkio blkio.throttle.read_bps_device "$dev 1048576"
	show throttleWriteBpsDevice blkio blkio.throttle.write_bps_device "$dev 2097152"
	show throttleReadIOPSDevice blkio blkio.throttle.read_iops_device "$dev 300"
	show throttleWriteIOPSDevice blkio blkio.throttle.write_iops_device "$dev 400"
	down
fi
h=/sys/fs/cgroup/unified
if [ -e $h/cgroup.controllers ] && grep -qw hugetlb $h/cgroup.controllers; then
	up '.linux.resources.hugepageLimits=[{pageSize:"2MB",limit:4194304}]'
	eq "hugepageLimits of a controller that is in v2" "$(cat "$h/$ID/hugetlb.2MB.max" 2>&1)" 4194304
	down
fi
conf '.linux.resources.memory={limit:33554432}' "$(script 'head -c 100000000 /dev/zero | tail -c 99999999 | wc -c')"
attempt run -b "$B" "$ID"
unlike "the memory limit is real" "$out" 99999999
conf '.linux.resources.pids={limit:3}' "$(script 'sleep 1 & sleep 1 & sleep 1 & sleep 1 & echo done')"
attempt run -b "$B" "$ID"
like "the pids limit is real" "$out" "can't fork|unavailable"
refuse "memory.swap below memory.limit" 'swap|memory' '.linux.resources.memory={limit:67108864,swap:33554432}'
refuse "a cpuset that is not there" 'cpus' '.linux.resources.cpu={cpus:"4000"}'
refuse "swappiness out of range" 'swappiness.*1000' '.linux.resources.memory={swappiness:1000}'
refuse "cpu.shares that are text" 'cpu.shares' '.linux.resources.cpu={shares:"many"}'
refuse "unified without cgroup v2 controllers for it" 'unified|memory' '.linux.resources.unified={"memory.high":"1"}'
