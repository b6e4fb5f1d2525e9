#!/bin/bash
# SPDX-License-Identifier: MIT
# Every field with a value of the wrong type or out of range: the message names file and field.
. "$(dirname "$0")/lib.sh"
setup python3

# one line each: what the message must name, a tab, the filter
while IFS=$'\t' read -r name filter; do
	[ -n "$name" ] || continue
	conf "$filter"
	out=$("$OCI" --root "$ROOT" run -b "$B" "$ID" 2>&1 </dev/null)
	status=$?
	if [ $status = 1 ] && [ "$(wc -l <<<"$out")" = 1 ] && [[ $out == *"$B/config.json"* ]] && [[ $out == *"$name"* ]]; then
		yes "$filter"
	else
		no "$filter" "status $status: $out"
	fi
	[ ! -e "$ROOT/$ID" ] || no "state is left" "$(rm -r "${ROOT:?}/$ID")"
done <<'TABLE'
process	.process=5
process.terminal	.process.terminal="yes"
process.user	.process.user=0
process.user.uid	.process.user.uid="root"
process.user.uid	.process.user.uid=-1
process.user.uid	.process.user.uid=4294967296
process.user.gid	.process.user.gid=1.5
process.user.umask	.process.user.umask="022"
process.user.additionalGids	.process.user.additionalGids=5
process.user.additionalGids[0]	.process.user.additionalGids=["x"]
process.args	.process.args="sh"
process.args[1]	.process.args=["sh",1]
process.args	.process.args=[]
process.env	.process.env={}
process.env[0]	.process.env=[null]
process.cwd	.process.cwd="relative"
process.cwd	.process.cwd=7
process.capabilities	.process.capabilities=[]
process.capabilities.effective	.process.capabilities.effective="CAP_KILL"
process.rlimits	.process.rlimits={}
process.rlimits[0].type	.process.rlimits=[{soft:1,hard:1}]
process.rlimits[0].soft	.process.rlimits=[{type:"RLIMIT_CORE",soft:-1,hard:1}]
process.rlimits[0].hard	.process.rlimits=[{type:"RLIMIT_CORE",soft:1,hard:"x"}]
process.noNewPrivileges	.process.noNewPrivileges=1
process.apparmorProfile	.process.apparmorProfile=1
process.selinuxLabel	.process.selinuxLabel=[]
process.oomScoreAdj	.process.oomScoreAdj="x"
process.oomScoreAdj	.process.oomScoreAdj=-1001
process.scheduler	.process.scheduler="SCHED_OTHER"
process.scheduler.nice	.process.scheduler={policy:"SCHED_OTHER",nice:"x"}
process.scheduler.policy	.process.scheduler={nice:1}
process.ioPriority	.process.ioPriority=3
process.execCPUAffinity	.process.execCPUAffinity="0"
root	.root="rootfs"
root.path	.root.path=1
root.readonly	.root.readonly="x"
hostname	.hostname=1
domainname	.domainname=[]
mounts	.mounts={}
mounts[0]	.mounts=["x"]
mounts[0].destination	.mounts=[{type:"tmpfs"}]
mounts[0].destination	.mounts=[{destination:5}]
mounts[0].options	.mounts=[{destination:"/x",type:"tmpfs",options:"ro"}]
mounts[0].options[1]	.mounts=[{destination:"/x",type:"tmpfs",options:["ro",1]}]
mounts[0].source	.mounts=[{destination:"/x",type:"tmpfs",source:1}]
mounts[0].uidMappings	.mounts=[{destination:"/x",type:"bind",source:"/tmp",uidMappings:5}]
hooks	.hooks=[]
hooks.prestart[0].path	.hooks.prestart=[{}]
hooks.poststop[0].args	.hooks.poststop=[{path:"/x",args:"x"}]
hooks.poststart[0].env	.hooks.poststart=[{path:"/x",env:5}]
hooks.startContainer[0].timeout	.hooks.startContainer=[{path:"/x",timeout:"x"}]
hooks.startContainer[0].timeout	.hooks.startContainer=[{path:"/x",timeout:-1}]
annotations	.annotations=[]
annotations	.annotations={"a":1}
linux	.linux=[]
linux.namespaces	.linux.namespaces={}
linux.namespaces[0].type	.linux.namespaces=[{}]
linux.namespaces[0].path	.linux.namespaces=[{type:"mount",path:1}]
linux.uidMappings	.linux.uidMappings={}
linux.uidMappings[0]	.linux.uidMappings=[1]
linux.gidMappings[0].size	.linux.namespaces+=[{type:"user"}] | .linux.gidMappings=[{containerID:0,hostID:0,size:"x"}]
linux.timeOffsets	.linux.timeOffsets=[]
linux.devices	.linux.devices={}
linux.devices[0].path	.linux.devices=[{path:1,type:"c",major:1,minor:3}]
linux.devices[0].fileMode	.linux.devices=[{path:"/x",type:"c",major:1,minor:3,fileMode:"x"}]
linux.devices[0].major	.linux.devices=[{path:"/x",type:"c",major:"1",minor:3}]
linux.netDevices	.linux.netDevices=[]
linux.cgroupsPath	.linux.cgroupsPath=[]
linux.resources	.linux.resources=5
linux.resources.devices	.linux.resources.devices={}
linux.resources.devices[0].allow	.linux.resources.devices=[{allow:"x"}]
linux.resources.memory	.linux.resources.memory=5
linux.resources.memory.limit	.linux.resources.memory.limit="1g"
linux.resources.memory.limit	.linux.resources.memory.limit=9223372036854775808
linux.resources.memory.swappiness	.linux.resources.memory.swappiness=101
linux.resources.cpu	.linux.resources.cpu=[]
linux.resources.cpu.quota	.linux.resources.cpu.quota="x"
linux.resources.cpu.period	.linux.resources.cpu.period=-1
linux.resources.cpu.cpus	.linux.resources.cpu.cpus=0
linux.resources.pids	.linux.resources.pids=5
linux.resources.pids.limit	.linux.resources.pids.limit="x"
linux.resources.blockIO	.linux.resources.blockIO=1
linux.resources.blockIO.weight	.linux.resources.blockIO.weight=70000
linux.resources.blockIO.throttleReadBpsDevice	.linux.resources.blockIO.throttleReadBpsDevice=5
linux.resources.hugepageLimits	.linux.resources.hugepageLimits={}
linux.resources.hugepageLimits[0].limit	.linux.resources.hugepageLimits=[{pageSize:"2MB",limit:"x"}]
linux.resources.network.classID	.linux.resources.network.classID="x"
linux.resources.rdma	.linux.resources.rdma=[]
linux.resources.unified	.linux.resources.unified=[]
linux.rootfsPropagation	.linux.rootfsPropagation=1
linux.seccomp	.linux.seccomp=[]
linux.seccomp.defaultAction	.linux.seccomp={syscalls:[{names:["getpid"],action:"SCMP_ACT_ERRNO"}]}
linux.seccomp.syscalls	.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",syscalls:{}}
linux.seccomp.syscalls[0].names	.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",syscalls:[{action:"SCMP_ACT_ERRNO"}]}
linux.seccomp.syscalls[0].errnoRet	.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",syscalls:[{names:["getpid"],action:"SCMP_ACT_ERRNO",errnoRet:"x"}]}
linux.seccomp.architectures	.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",architectures:"x"}
linux.seccomp.flags	.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW",flags:"x"}
linux.sysctl	.linux.sysctl=[]
linux.maskedPaths	.linux.maskedPaths="x"
linux.readonlyPaths	.linux.readonlyPaths=5
linux.mountLabel	.linux.mountLabel=5
linux.intelRdt	.linux.intelRdt=5
linux.memoryPolicy	.linux.memoryPolicy=5
linux.personality	.linux.personality="LINUX"
TABLE
eq "no cgroup, process or mount is left" "$(leftovers)" ""
