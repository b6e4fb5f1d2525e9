#!/bin/bash
# SPDX-License-Identifier: MIT
# exec: every flag, --process, status, refusals.
. "$(dirname "$0")/lib.sh"
setup

up '.process.user={uid:0,gid:0,additionalGids:[7]} | .process.env+=["BASE=1"] | .process.cwd="/tmp" | .process.user.umask=63'
x() { # WHAT WANT ARGUMENT...
	local what=$1 want=$2
	shift 2
	attempt exec "$@"
	eq "$what" "$out" "$want"
}
x "user, groups, env, cwd and umask are the container's" $'0 0 7\n1\n/tmp\n0077' "$ID" sh -c 'echo $(id -u) $(id -G); echo $BASE; pwd; umask'
x "--cwd" /etc --cwd /etc "$ID" pwd
x "--env adds and replaces" $'2\nx=y' -e BASE=2 --env NEW=x=y "$ID" sh -c 'echo $BASE; echo $NEW'
x "--user" $'1000\n0\n/home/user' --user 1000 "$ID" sh -c 'id -u; id -g; echo $HOME'
x "--user with group" '1000:1001' -u 1000:1001 "$ID" sh -c 'echo $(id -u):$(id -g)'
x "--additional-gids" '0 7 55 56' -g 55 --additional-gids 56 "$ID" id -G
x "--no-new-privs" 1 --no-new-privs "$ID" sh -c 'awk "/NoNewPrivs/ { print \$2 }" /proc/self/status'
x "options of the command are its own" '-u -e' "$ID" echo -u -e
attempt exec "$ID" sh -c 'exit 42'
eq "exit status" "$status" 42
attempt exec "$ID" sh -c 'kill -9 $$'
eq "status of a signal" "$status" 137
attempt exec "$ID" no-such-program
eq "status of a program that is missing" "$status" 255
like "its message" "$out" 'no-such-program.*not found'
oci exec --pid-file "$T/pid" -d "$ID" sleep 300 >/dev/null 2>&1 </dev/null
status=$?
eq "--detach" "$status" 0
eq "--pid-file" "$(cat "/proc/$(cat "$T/pid")/comm")" sleep
for ns in mnt pid net ipc uts cgroup; do
	eq "the $ns namespace is the container's" "$(readlink "/proc/$(cat "$T/pid")/ns/$ns")" "$(readlink "/proc/$(field pid)/ns/$ns")"
done
eq "so are its cgroups" "$(cat "/proc/$(cat "$T/pid")/cgroup")" "$(cat "/proc/$(field pid)/cgroup")"
jq '.process | .args=["sh","-c","id -u; pwd; echo $P; umask; ulimit -n"] | .user={uid:1000,gid:1000,umask:23} | .cwd="/" | .env=["PATH=/bin","P=q"]
	| .rlimits=[{type:"RLIMIT_NOFILE",soft:50,hard:50}]' "$B/config.json" >"$T/p.json"
x "--process" $'1000\n/\nq\n0027\n50' --process "$T/p.json" "$ID"
x "-p with =" $'1000\n/\nq\n0027\n50' "-p=$T/p.json" "$ID"
attempt exec -t --console-socket "$T/nosock" "$ID" true
like "a console socket that is not there" "$status $out" "^255 .*nosock"
if cg_dir pids >/dev/null; then
	mkdir "$(cg_dir pids "$ID")/sub"
	attempt exec --cgroup pids:sub "$ID" grep :pids: /proc/self/cgroup
	like "--cgroup" "$out" ":pids:/$ID/sub\$"
	fails "--cgroup that leads out" 'cgroup' exec --cgroup pids:../.. "$ID" true
	rmdir "$(cg_dir pids "$ID")/sub"
fi
fails "no command" 'args|argument' exec "$ID"
fails "a user that is a name" 'nobody' exec -u nobody "$ID" true
fails "an env without =" 'novalue|NAME=VALUE' exec -e =novalue "$ID" true
fails "a relative cwd" 'cwd|Cwd' exec --cwd tmp "$ID" true
fails "a process file that is missing" '/nowhere' exec -p /nowhere "$ID"
echo '{"args":"x","cwd":"/"}' >"$T/p.json"
fails "a process file with a wrong type" 'p.json.*args' exec -p "$T/p.json" "$ID"
fails "an unknown flag" 'no-such' exec --no-such "$ID" true
fails "a detached terminal without socket" 'console' exec -d -t "$ID" true
fails "an AppArmor profile or SELinux label that cannot be set is said" '(selinux|SELinux|label)' exec --process-label a:b:c:d "$ID" true
for i in {1..10}; do oci exec "$ID" sh -c 'exit 0' </dev/null || no "exec $i"; done
attempt ps -f json "$ID"
eq "no process is left but the two" "$(jq length <<<"$out")" 2
x "standard streams" abc "$ID" sh -c 'echo abc >&2'
eq "standard input" "$(echo typed | oci exec "$ID" cat)" typed
