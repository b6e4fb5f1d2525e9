#!/bin/bash
# SPDX-License-Identifier: MIT
# What a guest has gained that took its machine's process over: system calls are made in the place of the process's
# threads, and what it has of the host is looked at.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "${CLEAVE_BIN:-$here/../../build/bin}")
[ -w /dev/kvm ] || { echo "skip: no /dev/kvm that may be used"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skip: needs root"; exit 77; }
work=$(mktemp -d)
vmm=
trap 'kill -9 $vmm 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
chmod 755 .
gcc -c -o guest.o "$here/bare/guest.S" &&
	ld -m elf_x86_64 -static -nostdlib -z noexecstack -Ttext=0x200000 -e start -o guest guest.o &&
	gcc -o inject -D_GNU_SOURCE "$here/inject.c" || exit 1
checks=0 failed=0

fail() {
	failed=$((failed + 1))
	echo "FAIL $*"
	sed 's/^/    /' out
}
is() {
	checks=$((checks + 1))
	[ "$2" = "$3" ] || { fail "$1"; echo "    have: $2"; echo "    want: $3"; }
}

# start [OPTION]...: a machine that does nothing: $vmm, its threads $loop and $cpu.  KVM may have added one of its own.
start() {
	while [ -e q ]; do sleep 0.01; done # of one that the kernel ended
	"${by[@]}" "$bin/cleave-vmm" --kernel guest --append h --memory 32M --accel "$accel" "${qmp[@]}" "$@" >out 2>&1 </dev/null 9<secret 8>&- &
	vmm=$!
	local i
	for ((i = 0; i < 200; i++)); do
		cpu=$(awk '$1 == "Name:" { name = $2 } $1 == "Seccomp:" && name !~ /^kvm/ && $2 == 2 { split(FILENAME, p, "/"); print p[5] }' /proc/$vmm/task/*/status 2>/dev/null)
		[ "$(wc -w <<<"$cpu")" = "${threads:-2}" ] && break
		kill -0 $vmm 2>/dev/null || break
		sleep 0.02
	done
	sleep 0.05
	loop=$vmm
	cpu=$(grep -vx "$vmm" <<<"$cpu")
}
stop() {
	kill -TERM $vmm
	wait $vmm
	is "end of: $1" $? 143
	is "sockets after: $1" "$(find . -type s)" ''
}
by=() qmp=(--qmp q) accel=kvm
echo secret >secret

# what the process has
start --vsock 5,path=v
stop "a socket in a directory"
mkdir sockets
chown 1234:1234 sockets
for where in none sockets; do
	option=()
	[ $where = none ] || option=(--vsock "5,path=$work/sockets/v")
	start --sandbox full "${option[@]}"
	for ns in mnt net ipc uts cgroup; do
		checks=$((checks + 1))
		[ "$(readlink /proc/$vmm/ns/$ns)" != "$(readlink /proc/self/ns/$ns)" ] || fail "$where: namespace $ns is the host's"
	done
	for thread in $loop $cpu; do
		status=$(cat "/proc/$vmm/task/$thread/status")
		is "$where: capabilities" "$(grep '^Cap' <<<"$status" | awk '{ print $2 }' | sort -u)" 0000000000000000
		is "$where: new privileges, filter" "$(grep -E '^(NoNewPrivs|Seccomp):' <<<"$status" | awk '{ print $2 }' | tr '\n' ' ')" '1 2 '
		want=65534
		[ $where = none ] || want=1234
		is "$where: users and groups" "$(grep -E '^(Uid|Gid):' <<<"$status" | tr -d 'UidG:' | xargs -n 1 | sort -u)" $want
	done
	found=$(ls -A /proc/$vmm/root/)
	[ $where = none ] || found=$(cd /proc/$vmm/root && find . | tr '\n' ' ')
	want=
	[ $where = none ] || want=". ./tmp ./tmp/${work##*/} ./tmp/${work##*/}/sockets ./tmp/${work##*/}/sockets/v "
	is "$where: what its root has" "$found" "$want"
	is "$where: mounts" "$(wc -l </proc/$vmm/mountinfo)" "$([ $where = none ] && echo 1 || echo 2)"
	is "$where: files it has open" \
		"$(find /proc/$vmm/fd -lname '/*' -printf '%l\n' | grep -vE "^/dev/(null|kvm)$|^$work/(guest|out)$")" ''
	is "$where: directories it has open" "$(find -L /proc/$vmm/fd -maxdepth 1 -mindepth 1 -type d)" ''
	stop "$where"
done

# calls that are nobody's business: the process ends, and says why
denied() {
	local name=$1 role
	shift
	for role in loop cpu; do
		start
		got=$(timeout 20 ./inject "${!role}" "$@" 2>&1)
		is "$role: $name" "$got $(grep -o 'sandbox: .*' out)" \
			"exit 13 sandbox: a thread made system call '$name', which is not allowed here"
		kill -9 $vmm 2>/dev/null
		wait $vmm
		is "$role: $name: exit status" $? 13
	done
	[ -z "$(find . -name q)" ] || { sleep 0.2; is "socket after $name" "$(find . -name q)" ''; }
}
denied openat 257 -100 @/etc/passwd 0
denied openat2 437 -100 @/etc/passwd 0 24
denied open_by_handle_at 304 0 0 0
denied execve 59 @/bin/sh 0 0
denied execveat 322 -100 @/bin/sh 0 0 0
denied clone 56 17 0 0 0 0
denied fork 57
denied vfork 58
denied clone3 435 0 0
denied ptrace 101 16 1 0 0
denied process_vm_readv 310 1 0 0 0 0 0
denied pidfd_getfd 438 0 0 0
denied kill 62 1 9
denied rt_sigaction 13 31 0 0 8
denied unshare 272 0x10000000
denied setns 308 0 0
denied mount 165 0 @/ 0 0 0
denied move_mount 429 -100 @/ -100 @/ 0
denied pivot_root 155 @/ @/
denied chroot 161 @/
denied setresuid 117 0 0 0
denied capset 126 0 0
denied prctl 157 38 0 0 0 0
denied seccomp 317 1 0 0
denied bpf 321 0 0 0
denied io_uring_setup 425 8 0
denied userfaultfd 323 0
denied memfd_create 319 @code 0
denied keyctl 250 0 0 0 0 0
denied init_module 175 0 0 @
denied perf_event_open 298 0 0 0 0 0
denied bind 49 0 0 0
denied unlink 87 @/tmp/x
denied renameat2 316 -100 @/a -100 @/b 0
denied chmod 90 @/ 0777
denied modify_ldt 154 0 0 0
# some by their arguments
denied mmap 9 0 4096 7 0x22 -1 0
denied mprotect 10 0x400000 4096 7
denied ioctl 16 0 0x5412 @x
denied tgkill 234 1 1 9
denied socket 41 2 1 0

# of the two roles, only the loop connects
start
is "loop: unix socket" "$(timeout 20 ./inject "$loop" 41 1 1 0 | cut -d ' ' -f 1)" result
is "loop: netlink" "$(timeout 20 ./inject "$loop" 41 16 3 0)" 'exit 13'
start
is "processor: unix socket" "$(timeout 20 ./inject "$cpu" 41 1 1 0)" 'exit 13'
start
is "loop: own limits" "$(timeout 20 ./inject "$loop" 302 0 7 0 0)" 'result 0'
is "loop: new limits" "$(timeout 20 ./inject "$loop" 302 0 7 0x1000 0)" 'exit 13'

# other doors to the kernel
start
is "32-bit calls" "$(timeout 20 ./inject -32 "$loop" 20)" 'signal 31'
start
is "x32 calls" "$(timeout 20 ./inject "$cpu" 0x40000027)" 'exit 13'

# what is allowed works, and does not hurt the machine
start
for thread in $loop $cpu; do
	is "getpid" "$(timeout 20 ./inject "$thread" 39)" "result $vmm"
	is "memory" "$(timeout 20 ./inject "$thread" 9 0 4096 3 0x22 -1 0 | cut -d ' ' -f 1)" result
done
is "it still answers" "$(python3 -c '
import socket
s = socket.socket(socket.AF_UNIX)
s.connect("q")
f = s.makefile("rw")
f.readline()
for c in "qmp_capabilities", "query-status":
    f.write("{\"execute\": \"%s\"}\n" % c)
    f.flush()
    print("running" in f.readline(), end=" ")')" 'False True '
stop "calls that are allowed"

# devices that come while it runs: what is sent, not what is named
start
is "files by name" "$(python3 - <<'PY'
import json, os, socket
s = socket.socket(socket.AF_UNIX)
s.connect("q")
f = s.makefile("r")
f.readline()
def ask(command, **arguments):
    s.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
    reply = json.loads(f.readline())
    return reply["error"]["desc"] if "error" in reply else "fine"
ask("qmp_capabilities")
print(ask("blockdev-add", **{"node-name": "n", "driver": "file", "filename": "/etc/passwd"}))
print(ask("netdev_add", type="tap", id="t", ifname="tap0"))
print(ask("netdev_add", type="user", id="u"))
socket.send_fds(s, [b'{"execute": "getfd", "arguments": {"fdname": "disk"}}'], [os.open("guest", os.O_RDONLY)])
f.readline()
print(ask("blockdev-add", **{"node-name": "n", "driver": "file", "filename": "disk", "read-only": True}))
print(ask("device_add", driver="virtio-blk-pci", id="d", drive="n"))
PY
)" "the machine has given up the right to open files: send a descriptor (add-fd, getfd)
the machine has given up the right to open files: send a descriptor (add-fd, getfd)
netdev_add: the machine has left the host's network; start it with --net user
fine
fine"
stop "devices that come"

# a directory that is shared: its thread has files, no way out of it and nothing else; and no other thread has them
mkdir -p shared/below
echo outside >outside
threads=3
start --fs shared,tag=x
server() { grep -lE '^CapEff:.*[1-9a-f]' /proc/$vmm/task/*/status | cut -d / -f 5; }
files=$(server)
cpu=$(grep -vx "$files" <<<"$cpu")
dir=$(find /proc/$vmm/fd -lname / -printf '%f ' | cut -d ' ' -f 1)
for up in .. below/../.. /etc/passwd; do
	is "shared directory: $up" "$(timeout 20 ./inject "$files" 257 "$dir" "@$up/outside" 0)" 'result -2'
done
is "shared directory: a file of it" "$(timeout 20 ./inject "$files" 257 "$dir" @below 0 | cut -d ' ' -f 1)" result
is "capabilities of the others" "$(cat /proc/$vmm/task/{$loop,$cpu}/status | awk '/^Cap/ { print $2 }' | sort -u)" 0000000000000000
is "file server: socket" "$(timeout 20 ./inject "$files" 41 1 1 0)" 'exit 13'
start --fs shared,tag=x
cpu=$(grep -vx "$(server)" <<<"$cpu")
is "processor: files" "$(timeout 20 ./inject "$cpu" 257 3 @below 0)" 'exit 13'
threads=2

# processors in software are processes; each has nothing but descriptors and a filter of its own
accel=soft
start --sandbox full
for child in $(pgrep -P $vmm -f cleave-vmm:soft); do
	is "software: user" "$(awk '$1 == "Uid:" { print $2, $3, $4, $5 }' /proc/$child/status)" '65534 65534 65534 65534'
	is "software: capabilities, privileges, filter" \
		"$(awk '/^(Cap|NoNewPrivs|Seccomp:)/ { print $2 }' /proc/$child/status | sort -u | tr '\n' ' ')" '0000000000000000 1 2 '
	is "software: root" "$(ls -A /proc/$child/root/)" ''
	is "software: openat" "$(timeout 20 ./inject "$child" 257 -100 @/etc/passwd 0)" 'signal 31'
done
is "software: processes" "${child:+some}" some
wait $vmm
is "software: a processor that is gone" "$? $(grep -c 'processor 0: its process' out)" '1 1'
# it may not run other code, nor reach others, nor make new memory executable
for call in '9 0 4096 7 0x22 -1 0' '10 0x1000 4096 4' '41 1 1 0' '56 0' '59 @/bin/sh 0 0' '62 1 0' '101 16 1 0 0' '319 @x 0' 0x40000027; do
	start
	child=$(pgrep -P $vmm -f cleave-vmm:soft)
	# shellcheck disable=SC2086 # a number and arguments
	is "software: system call $call" "$(timeout 20 ./inject "$child" $call)" 'signal 31'
	wait $vmm
done
start
child=$(pgrep -P $vmm -f cleave-vmm:soft)
is "software: loop: openat" "$(timeout 20 ./inject "$loop" 257 -100 @/etc/passwd 0)" 'exit 13'
is "software: processor" "$(sleep 0.2; grep '^State' "/proc/$child/status" 2>/dev/null | grep -v zombie)" ''
start --cpus 2
stop "software"
accel=kvm

# killed: the sockets go nevertheless
start --console unix:c,name=x
kill -9 $vmm
wait $vmm 2>/dev/null
for ((i = 0; i < 100; i++)); do
	[ -n "$(find . -type s)" ] || break
	sleep 0.05
done
is "sockets of one that was killed" "$(find . -type s)" ''

# without privileges from the start
# (with a /dev/kvm that the user may open: of which group it is differs)
mknod kvm c $((0x$(stat -c %t /dev/kvm))) $((0x$(stat -c %T /dev/kvm))) && chgrp 4322 kvm && chmod 660 kvm
install -m 755 "$bin/cleave-vmm" vmm
chmod 777 .
cat >user <<SH
#!/bin/sh
shift
exec unshare -m sh -c 'mount --bind $work/kvm /dev/kvm &&
	exec setpriv --reuid 4321 --regid 4321 --groups 4322 --inh-caps=-all "$work/vmm" "\$@"' sh "\$@"
SH
chmod 755 user
by=("$work/user")
if setpriv --reuid 4321 --regid 4321 --clear-groups unshare -Ur true 2>/dev/null; then
	start --sandbox full
	is "as a user: user" "$(awk '$1 == "Uid:" { print $2, $3, $4, $5 }' /proc/$vmm/status)" '4321 4321 4321 4321'
	is "as a user: root" "$(ls -A /proc/$vmm/root/)" ''
	is "as a user: capabilities" "$(awk '/^Cap/ { print $2 }' /proc/$vmm/status | sort -u)" 0000000000000000
	is "as a user: openat" "$(timeout 20 ./inject "$loop" 257 -100 @/etc/passwd 0)" 'exit 13'
else
	start
	is "as a user, no namespaces" "$(grep -c 'warning: sandbox: make a user namespace' out)" 1
	is "as a user: openat" "$(timeout 20 ./inject "$loop" 257 -100 @/etc/passwd 0)" 'exit 13'
fi
by=()

# the option
"$bin/cleave-vmm" --kernel guest --sandbox some >out 2>&1
is "--sandbox some" "$? $(cat out)" "2 cleave-vmm: option --sandbox: 'some' is neither auto, full nor off"
threads=0
start --sandbox off
for ((i = 0; i < 100; i++)); do
	grep -qx BARE out && break
	sleep 0.05
done
is "--sandbox off" "$(awk '/^(Seccomp|CapEff):/ { print $2 }' /proc/$vmm/status | tr '\n' ' ')" '0000000000000000 0 '
stop "no sandbox"

echo "sandbox: $checks checks, $failed failures"
[ $failed = 0 ]
