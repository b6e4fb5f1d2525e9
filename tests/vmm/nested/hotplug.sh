#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # the guest expands it
. /opt/vmm/lib.sh

# Disks and network interfaces that come and go while the machine has much to do: what is written is there, one that
# goes while it is written to goes, and the others do not notice.
initramfs virtio_pci virtio_blk virtio_net
truncate -s 16M base.img && head -c 16M /dev/urandom | dd of=base.img conv=notrunc 2>/dev/null
sum=$(sha256sum <base.img)
rounds=6 words=()
for ((i = 1; i <= rounds; i++)); do
	truncate -s 8M hot$i.img
	words+=("log:1:READY $i" '{"execute": "blockdev-add", "arguments": {"driver": "raw", "node-name": "n'$i'", "file": {"driver": "file", "filename": "hot'$i'.img"}}}'
		'{"execute": "device_add", "arguments": {"driver": "virtio-blk-pci", "id": "d'$i'", "drive": "n'$i'", "num-queues": 2}}'
		'{"execute": "netdev_add", "arguments": {"type": "user", "id": "u'$i'"}}'
		'{"execute": "device_add", "arguments": {"driver": "virtio-net-pci", "id": "i'$i'", "netdev": "u'$i'"}}'
		"log:1:WRITTEN $i" '{"execute": "device_del", "arguments": {"id": "d'$i'"}}' wait:DEVICE_DELETED
		'{"execute": "blockdev-del", "arguments": {"node-name": "n'$i'"}}'
		'{"execute": "device_del", "arguments": {"id": "i'$i'"}}' wait:DEVICE_DELETED
		'{"execute": "netdev_del", "arguments": {"id": "u'$i'"}}')
done
perl qmp.pl /tmp/qmp "${words[@]}" "log:1:ALL" query-blockstats quit >/tmp/talk 2>&1 &
client=$!
boot '
	until_there() { n=0; until [ -e $1 ] || [ $n = 300 ]; do sleep 0.1; n=$((n + 1)); done; [ -e $1 ] || echo FAILED no $1; }
	until_gone() { n=0; until [ ! -e $1 ] || [ $n = 300 ]; do sleep 0.1; n=$((n + 1)); done; [ ! -e $1 ] || echo FAILED $1 stays; }
	(while [ ! -e /stop ]; do echo 3 >/proc/sys/vm/drop_caches; [ "$(sha256sum </dev/vda)" = "'"$sum"'" ] || echo FAILED base; done; echo STOPPED base) &
	i=0
	while [ $i -lt '$rounds' ]; do
		i=$((i + 1)); echo READY $i
		until_there /dev/vdb; until_there /sys/class/net/eth0; ip link set eth0 up
		head -c 4194304 /dev/urandom >/r; dd if=/r of=/dev/vdb bs=64k conv=fsync 2>/dev/null || echo FAILED write $i
		echo 3 >/proc/sys/vm/drop_caches
		head -c 4194304 /dev/vdb | cmp - /r && echo "SAME $i $(sha256sum </r)"
		if [ $((i % 2)) = 0 ]; then
			blkdiscard -o 1048576 -l 1048576 /dev/vdb || echo FAILED discard
		else
			(exec 3<>/dev/vdb; while dd if=/r bs=64k seek=64 conv=fsync,notrunc >&3 2>/dev/null; do :; done; echo STOPPED $i) &
		fi
		echo WRITTEN $i
		until_gone /dev/vdb; until_gone /sys/class/net/eth0
	done
	touch /stop; wait; echo ALL; sleep 100
' --qmp /tmp/qmp --cpus 2 --sandbox off --disk base.img
joined $client
expect "disks that come and go under load" 0 'ALL' 'STOPPED 1' 'STOPPED 5' 'STOPPED base' "SAME $rounds"
! grep error /tmp/talk || fail "disks that come and go under load: see above"
for ((i = 1; i <= rounds; i++)); do
	[ $((i % 2)) = 1 ] || dd if=hot$i.img bs=1M skip=1 count=1 2>/dev/null | cmp -n 1M - /dev/zero || fail "disk $i: what was discarded is there"
	want=$(sed -n "s/\r//; s/^SAME $i \([0-9a-f]*\).*/\1/p" $log)
	[ $((i % 2)) = 0 ] || [ "$(head -c 4M hot$i.img | sha256sum)" = "$want  -" ] || fail "disk $i: what was written is not there"
done
finish
