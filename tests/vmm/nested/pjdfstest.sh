#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # the guest expands it
. /opt/vmm/lib.sh

programs=(/opt/vmm/pjdfstest)
initramfs virtio_pci virtiofs
mkdir -p root/opt/vmm && tar -C root/opt/vmm -xf pjdfstest.tar
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >base.cpio
mkdir -p /tmp/share && chmod 755 /tmp/share
BOOT_TIMEOUT=2900 boot '
	printf "#!/bin/sh\nmd5sum | cut -c 1-32\n" >/bin/openssl; chmod +x /bin/openssl
	mkdir /s; mount -t virtiofs shared /s || echo FAILED mount
	for set in '"${1:-chmod chown ftruncate link mkdir mkfifo mknod open rename rmdir symlink truncate unlink utimensat}"'; do
		for t in /opt/vmm/tests/$set/*.t; do
			rm -rf /s/work; mkdir /s/work; cd /s/work; sh $t >/out 2>&1
			grep "^not ok" /out | grep -v "# T[O]DO" | sed "s|^|NOT $set/${t##*/}: |"
			echo "$set/${t##*/} $(grep -c "^ok" /out) $(head -n 1 /out)"
		done
	done
	cd /; umount /s; echo ALL
' --fs /tmp/share,tag=shared --memory 512M
awk '/^[a-z]+\/[0-9]+\.t / { n += $2; files++ } /^NOT / { bad++ } END { print files " files, " n " checks right, " bad + 0 " wrong" }' $log
grep '^NOT' $log | head -n 60
expect "pjdfstest" 0 '^ALL'
! grep -q '^NOT' $log || fail "pjdfstest: see above"
finish
