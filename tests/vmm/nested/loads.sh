#!/bin/bash
# SPDX-License-Identifier: MIT
# loads.sh SECONDS
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # the guest expands it
. /opt/vmm/lib.sh

initramfs virtio_pci virtio_blk virtio_net ext4 virtio_pmem nd_pmem virtiofs
for top in root /; do # for guests, and here
	(cd $top && busybox cpio -i -d -u -F /opt/vmm/programs.cpio 2>/dev/null)
done
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >base.cpio
[ $accel = soft ] || modprobe tun
seconds=$1

# what each job does: writes blocks with checksums in random order and reads them back, with discards and flushes between
fio='/usr/bin/fio --output-format=terse --minimal --terse-version=3 --thread --time_based --verify=crc32c --verify_fatal=1 --randrepeat=0 --fsync=37'
for rings in packed split; do
	truncate -s 0 a.img && truncate -s 64M a.img && truncate -s 0 b.img && truncate -s 64M b.img
	option=
	[ $rings = packed ] || option=,rings=split
	boot '
		job() { echo "JOB $1"; shift; "$@" >/out 2>&1 || { cat /out; echo FAILED; }; }
		fio="'"$fio --runtime=$seconds"'"
		job random $fio --name=r --filename=/dev/vda --rw=randwrite --bsrange=512-64k --iodepth=16 --ioengine=libaio --direct=1 --size=48m
		job trim $fio --name=t --filename=/dev/vdb --rw=randtrimwrite --bs=4k --ioengine=sync --direct=1 --size=16m --verify=0
		job two $fio --name=a --filename=/dev/vda --rw=randwrite --bs=4k --offset=0 --size=24m --ioengine=libaio --iodepth=8 --direct=1 \
			--name=b --filename=/dev/vdb --rw=randwrite --bs=8k --size=24m --ioengine=libaio --iodepth=8 --direct=1
		mke2fs -F /dev/vdb >/dev/null 2>&1; mkdir /d; mount -t ext4 -o discard /dev/vdb /d || echo FAILED mount
		job files $fio --name=f --directory=/d --nrfiles=20 --rw=randwrite --bs=4k --size=20m --ioengine=psync
		rm -rf /d/*; fstrim /d; umount /d
		dmesg | grep -iE "error|vd[ab].*(fail|reset)" && echo FAILED; echo DONE
	' --disk a.img$option --disk b.img,queues=2$option --cpus 2 --memory 512M
	expect "disks, $rings rings" 0 '^DONE' 'JOB files'
done

truncate -s 64M pm.img && mkdir -p /tmp/share
boot '
	job() { echo "JOB $1"; shift; "$@" >/out 2>&1 || { cat /out; echo FAILED; }; }
	fio="'"$fio --runtime=$seconds"'"
	mkdir /s; mount -t virtiofs shared /s || echo FAILED mount
	job memory $fio --name=m --filename=/dev/pmem0 --rw=randwrite --bs=4k --size=32m --ioengine=sync --direct=1
	job shared $fio --name=s --directory=/s --rw=randwrite --bsrange=1k-128k --size=24m --ioengine=psync
	job direct $fio --name=d --directory=/s --rw=randwrite --bs=16k --size=24m --ioengine=libaio --iodepth=4 --direct=1
	echo DONE
' --pmem pm.img --fs /tmp/share,tag=shared --cpus 2 --memory 512M
expect "files as memory, shared directory" 0 '^DONE' 'JOB direct'

# a tap device, then a network made of sockets, where the host is 10.0.2.2 (the guest's interface has that subnet)
for case in tap=tap9,queues=1 tap=tap9,queues=1,rings=split tap=tap9,queues=2 user,loopback user,loopback,rings=split; do
	net=10.9.0
	[ "${case%%,*}" != user ] || net=10.0.2
	(
		for _ in {1..500}; do [ $net = 10.0.2 ] || [ -e /sys/class/net/tap9 ] || sleep 0.2; done
		[ $net = 10.0.2 ] || busybox ip addr add $net.2/24 dev tap9
		[ $net = 10.0.2 ] || busybox ip link set tap9 up
		for _ in 1 2 3; do timeout 250 iperf3 -s -1 >/dev/null; done
	) &
	boot '
		mkdir -p /tmp; ip link set lo up; ip link set eth0 up; ip addr add '$net'.15/24 dev eth0
		n=0; until ping -c 1 -W 1 '$net'.2 >/dev/null || [ $n = 20 ]; do n=$((n + 1)); done
		/usr/bin/iperf3 -f m -c '$net'.2 -t '"$seconds"' -P 4 | grep "SUM.*receiver" | sed "s/^/SENT /"; sleep 1
		/usr/bin/iperf3 -f m -c '$net'.2 -t '"$seconds"' -R -P 4 | grep "SUM.*receiver" | sed "s/^/RECEIVED /"; sleep 1
		/usr/bin/iperf3 -f m -c '$net'.2 -t '"$seconds"' -u -b 50M | grep "receiver" | sed "s/^/DATAGRAMS /"
		dmesg | grep -iE "virtio.*error|eth0.*(bad|hung|timed out)" && echo FAILED
	' --net "$case" --cpus 2 --memory 512M
	joined
	expect "network, $case" 0 '^SENT.*bits' '^RECEIVED.*bits' '^DATAGRAMS.*bits'
	grep -E '^(SENT|RECEIVED|DATAGRAMS)' $log
done
finish
