#!/bin/bash
# SPDX-License-Identifier: MIT
# A public client of QEMU's machine protocol drives a machine: Ganeti's, which adds devices to running machines, and
# removes them.  Its package is unpacked into build/ganeti, not installed: only its Python modules are wanted.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "${CLEAVE_BIN:-$here/../../build/bin}")
cache=$(realpath "$here/../..")/build/ganeti
[ "$(id -u)" = 0 ] || { echo "skip: needs root for a tap device"; exit 77; }
/usr/bin/python3 -c 'import bitarray, OpenSSL, pycurl, pyparsing, simplejson' 2>/dev/null ||
	{ echo "skip: Python modules of tests/vmm/packages.txt are not installed"; exit 77; }
mkdir -p "$cache"
(
	flock 9
	[ ! -e "$cache/usr" ] || exit 0
	work=$(mktemp -d) && cd "$work" && apt-get -qq -o APT::Sandbox::User=root download ganeti-3.0 && dpkg -x ganeti-3.0_*.deb x &&
		mv x/usr "$cache/" && rm -r "$work"
) 9>"$cache/lock" || exit 1

work=$(mktemp -d)
vmm=
trap '[ -z "$vmm" ] || kill "$vmm" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
gcc -c -o guest.o "$here/bare/guest.S" &&
	ld -m elf_x86_64 -static -nostdlib -z noexecstack -Ttext=0x200000 -e start -o guest guest.o || exit 1
head -c 2M /dev/urandom >disk.img
timeout 100 "$bin/cleave-vmm" --accel soft --kernel guest --append h --memory 32M --qmp q --serial serial 2>err &
vmm=$!
timeout 60 sh -c 'until grep -qs BARE serial && [ -e q ]; do sleep 0.05; done' || { cat err; exit 1; }
PYTHONPATH=$cache/usr/share/ganeti/3.0 timeout 60 unshare --net /usr/bin/python3 - <<'PY'
import fcntl
import os
import struct
from types import SimpleNamespace

from ganeti import errors
from ganeti.hypervisor.hv_kvm import monitor

TUNSETIFF, TAP_NO_PI_VNET_HDR = 0x400454CA, 0x0002 | 0x1000 | 0x4000
checks = failed = 0


def check(what, good):
    global checks, failed
    checks += 1
    if not good:
        failed += 1
        print("FAIL", what)


def refused(what, text, call, *args):
    try:
        call(*args)
        check(what, False)
    except errors.HypervisorError as e:
        check("%s: %s" % (what, e), text in str(e))


def tap():
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"ganeti%d", TAP_NO_PI_VNET_HDR))
    return fd


def device(name, **more):
    return SimpleNamespace(hvinfo={"driver": "virtio-%s-pci" % name[:3], "id": name, "bus": "pci.0", "addr": "0x9"}, **more)


def execute(command, arguments=None):
    with monitor.QmpConnection("q") as connection:
        return connection.Execute(command, arguments)


q = monitor.QmpConnection("q")  # connects for each of its methods
with q:
    check("version", q.version == (7, 2, 0) and q.package.startswith("cleave-vmm"))
q.CheckDiskHotAddSupport()
q.CheckNicHotAddSupport()
check("schema", q.HasDynamicAutoReadOnly() is False)
check("running", execute("query-status")["status"] == "running")
q.StopGuestEmulation()
check("stopped", execute("query-status")["status"] == "paused")
q.ContinueGuestEmulation()
slot = q.GetFreePCISlot()
check("a slot", slot > 0)


def add_node(name):
    q.Execute("blockdev-add", {"driver": "raw", "node-name": "blk", "file": {"driver": "file", "filename": name}})


q.HotAddDisk(device("blk"), "blk", "disk.img", add_node)
check("disk", q.HasDevice("blk") and q.GetFreePCISlot() != slot)
check("size", execute("query-block")[0]["inserted"]["image"]["virtual-size"] == 2 << 20)
refused("the disk again", "Duplicate", execute, "device_add", {"driver": "virtio-blk-pci", "id": "blk", "drive": "blk"})
q.HotAddNic(device("net", mac="52:54:00:12:34:56"), "net", [tap()])
check("network", q.HasDevice("net"))
refused("descriptors that were not sent", "'nobody' is not there", execute,
        "netdev_add", {"type": "tap", "id": "x", "fds": "net-0:nobody"})
q.HotDelDisk("blk")
refused("a network in use", "in use", q.HotDelNic, "net")
execute("system_reset")
while q.HasDevice("blk") or q.HasDevice("net"):
    pass
execute("netdev_del", {"id": "net"})
execute("blockdev-del", {"node-name": "blk"})
refused("a command that is not there", "x-nothing", execute, "x-nothing")
execute("quit")
print("ganeti: %d checks, %d failures" % (checks, failed))
raise SystemExit(failed > 0)
PY
status=$?
wait "$vmm" || { echo "FAIL exit status of the machine: $?"; status=1; }
vmm=
[ $status = 0 ] || cat err
exit $status
