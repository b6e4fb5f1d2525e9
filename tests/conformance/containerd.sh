#!/bin/bash
# SPDX-License-Identifier: MIT
# containerd and its io.containerd.runc.v2 shim drive the runtime $CLEAVE_OCI. See README.md.
# shellcheck disable=SC2016,SC2086,SC2154,SC2317,SC2319 # $ is for the inner shell; functions run by t
# shellcheck source=tests/conformance/lib.sh
. "$(dirname "$0")/lib.sh"

cleanup_clients() {
	local id
	if [ -n "${daemon:-}" ]; then
		for id in $(c tasks ls -q); do
			c tasks resume "$id"
			c tasks kill -s KILL "$id"
			c tasks rm -f "$id"
		done
		kill "${events:-}" "$daemon"
		wait "$daemon"
	fi
}

c() { limited "$T/bin/c" "$@"; }
# run [OPTION...] ID... - a container in the foreground; ctr needs an id for each.
run_id=0
RUN=(run --runc-binary "$OCI" --snapshotter overlayfs)
new_id() { id=r$BASHPID-$((run_id += 1)); }
run() {
	local id options=() image=docker.io/library/box:latest
	while [ "$1" != box ]; do
		options+=("$1")
		shift
	done
	shift
	new_id
	c "${RUN[@]}" --rm --cgroup "/$PARENT/$id" "${options[@]}" "$image" "$id" "$@"
}
run_tty() {
	local id
	new_id
	on_tty "$T/bin/c" "${RUN[@]}" --rm --cgroup "/$PARENT/$id" -t docker.io/library/box:latest "$id" "$@"
}
# up ID [OPTION...] box COMMAND... - a container in the background.
up() {
	local id=$1 options=()
	shift
	while [ "$1" != box ]; do
		options+=("$1")
		shift
	done
	shift
	c "${RUN[@]}" -d --null-io --cgroup "/$PARENT/$id" "${options[@]}" docker.io/library/box:latest "$id" "$@"
}
down() {
	c tasks kill -s KILL "$1"
	eventually task_is "$1" STOPPED
	c tasks rm "$1"
	c containers rm "$1"
}
task_pid() { c tasks ls | awk -v id="$1" '$1 == id { print $2 }'; }
task_is() { matches "^$1 +[0-9]+ +$2" c tasks ls; }
exec_in() { c tasks exec --exec-id "e$BASHPID-$((run_id += 1))" "$@"; }

client_setup containerd containerd ctr containerd-shim-runc-v2
mkdir -p "$T"/{root,state,fifo}
cat >"$T/config.toml" <<EOF
version = 2
root = "$T/root"
state = "$T/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs",
	"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
	"io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "$T/sock"
[debug]
  level = "info"
EOF
cat >"$T/bin/c" <<EOF
#!/bin/sh
exec ctr --address $T/sock --namespace test "\$@"
EOF
chmod +x "$T/bin/c"
containerd --config "$T/config.toml" >"$T/daemon.log" 2>&1 </dev/null &
daemon=$!
if ! eventually c version >/dev/null; then
	sed 's/^/# /' "$T/daemon.log"
	echo "Bail out! containerd does not start"
	exit 1
fi
make_docker_archive docker.io/library/box:latest "$T/image.tar"
"$T/bin/c" events >"$T/events" 2>&1 </dev/null &
events=$!


# --- the runtime is really ours

t "images import" matches 'box:latest' c images import --snapshotter overlayfs "$T/image.tar"
wrong_binary() { RUN=(run --runc-binary /no/such/runtime --snapshotter overlayfs) && fails 'no/such/runtime' run box true; }
t "the shim starts the binary it is told to" wrong_binary
recorded() {
	up rec box sleep 99
	matches "$OCI" grep -r . "$T/state/io.containerd.runtime.v2.task/test/rec/options.json"
	local result=$?
	down rec
	return "$result"
}
t "the task records the runtime's path" recorded

# --- exit codes

t "run: status 0" status 0 run box true
t "run: status 3" status 3 run box sh -c 'exit 3'
t "run: 255 is passed on" status 255 run box sh -c 'exit 255'
t "run: a command that does not exist" fails 'no such file|not found' run box /no/such/command
t "run: a name not found in PATH" fails 'not found|no such file' run box no-such-command
t "run: a file that cannot be executed" fails 'permission denied' run box /etc/not-executable
nothing_left() { prints '' c tasks ls -q && prints '' c containers ls -q; }
t "failed starts leave nothing" nothing_left

# --- process settings

t "run prints stdout" prints hello run box echo hello
stderr_apart() { run box sh -c 'echo out; echo err >&2' >"$T/o" 2>"$T/e" && prints out cat "$T/o" && prints err cat "$T/e"; }
t "run keeps stderr apart" stderr_apart
t "run --env" prints 'a b' run --env X='a b' box sh -c 'echo "$X"'
t "the image's environment" prints yes run box sh -c 'echo $FROM_IMAGE'
echo 'FILE_VAR=v' >"$T/envfile"
t "run --env-file" prints v run --env-file "$T/envfile" box sh -c 'echo $FILE_VAR'
t "run --cwd" prints /home/user run --cwd /home/user box pwd
t "run --cwd makes a missing directory" prints /made/here run --cwd /made/here box pwd
t "the process is number 1 and root" prints '1 0 0' run box sh -c 'echo $$ $(id -u) $(id -g)'
# ctr loses the end of its input when that comes before the task is made: keep the pipe open so long.
stdin_pipe() { { printf 'one\ntwo\n'; eventually matches RUNNING c tasks ls; sleep 0.3; } | run box cat; }
t "run reads a pipe to its end" prints $'one\ntwo' stdin_pipe
large_output() { run box sh -c 'head -c 3000000 /dev/zero' | wc -c; }
t "run passes 3 MB of output" prints 3000000 large_output
t "run -t: a terminal" matches tty-everywhere run_tty sh -c 'test -t 0 && test -t 1 && test -t 2 && echo tty-everywhere'
t "run -t: window size" matches '33 77' run_tty sh -c \
	'i=0; while [ "$(stty size)" != "33 77" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done; stty size'
t "run -t: exit status" status 5 run_tty sh -c 'exit 5'
t "no descriptor of the runtime is open in the container" prints '0 1 2 3' run box sh -c 'echo $(ls /proc/self/fd)'

# --- files

echo data >"$T/share/file"
t "run --mount bind" prints data run --mount "type=bind,src=$T/share,dst=/mnt,options=rbind:ro" box cat /mnt/file
t "run --mount bind ro refuses to write" fails 'read-only' run --mount "type=bind,src=$T/share,dst=/mnt,options=rbind:ro" box touch /mnt/no
bind_rw() { run --mount "type=bind,src=$T/share,dst=/mnt,options=rbind:rw" box sh -c 'echo new >/mnt/written' && prints new cat "$T/share/written"; }
t "run --mount bind rw writes to the host" bind_rw
t "run --mount bind of one file" prints data run --mount "type=bind,src=$T/share/file,dst=/etc/one,options=bind:ro" box cat /etc/one
t "run --mount tmpfs" matches '^tmpfs /scratch tmpfs .*size=1024k' run --mount type=tmpfs,src=tmpfs,dst=/scratch,options=size=1m:nosuid box grep scratch /proc/mounts
t "run --mount noexec" fails 'permission denied' run --mount "type=bind,src=$T/rootfs/bin,dst=/mnt,options=bind:noexec" box /mnt/busybox true
t "run --mount of a missing source fails" fails 'no such file' run --mount type=bind,src=/no/such,dst=/mnt,options=bind box true
t "run --read-only" fails 'read-only' run --read-only box touch /no
t "run --rootfs" prints hello eval 'c "${RUN[@]}" --rm --rootfs --cgroup "/$PARENT/rootfs" "$T/rootfs" rootfs1 /bin/echo hello'
t "/proc/sys is read-only" fails 'read-only' run box sh -c 'echo x >/proc/sys/kernel/domainname'
t "/proc/keys is masked" status 0 run box grep -q ' /proc/keys ' /proc/mounts
t "run --device" matches '^crw.* 10, 237 .* /dev/loop-control' run --device /dev/loop-control box ls -l /dev/loop-control
t "run --device opens" status 0 run --device /dev/loop-control box sh -c ': </dev/loop-control'
t "a device outside the list is refused" fails 'not permitted' run box sh -c 'mknod /x c 10 237 && : </x'

# --- isolation

status_field() { prints "$2" run "${@:3}" box awk -v f="$1:" '$1 == f { print $2 }' /proc/self/status; }
t "default capabilities" status_field CapEff 00000000a80425fb
t "run --cap-drop" status_field CapEff 00000000a80425fa --cap-drop CAP_CHOWN
t "run --cap-add" status_field CapEff 00000000a82425fb --cap-add CAP_SYS_ADMIN
t "ambient and inheritable sets are empty" status_field CapAmb 0000000000000000
t "no new privileges by default" status_field NoNewPrivs 1
t "run --allow-new-privs" status_field NoNewPrivs 0 --allow-new-privs
t "no seccomp filter by default" status_field Seccomp 0
t "run --seccomp: the default profile" status_field Seccomp 2 --seccomp
t "run --seccomp: mounting is refused" fails 'not permitted|permission denied' run --seccomp box mount -t tmpfs tmpfs /mnt
secc() { run --seccomp --seccomp-profile "$T/seccomp.json" "$@"; }
t "seccomp profile: a call fails with EPERM" fails 'not permitted' secc box mkdir /x
t "seccomp profile: a call fails with the profile's errno" fails 'no space' secc box rmdir /tmp
t "seccomp profile: a call kills with SIGSYS" status 159 secc --cap-add CAP_SYS_ADMIN box hostname x
t "seccomp profile: other calls pass" status 0 secc box touch /x
t "NOFILE limit of the default spec" prints '1024 1024' run box sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)'
# The cap-drop: this machine's root may lack it, and ctr asks for every capability.
PRIVILEGED=(--privileged)
grep -q 'CapBnd:.*1ffffffffff' /proc/self/status || PRIVILEGED+=(--cap-drop CAP_SYS_RESOURCE)
t "run --privileged: /sys is writable" matches ' /sys sysfs rw' run "${PRIVILEGED[@]}" box grep ' /sys ' /proc/mounts
t "run --privileged: no path is masked" status 1 run "${PRIVILEGED[@]}" box grep ' /proc/' /proc/mounts
t "run --privileged: any device" status 0 run "${PRIVILEGED[@]}" box sh -c 'mknod /x c 10 237 && : </x'
same_ns() { [ "$(readlink "/proc/self/ns/$1")" = "$(run "${@:2}" box readlink "/proc/self/ns/$1")" ]; }
ns_all() { local n; for n in pid mnt ipc uts net; do ! same_ns $n || { echo "$n is the host's"; return 1; }; done; }
t "own pid, mnt, ipc, uts and net namespaces" ns_all
t "run --net-host" same_ns net --net-host
with_ns() {
	unshare --ipc sleep 99 &
	local job=$!
	sleep 0.3
	prints "$(readlink /proc/$job/ns/ipc)" run --with-ns "ipc:/proc/$job/ns/ipc" box readlink /proc/self/ns/ipc
	local result=$?
	kill "$job"
	return "$result"
}
t "run --with-ns joins a namespace" with_ns
t "run --uidmap" prints '0 100000 1000' run --uidmap 0:100000:1000 --gidmap 0:100000:1000 box sh -c 'echo $(cat /proc/self/uid_map)'
t "run --uidmap: files belong to the container's root" prints 0:0 run --uidmap 0:100000:1000 --gidmap 0:100000:1000 box stat -c %u:%g /bin/busybox

# --- limits

in_cgroup() { # OPTIONS CONTROLLER V1-FILE V1-WANT V2-FILE V2-WANT
	local want=$4 result=0
	[ -d "/sys/fs/cgroup/$2" ] || want=$6
	# shellcheck disable=SC2086 # several options
	up lim $1 box sleep 99 && prints "$want" cgroup_value "$(task_pid lim)" "$2" "$3" "$5" || result=1
	down lim
	return "$result"
}
t "run --memory-limit" in_cgroup '--memory-limit 67108864' memory memory.limit_in_bytes 67108864 memory.max 67108864
t "run --cpus" in_cgroup '--cpus 0.5' cpu cpu.cfs_quota_us 50000 cpu.max '50000 100000'
t "run --cpu-shares" in_cgroup '--cpu-shares 512' cpu cpu.shares 512 cpu.weight 20
t "run --cpu-quota --cpu-period" in_cgroup '--cpu-quota 30000 --cpu-period 60000' cpu cpu.cfs_quota_us 30000 cpu.max '30000 60000'
t "run --memory-limit: the kernel kills who takes more" status 137 run --memory-limit 16777216 box tail -n 1 /dev/zero
t "the out-of-memory event arrives" eventually grep -q /tasks/oom "$T/events"

# --- one container through its life

t "run -d" up life --env FROM_RUN=yes box sh -c 'trap "exit 42" TERM; trap "echo USR1 >/tmp/got" USR1; while :; do sleep 0.1; done'
t "tasks ls: running" task_is life RUNNING
life_pid() { [ "$(readlink "/proc/$(task_pid life)/root/bin/sh")" = busybox ]; }
t "tasks ls: the pid is the container's process" life_pid
t "tasks exec" prints inside exec_in life echo inside
t "tasks exec: environment of the container" prints yes exec_in life sh -c 'echo $FROM_RUN'
t "tasks exec --cwd" prints /tmp exec_in --cwd /tmp life pwd
t "tasks exec: status 9" status 9 exec_in life sh -c 'exit 9'
t "tasks exec: 137 for a killed process" status 137 exec_in life sh -c 'kill -KILL $$'
t "tasks exec: a command that does not exist" fails 'no such file|not found' exec_in life no-such-command
t "tasks exec: a file that cannot be executed" fails 'permission denied' exec_in life /etc/not-executable
exec_stdin() { echo piped | exec_in life cat; }
t "tasks exec reads a pipe" prints piped exec_stdin
t "tasks exec -t" matches tty-everywhere on_tty "$T/bin/c" tasks exec -t --exec-id tty1 life sh -c 'test -t 0 && test -t 1 && echo tty-everywhere'
t "tasks exec -t: exit status" status 6 on_tty "$T/bin/c" tasks exec -t --exec-id tty2 life sh -c 'exit 6'
exec_detached() { exec_in -d life sh -c 'echo over >/tmp/detached' && eventually prints over exec_in life cat /tmp/detached; }
t "tasks exec -d" exec_detached
exec_ns() { local n; for n in pid mnt ipc uts net; do prints "$(readlink "/proc/$(task_pid life)/ns/$n")" exec_in life readlink "/proc/self/ns/$n" || return; done; }
t "tasks exec joins every namespace" exec_ns
exec_cgroup() { prints "$(grep -E 'pids|^0::' "/proc/$(task_pid life)/cgroup" | head -1)" exec_in life sh -c 'grep -E "pids|^0::" /proc/self/cgroup | head -1'; }
t "tasks exec runs in the container's cgroup" exec_cgroup
t "tasks ps" matches "^$(task_pid life) " c tasks ps life
t "tasks metrics" matches '^(memory.usage_in_bytes|memory.usage|pids.current) +[1-9]' c tasks metrics life
t "tasks kill -s USR1" c tasks kill -s USR1 life
t "tasks kill: the handler ran" eventually prints USR1 exec_in life cat /tmp/got
pause() { c tasks pause life && task_is life PAUSED && prints FROZEN cgroup_state "$(task_pid life)"; }
t "tasks pause freezes" pause
t "tasks exec in a paused container is refused" fails 'paused' exec_in life true
resume() { c tasks resume life && task_is life RUNNING && prints THAWED cgroup_state "$(task_pid life)" && prints again exec_in life echo again; }
t "tasks resume thaws" resume
t "tasks rm of a running container is refused" fails 'must be stopped|running|precondition' c tasks rm life
t "a second container of the same id is refused" fails 'already exists' up life box true
term() { c tasks kill -s TERM life && eventually task_is life STOPPED; }
t "tasks kill -s TERM ends it" term
t "tasks exec in a stopped container is refused" fails 'stopped|not running|not found|cannot exec' exec_in life true
t "tasks rm gives the exit status" matches 'exit code 42' c tasks rm life
no_cgroup() { prints '' find /sys/fs/cgroup -path "*/$PARENT/life"; }
t "the cgroups are gone" eventually no_cgroup
no_shim() { ! pgrep -f "containerd-shim.* -id life .*$T/sock|containerd-shim.*-id life.*-address $T/sock"; }
t "the shim is gone" eventually no_shim
t "tasks start again" eval 'c tasks start -d --null-io life && task_is life RUNNING; r=$?; down life; (exit $r)'

# --- other ways to live

# In a container of its own: to look a name up, ctr mounts the container's overlay a second time,
# after which nothing can be created in it.
exec_user() {
	up users box sleep 99
	prints '1000 1000' exec_in --user 1000:1000 users sh -c 'echo $(id -u) $(id -g)' &&
		prints '1000 1000' exec_in --user user users sh -c 'echo $(id -u) $(id -g)'
	local result=$?
	down users
	return "$result"
}
t "tasks exec --user, by number and by name" exec_user
delete_force() {
	local pid
	up forced box sleep 99 && pid=$(task_pid forced) && c tasks rm -f forced
	gone "$pid" && c containers rm forced
}
t "tasks rm -f ends a running container" delete_force
kill_all() {
	local pids pid result=0
	up donor box sleep 99 || return
	up many --with-ns "pid:/proc/$(task_pid donor)/ns/pid" box sh -c 'sleep 98 & wait' || result=1
	eventually eval '[ "$(c tasks ps many | tail -n +2 | wc -l)" = 2 ]' || result=1
	pids=$(c tasks ps many | awk 'NR > 1 { print $1 }')
	c tasks kill -a -s KILL many
	eventually task_is many STOPPED || result=1
	for pid in $pids; do eventually gone "$pid" || result=1; done
	task_is donor RUNNING || result=1
	down many
	down donor
	return "$result"
}
t "tasks kill -a ends every process of a shared pid namespace" kill_all
children_die() {
	local pid
	up tree box sh -c 'sleep 97 & wait'
	eventually eval '[ "$(c tasks ps tree | tail -n +2 | wc -l)" = 2 ]'
	pid=$(c tasks ps tree | awk 'NR > 1 { print $1 }' | tail -1)
	down tree && eventually gone "$pid"
}
t "children end with their container" children_die
create_start() {
	c containers create --snapshotter overlayfs --runtime io.containerd.runc.v2 docker.io/library/box:latest made true >"$T/o" 2>&1 ||
		{ cat "$T/o"; return 1; }
	matches '^made ' c containers ls && c containers rm made
}
t "containers create, ls, rm" create_start
pid_file() { up pf --pid-file "$T/pidfile" box sleep 99 && prints "$(task_pid pf)" cat "$T/pidfile" && down pf; }
t "run --pid-file" pid_file
attach() {
	c "${RUN[@]}" -d --cgroup "/$PARENT/log" --log-uri "file://$T/task.log" docker.io/library/box:latest log sh -c 'echo to the log; sleep 99' &&
		eventually prints 'to the log' cat "$T/task.log"
	local result=$?
	down log
	return "$result"
}
t "run --log-uri file" attach
spec_config() {
	up spec box sleep 99
	c containers info spec | jq '.Spec | .process.args = ["sh", "-c", "hostname; id -u; ulimit -n; cat /proc/sys/net/core/somaxconn"] | .hostname = "from-config"
		| .process.user = { "uid": 55, "gid": 66 } | .process.rlimits[0].soft = 512 | .linux.sysctl = { "net.core.somaxconn": "77" }
		| .linux.cgroupsPath = "/'"$PARENT"'/conf"' >"$T/config.json"
	down spec
	# With --config ctr takes no image: the root is the folder named in the file.
	jq --arg root "$T/rootfs" '.root = { "path": $root }' "$T/config.json" >"$T/c.json"
	prints $'from-config\n55\n512\n77' c run --runc-binary "$OCI" --rm --config "$T/c.json" conf
}
t "run --config: host name, user, limit, sysctl of the file" spec_config
parallel() {
	local i jobs=()
	for i in 1 2 3 4 5 6; do
		run box sh -c "exit $i" &
		jobs+=($!)
	done
	for i in 1 2 3 4 5 6; do status $i wait "${jobs[i - 1]}" || return; done
}
t "six containers at once, each with its own exit code" parallel
events_seen() { local e; for e in create start exec-started paused resumed exit delete; do grep -q "/tasks/$e" "$T/events" || { echo "no event $e"; return 1; }; done; }
t "events of the whole life arrived" events_seen
t "no task and no container is left" nothing_left

tap_end
