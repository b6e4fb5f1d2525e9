#!/bin/bash
# SPDX-License-Identifier: MIT
# update: every flag, a file, standard input, refusals.
. "$(dirname "$0")/lib.sh"
setup
cg_dir memory >/dev/null || skip "no cgroup v1"

up '.linux.resources={memory:{limit:67108864},pids:{limit:20}}'
set_and_see() { # CONTROLLER FILE WANT FLAG...
	local c=$1 f=$2 want=$3
	shift 3
	if [ ! -e "$(cg_dir "$c" "$ID")/$f" ]; then
		echo "skip: no $f ($*)"
		return
	fi
	attempt update "$@" "$ID"
	[ "$status" = 0 ] || { no "update $*" "$out"; return; }
	eq "update $*" "$(cg "$c" "$f")" "$want"
}
set_and_see memory memory.limit_in_bytes 134217728 --memory 134217728
set_and_see memory memory.limit_in_bytes 100663296 --memory 96m
set_and_see memory memory.memsw.limit_in_bytes 268435456 --memory-swap 268435456
set_and_see memory memory.memsw.limit_in_bytes 536870912 --memory 402653184 --memory-swap 536870912
set_and_see memory memory.limit_in_bytes 33554432 --memory 33554432 --memory-swap 50331648
set_and_see memory memory.soft_limit_in_bytes 16777216 --memory-reservation 16777216
set_and_see memory memory.limit_in_bytes 9223372036854771712 --memory -1 --memory-swap -1
set_and_see cpu cpu.cfs_period_us 50000 --cpu-period 50000
set_and_see cpu cpu.cfs_quota_us 20000 --cpu-quota 20000
set_and_see cpu cpu.cfs_burst_us 5000 --cpu-burst 5000
set_and_see cpu cpu.cfs_quota_us 60000 --cpu-period 100000 --cpu-quota 60000
set_and_see cpu cpu.cfs_quota_us -1 --cpu-burst 0 --cpu-quota -1
set_and_see cpu cpu.shares 200 --cpu-share 200
set_and_see cpu cpu.rt_period_us 800000 --cpu-rt-period 800000
set_and_see cpu cpu.rt_runtime_us 900 --cpu-rt-runtime 900
set_and_see cpuset cpuset.cpus 0 --cpuset-cpus 0
set_and_see cpuset cpuset.mems 0 --cpuset-mems 0
set_and_see pids pids.max 10 --pids-limit 10
set_and_see pids pids.max max --pids-limit -1
set_and_see blkio blkio.weight 500 --blkio-weight 500
set_and_see blkio blkio.bfq.weight 500 --blkio-weight 500
set_and_see cpu cpu.idle 1 --cpu-idle 1
echo '{"memory":{"limit":50331648},"cpu":{"cpus":"0"},"pids":{"limit":33}}' >"$T/r.json"
set_and_see pids pids.max 33 --resources "$T/r.json"
eq "the file's other fields too" "$(cg memory memory.limit_in_bytes)" 50331648
echo '{"pids":{"limit":44}}' | oci update -r - "$ID"
eq "from standard input" "$(cg pids pids.max)" 44
eq "what is not named stays" "$(cg memory memory.limit_in_bytes)" 50331648

fails "a number that is none" 'memory.*lots' update --memory lots "$ID"
fails "a cpuset that is not there" 'cpus' update --cpuset-cpus 4000 "$ID"
fails "a swap limit below memory" 'swap|memory' update --memory 67108864 --memory-swap 33554432 "$ID"
fails "a file that is missing" '/nowhere' update -r /nowhere "$ID"
echo '{"pids":{"limit":"x"}}' >"$T/r.json"
fails "a file with a wrong type" 'r.json.*pids.limit' update -r "$T/r.json" "$ID"
echo '{"pids":' >"$T/r.json"
fails "a file that is no JSON" 'r.json' update -r "$T/r.json" "$ID"
fails "an unknown container" 'nobody' update --pids-limit 3 nobody
fails "an unknown flag" 'no-such' update --no-such 3 "$ID"
oci kill "$ID" KILL
soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q stopped"
fails "a stopped container" 'not running' update --pids-limit 3 "$ID"
