#!/bin/bash
# SPDX-License-Identifier: MIT
# A guest of a few instructions, which any KVM runs and processors in software too: every way to end, the serial port, the control socket, and an
# attack on all devices.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${CLEAVE_BIN:-$here/../../build/bin}
if [ $# = 0 ]; then # once with each of them
	status=0
	[ ! -w /dev/kvm ] || "$0" kvm || status=1
	"$0" soft || status=1
	exit $status
fi
accel=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
for name in guest apic; do
	gcc -c -o $name.o "$here/bare/$name.S" &&
		ld -m elf_x86_64 -static -nostdlib -z noexecstack -Ttext=0x200000 -e start -o $name $name.o || exit 1
done
gcc -c -o long.o "$here/bare/long.S" && for name in attack attack_rings; do
	gcc -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none -mno-red-zone -mgeneral-regs-only \
		-fno-asynchronous-unwind-tables -fno-strict-aliasing -c -o $name.o "$here/bare/$name.c" || exit 1
done && ld -m elf_x86_64 -static -nostdlib -z noexecstack --no-warn-rwx-segments -Ttext=0x200000 -e start -o attack long.o attack.o attack_rings.o ||
	exit 1
failed=0

fail() {
	failed=1
	echo "FAIL $accel: $*"
	sed 's/^/    /' out err
}

# run NAME STATUS REGEX LETTER [OPTION]...
run() {
	local name=$1 want=$2 regex=$3 letter=$4 status=0
	shift 4
	timeout "${limit:-60}" "$bin/cleave-vmm" --accel "$accel" --kernel "${kernel:-guest}" --append "$letter" --memory 32M "$@" >out 2>err </dev/null || status=$?
	[ $status = "$want" ] || { fail "$name: exit status $status, not $want"; return; }
	[ -z "$regex" ] || grep -qE -- "$regex" out err || { fail "$name: no '$regex'"; return; }
}

run "power off" 0 BARE o
run "reset" 10 'asked for a reset' r --no-reboot
run "triple fault" 11 'triple fault' t
run "panic" 12 panicked p
run "serial port to a file" 0 '' o --serial console
grep -qx BARE console || fail "serial port to a file"
status=0
(sleep 1 && echo "hello, host") | timeout 60 "$bin/cleave-vmm" --accel "$accel" --kernel guest --append e --memory 32M >out 2>err || status=$?
[ $status = 0 ] && grep -qx 'hello, host' out || fail "echo: $status"
timeout 60 "$bin/cleave-vmm" --accel "$accel" --kernel guest --append h --memory 32M --cpus 3 >out 2>err </dev/null &
sleep 2
vmm=$(pgrep -P $!)
grep -qE '^CapEff:\s0+$' "/proc/$vmm/status" && grep -qE '^NoNewPrivs:\s1' "/proc/$vmm/status" || fail "privileges are not given up"
kill -INT $!
wait $! 
[ $? = 130 ] && grep -q 'signal 2' err || fail "signal"

# an instruction that a KVM which only emulates does not know: diagnosed when it is one of those
if "$bin/cleave-vmm" --probe | grep -q "^$accel: yes"; then
	run "instruction" 0 BARE i
else
	run "instruction" 1 "could not emulate.*'cleave-vmm --probe' tells" i
fi

# interrupt controllers
if "$bin/cleave-vmm" --probe | grep -q "^$accel: yes"; then
	kernel=apic run "interrupts" 0 DONE x --cpus 2
fi

# attack everything
truncate -s 4M disk pm
mkdir share
runs=$("$bin/cleave-vmm" --probe | grep "^$accel: yes") # a KVM that only emulates needs minutes (RINGS=SECONDS: so many)
RINGS=${RINGS:-}
for seed in 1 2; do
	# shellcheck disable=SC2054 # commas belong to the values
	devices=(--fs share,tag=x --net user --disk disk --pmem pm --console hvc --console unix:port,name=x --vsock 9,path=v --balloon --cpus "$seed")
	[ ! -w /dev/net/tun ] || devices+=(--net "tap=vmmtest$$")
	run "attack" 0 DONE a "${devices[@]}"
	[ "$seed" = 2 ] && [ -n "$runs$RINGS" ] || continue
	# (a capital letter: a tenth of it, which takes long enough where KVM emulates)
	letter=$seed started='40 broken [1-9][0-9]* answered [1-9]'
	[ -n "$runs" ] || letter=B started='4 '
	kernel=attack limit=${RINGS:-60} run "attack on rings" 0 '^DONE devices (8|9)' "$letter" "${devices[@]}" --qmp attacked
	# each device was started, found what is nonsense, and answered what is not
	[ "$(grep -cE "^device kind [0-9]+ slot [0-9]+ started $started" out)" -ge 8 ] || fail "attack on rings: see above"
	! grep -q wrong out || fail "attack on rings: a device hangs"
done

# the control socket
python3 - "$bin/cleave-vmm" "$accel" <<'PY' || fail "control socket"
import json, os, socket, subprocess, sys, time

vmm = subprocess.Popen([sys.argv[1], "--accel", sys.argv[2], "--kernel", "guest", "--append", "h", "--memory", "32M", "--cpus", "2", "--qmp", "q",
                        "--balloon"], stdin=subprocess.DEVNULL, stdout=open("out", "w"), stderr=open("err", "w"))
s = socket.socket(socket.AF_UNIX)
for _ in range(200):
    try:
        s.connect("q")
        break
    except OSError:
        time.sleep(0.1)
f = s.makefile("rw")
events = []


def ask(command, **more):
    f.write(json.dumps({"execute": command, **more}))
    f.flush()
    while True:
        reply = json.loads(f.readline())
        if "event" not in reply:
            return reply
        at = reply["timestamp"]
        assert abs(at["seconds"] - time.time()) < 600 and 0 <= at["microseconds"] < 1000000, reply
        events.append(reply["event"])


def need(what, value):
    assert value, what


need("greeting", "QMP" in json.loads(f.readline()))
need("no command before capabilities", ask("query-status")["error"]["class"] == "CommandNotFound")
need("a capability that is not there", ask("qmp_capabilities", arguments={"enable": ["oob"]})["error"]["class"] == "GenericError")
need("capabilities", ask("qmp_capabilities")["return"] == {})
need("capabilities again", ask("qmp_capabilities", id="i") == {"error": {"class": "CommandNotFound",
     "desc": "Capabilities negotiation is already complete, command ignored"}, "id": "i"})
need("status", ask("query-status", id=7) == {"return": {"status": "running", "running": True, "singlestep": False}, "id": 7})
for _ in range(20):
    ask("stop")
    need("paused", ask("query-status")["return"]["status"] == "paused")
    ask("cont")
need("two processors", len(ask("query-cpus-fast")["return"]) == 2)
need("balloon", ask("query-balloon")["return"]["actual"] == 32 << 20)
need("wrong argument", "error" in ask("balloon", arguments={"value": "x"}))
need("an argument too many", ask("stop", arguments={"now": True})["error"] == {"class": "GenericError",
     "desc": "Parameter 'now' is unexpected"})
need("a member too many", "'exec-oob' is unexpected" in ask("stop", **{"exec-oob": "stop"})["error"]["desc"])
need("an argument missing", ask("device_del")["error"]["desc"] == "Parameter 'id' is missing")
need("no such device", ask("device_del", arguments={"id": "x"})["error"] == {"class": "DeviceNotFound", "desc": "Device 'x' not found"})
need("no such network", ask("netdev_del", arguments={"id": "x"})["error"]["class"] == "DeviceNotFound")
need("in a description of a file", "'backing' is unexpected" in ask("blockdev-add", arguments={"node-name": "n", "driver": "raw",
     "file": {"driver": "file", "filename": "disk", "backing": "x"}})["error"]["desc"])
need("a script", "not run" in ask("netdev_add", arguments={"type": "tap", "id": "t", "ifname": "t", "script": "up"})["error"]["desc"])


def line(text):
    return ask("human-monitor-command", arguments={"command-line": text})["return"]


need("lines of a monitor", [line(t) for t in ("info  status ", "balloon x", "info kvm x", "nothing", "")] == ["VM status: running\r\n",
     "balloon: 'x' is not a number of MiB\r\n", "info kvm: extraneous characters at the end of line\r\n", "unknown command: 'nothing'\r\n", ""])
need("monitor's help", "system_reset -- " in line("help"))
schema = ask("query-qmp-schema")["return"]
kinds = {e["name"]: e for e in schema}
need("schema has names once", len(kinds) == len(schema))
need("schema has types", all(kinds[e[k]] for e in schema for k in ("arg-type", "ret-type") if k in e))
need("schema has all commands", {c["name"] for c in ask("query-commands")["return"]} == {n for n, e in kinds.items() if e["meta-type"] == "command"})
need("schema's arguments", [m["name"] for m in kinds[kinds["device_add"]["arg-type"]]["members"] if "default" not in m] == ["driver", "id"])
for command in "machines", "current-machine", "hotpluggable-cpus", "cpu-definitions", "chardev", "jobs", "memdev", "migrate", "iothreads", "name":
    need(command, "return" in ask("query-" + command))
need("tree", {o["name"]: o["type"] for o in ask("qom-list", arguments={"path": "/machine/peripheral"})["return"]} ==
     {"type": "string", "rng0": "child<virtio-rng-pci>", "balloon0": "child<virtio-balloon-pci>"})
need("processors in it", all(ask("qom-get", arguments={"path": p["qom-path"], "property": "type"})["return"] == "host-x86_64-cpu"
     for p in ask("query-cpus-fast")["return"]))
stats = {"path": "/machine/peripheral/balloon0", "property": "guest-stats-polling-interval"}
need("a property that is set", ask("qom-set", arguments={**stats, "value": 2}) == {"return": {}} and ask("qom-get", arguments=stats)["return"] == 2)
need("what the guest says", ask("qom-get", arguments={**stats, "property": "guest-stats"})["return"]["last-update"] == 0)
need("no property", ask("qom-get", arguments={**stats, "property": "x"})["error"]["desc"] == "Property 'virtio-balloon-pci.x' not found")
need("what stays", "not support" in ask("device_del", arguments={"id": "balloon0"})["error"]["desc"])
for path in "/x", "", "/machine/peripheral/", "/machine/peripheral/x", "/machine/unattached/device[2]":
    need("no object", ask("qom-list", arguments={"path": path})["error"]["class"] == "DeviceNotFound")
need("unknown", ask("x" * 300)["error"]["class"] == "CommandNotFound")
for _ in range(5):
    ask("system_reset")
    while "RESET" not in events:
        events.append(json.loads(f.readline()).get("event"))
    events.remove("RESET")
# a disk by a descriptor that is sent along; a reset takes it away
disk = os.open("disk", os.O_RDWR)
for _ in range(20):
    socket.send_fds(s, [b'{"execute": "add-fd", "arguments": {"fdset-id": 3}}'], [disk])
    need("descriptor", json.loads(f.readline())["return"]["fdset-id"] == 3)
    node = {"node-name": "n", "driver": "file", "filename": "/dev/fdset/3"}
    need("file", ask("blockdev-add", arguments=node)["return"] == {})
    need("disk", ask("device_add", arguments={"driver": "virtio-blk-pci", "id": "d", "drive": "n"})["return"] == {})
    need("query", [b["inserted"]["image"]["virtual-size"] for b in ask("query-block")["return"]] == [4 << 20])
    need("nodes", [b["inserted"] for b in ask("query-block")["return"]] == ask("query-named-block-nodes")["return"])
    pci = {p["qdev_id"]: p for p in ask("query-pci")["return"][0]["devices"]}
    need("who it is", pci["d"]["id"] == {"vendor": 0x1AF4, "device": 0x1042, "subsystem-vendor": 0x1AF4, "subsystem": 0x42})
    need("where it is", [(r["bar"], r["type"], r["address"], r["size"] >= 4096) for r in pci["d"]["regions"]][:1] == [(0, "memory", -1, True)])
    need("host bridge", pci[""]["slot"] == 0 and pci[""]["regions"] == [])
    need("in use", "error" in ask("blockdev-del", arguments={"node-name": "n"}))
    need("remove", ask("device_del", arguments={"id": "d"})["return"] == {})
    ask("system_reset")
    while "RESET" not in events:
        events.append(json.loads(f.readline()).get("event"))
    events.remove("RESET")
    need("gone", "DEVICE_DELETED" in events)
    events.remove("DEVICE_DELETED")
    need("file removed", ask("blockdev-del", arguments={"node-name": "n"})["return"] == {})
    need("descriptor removed", ask("remove-fd", arguments={"fdset-id": 3})["return"] == {})
need("no path", "given up" in ask("blockdev-add", arguments={**node, "filename": "disk"})["error"]["desc"])
need("no network", "left" in ask("netdev_add", arguments={"type": "user", "id": "u"})["error"]["desc"])
need("no descriptor", "error" in ask("getfd", arguments={"fdname": "x"}))
need("events", "STOP" in events and "RESUME" in events)
for _ in range(100):
    if open("out").read().count("BARE") > 1:
        break
    time.sleep(0.1)
many = [socket.socket(socket.AF_UNIX) for _ in range(8)]
for c in many:
    c.connect("q")
many[0].sendall(b"{" * 70000)
many[1].sendall(b'{"execute": "qmp_capabilities"}' * 2000)
ask("quit")
while True:
    line = f.readline()
    if not line:
        break
    events.append(json.loads(line).get("event"))
need("SHUTDOWN", "SHUTDOWN" in events)
need("exit status", vmm.wait(30) == 0)
need("socket removed", not os.path.exists("q"))
need("it began anew", open("out").read().count("BARE") > 1)
PY
exit $failed
