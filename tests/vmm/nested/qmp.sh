#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
. /opt/vmm/lib.sh

initramfs button evdev virtio_pci virtio_blk virtio_net
talk=/tmp/talk

# client WORD...: what the last machine's client says goes to $talk
client() {
	perl qmp.pl /tmp/qmp "$@" >$talk 2>&1 &
	client=$!
}

# said NAME REGEX...: each is in what the client was told
said() {
	local name=$1 regex
	shift
	joined $client
	for regex; do
		grep -qE -- "$regex" $talk || { fail "$name: not told '$regex'"; sed 's/^/    < /' $talk; return; }
	done
	echo "ok $name"
}

client query-status '{"execute": "query-cpus-fast", "id": [1, "x"]}' query-version query-commands query-kvm \
	query-memory-size-summary no-such-command '{"execute": 5}' '{"a"}' '[1]' \
	stop query-status stop cont query-status quit wait:SHUTDOWN
boot 'sleep 100' --qmp /tmp/qmp --cpus 2
expect "quit" 0
enabled=$([ $accel = kvm ] && echo true || echo false)
said "answers" '"status": ?"running"' '"cpu-index": ?1.*"id": ?\[1, ?"x"\]' '"name": ?"query-kvm"' "\"enabled\": ?$enabled" \
	'"base-memory": ?268435456' 'CommandNotFound.*no-such-command' 'execute: expected a string' \
	'"event": ?"STOP"' '"status": ?"paused"' '"event": ?"RESUME"' 'SHUTDOWN.*host-qmp-quit'
[ ! -e /tmp/qmp ] || fail "the socket is still there"

client log:1:PRESS system_powerdown wait:POWERDOWN wait:SHUTDOWN
# who opens the device after the button was pressed is not told
boot 'exec 3</dev/input/event0; echo PRESS; dd <&3 of=/dev/null bs=24 count=1 2>&1 | grep -q "1+0 records in" && echo BUTTON' --qmp /tmp/qmp
expect "power button" 0 BUTTON
said "power button's events" '"event": ?"SHUTDOWN".*guest-shutdown'

# a system that has no driver for it yet when it is pressed is told again (likewise: not where it takes minutes)
if [ $accel != kvm ]; then
	client log:1:PRESS system_powerdown wait:POWERDOWN wait:SHUTDOWN
	boot 'rmmod button; echo PRESS; n=0; until grep -q "[1-9].*ACPI:Ged" /proc/interrupts || [ $n = 300 ]; do sleep 0.1; n=$((n + 1)); done
		insmod /m/button.ko; exec 3</dev/input/event0; dd <&3 of=/dev/null bs=24 count=1 2>&1 | grep -q "1+0 records in" && echo LATER' --qmp /tmp/qmp
	expect "power button before its driver is there" 0 LATER
fi

# a kernel that is not up yet when it is pressed gets the interrupt nevertheless
client system_powerdown wait:POWERDOWN cont wait:SHUTDOWN
boot 'grep -q "[1-9].*ACPI:Ged" /proc/interrupts && echo EARLY' --qmp /tmp/qmp --paused
expect "power button before the kernel is up" 0 EARLY

client log:1:STARTED system_reset wait:RESET log:2:STARTED stop system_reset wait:RESET cont log:3:STARTED quit
boot 'echo STARTED; sleep 100' --qmp /tmp/qmp --cpus 2
expect "reset from outside" 0
said "reset's events" 'RESET.*host-qmp-system-reset'

# devices that come and go; who the machine is
truncate -s 8M hot.img && head -c 1M /dev/urandom | dd of=hot.img conv=notrunc 2>/dev/null
sum=$(sha256sum <hot.img)
client log:1:READY '{"execute": "blockdev-add", "arguments": {"driver": "raw", "node-name": "n0", "file": {"driver": "file", "filename": "hot.img"}}}' \
	'{"execute": "device_add", "arguments": {"driver": "virtio-blk-pci", "id": "hot", "drive": "n0", "serial": "HOT"}}' \
	'{"execute": "device_add", "arguments": {"driver": "virtio-blk-pci", "id": "hot", "drive": "n0"}}' \
	'{"execute": "netdev_add", "arguments": {"type": "user", "id": "u0", "hostfwd": [{"str": "tcp:127.0.0.1:18080-:80"}]}}' \
	'{"execute": "device_add", "arguments": {"driver": "virtio-net-pci", "id": "nic", "netdev": "u0", "mac": "52:54:00:11:22:33"}}' \
	'{"execute": "blockdev-del", "arguments": {"node-name": "n0"}}' \
	log:1:FOUND query-block query-blockstats x-query-device-stats '{"execute": "query-stats", "arguments": {"target": "vcpu"}}' '{"execute": "block_resize", "arguments": {"device": "hot", "size": 16777216}}' log:1:LARGER query-pci \
	'{"execute": "device_del", "arguments": {"id": "hot"}}' wait:DEVICE_DELETED '{"execute": "blockdev-del", "arguments": {"node-name": "n0"}}' \
	log:1:AGAIN '{"execute": "blockdev-add", "arguments": {"driver": "file", "node-name": "n1", "filename": "hot.img", "read-only": true}}' \
	'{"execute": "device_add", "arguments": {"driver": "virtio-blk-pci", "id": "hot2", "drive": "n1"}}' \
	log:1:SECOND '{"execute": "device_del", "arguments": {"id": "nic"}}' wait:DEVICE_DELETED log:1:ALL \
	'{"execute": "device_del", "arguments": {"id": "none"}}' query-uuid query-vm-generation-id quit
boot '
	until_there() { n=0; until [ -e $1 ] || [ $n = 300 ]; do sleep 0.1; n=$((n + 1)); done; [ -e $1 ] || echo FAILED $1; }
	echo UUID $(cat /sys/class/dmi/id/product_uuid) $(cat /sys/class/dmi/id/sys_vendor); grep -c one.text /sys/firmware/dmi/tables/DMI
	[ -e /sys/bus/acpi/devices/VMGENCTR:00 ] && echo GENERATION
	echo READY; until_there /dev/vda; until_there /sys/class/net/eth0
	echo SUM $(sha256sum </dev/vda) $(cat /sys/block/vda/serial) $(cat /sys/class/net/eth0/address); echo FOUND
	n=0; until [ $(cat /sys/block/vda/size) = 32768 ] || [ $n = 100 ]; do sleep 0.1; n=$((n + 1)); done; echo LARGER $(cat /sys/block/vda/size)
	n=0; while [ -e /dev/vda ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done; [ -e /dev/vda ] && echo FAILED vda stays; echo AGAIN
	until_there /dev/vda; dd if=/dev/vda of=/dev/null bs=4k count=1 2>/dev/null && echo READ; echo x 2>/dev/null >/dev/vda && echo FAILED read-only; echo SECOND
	n=0; while [ -e /sys/class/net/eth0 ] && [ $n -lt 300 ]; do sleep 0.1; n=$((n + 1)); done; [ -e /sys/class/net/eth0 ] && echo FAILED eth0 stays; echo ALL
	sleep 100
' --qmp /tmp/qmp --cpus 2 --sandbox off --uuid 00112233-4455-6677-8899-aabbccddeeff --oem one.text
expect "devices that come and go" 0 "SUM ${sum%% *} - HOT 52:54:00:11:22:33" 'LARGER 32768' ALL READ GENERATION \
	'UUID 00112233-4455-6677-8899-aabbccddeeff Cleave' '^1'
said "devices that come and go, their events" 'DEVICE_DELETED.*"hot"' 'DEVICE_DELETED.*"nic"' "Duplicate device ID 'hot'" "in use by device 'hot'" \
	'"rd_operations": ?[1-9]' '"name": ?"virtio-blk", ?"device": ?"hot".*"buffers": ?[1-9]' '"qdev_id": ?"hot", ?"regions": ?\[\{"bar": ?0, ?"type": ?"memory", ?"address": ?[1-9]' "\"provider\": ?\"$accel\".*\"registers\"" '"qdev_id": ?"nic"' "Device 'none' not found" '"UUID": ?"00112233-4455-6677-8899-aabbccddeeff"' '"guid"'

# a machine that stood still for longer than its watchdog has patience
if [ $accel != kvm ]; then
	client log:1:WATCHED idle:2 stop idle:6 cont log:1:AFTER wait:SHUTDOWN
	boot 'echo 2 >/proc/sys/kernel/watchdog_thresh; echo WATCHED; look() { read -r now _ </proc/uptime; now=${now%.*}; }
		look; end=$((now + 11)); while [ $now -lt $end ]; do look; done; echo AFTER' --qmp /tmp/qmp
	expect "a long pause" 0 AFTER
	said "a long pause's events" '"event": ?"RESUME"'
fi

client stop idle:3 quit
boot 'echo STARTED' --qmp /tmp/qmp
grep -q STARTED $log && fail "it ran while stopped"
boot '' --qmp /nowhere/qmp
expect "no folder for the socket" 1 "listen at '/nowhere/qmp'"
finish
