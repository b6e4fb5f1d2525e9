#!/bin/bash
# SPDX-License-Identifier: MIT
# Podman drives the runtime $CLEAVE_OCI on real containers. See README.md.
# shellcheck disable=SC2016,SC2086,SC2154,SC2317,SC2319 # $ is for the inner shell; functions run by t
# shellcheck source=tests/conformance/lib.sh
. "$(dirname "$0")/lib.sh"

cleanup_clients() {
	[ -x "$T/bin/p" ] || return
	p pod rm -fa -t 0
	p rm -fa -t 0
	p stop -a -t 0
}

p() { limited "$T/bin/p" "$@"; }
run() { p run --rm --cgroup-parent "/$PARENT" "$@"; }
# up NAME [OPTION...] IMAGE... - a container in the background.
up() { p run -d --cgroup-parent "/$PARENT" --name "$@" >"$T/up"; }
inspect() { p container inspect --format "$2" "$1"; }
pid_of() { inspect "$1" '{{.State.Pid}}'; }

client_setup podman podman conmon
mkdir -p "$T"/{root,runroot,tmp,volumes,hooks,net}
cat >"$T/containers.conf" <<EOF
[containers]
netns = "none"
default_capabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE",
	"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
volumes = []
[engine]
cgroup_manager = "cgroupfs"
runtime_supports_json = ["$(basename "$OCI")"]
events_logger = "file"
lock_type = "file"
tmp_dir = "$T/tmp"
static_dir = "$T/root/libpod"
volume_path = "$T/volumes"
network_cmd_path = ""
infra_image = "localhost/box"
[network]
network_config_dir = "$T/net"
EOF
cat >"$T/storage.conf" <<EOF
[storage]
driver = "overlay"
graphroot = "$T/root"
runroot = "$T/runroot"
EOF
echo 'unqualified-search-registries = []' >"$T/registries.conf"
cat >"$T/bin/p" <<EOF
#!/bin/sh
export CONTAINERS_CONF=$T/containers.conf CONTAINERS_STORAGE_CONF=$T/storage.conf
export CONTAINERS_REGISTRIES_CONF=$T/registries.conf TMPDIR=$T/tmp XDG_RUNTIME_DIR=$T/runroot
unset CONTAINER_HOST NOTIFY_SOCKET
exec podman --runtime $OCI --hooks-dir $T/hooks "\$@"
EOF
chmod +x "$T/bin/p"

# --- the runtime is really ours

import_image() { p import --change CMD=/bin/sh --change ENV=PATH=/bin "$T/rootfs.tar" localhost/box; }
t "import makes an image from a root filesystem" import_image
t "info names the runtime" prints "$OCI" p info --format '{{.Host.OCIRuntime.Path}}'
which_runtime() { up which box sleep 99 && prints "$OCI" inspect which '{{.OCIRuntime}}'; p rm -f -t 0 which; }
t "a container records the runtime" which_runtime

# --- exit codes

t "run: status 0" status 0 run box true
t "run: status 3" status 3 run box sh -c 'exit 3'
t "run: 126 for a file that cannot be executed" status 126 run box /etc/not-executable
t "run: 126 for a directory" status 126 run box /etc
t "run: 127 for a command that does not exist" status 127 run box /no/such/command
t "run: 127 for a name not found in PATH" status 127 run box no-such-command
killed() {
	"$T/bin/p" run --rm --cgroup-parent "/$PARENT" --name victim box sleep 99 &
	local job=$!
	eventually prints running inspect victim '{{.State.Status}}' && p kill -s KILL victim && status 137 wait "$job"
}
t "run: 137 for a killed container" killed

# --- process settings

t "run prints stdout" prints hello run box echo hello
stderr_apart() { run box sh -c 'echo out; echo err >&2' >"$T/o" 2>"$T/e" && prints out cat "$T/o" && prints err cat "$T/e"; }
t "run keeps stderr apart" stderr_apart
t "run --env" prints 'a b' run --env X='a b' box sh -c 'echo "$X"'
t "run -w" prints /home/user run -w /home/user box pwd
t "run -u UID:GID" prints 1234:4321 run -u 1234:4321 box sh -c 'echo $(id -u):$(id -g)'
t "run -u name takes groups from /etc/group" prints '1000 1000 2000' run -u user box sh -c 'echo $(id -u) $(id -G)'
t "run --group-add" matches '(^| )777( |$)' run --group-add 777 box id -G
t "run --hostname" prints box.test run --hostname box.test box hostname
t "run: the process is number 1" prints 1 run box sh -c 'echo $$'
t "run --umask" prints 0077 run --umask 0077 box sh -c umask
stdin_pipe() { printf 'one\ntwo\n' | run -i box cat; }
t "run -i reads a pipe" prints $'one\ntwo' stdin_pipe
stdin_large() { head -c 3000000 /dev/zero | run -i box wc -c; }
t "run -i passes 3 MB and the end of file" prints 3000000 stdin_large
t "run without -i has an empty stdin" prints 0 run box wc -c
t "run -t: stdin, stdout and stderr are a terminal" matches '^terminal.?$' \
	on_tty "$T/bin/p" run --rm --cgroup-parent "/$PARENT" -t box sh -c 'test -t 0 && test -t 1 && test -t 2 && echo terminal'
t "run -t: the terminal is /dev/pts/0 and the console" matches '^/dev/(pts/0|console)' \
	on_tty "$T/bin/p" run --rm --cgroup-parent "/$PARENT" -t box tty
t "run -t: window size" matches '^33 77' \
	on_tty "$T/bin/p" run --rm --cgroup-parent "/$PARENT" -t box sh -c 'i=0; while [ "$(stty size)" != "33 77" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done; stty size'
t "run -t: exit status" status 5 on_tty "$T/bin/p" run --rm --cgroup-parent "/$PARENT" -t box sh -c 'exit 5'
preserve_fds() { run --preserve-fds 1 box sh -c 'cat <&3' 3<<<"from fd 3"; }
t "run --preserve-fds" prints 'from fd 3' preserve_fds
no_leak() { prints '0 1 2 3' run box sh -c 'echo $(ls /proc/self/fd)'; }
t "no descriptor of the runtime is open in the container" no_leak

# --- files

echo data >"$T/share/file"
t "run -v: read" prints data run -v "$T/share:/mnt" box cat /mnt/file
bind_rw() { run -v "$T/share:/mnt:rw" box sh -c 'echo new >/mnt/written' && prints new cat "$T/share/written"; }
t "run -v :rw writes to the host" bind_rw
t "run -v :ro refuses to write" fails 'read-only' run -v "$T/share:/mnt:ro" box touch /mnt/no
t "run -v of one file" prints data run -v "$T/share/file:/etc/one:ro" box cat /etc/one
bind_ro_submount() {
	mkdir -p "$T/sub/inner" && mount -t tmpfs tmpfs "$T/sub/inner" && touch "$T/sub/inner/seen"
	prints seen run -v "$T/sub:/mnt:rbind" box ls /mnt/inner
	local result=$?
	umount "$T/sub/inner"
	return "$result"
}
t "run -v :rbind carries submounts" bind_ro_submount
t "run -v :noexec" status 126 run -v "$T/rootfs/bin:/mnt:ro,noexec" box /mnt/busybox true
t "run -v with a named volume" prints kept run -v vol:/data box sh -c 'echo kept >/data/f; cat /data/f'
t "run -v: the named volume lasts" prints kept run -v vol:/data box cat /data/f
t "run -v :O writes to an overlay only" eval 'run -v "$T/share:/mnt:O" box touch /mnt/overlaid && test ! -e "$T/share/overlaid"'
propagation() {
	mkdir -p "$T/prop/sub" && mount --bind "$T/prop" "$T/prop" && mount --make-shared "$T/prop"
	prints "$1" run -v "$T/prop:/mnt:$2" --cap-add SYS_ADMIN --security-opt seccomp=unconfined box \
		sh -c 'mount -t tmpfs tmpfs /mnt/sub && touch /mnt/sub/from-inside' && prints "$3" ls "$T/prop/sub"
	local result=$?
	umount -l "$T/prop/sub"
	umount -l "$T/prop"
	return "$result"
}
t "run -v :rshared: a mount inside is seen outside" propagation '' rshared from-inside
t "run -v :rprivate: a mount inside stays inside" propagation '' rprivate ''
t "run --tmpfs" matches '^tmpfs /scratch tmpfs .*size=1024k' run --tmpfs /scratch:size=1m,mode=700 box grep scratch /proc/mounts
t "run --tmpfs copies what the image has there" prints not-executable run --tmpfs /etc:tmpcopyup box sh -c 'cd /etc; ls not-executable'
t "run --mount type=tmpfs with a mode" prints 700 run --mount type=tmpfs,destination=/x,tmpfs-mode=700 box stat -c %a /x
t "run --read-only: the root" fails 'read-only' run --read-only box touch /etc/no
t "run --read-only: /tmp stays writable" status 0 run --read-only box touch /tmp/yes
t "run --shm-size" matches '^shm /dev/shm tmpfs .*size=2048k' run --shm-size 2m box grep /dev/shm /proc/mounts
t "/proc/sys is read-only" fails 'read-only' run box sh -c 'echo x >/proc/sys/kernel/domainname'
t "/sys is read-only" matches '^sysfs /sys sysfs ro' run box grep ' /sys ' /proc/mounts
t "/proc/keys is masked" status 0 run box grep -q ' /proc/keys ' /proc/mounts
t "run --security-opt unmask=" status 1 run --security-opt unmask=/proc/keys box grep -q ' /proc/keys ' /proc/mounts
t "/dev has the standard nodes and links" prints 'full null ptmx random tty urandom zero fd stdin' run box sh -c \
	'cd /dev; for i in full null ptmx random tty urandom zero; do test -c $i && echo $i; done | xargs echo -n; for i in fd stdin; do test -L $i && echo -n " $i"; done; echo'
t "run --device" matches '^crw.* 10, 237 .* /dev/there' run --device /dev/loop-control:/dev/there box ls -l /dev/there
t "run --device opens" status 0 run --device /dev/loop-control:/dev/there box sh -c ': </dev/there'
t "a device outside the list is refused" fails 'not permitted' run --cap-add MKNOD box sh -c 'mknod /x c 10 237 && : </x'
t "run --device-cgroup-rule" status 0 run --cap-add MKNOD --device-cgroup-rule 'c 10:237 rwm' box sh -c 'mknod /x c 10 237 && : </x'

t "run --rootfs" prints hello run --rootfs "$T/rootfs" echo hello

# --- isolation

caps() { run "$@" box grep CapEff /proc/self/status; }
t "run: default capabilities" prints $'CapEff:\t00000000800405fb' caps
t "run --cap-drop ALL" prints $'CapEff:\t0000000000000000' caps --cap-drop ALL
t "run --cap-drop ALL --cap-add" prints $'CapEff:\t0000000000002001' caps --cap-drop ALL --cap-add CHOWN,NET_RAW
t "run --cap-drop one" prints $'CapEff:\t00000000800405fa' caps --cap-drop CHOWN
t "run -u keeps no effective capability" prints $'CapEff:\t0000000000000000' caps -u 1000
t "run --cap-drop removes from the bounding set" prints $'CapBnd:\t0000000000000000' run --cap-drop ALL box grep CapBnd /proc/self/status
t "run: seccomp filter is on by default" prints 2 run box awk '/^Seccomp:/ { print $2 }' /proc/self/status
t "run --security-opt seccomp=unconfined" prints 0 run --security-opt seccomp=unconfined box awk '/^Seccomp:/ { print $2 }' /proc/self/status
secc() { run --security-opt "seccomp=$T/seccomp.json" "$@"; }
t "seccomp=FILE: a call fails with EPERM" fails 'not permitted' secc box mkdir /x
t "seccomp=FILE: a call fails with the profile's errno" fails 'no space' secc box rmdir /tmp
t "seccomp=FILE: a call kills with SIGSYS" status 159 secc --cap-add SYS_ADMIN box hostname x
t "seccomp=FILE: other calls pass" status 0 secc box touch /x
t "run --security-opt no-new-privileges" prints 1 run --security-opt no-new-privileges box awk '/^NoNewPrivs:/ { print $2 }' /proc/self/status
t "no-new-privileges is off by default" prints 0 run box awk '/^NoNewPrivs:/ { print $2 }' /proc/self/status
t "run --ulimit" prints '512 640' run --ulimit nofile=512:640 --ulimit nproc=1024:1024 box sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)'
t "run --ulimit core" prints 0 run --ulimit core=0 --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 box sh -c 'ulimit -Hc'
t "run --sysctl" prints 7777 run --sysctl net.core.somaxconn=7777 box cat /proc/sys/net/core/somaxconn
t "run --sysctl kernel.msgmax" prints 9999 run --sysctl kernel.msgmax=9999 box cat /proc/sys/kernel/msgmax
t "run --oom-score-adj" prints 500 run --oom-score-adj 500 box cat /proc/self/oom_score_adj
privileged() { matches ' /sys sysfs rw' run --privileged --cap-drop SYS_RESOURCE box grep ' /sys ' /proc/mounts; }
t "run --privileged: /sys is writable" privileged

# --- namespaces

same_ns() { [ "$(readlink "/proc/self/ns/$1")" = "$(run "${@:2}" box readlink "/proc/self/ns/$1")" ]; }
other_ns() { ! same_ns "$@"; }
ns_all() { other_ns pid && other_ns mnt && other_ns ipc && other_ns uts && other_ns net; }
t "run: own pid, mnt, ipc, uts and net namespaces" ns_all
t "run --pid host" same_ns pid --pid host
t "run --ipc host" same_ns ipc --ipc host
t "run --uts host" same_ns uts --uts host
t "run --network host" same_ns net --network host
t "run --network none has only lo, and it is up" matches '^ *inet 127.0.0.1/8' run --network none box sh -c '[ "$(ls /sys/class/net)" = lo ] && ip addr show lo'
t "run --cgroupns private" matches '^[0-9]+:(memory)?:/$' run --cgroupns private box cat /proc/self/cgroup
share_ns() {
	up donor --ipc shareable box sleep 99 && local ns result=0
	for ns in pid ipc net uts; do
		local o=--$ns
		[ $ns = net ] && o=--network
		prints "$(readlink "/proc/$(pid_of donor)/ns/$ns")" run "$o" container:donor box readlink /proc/self/ns/$ns || result=1
		[ $ns != uts ] || break
	done
	p rm -f -t 0 donor
	return "$result"
}
t "run --pid, --ipc, --network, --uts container:" share_ns
t "run --uidmap: root is another user outside" prints '0 100000 1000' run --uidmap 0:100000:1000 --gidmap 0:200000:1000 box \
	sh -c 'echo $(cat /proc/self/uid_map)'
t "run --uidmap: the group map" prints '0 200000 1000' run --uidmap 0:100000:1000 --gidmap 0:200000:1000 box sh -c 'echo $(cat /proc/self/gid_map)'
t "run --uidmap: files belong to the container's root" prints 0:0 run --uidmap 0:100000:1000 --gidmap 0:200000:1000 box stat -c %u:%g /bin/busybox
t "run --uidmap: all of /dev and /proc works" prints 0 run --uidmap 0:100000:1000 box sh -c 'echo x >/dev/null; ls /proc >/dev/null; echo $?'

# --- limits

in_cgroup() { # OPTION VALUE CONTROLLER V1-FILE V1-WANT V2-FILE V2-WANT
	local want=$5 result=0
	[ -d "/sys/fs/cgroup/$3" ] || want=$7
	up lim "$1" "$2" box sleep 99 && prints "$want" cgroup_value "$(pid_of lim)" "$3" "$4" "$6" || result=1
	p rm -f -t 0 lim
	return "$result"
}
t "run --memory" in_cgroup --memory 64m memory memory.limit_in_bytes 67108864 memory.max 67108864
t "run --memory-reservation" in_cgroup --memory-reservation 32m memory memory.soft_limit_in_bytes 33554432 memory.low 33554432
t "run --pids-limit" in_cgroup --pids-limit 77 pids pids.max 77 pids.max 77
t "run --cpu-shares" in_cgroup --cpu-shares 512 cpu cpu.shares 512 cpu.weight 20
t "run --cpus" in_cgroup --cpus 0.5 cpu cpu.cfs_quota_us 50000 cpu.max '50000 100000'
t "run --cpuset-cpus" in_cgroup --cpuset-cpus 0 cpuset cpuset.cpus 0 cpuset.cpus 0
t "run --memory: the container sees its cgroup" prints 67108864 run --memory 64m box sh -c \
	'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'
t "/sys/fs/cgroup is read-only" fails 'read-only' run box sh -c 'cd /sys/fs/cgroup; test -d pids && cd pids; mkdir x'
t "run --pids-limit holds" fails "can't fork|Resource temporarily" run --pids-limit 5 box sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 3 & done; wait'
t "run --memory: the kernel kills who takes more" status 137 run --memory 16m box tail -n 1 /dev/zero

# --- one container through its life

life_start() {
	up life --hostname life --env FROM_RUN=yes box sh -c 'trap "echo got TERM; exit 42" TERM; trap "echo got USR1" USR1; echo started; while :; do sleep 0.1; done' &&
		[ -n "$(cat "$T/up")" ]
}
t "run -d prints an id" life_start
t "ps lists it" matches '^life Up ' p ps --format '{{.Names}} {{.Status}}'
t "inspect: running" prints running inspect life '{{.State.Status}}'
life_pid() { [ "$(readlink "/proc/$(pid_of life)/root/bin/sh")" = busybox ]; }
t "inspect: the pid is the container's process" life_pid
t "logs" eventually matches '^started$' p logs life
t "exec" prints inside p exec life echo inside
t "exec: hostname and environment of the container" prints 'life yes' p exec life sh -c 'echo $(hostname) $FROM_RUN'
t "exec -e -w" prints 'v /tmp' p exec -e V=v -w /tmp life sh -c 'echo $V $(pwd)'
t "exec -u" prints '1000 1000' p exec -u user life sh -c 'echo $(id -u) $(id -g)'
t "exec -u UID:GID" prints '11 22' p exec -u 11:22 life sh -c 'echo $(id -u) $(id -g)'
t "exec: status 9" status 9 p exec life sh -c 'exit 9'
t "exec: 126 for a file that cannot be executed" status 126 p exec life /etc/not-executable
t "exec: 126 for a directory" status 126 p exec life /etc
t "exec: 127 for a command that does not exist" status 127 p exec life no-such-command
t "exec: 137 for a killed process" status 137 p exec life sh -c 'kill -KILL $$'
exec_stdin() { echo piped | p exec -i life cat; }
t "exec -i reads a pipe" prints piped exec_stdin
t "exec -t: a terminal" matches '^terminal' on_tty "$T/bin/p" exec -t life sh -c 'test -t 0 && test -t 1 && echo terminal'
t "exec -t: exit status" status 6 on_tty "$T/bin/p" exec -t life sh -c 'exit 6'
exec_detached() { p exec -d life sh -c 'echo over >/tmp/detached' && eventually prints over p exec life cat /tmp/detached; }
t "exec -d" exec_detached
exec_same() { prints "$(readlink "/proc/$(pid_of life)/ns/$1")" p exec life readlink "/proc/self/ns/$1"; }
exec_ns() { local n; for n in pid mnt ipc uts net; do exec_same $n || return; done; }
t "exec joins every namespace" exec_ns
exec_confined() { prints $'00000000800405fb 2' p exec life awk '/^CapEff:|^Seccomp:/ { printf "%s%s", s, $2; s = " " } END { print "" }' /proc/self/status; }
t "exec has the container's capabilities and seccomp filter" exec_confined
t "exec --privileged has more capabilities" status 1 p exec --privileged life grep -q 'CapEff:.*00000000800405fb' /proc/self/status
exec_cgroup() { prints "$(grep -E 'pids|^0::' "/proc/$(pid_of life)/cgroup" | head -1)" p exec life sh -c 'grep -E "pids|^0::" /proc/self/cgroup | head -1'; }
t "exec runs in the container's cgroup" exec_cgroup
t "top" matches '^1 +sh' p top life pid comm
stats() { p stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' life; }
t "stats --no-stream" matches '^life [0-9.]+[kM]?B / .* [1-9]' stats
cp_roundtrip() { echo copied >"$T/c" && p cp "$T/c" life:/tmp/c && prints copied p exec life cat /tmp/c && p cp life:/tmp/c "$T/c2" && cmp "$T/c" "$T/c2"; }
t "cp in and out" cp_roundtrip
t "kill -s USR1 reaches the process" p kill -s USR1 life
t "kill: the handler ran" eventually matches 'got USR1' p logs life
pause() { p pause life && prints paused inspect life '{{.State.Status}}' && prints FROZEN cgroup_state "$(pid_of life)"; }
t "pause freezes" pause
t "exec in a paused container is refused" fails 'paused|not running|state improper' p exec life true
unpause() { p unpause life && prints running inspect life '{{.State.Status}}' && prints THAWED cgroup_state "$(pid_of life)" && prints again p exec life echo again; }
t "unpause thaws" unpause
t "rm of a running container is refused" fails 'running' p rm life
stop_term() { p stop -t 10 life && prints 42 inspect life '{{.State.ExitCode}}' && matches 'got TERM' p logs life; }
t "stop sends TERM; inspect has the exit code" stop_term
t "exec in a stopped container is refused" fails 'running|stopped|state improper' p exec life true
again() { p start life && prints running inspect life '{{.State.Status}}' && prints fresh p exec life echo fresh; }
t "start again" again
restart() {
	local before
	before=$(pid_of life) && p restart -t 0 life && [ "$(pid_of life)" != "$before" ] && prints running inspect life '{{.State.Status}}'
}
t "restart gives a new process" restart
remove() {
	local pid path
	pid=$(pid_of life) && path=$(awk -F: '$2 == "pids" || $1 == 0 { print $3; exit }' "/proc/$pid/cgroup")
	p rm -f -t 0 life && eventually gone "$pid" && [ -n "$path" ] &&
		eventually prints '' find /sys/fs/cgroup -path "*$path" -not -path '*/unified/*'
}
t "rm -f ends the process and removes its cgroups" remove
t "ps is empty" prints '' p ps -aq

# --- other ways to live

stop_kill() {
	up stubborn box sleep 99 && p stop -t 1 stubborn && prints 137 inspect stubborn '{{.State.ExitCode}}'
	local result=$?
	p rm -f -t 0 stubborn
	return "$result"
}
t "stop kills after its timeout" stop_kill
stop_signal() {
	up sig --stop-signal USR2 box sh -c 'trap "exit 17" USR2; while :; do sleep 0.1; done' &&
		sleep 0.3 && p stop -t 10 sig && prints 17 inspect sig '{{.State.ExitCode}}'
	local result=$?
	p rm -f -t 0 sig
	return "$result"
}
t "run --stop-signal" stop_signal
t "create, start -a: output and exit status" status 4 eval 'p create --cgroup-parent "/$PARENT" --name made box sh -c "echo out; exit 4" && p start -a made >"$T/o"; s=$?; prints out cat "$T/o" && p rm made && (exit $s)'
wait_code() { up waited box sh -c 'sleep 0.5; exit 8' && prints 8 p wait waited && p rm waited; }
t "wait prints the exit code" wait_code
t "run --init: pid 1 is the init" prints 'init' run --init --init-path /usr/bin/tini-static box sh -c 'grep -qE "tini|init" /proc/1/comm && echo init'
t "run --init passes the exit status" status 7 run --init --init-path /usr/bin/tini-static box sh -c 'exit 7'
on_failure() {
	p run -d --cgroup-parent "/$PARENT" --name again --restart on-failure:2 box sh -c 'echo run; exit 1' &&
		eventually prints '2 exited' inspect again '{{.RestartCount}} {{.State.Status}}' && prints $'run\nrun\nrun' p logs again
	local result=$?
	p rm -f -t 0 again
	return "$result"
}
t "run --restart on-failure:2" on_failure
health() {
	up healthy --health-cmd 'test -e /tmp/good' --health-interval disable --health-retries 1 box sleep 99 &&
		status 1 p healthcheck run healthy && p exec healthy touch /tmp/good && status 0 p healthcheck run healthy
	local result=$?
	p rm -f -t 0 healthy
	return "$result"
}
t "healthcheck runs its command in the container" health
attach() {
	p run -d -i --cgroup-parent "/$PARENT" --name att box sh -c 'read x; echo "got $x"; exit 12' || return
	echo line | matches '^got line' p attach att && prints 12 p wait att
	local result=$?
	p rm -f -t 0 att
	return "$result"
}
t "attach: input and output" attach
t "logs of a container with a terminal" eval 'up term -t box sh -c "tty; exit 3" && prints 3 p wait term && matches "^/dev/" p logs term && p rm term'
sigproxy() {
	"$T/bin/p" run --rm --cgroup-parent "/$PARENT" --name prox box sh -c 'trap "exit 21" TERM; while :; do sleep 0.1; done' &
	local job=$!
	eventually prints running inspect prox '{{.State.Status}}' && sleep 0.5 && kill -TERM "$job" && status 21 wait "$job"
}
t "run passes a signal on to the container" sigproxy
pidfile() { up pf --pidfile "$T/pidfile" box sleep 99 && prints "$(pid_of pf)" cat "$T/pidfile" && p rm -f -t 0 pf; }
t "run --pidfile" pidfile
update() {
	up upd --memory 64m box sleep 99 && p update --memory 32m --cpu-shares 256 upd >/dev/null
	prints 33554432 cgroup_value "$(pid_of upd)" memory memory.limit_in_bytes memory.max
	local result=$?
	p rm -f -t 0 upd
	return "$result"
}
t "update changes the memory limit of a running container" update
hooks() {
	local stage
	for stage in prestart createRuntime poststart poststop; do
		cat >"$T/hooks/$stage.json" <<-JSON
		{"version":"1.0.0","hook":{"path":"$T/bin/hook","args":["hook","$stage"]},"when":{"annotations":{"^hooks$":"yes"}},"stages":["$stage"]}
		JSON
	done
	printf '#!/bin/sh\nid=$(jq -r .id)\necho "$1 ${#id}" >>%s/hooklog\n' "$T" >"$T/bin/hook"
	chmod +x "$T/bin/hook"
	run --annotation hooks=yes box true || return
	eventually prints $'createRuntime 64\npoststart 64\npoststop 64\nprestart 64' sort "$T/hooklog"
	local result=$?
	rm "$T"/hooks/*
	return "$result"
}
t "hooks run and get the state on stdin" hooks
hook_fails() {
	printf '#!/bin/sh\nexit 1\n' >"$T/bin/hook"
	echo '{"version":"1.0.0","hook":{"path":"'"$T"'/bin/hook"},"when":{"always":true},"stages":["createRuntime"]}' >"$T/hooks/bad.json"
	fails hook run box true
	local result=$?
	rm "$T"/hooks/*
	return "$result"
}
t "a failing createRuntime hook fails the container" hook_fails
t "no container is left behind by a failed start" prints '' p ps -aq

# --- pods

pod_make() { p pod create --name pod --network none --cgroup-parent "/$PARENT" --infra-image localhost/box --infra-command 'sleep 99' --hostname podhost; }
t "pod create" pod_make
in_pod() { p run -d --pod pod --name "$@"; }
t "pod: first container starts" in_pod one box sleep 99
t "pod: second container starts" in_pod two box sleep 99
pod_shares() {
	local n
	for n in net ipc uts; do
		[ "$(readlink "/proc/$(pid_of one)/ns/$n")" = "$(readlink "/proc/$(pid_of two)/ns/$n")" ] || { echo "$n differs"; return 1; }
	done
}
t "pod: net, ipc and uts are shared" pod_shares
pod_apart() { [ "$(readlink "/proc/$(pid_of one)/ns/pid")" != "$(readlink "/proc/$(pid_of two)/ns/pid")" ]; }
t "pod: pid namespaces are apart" pod_apart
t "pod: host name" prints podhost p exec one hostname
pod_talk() {
	p exec -d one sh -c 'echo hi | nc -l -p 5000' &&
		eventually matches . p exec two sh -c 'grep -hE ":1388 0+:0000 0A" /proc/net/tcp /proc/net/tcp6' && prints hi p exec two nc 127.0.0.1 5000
}
t "pod: containers talk over 127.0.0.1" pod_talk
t "pod stop" p pod stop -t 0 pod
t "pod rm" p pod rm -f -t 0 pod

tap_end
