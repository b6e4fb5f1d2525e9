#!/bin/bash
# SPDX-License-Identifier: MIT
# What the command line does beside devices, which nested/ tries: tables for people, places that are chosen, keys at a
# terminal, names of devices.  With processors in software.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "${CLEAVE_BIN:-$here/../../build/bin}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
gcc -c -o guest.o "$here/bare/guest.S" &&
	ld -m elf_x86_64 -static -nostdlib -z noexecstack -Ttext=0x200000 -e start -o guest guest.o || exit 1
checks=0 failed=0

# is NAME HAVE WANT
is() {
	checks=$((checks + 1))
	[ "$2" = "$3" ] || { failed=$((failed + 1)); printf 'FAIL %s\n    have: %s\n    want: %s\n' "$@"; }
}
# says STATUS TEXT [OPTION]...: the program ends so, and says so
says() {
	local want=$1 text=$2
	shift 2
	timeout 60 "$bin/cleave-vmm" --accel soft --kernel guest --append o --memory 32M "$@" >out 2>err </dev/null
	is "$*: status" "$?" "$want"
	is "$*: says" "$(grep -cF -- "$text" err)" "$([ -n "$text" ] && echo 1 || echo 0)"
}

# ACPI tables, as acpidump writes them
"$bin/cleave-vmm" --dump-acpi acpi --cpus 3 --memory 6G
is "tables" "$(grep -o '^.... @' acpi | tr -d '\n')" 'XSDT @FACP @DSDT @APIC @MCFG @'
is "tables to standard output" "$("$bin/cleave-vmm" --dump-acpi - --cpus 3 --memory 6G | cmp - acpi && echo same)" same
is "tables of another machine" "$("$bin/cleave-vmm" --dump-acpi - --cpus 3 --memory 6G --qmp q | cmp -s - acpi || echo other)" other
if command -v iasl >/dev/null; then
	acpixtract -a acpi >/dev/null 2>&1 && iasl -d ./*.dat >iasl 2>&1 || cat iasl
	is "iasl reads them" "$(cat ./*.dsl | grep -cE 'DefinitionBlock|Local Apic ID : 02|PNP0A08')" 3
	is "they are in order" "$(grep -ciE 'error|warning|incorrect checksum' iasl ./*.dsl | grep -v ':0$')" ''
fi
"$bin/cleave-vmm" --dump-acpi - --memory 1M 2>err >out
is "tables of no machine" "$? $(grep -c 'option --memory' err) $(wc -c <out)" '2 1 0'

# sockets to the guest: a place that is chosen, and is gone afterwards
export XDG_RUNTIME_DIR=$work/run
mkdir -m 700 run
says 0 "socket of guest 5: $work/run/cleave-vsock-5/guest" --vsock 5
says 0 "socket of guest 5: $work/run/cleave-vsock-5/guest" --vsock guest-cid=5
is "its place" "$(ls run)" ''
mkdir run/cleave-vsock-6 && touch run/cleave-vsock-6/guest_80
says 0 "guest 6" --vsock 6
is "a place that others use" "$(ls run/cleave-vsock-6)" guest_80
touch run/cleave-vsock-6/guest
says 1 "option --vsock: listen at '$work/run/cleave-vsock-6/guest'" --vsock 6
says 0 "" --vsock cid=7,uds_path=v
says 2 "option --vsock: '2' is not a number from 3" --vsock 2
says 2 "option --vsock: the guest's address is missing" --vsock path=v
says 2 "option --vsock: unknown word 'x=v'" --vsock 7,x=v
XDG_RUNTIME_DIR=relative says "$([ "$(id -u)" = 0 ] && echo 0 || echo 2)" "$([ "$(id -u)" = 0 ] && echo /run/cleave-vsock-4201 || echo XDG_RUNTIME_DIR)" --vsock 4201
is "sockets" "$(find . -type s)" ''

# pages that nobody reserved
says 1 "reserve 524288 more (sysctl vm.nr_hugepages)" --memory 1024G,huge

# names of devices
truncate -s 1M disk other
says 1 "device name 'x' is taken" --disk disk,id=x --net user,id=x
truncate -s 1000 odd
says 0 "disk 'odd': the last 488 bytes are not a whole sector" --disk odd
says 0 "" --disk disk,id=virtio1 --disk other

# keys at a terminal, and the control socket where QEMU's users put it
is "keys" "$(timeout 60 python3 - "$bin/cleave-vmm" <<'PY'
import json, os, pty, socket, sys, time

pid, tty = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "--accel", "soft", "--kernel", "guest", "--append", "e", "--memory", "32M",
                           "--disk", "disk", "--qmp", "unix:q,server=on,wait=off"])
seen = b""


def until(text):
    global seen
    while text not in seen:
        seen += os.read(tty, 4096)


until(b"Control-A X")
until(b"BARE")
s = socket.socket(socket.AF_UNIX)
s.connect("q")
f = s.makefile("rw")
f.readline()
for command in "qmp_capabilities", "query-block":
    f.write(json.dumps({"execute": command}))
    f.flush()
    reply = json.loads(f.readline())["return"]
print(reply[0]["device"], reply[0]["qdev"], end=" ")
os.write(tty, b"a\x01\x01b\x01q\x03c")  # the last but one is Control-C
until(b"a\x01b\x03c")
os.write(tty, b"\x01h")
until(b"Control-A is Control-A")
os.write(tty, b"x" * 200 + b"\x01x")  # of a guest that does not read all of it
try:
    while os.read(tty, 4096):
        pass
except OSError:
    pass
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
)" "virtio0 /machine/peripheral/virtio0 0"
echo "options: $checks checks, $failed failures"
[ $failed = 0 ]
