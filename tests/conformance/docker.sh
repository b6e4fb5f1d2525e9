#!/bin/bash
# SPDX-License-Identifier: MIT
# Docker's engine (dockerd, its own containerd, the docker client) drives the runtime $CLEAVE_OCI.
# See README.md.
# shellcheck disable=SC2016,SC2086,SC2154,SC2317,SC2319 # $ is for the inner shell; functions run by t
# shellcheck source=tests/conformance/lib.sh
. "$(dirname "$0")/lib.sh"

cleanup_clients() {
	local ids
	[ -n "${daemon:-}" ] || return
	ids=$(d ps -aq)
	# shellcheck disable=SC2086 # a list of ids
	[ -z "$ids" ] || d rm -f $ids
	kill "$daemon"
	wait "$daemon"
}

d() { limited "$T/bin/d" "$@"; }
run() { d run --rm "$@"; }
# up NAME [OPTION...] IMAGE... - a container in the background.
up() { d run -d --name "$@" >"$T/up"; }
down() { d rm -f "$1" >/dev/null; }
inspect() { d container inspect --format "$2" "$1"; }
pid_of() { inspect "$1" '{{.State.Pid}}'; }

CLIENT=${DOCKER:-/usr/bin/docker}
client_setup docker dockerd containerd containerd-shim-runc-v2 "$CLIENT"
mkdir -p "$T"/{root,exec,client,config}
cat >"$T/daemon.json" <<EOF
{
	"data-root": "$T/root", "exec-root": "$T/exec", "pidfile": "$T/dockerd.pid",
	"deprecated-key-path": "$T/key.json", "hosts": ["unix://$T/sock"],
	"bridge": "none", "iptables": false, "ip6tables": false, "ip-forward": false,
	"storage-driver": "overlay2", "cgroup-parent": "/$PARENT",
	"exec-opts": ["native.cgroupdriver=cgroupfs"],
	"runtimes": { "cleave": { "path": "$OCI" } }, "default-runtime": "cleave"
}
EOF
cat >"$T/bin/d" <<EOF
#!/bin/sh
unset DOCKER_HOST DOCKER_CONTEXT
export DOCKER_CONFIG=$T/client DOCKER_BUILDKIT=0
exec $CLIENT -H unix://$T/sock "\$@"
EOF
chmod +x "$T/bin/d"
TMPDIR=$T dockerd --config-file "$T/daemon.json" >"$T/daemon.log" 2>&1 </dev/null &
daemon=$!
if ! eventually d version >/dev/null; then
	tail -n 20 "$T/daemon.log" | sed 's/^/# /'
	echo "Bail out! dockerd does not start"
	exit 1
fi

# --- the runtime is really ours

t "import makes an image from a root filesystem" d import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin' "$T/rootfs.tar" box
t "info names the runtime" matches cleave d info --format '{{.DefaultRuntime}}'
recorded() {
	up rec box sleep 99 && prints cleave inspect rec '{{.HostConfig.Runtime}}' &&
		matches "$OCI" grep -rh . "$T/exec/containerd/daemon/io.containerd.runtime.v2.task/moby/" --include options.json
	local result=$?
	down rec
	return "$result"
}
t "the task records the runtime's path" recorded

# --- exit codes

t "run: status 0" status 0 run box true
t "run: status 3" status 3 run box sh -c 'exit 3'
differs crun "the engine does not understand its message"
t "run: 126 for a file that cannot be executed" status 126 run box /etc/not-executable
differs crun "the engine does not understand its message"
t "run: 127 for a command that does not exist" status 127 run box /no/such/command
differs crun "the engine does not understand its message"
t "run: 127 for a name not found in PATH" status 127 run box no-such-command
t "run: a command not found is named in the error" fails 'no-such-command.*not found' run box no-such-command
exit_code_kept() {
	status 127 run_kept box no-such-command && prints 127 inspect kept '{{.State.ExitCode}}'
	local result=$?
	down kept
	return "$result"
}
run_kept() { d run --name kept "$@"; }
differs crun "the engine does not understand its message"
t "run: 127 is the exit code that inspect shows" exit_code_kept
killed() { up victim box sleep 99 && d kill victim && prints 137 d wait victim && down victim; }
t "kill ends with 137" killed

# --- process settings

t "run prints stdout" prints hello run box echo hello
stderr_apart() { run box sh -c 'echo out; echo err >&2' >"$T/o" 2>"$T/e" && prints out cat "$T/o" && prints err cat "$T/e"; }
t "run keeps stderr apart" stderr_apart
t "run --env" prints 'a b' run --env X='a b' box sh -c 'echo "$X"'
t "run -w makes a missing directory" prints /made/here run -w /made/here box pwd
t "run -u UID:GID" prints 1234:4321 run -u 1234:4321 box sh -c 'echo $(id -u):$(id -g)'
t "run -u name takes groups from /etc/group" prints '1000 1000 2000' run -u user box sh -c 'echo $(id -u) $(id -G)'
t "run --group-add" matches '(^| )777( |$)' run --group-add 777 box id -G
t "run --hostname" prints box.test run --hostname box.test box hostname
t "run --domainname" prints dom.test run --domainname dom.test box cat /proc/sys/kernel/domainname
stdin_pipe() { printf 'one\ntwo\n' | run -i box cat; }
t "run -i reads a pipe" prints $'one\ntwo' stdin_pipe
stdin_large() { head -c 3000000 /dev/zero | run -i box wc -c; }
t "run -i passes 3 MB and the end of file" prints 3000000 stdin_large
t "run -t: a terminal" matches tty-everywhere on_tty "$T/bin/d" run --rm -t box sh -c 'test -t 0 && test -t 1 && test -t 2 && echo tty-everywhere'
t "run -t: window size" matches '33 77' on_tty "$T/bin/d" run --rm -t box sh -c \
	'i=0; while [ "$(stty size)" != "33 77" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done; stty size'
t "run -t: exit status" status 5 on_tty "$T/bin/d" run --rm -t box sh -c 'exit 5'
t "no descriptor of the runtime is open in the container" prints '0 1 2 3' run box sh -c 'echo $(ls /proc/self/fd)'

# --- files

echo data >"$T/share/file"
t "run -v: read" prints data run -v "$T/share:/mnt" box cat /mnt/file
bind_rw() { run -v "$T/share:/mnt:rw" box sh -c 'echo new >/mnt/written' && prints new cat "$T/share/written"; }
t "run -v :rw writes to the host" bind_rw
t "run -v :ro refuses to write" fails 'read-only' run -v "$T/share:/mnt:ro" box touch /mnt/no
t "run -v with a named volume" prints kept run -v vol:/data box sh -c 'echo kept >/data/f; cat /data/f'
t "run -v: the named volume lasts" prints kept run -v vol:/data box cat /data/f
t "run --tmpfs" matches '^tmpfs /scratch tmpfs .*size=1024k' run --tmpfs /scratch:size=1m,mode=700 box grep scratch /proc/mounts
t "run --mount type=tmpfs with a mode" prints 700 run --mount type=tmpfs,destination=/x,tmpfs-mode=700 box stat -c %a /x
t "run --read-only" fails 'read-only' run --read-only box touch /no
t "run --shm-size" matches '^shm /dev/shm tmpfs .*size=2048k' run --shm-size 2m box grep /dev/shm /proc/mounts
t "/proc/sys is read-only" fails 'read-only' run box sh -c 'echo x >/proc/sys/kernel/domainname'
t "/proc/keys is masked" status 0 run box grep -q ' /proc/keys ' /proc/mounts
t "run --security-opt systempaths=unconfined" status 1 run --security-opt systempaths=unconfined box grep -q ' /proc/keys ' /proc/mounts
t "run --device" matches '^crw.* 10, 237 .* /dev/there' run --device /dev/loop-control:/dev/there box ls -l /dev/there
t "run --device opens" status 0 run --device /dev/loop-control:/dev/there box sh -c ': </dev/there'
t "a device outside the list is refused" fails 'not permitted' run box sh -c 'mknod /x c 10 237 && : </x'
t "run --device-cgroup-rule" status 0 run --device-cgroup-rule 'c 10:237 rwm' box sh -c 'mknod /x c 10 237 && : </x'

# --- isolation

status_field() { prints "$2" run "${@:3}" box awk -v f="$1:" '$1 == f { print $2 }' /proc/self/status; }
t "run: default capabilities" status_field CapEff 00000000a80425fb
t "run --cap-drop ALL" status_field CapBnd 0000000000000000 --cap-drop ALL
t "run --cap-drop ALL --cap-add" status_field CapEff 0000000000002001 --cap-drop ALL --cap-add CHOWN --cap-add NET_RAW
t "run -u keeps no effective capability" status_field CapEff 0000000000000000 -u 1000
t "run: seccomp filter is on by default" status_field Seccomp 2
t "run: mounting is refused by default" fails 'not permitted|permission denied' run box mount -t tmpfs tmpfs /mnt
t "run --security-opt seccomp=unconfined" status_field Seccomp 0 --security-opt seccomp=unconfined
secc() { run --security-opt "seccomp=$T/seccomp.json" "$@"; }
t "seccomp=FILE: a call fails with EPERM" fails 'not permitted' secc box mkdir /x
t "seccomp=FILE: a call fails with the profile's errno" fails 'no space' secc box rmdir /tmp
t "seccomp=FILE: a call kills with SIGSYS" status 159 secc --cap-add SYS_ADMIN box hostname x
t "run --security-opt no-new-privileges" status_field NoNewPrivs 1 --security-opt no-new-privileges
t "run --ulimit" prints '512 640' run --ulimit nofile=512:640 box sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)'
t "run --sysctl" prints 7777 run --sysctl net.core.somaxconn=7777 box cat /proc/sys/net/core/somaxconn
t "run --oom-score-adj" prints 500 run --oom-score-adj 500 box cat /proc/self/oom_score_adj
if grep -q 'CapBnd:.*1ffffffffff' /proc/self/status; then
	t "run --privileged: /sys is writable" matches ' /sys sysfs rw' run --privileged box grep ' /sys ' /proc/mounts
else
	skip "run --privileged: /sys is writable" "root lacks a capability here"
fi
same_ns() { [ "$(readlink "/proc/self/ns/$1")" = "$(run "${@:2}" box readlink "/proc/self/ns/$1")" ]; }
ns_all() { local n; for n in pid mnt ipc uts net; do ! same_ns $n || { echo "$n is the host's"; return 1; }; done; }
t "own pid, mnt, ipc, uts and net namespaces" ns_all
t "run --pid host" same_ns pid --pid host
t "run --ipc host" same_ns ipc --ipc host
t "run --uts host" same_ns uts --uts host
t "run --network host" same_ns net --network host
t "run --network none has only lo, and it is up" matches '^ *inet 127.0.0.1/8' run --network none box sh -c '[ "$(ls /sys/class/net)" = lo ] && ip addr show lo'
t "run --cgroupns private" matches '^[0-9]+:(memory)?:/$' run --cgroupns private box cat /proc/self/cgroup
share_ns() {
	local ns o result=0
	up donor --ipc shareable box sleep 99 || return
	for ns in pid ipc net; do
		o=--$ns
		[ $ns = net ] && o=--network
		prints "$(readlink "/proc/$(pid_of donor)/ns/$ns")" run "$o" container:donor box readlink /proc/self/ns/$ns || result=1
	done
	down donor
	return "$result"
}
t "run --pid, --ipc, --network container:" share_ns

# --- limits

in_cgroup() { # OPTION VALUE CONTROLLER V1-FILE V1-WANT V2-FILE V2-WANT
	local want=$5 result=0
	[ -d "/sys/fs/cgroup/$3" ] || want=$7
	up lim "$1" "$2" box sleep 99 && prints "$want" cgroup_value "$(pid_of lim)" "$3" "$4" "$6" || result=1
	down lim
	return "$result"
}
t "run --memory" in_cgroup --memory 64m memory memory.limit_in_bytes 67108864 memory.max 67108864
t "run --pids-limit" in_cgroup --pids-limit 77 pids pids.max 77 pids.max 77
t "run --cpu-shares" in_cgroup --cpu-shares 512 cpu cpu.shares 512 cpu.weight 20
t "run --cpus" in_cgroup --cpus 0.5 cpu cpu.cfs_quota_us 50000 cpu.max '50000 100000'
t "run --cpuset-cpus" in_cgroup --cpuset-cpus 0 cpuset cpuset.cpus 0 cpuset.cpus 0
t "run --pids-limit holds" fails "can't fork|Resource temporarily" run --pids-limit 5 box sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 3 & done; wait'
oom() {
	status 137 d run --name oom --memory 16m box tail -n 1 /dev/zero && prints true inspect oom '{{.State.OOMKilled}}'
	local result=$?
	down oom
	return "$result"
}
t "run --memory: the kernel kills, and the engine knows" oom

# --- one container through its life

t "run -d" up life --hostname life --env FROM_RUN=yes box sh -c \
	'trap "echo got TERM; exit 42" TERM; trap "echo got USR1" USR1; echo started; while :; do sleep 0.1; done'
t "ps lists it" matches '^life Up ' d ps --format '{{.Names}} {{.Status}}'
life_pid() { [ "$(readlink "/proc/$(pid_of life)/root/bin/sh")" = busybox ]; }
t "inspect: the pid is the container's process" life_pid
t "logs" eventually matches '^started$' d logs life
t "exec" prints inside d exec life echo inside
t "exec: hostname and environment of the container" prints 'life yes' d exec life sh -c 'echo $(hostname) $FROM_RUN'
t "exec -e -w" prints 'v /tmp' d exec -e V=v -w /tmp life sh -c 'echo $V $(pwd)'
t "exec -u" prints '1000 1000' d exec -u user life sh -c 'echo $(id -u) $(id -g)'
t "exec: status 9" status 9 d exec life sh -c 'exit 9'
t "exec: 126 for a file that cannot be executed" status 126 d exec life /etc/not-executable
t "exec: a command that does not exist" fails 'not found' d exec life no-such-command
t "exec: 137 for a killed process" status 137 d exec life sh -c 'kill -KILL $$'
exec_stdin() { echo piped | d exec -i life cat; }
t "exec -i reads a pipe" prints piped exec_stdin
t "exec -t: a terminal" matches tty-everywhere on_tty "$T/bin/d" exec -t life sh -c 'test -t 0 && test -t 1 && echo tty-everywhere'
t "exec -t: exit status" status 6 on_tty "$T/bin/d" exec -t life sh -c 'exit 6'
exec_detached() { d exec -d life sh -c 'echo over >/tmp/detached' && eventually prints over d exec life cat /tmp/detached; }
t "exec -d" exec_detached
exec_ns() { local n; for n in pid mnt ipc uts net; do prints "$(readlink "/proc/$(pid_of life)/ns/$n")" d exec life readlink "/proc/self/ns/$n" || return; done; }
t "exec joins every namespace" exec_ns
t "exec has the container's capabilities and seccomp filter" prints '00000000a80425fb 2' d exec life awk \
	'/^CapEff:|^Seccomp:/ { printf "%s%s", s, $2; s = " " } END { print "" }' /proc/self/status
t "top" matches ' sh -c ' d top life
t "stats --no-stream" matches '^life [0-9.]+[kKM]?i?B / .* [1-9]' d stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' life
cp_roundtrip() { echo copied >"$T/c" && d cp "$T/c" life:/tmp/c && prints copied d exec life cat /tmp/c && d cp life:/tmp/c "$T/c2" && cmp "$T/c" "$T/c2"; }
t "cp in and out" cp_roundtrip
update() {
	d update --memory 32m --memory-swap 64m --cpu-shares 256 --pids-limit 55 life && local pid
	pid=$(pid_of life)
	[ -d /sys/fs/cgroup/pids ] || { prints 33554432 cgroup_value "$pid" - - memory.max && prints 55 cgroup_value "$pid" - - pids.max; return; }
	prints 33554432 cgroup_value "$pid" memory memory.limit_in_bytes - && prints 256 cgroup_value "$pid" cpu cpu.shares - &&
		prints 55 cgroup_value "$pid" pids pids.max -
}
t "update changes memory, cpu and pids limits of a running container" update
t "kill -s USR1 reaches the process" d kill -s USR1 life
t "kill: the handler ran" eventually matches 'got USR1' d logs life
pause() { d pause life && prints paused inspect life '{{.State.Status}}' && prints FROZEN cgroup_state "$(pid_of life)"; }
t "pause freezes" pause
t "exec in a paused container is refused" fails 'paused' d exec life true
unpause() { d unpause life && prints running inspect life '{{.State.Status}}' && prints THAWED cgroup_state "$(pid_of life)" && prints again d exec life echo again; }
t "unpause thaws" unpause
stop_term() { d stop -t 10 life && prints 42 inspect life '{{.State.ExitCode}}' && matches 'got TERM' d logs life; }
t "stop sends TERM; inspect has the exit code" stop_term
again() { d start life && prints running inspect life '{{.State.Status}}' && prints fresh d exec life echo fresh; }
t "start again" again
restart() {
	local before
	before=$(pid_of life) && d restart -t 0 life && [ "$(pid_of life)" != "$before" ] && prints running inspect life '{{.State.Status}}'
}
t "restart gives a new process" restart
remove() {
	local pid id
	pid=$(pid_of life) && id=$(inspect life '{{.Id}}') && down life && eventually gone "$pid" && eventually prints '' find /sys/fs/cgroup -name "$id"
}
t "rm -f ends the process and removes its cgroups" remove

# --- other ways to live

stop_kill() { up stubborn box sleep 99 && d stop -t 1 stubborn && prints 137 inspect stubborn '{{.State.ExitCode}}' && down stubborn; }
t "stop kills after its timeout" stop_kill
create_start() {
	d create --name made box sh -c 'echo out; exit 4' && status 4 d start -a made >"$T/o" && prints out cat "$T/o"
	local result=$?
	down made
	return "$result"
}
t "create, start -a: output and exit status" create_start
t "run --init: pid 1 is the init" matches 'init' run --init box cat /proc/1/comm
t "run --init passes the exit status" status 7 run --init box sh -c 'exit 7'
on_failure() {
	up again --restart on-failure:2 box sh -c 'echo run; exit 1' &&
		eventually prints '2 exited' inspect again '{{.RestartCount}} {{.State.Status}}' && prints $'run\nrun\nrun' d logs again
	local result=$?
	down again
	return "$result"
}
t "run --restart on-failure:2" on_failure
health() {
	up healthy --health-cmd 'test -e /tmp/good' --health-interval 0.3s --health-retries 1 box sleep 99 &&
		eventually prints unhealthy inspect healthy '{{.State.Health.Status}}' && d exec healthy touch /tmp/good &&
		eventually prints healthy inspect healthy '{{.State.Health.Status}}'
	local result=$?
	down healthy
	return "$result"
}
t "health checks turn unhealthy and healthy" health
attach() {
	up att -i box sh -c 'read x; echo "got $x"; sleep 0.3; exit 12' || return
	echo line | status 12 d attach att >"$T/o"
	prints 12 d wait att && matches '^got line' d logs att
	local result=$?
	down att
	return "$result"
}
t "attach passes input" attach
sigproxy() {
	"$T/bin/d" run --rm --name prox box sh -c 'trap "exit 21" TERM; while :; do sleep 0.1; done' &
	local job=$!
	eventually prints running inspect prox '{{.State.Status}}' && sleep 0.5 && kill -TERM "$job" && status 21 wait "$job"
}
t "run passes a signal on to the container" sigproxy
build() {
	mkdir -p "$T/ctx" && printf 'FROM box\nRUN echo built >/built && id -u >/uid\nUSER 1000\nRUN id -u >/tmp/uid\n' >"$T/ctx/Dockerfile"
	d build --network none -t built "$T/ctx" && prints $'built\n0\n1000' run built cat /built /uid /tmp/uid
}
t "build runs its steps" build
parallel() {
	local i jobs=()
	for i in 1 2 3 4 5 6; do
		run box sh -c "exit $i" &
		jobs+=($!)
	done
	for i in 1 2 3 4 5 6; do status $i wait "${jobs[i - 1]}" || return; done
}
t "six containers at once, each with its own exit code" parallel
t "no container is left" prints '' d ps -aq

tap_end
