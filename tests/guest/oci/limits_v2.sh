#!/bin/bash
# SPDX-License-Identifier: MIT
# linux.resources on cgroup v2: every field is seen in its file, at the start and after an update.
. "$(dirname "$0")/../../oci/lib.sh"
setup losetup
C=/sys/fs/cgroup/$ID
[ -e /sys/fs/cgroup/cgroup.controllers ] || skip "no cgroup v2"

show() { # WHAT FILE WANT
	eq "$1" "$(cat "$C/$2" 2>&1)" "$3"
}
up '.linux.resources={memory:{limit:67108864,reservation:33554432,swap:134217728},
	cpu:{shares:1024,quota:25000,period:50000,burst:1000,cpus:"0",mems:"0"},pids:{limit:77},
	hugepageLimits:[{pageSize:"2MB",limit:4194304}],
	unified:{"memory.high":"50331648","cgroup.max.depth":"5"}}'
show memory.limit memory.max 67108864
show "memory.swap, without the memory that v1 counts" memory.swap.max 67108864
show memory.reservation memory.low 33554432
show "cpu.shares as weight" cpu.weight 100
show "cpu.quota and period" cpu.max '25000 50000'
show cpu.cpus cpuset.cpus 0
show cpu.mems cpuset.mems 0
show pids.limit pids.max 77
show hugepageLimits hugetlb.2MB.max 4194304
show "hugepageLimits of reservations" hugetlb.2MB.rsvd.max 4194304
show "unified memory.high" memory.high 50331648
show "unified cgroup.max.depth" cgroup.max.depth 5
like cpu.burst "$(cat "$C/cpu.max.burst")" '^1(000)?$' # kernels before 6.9 divide by 1000
eq "the process is in it" "$(cat "$C/cgroup.procs")" "$(field pid)"
check "update memory and swap" oci update --memory 33554432 --memory-swap 50331648 "$ID"
show "memory.limit updated" memory.max 33554432
show "memory.swap updated" memory.swap.max 16777216
check "update swap alone" oci update --memory-swap 83886080 "$ID"
show "memory.limit is left" memory.max 33554432
show "swap counts from it" memory.swap.max 50331648
check "update both to unlimited" oci update --memory -1 --memory-swap -1 "$ID"
show "memory.limit -1" memory.max max
show "memory.swap -1" memory.swap.max max
check "update cpu.quota" oci update --cpu-quota 30000 "$ID"
show "the period is left" cpu.max '30000 50000'
check "update cpu.period" oci update --cpu-period 60000 "$ID"
show "the quota is left" cpu.max '30000 60000'
check "update pids" oci update --pids-limit 10 "$ID"
show "pids.limit updated" pids.max 10
check "update cpu.idle" oci update --cpu-idle 1 "$ID"
show cpu.idle cpu.idle 1
echo '{"unified":{"memory.low":"1048576"}}' | oci update -r - "$ID" || no "update -r -"
show "unified updated" memory.low 1048576
fails "a limit below the usage with checkBeforeUpdate" 'rejecting memory' update -r <(echo '{"memory":{"limit":4096,"checkBeforeUpdate":true}}') "$ID"
show "nothing was written" memory.max max
down

truncate -s 1M "$T/disk"
loop=$(losetup -f --show "$T/disk") && d=$(lsblk -dnro MAJ:MIN "$loop" | tr -d ' ')
m="major:${d%:*},minor:${d#*:}"
up ".linux.resources.blockIO={weight:500,throttleReadBpsDevice:[{$m,rate:1048576}],throttleWriteBpsDevice:[{$m,rate:2097152}],
	throttleReadIOPSDevice:[{$m,rate:300}],throttleWriteIOPSDevice:[{$m,rate:400}]}"
show "blockIO throttling" io.max "$d rbps=1048576 wbps=2097152 riops=300 wiops=400"
if [ -e "$C/io.bfq.weight" ]; then
	show "blockIO.weight for BFQ" io.bfq.weight 'default 500'
else
	show "blockIO.weight" io.weight 'default 4950'
fi
down
losetup -d "$loop"

conf '.linux.resources.memory={limit:33554432,swap:33554432}' "$(script 'head -c 100000000 /dev/zero | tail -c 99999999 | wc -c')"
attempt run -b "$B" "$ID"
unlike "the memory limit is real" "$out" 99999999
conf '.linux.resources.pids={limit:3}' "$(script 'sleep 1 & sleep 1 & sleep 1 & sleep 1 & echo done')"
attempt run -b "$B" "$ID"
like "the pids limit is real" "$out" "can't fork|unavailable"
gives "the CPU set is real" 'grep Cpus_allowed_list /proc/self/status' $'Cpus_allowed_list:\t0' '.linux.resources.cpu={cpus:"0"}'
refuse "memory.swap below memory.limit" 'swap|memory' '.linux.resources.memory={limit:67108864,swap:33554432}'
refuse "a cpuset that is not there" 'cpus' '.linux.resources.cpu={cpus:"4000"}'
refuse "a unified key of no controller" 'no.such' '.linux.resources.unified={"no.such":"1"}'
refuse "a unified key with a slash" 'slash' '.linux.resources.unified={"../memory.max":"1"}'
refuse "a unified value the kernel refuses" 'memory.max' '.linux.resources.unified={"memory.max":"many"}'
refuse "a huge page size that is not there" 'hugepageLimits|hugetlb' '.linux.resources.hugepageLimits=[{pageSize:"3MB",limit:1}]'
