#!/bin/bash
# SPDX-License-Identifier: MIT
# update: limits of what runs, what is kept, restart policies, what is refused; port.
. "$(dirname "$0")/lib.sh"
setup
v1=$([ -d /sys/fs/cgroup/memory ] && echo yes)
# now V1-FILE V2-FILE - what the cgroup of instance "one" says
now() { cleave exec one cat "/sys/fs/cgroup/$([ -n "$v1" ] && echo "$1" || echo "$2")"; }
# both WHAT HAVE V1 V2
both() { if [ -n "$v1" ]; then is "$1" "$2" "$3"; else is "$1" "$2" "$4"; fi; }
host() { cleave inspect -f "{{.HostConfig.$1}}" one; }

run 0 -d --name one -m 64m --pids-limit 50 cleave/tiny sleep 1000
is "it prints the name" "$(cleave update -m 128m --cpus 0.5 --pids-limit 60 one)" one
is "memory" "$(now memory/memory.limit_in_bytes memory.max)" 134217728
both "cpus" "$(now cpu/cpu.cfs_quota_us cpu.max)" 50000 '50000 100000'
is "pids" "$(now pids/pids.max pids.max)" 60
is "they are kept" "$(host Memory) $(host NanoCpus) $(host PidsLimit)" '134217728 500000000 60'
cleave update --cpu-shares 512 --cpuset-cpus 0 --memory-reservation 32m one >/dev/null
both "shares" "$(now cpu/cpu.shares cpu.weight)" 512 59
is "cpuset" "$(now cpuset/cpuset.cpus cpuset.cpus)" 0
both "reservation" "$(now memory/memory.soft_limit_in_bytes memory.low)" 33554432 33554432
is "the others stay" "$(host Memory) $(now pids/pids.max pids.max)" '134217728 60'
cleave update -m 32m --memory-swap 48m --memory-reservation 0 one >/dev/null
is "less memory" "$(now memory/memory.limit_in_bytes memory.max)" 33554432
if [ -z "$v1" ] || [ -f /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ]; then
	both "swap" "$(now memory/memory.memsw.limit_in_bytes memory.swap.max)" 50331648 16777216
fi
cleave update -m 0 --cpus 0 --pids-limit -1 one >/dev/null
is "no limits" "$(host Memory) $(host MemorySwap) $(host NanoCpus)" '0 0 0'
like "no limit of memory" "$(now memory/memory.limit_in_bytes memory.max)" '^(max|[0-9]{16,})$'
both "no limit of processor time" "$(now cpu/cpu.cfs_quota_us cpu.max)" -1 'max 100000'
is "no limit of processes" "$(now pids/pids.max pids.max)" max
cleave update --cpu-period 50000 --cpu-quota 25000 one >/dev/null
both "period and quota" "$(now cpu/cpu.cfs_quota_us cpu.max)" 25000 '25000 50000'
cleave update --cpu-quota -1 one >/dev/null
both "no quota" "$(now cpu/cpu.cfs_quota_us cpu.max)" -1 'max 50000'
disk=$(lsblk -dpno NAME 2>/dev/null | head -n 1)
if [ -b "$disk" ] && { [ -z "$v1" ] || [ -f /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device ]; }; then
	cleave update --device-read-bps "$disk:1mb" --device-write-bps "$disk:1mb" one >/dev/null
	cleave update --device-read-bps "$disk:2mb" one >/dev/null
	like "block devices" "$(now blkio/blkio.throttle.read_bps_device io.max)" 2097152
	is "one entry of a device" "$(cleave inspect one | jq -c '.[0].HostConfig.BlkioDeviceReadBps|map(.Rate)')" '[2097152]'
fi

# One that is stopped gets them when it is started.
cleave stop -t 0 one >/dev/null
is "stopped" "$(cleave update -m 96m --cpu-period 0 one)" one
cleave start one >/dev/null
is "memory after a start" "$(now memory/memory.limit_in_bytes memory.max)" 100663296
like "event" "$(cleave events --since 1h --until 0s --filter event=update --format '{{.Action}} {{.Actor.Attributes.name}}' | tail -n 1)" '^update one$'

# Restart policy
cleave update --restart on-failure:2 one >/dev/null
is "policy" "$(cleave inspect one | jq -c '.[0].HostConfig.RestartPolicy')" '{"Name":"on-failure","MaximumRetryCount":2}'
is "policy, for ps" "$(cleave ps -q --filter restart-policy=on-failure | wc -l)" 1
cleave update --restart always one >/dev/null
# end - as if its program failed
end() {
	local pid
	pid=$(cleave inspect -f '{{.State.Pid}}' one)
	[ "$pid" -gt 1 ] && kill -9 "$pid" 2>/dev/null
}
until_true end
again() { [ "$(cleave inspect -f '{{.State.Running}} {{.RestartCount}}' one)" = 'true 1' ]; }
until_true again
cleave update --restart no one >/dev/null
until_true end
over() { [ "$(cleave inspect -f '{{.State.Status}}' one)" = exited ]; }
until_true over

# What is wrong changes nothing.
cleave start one >/dev/null
refuse 1 'one or more flags' update one
refuse 1 "no such instance: 'nobody'" update -m 64m nobody
refuse 1 'minimum is 6m' update -m 1m one
refuse 1 'smaller than --memory' update --memory-swap 32m one
cleave update --memory-swap 128m one >/dev/null
refuse 1 'smaller than the --memory-swap that was set before' update -m 256m one
refuse 1 'larger than --memory' update --memory-reservation 1g one
refuse 1 'conflicting options: --cpus and --cpu-quota' update --cpus 1 --cpu-quota 5000 one
refuse 1 'CPUs are not available' update --cpuset-cpus 60000 one
refuse 1 'unknown policy' update --restart sometimes one
refuse 1 'no block device' update --device-read-bps /dev/null:1m one
is "nothing was changed" "$(host Memory) $(host NanoCpus) $(now memory/memory.limit_in_bytes memory.max)" '100663296 0 100663296'
run 0 -d --rm --name two cleave/tiny sleep 1000
refuse 1 'restart policy cannot be updated' update --restart always two
is "several" "$(cleave update --pids-limit 70 one nobody two 2>/dev/null | xargs; cleave inspect -f '{{.HostConfig.PidsLimit}}' one two | xargs)" $'one two\n70 70'
for n in 71 72 73 74; do cleave update --pids-limit $n one >/dev/null & done
wait
is "many at once" "$(host PidsLimit)" "$(now pids/pids.max pids.max)"

is "port" "$(cleave port one)" ''
refuse 1 "no public port '80/tcp' published for one" port one 80
refuse 1 "no public port '53/udp' published for one" port one 53/udp
refuse 1 'invalid port' port one http
refuse 1 'no such instance' port nobody
is "container port" "$(cleave container port one; echo $?)" 0

# In a loop of failures it is hardly ever in a state that lasts
for pause in 0.05 0.25 0.5 0.75; do
	cleave run -d --name loop --restart always cleave/tiny false >/dev/null
	sleep $pause
	is "a policy for one that keeps failing" "$(cleave update --restart no loop 2>&1)" loop
	ended() { [ "$(cleave inspect -f '{{.State.Status}}' loop)" = exited ]; }
	until_true ended
	cleave rm -f loop >/dev/null
done
