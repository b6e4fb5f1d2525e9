#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
. /opt/vmm/lib.sh

initramfs virtio_pci virtio_blk virtio-rng ext4 erofs virtio_pmem nd_pmem
head -c 12M /dev/urandom >data.img
sum=$(sha256sum <data.img)
sum=${sum%% *}

# shellcheck disable=SC2016 # the guest expands it
check='
	sha256sum /dev/vda
	echo SERIAL $(cat /sys/block/vda/serial) QUEUES $(ls /sys/block/vda/mq | wc -l)
	dd if=/dev/vda of=/dev/vdb bs=1M conv=fsync 2>/dev/null || echo FAILED dd
	echo 3 >/proc/sys/vm/drop_caches
	sha256sum /dev/vdb
	echo x 2>/dev/null >/dev/vda && echo FAILED read-only
	head -c 32 /dev/hwrng | wc -c
	dmesg | grep -iE "(virtio|vd[ab]).*error" && echo FAILED
'
kinds="packed split"
[ "$accel" = kvm ] || kinds=packed # devices are the same, and time is longer
for rings in $kinds; do
	option=
	[ $rings = packed ] || option=,rings=split
	truncate -s 0 copy.img && truncate -s 12M copy.img
	boot "$check" --disk data.img,ro,serial=abc-123$option --disk copy.img,queues=2$option --cpus 2
	expect "read and write, $rings rings" 0 "$sum +/dev/vda" "$sum +/dev/vdb" "SERIAL abc-123 QUEUES 2" '^32'
	cmp data.img copy.img || fail "copy on the host, $rings rings"
done

boot '
	blkdiscard -o 1048576 -l 1048576 /dev/vda || echo FAILED discard
	dd if=/dev/vda bs=1M skip=1 count=1 2>/dev/null | tr -d "\0" | wc -c
' --disk copy.img
expect "discard" 0 '^0'
[ "$(dd if=copy.img bs=1M skip=1 count=1 2>/dev/null | tr -d '\0' | wc -c)" = 0 ] || fail "discard on the host"

# a file system, and a disk that becomes shorter than it said
boot '
	mkdir /d; mount -t ext4 /dev/vda /d || echo FAILED mount
	cat /d/hello; cp -r /bin /d/bin; sync; umount /d; mount /dev/vda /d; cmp /bin/busybox /d/bin/busybox && echo SAME; umount /d
' --disk fs.img
expect "ext4" 0 SAME 'hello, guest'
boot '
	echo READY
	i=0; while [ $i -lt 150 ] && echo 3 >/proc/sys/vm/drop_caches && dd if=/dev/vda of=/dev/null bs=1M skip=10 count=1 2>/dev/null; do i=$((i + 1)); sleep 0.2; done
	[ $i -gt 0 ] && [ $i -lt 150 ] && echo ENDED
	echo 3 >/proc/sys/vm/drop_caches
	dd if=/dev/vda of=/dev/null bs=1M count=1 2>/dev/null || echo FAILED to read what is there
' --disk copy.img &
while ! grep -q READY $log && [ -n "$(jobs -pr)" ]; do sleep 0.5; done
sleep 2
truncate -s 1M copy.img
joined
grep -q ENDED $log || status=no
expect "disk that became shorter" "${status:-0}" ENDED

# a file system whose machine is killed while it is written: what was promised is there, and it is in order;
# who executes does not matter, so not where it takes minutes
if [ $accel != kvm ]; then
	cp fs.img crash.img
	boot '
		mkdir /d; mount -t ext4 /dev/vda /d || echo FAILED mount
		i=0; while [ $i -lt 2000 ]; do
			i=$((i + 1)); head -c 20000 /dev/urandom >/d/f$i; sync /d/f$i && echo KEPT $i $(sha256sum </d/f$i)
			[ $i -lt 30 ] || rm /d/f$((i - 29)); [ $((i % 16)) != 0 ] || fstrim /d || echo FAILED fstrim
		done
	' --disk crash.img --cpus 2 &
	n=0
	until [ "$(grep -c KEPT $log)" -gt 50 ] || [ $n = 900 ]; do sleep 0.2; n=$((n + 1)); done
	pkill -KILL -x cleave-vmm
	joined
	kept=$(sed -n 's/\r//; s/^KEPT \([0-9]* [0-9a-f]\{64\}\) .*/\1/p' $log | tail -n 20)
	! grep FAILED $log || fail "file system whose machine was killed: see above"
	boot '
		mkdir /d; mount -t ext4 /dev/vda /d || echo FAILED mount
		while read -r i sum; do [ "$(sha256sum </d/f$i)" = "$sum  -" ] || echo FAILED f$i; done <<-"SUMS"
		'"$kept"'
		SUMS
		umount /d; dmesg | grep "EXT4-fs error" && echo FAILED; echo LOOKED AT '"$(wc -l <<<"$kept")"'
	' --disk crash.img
	expect "file system whose machine was killed" 0 'LOOKED AT 20'
	LD_LIBRARY_PATH=. ./e2fsck -fn crash.img >/tmp/fsck 2>&1 || fail "e2fsck: $(cat /tmp/fsck)"
fi

# a file as memory
truncate -s 16M pm.img && dd if=data.img of=pm.img bs=1M count=4 conv=notrunc 2>/dev/null
pm=$(sha256sum <pm.img)
boot '
	sha256sum </dev/pmem0
	dd if=/dev/urandom of=/dev/pmem0 bs=4k seek=2048 count=4 conv=fsync 2>/dev/null || echo FAILED write
	echo NOW $(sha256sum </dev/pmem0)
' --pmem pm.img
expect "memory" 0 "^${pm%% *}"
[ "NOW $(sha256sum <pm.img | cut -d ' ' -f 1)" = "$(grep -o 'NOW [0-9a-f]*' $log)" ] || fail "memory: the file is another"

# file systems in it: files are the host's pages, not copies of them; what may not be written is not
cp root.erofs before.erofs
lines=$(yes lines | head -c 4M | sha256sum)
boot '
	mkdir /d /e
	mount -t ext4 -o dax=always /dev/pmem0 /d && mount -t erofs -o ro,dax=always /dev/pmem1 /e || echo FAILED mount
	cat /d/hello; cp /bin/busybox /d/busybox; sync; umount /d; mount -t ext4 -o dax=always /dev/pmem0 /d
	/d/busybox cmp /d/busybox /bin/busybox && echo SAME
	cached() { while read name kib unit; do [ $name != Cached: ] || echo $kib; done </proc/meminfo; }
	before=$(cached); sha256sum </e/data; after=$(cached); [ $((after - before)) -lt 1024 ] && echo NOT CACHED
	umount /e; dd if=/dev/zero of=/dev/pmem1 bs=4k count=1 conv=fsync 2>/dev/null; mount -t erofs /dev/pmem1 /e && echo STILL
' --pmem fs.img --pmem root.erofs,ro
expect "file systems in memory" 0 'hello, guest' SAME "^${lines%% *}" 'NOT CACHED' STILL
cmp root.erofs before.erofs || fail "read-only memory was written"

boot '' --disk /nowhere
expect "no such disk" 1 "option --disk: open '/nowhere'"
boot '' --disk "data.img,queues=99"
expect "too many queues" 2 'queues=99 is not a number from 1 to 16'
finish
