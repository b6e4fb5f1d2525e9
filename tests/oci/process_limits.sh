#!/bin/bash
# SPDX-License-Identifier: MIT
# rlimits, oomScoreAdj, no_new_privs, scheduler, ioPriority, personality, CPU affinity.
. "$(dirname "$0")/lib.sh"
setup
need chrt ionice setarch

gives "RLIMIT_NOFILE" 'ulimit -Sn; ulimit -Hn' $'100\n200' '.process.rlimits=[{type:"RLIMIT_NOFILE",soft:100,hard:200}]'
n=0
for r in AS CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NPROC RSS RTPRIO RTTIME SIGPENDING STACK; do
	soft=$((1000000000 + ++n)) # large enough to run with, within the machine's own limits below
	case $r in
	CORE | LOCKS | MSGQUEUE | RTTIME | MEMLOCK | NPROC | SIGPENDING) soft=$((9000 + n)) ;;
	NICE | RTPRIO) soft=0 ;;
	esac
	rlimits="${rlimits:+$rlimits,}{type:\"RLIMIT_$r\",soft:$soft,hard:$soft}"
	want="$want$soft "
done
gives "every other rlimit" 'awk "/address|core|cpu|data|file size|file locks|locked|msgqueue|nice|processes|resident|realtime|pending|stack/ \
	{ sub(/^Max [a-z ]*  +/, \"\"); print \$1 }" /proc/self/limits | sort | tr "\n" " "' \
	"$(tr ' ' '\n' <<<"$want" | grep . | sort | tr '\n' ' ')" ".process.rlimits=[$rlimits]"
refuse "an rlimit given twice" 'rlimits.*RLIMIT_CORE' '.process.rlimits=[{type:"RLIMIT_CORE",soft:1,hard:1},{type:"RLIMIT_CORE",soft:2,hard:2}]'
refuse "an unknown rlimit" 'rlimits.*RLIMIT_X' '.process.rlimits=[{type:"RLIMIT_X",soft:1,hard:1}]'
refuse "a soft limit above the hard one" 'RLIMIT_CORE|soft' '.process.rlimits=[{type:"RLIMIT_CORE",soft:2,hard:1}]'

gives "oomScoreAdj" 'cat /proc/self/oom_score_adj' 77 '.process.oomScoreAdj=77'
refuse "oomScoreAdj out of range" 'oomScoreAdj.*1001' '.process.oomScoreAdj=1001'
gives "noNewPrivileges true" 'grep NoNewPrivs /proc/self/status' $'NoNewPrivs:\t1' '.process.noNewPrivileges=true'
gives "noNewPrivileges false" 'grep NoNewPrivs /proc/self/status' $'NoNewPrivs:\t0' '.process.noNewPrivileges=false'

for p in SCHED_OTHER=0:5 SCHED_BATCH=3:3; do
	gives "scheduler ${p%%=*} with nice" 'cat /proc/self/stat | awk "{ print \$41, \$19 }"' "$(tr : ' ' <<<"${p#*=}")" \
		".process.scheduler={policy:\"${p%%=*}\",nice:${p#*:}}"
done
gives "scheduler SCHED_IDLE" 'awk "{ print \$41 }" /proc/self/stat' 5 '.process.scheduler={policy:"SCHED_IDLE"}'
if chrt -f 7 true 2>/dev/null; then
	rt=.
	# with realtime groups a cgroup may run such a task only when it has a share
	[ ! -e "$(cg_dir cpu .)/cpu.rt_runtime_us" ] || rt='.linux.resources.cpu={realtimePeriod:1000000,realtimeRuntime:2000}'
	gives "scheduler SCHED_FIFO with priority" 'awk "{ print \$41, \$40 }" /proc/self/stat' '1 7' \
		'.process.scheduler={policy:"SCHED_FIFO",priority:7}' "$rt"
	gives "scheduler SCHED_RR, reset on fork" 'awk "{ print \$41 }" /proc/1/stat; awk "{ print \$41 }" /proc/self/stat; :' $'2\n0' \
		'.process.scheduler={policy:"SCHED_RR",priority:3,flags:["SCHED_FLAG_RESET_ON_FORK"]}' "$rt"
fi
refuse "an unknown policy" 'scheduler.policy.*SCHED_X' '.process.scheduler={policy:"SCHED_X"}'
refuse "an unknown scheduler flag" 'scheduler.flags.*F' '.process.scheduler={policy:"SCHED_OTHER",flags:["F"]}'

for c in RT=1:2 BE=2:7 IDLE=3:0; do
	k=${c#*=}
	gives "ioPriority IOPRIO_CLASS_${c%%=*}" 'ionice -p 1' \
		"$(case ${c%%=*} in RT) echo "realtime: prio 2" ;; BE) echo "best-effort: prio 7" ;; *) echo idle ;; esac)" \
		".process.ioPriority={class:\"IOPRIO_CLASS_${c%%=*}\",priority:${k#*:}}"
done
refuse "ioPriority out of range" 'ioPriority' '.process.ioPriority={class:"IOPRIO_CLASS_BE",priority:8}'
refuse "an unknown ioPriority class" 'ioPriority.class.*X' '.process.ioPriority={class:"X",priority:1}'

gives "personality LINUX32" 'uname -m' i686 '.linux.personality={domain:"LINUX32"}'
gives "personality LINUX" 'uname -m' "$(uname -m)" '.linux.personality={domain:"LINUX"}'
refuse "an unknown personality" 'personality.domain.*X' '.linux.personality={domain:"X"}'

if [ "$(nproc)" -ge 2 ]; then
	up
	jq '.process | .args=["sh","-c","grep Cpus_allowed_list: /proc/self/status"] | .execCPUAffinity={initial:"0",final:"1"}' \
		"$B/config.json" >"$T/p.json"
	attempt exec --process "$T/p.json" "$ID"
	eq "execCPUAffinity.final" "$out" $'Cpus_allowed_list:\t1'
	jq '.execCPUAffinity={initial:"0"}' "$T/p.json" >"$T/p2.json"
	attempt exec --process "$T/p2.json" "$ID"
	eq "execCPUAffinity.initial alone stays" "$out" $'Cpus_allowed_list:\t0'
	jq '.execCPUAffinity={initial:"0-x"}' "$T/p.json" >"$T/p3.json"
	fails "a CPU list that is none" 'execCPUAffinity.initial.*0-x' exec --process "$T/p3.json" "$ID"
	down
	conf '.process.args=["sleep","1000"] | .process.execCPUAffinity={final:"1"}'
	oci run -d -b "$B" "$ID" >/dev/null 2>&1
	attempt exec "$ID" grep Cpus_allowed_list: /proc/self/status
	eq "execCPUAffinity of config.json holds for every exec" "$out" $'Cpus_allowed_list:\t1'
fi
down
gives "a limit of descriptors that the set-up is above" 'ulimit -n; echo $HOME' "3"$'\n'/root '.process.rlimits=[{type:"RLIMIT_NOFILE",soft:3,hard:3}]'
attempt create -b "$B" "$ID"
like "create needs some to wait with" "$status $out" '^1 .*RLIMIT_NOFILE 3 is under 6'
