#!/bin/bash
# SPDX-License-Identifier: MIT
# maskedPaths, readonlyPaths, root.readonly.
. "$(dirname "$0")/lib.sh"
setup

mkdir -p "$B/rootfs/secret/sub" "$B/rootfs/ro/sub"
echo x >"$B/rootfs/secret/f"
echo y >"$B/rootfs/file"
echo z >"$B/rootfs/ro/sub/f"
ln -s file "$B/rootfs/link"
gives "masked: a directory is empty and read-only, a file is empty" \
	'ls /secret | wc -l; touch /secret/x 2>/dev/null || echo ro; cat /file | wc -c; (echo w >/file) 2>/dev/null; cat /file | wc -c' $'0\nro\n0\n0' \
	'.linux.maskedPaths=["/secret","/file","/missing"]'
eq "the image keeps its contents" "$(cat "$B/rootfs/secret/f" "$B/rootfs/file")" $'x\ny'
gives "masked by default: /proc/kcore and friends" 'for f in kcore keys timer_list; do head -c1 /proc/$f 2>/dev/null | wc -c; done; ls /sys/firmware | wc -l' $'0\n0\n0\n0'
gives "they cannot be unmounted without rights" 'umount /secret 2>/dev/null; ls /secret | wc -l' 0 '.linux.maskedPaths=["/secret"]'
gives "readonlyPaths hold for all below" 'touch /ro/x 2>/dev/null || echo ro; touch /ro/sub/f 2>/dev/null || echo ro; cat /ro/sub/f' $'ro\nro\nz' '.linux.readonlyPaths=["/ro","/missing"]'
gives "/proc/sys is read-only by default" '(echo 1 >/proc/sys/net/ipv4/ip_forward) 2>/dev/null || echo ro; (echo h >/proc/sysrq-trigger) 2>/dev/null || echo ro' $'ro\nro'
gives "empty lists leave everything" 'cat /secret/f; echo x >/ro/new && echo rw' $'x\nrw' '.linux.maskedPaths=[] | .linux.readonlyPaths=[]'
gives "root.readonly" 'touch /x 2>/dev/null || echo ro; touch /dev/shm/x && echo rw' $'ro\nrw' '.root.readonly=true'
check "the host's folder is still writable" touch "$B/rootfs/after"
refuse "a relative masked path" 'maskedPaths.*secret' '.linux.maskedPaths=["secret"]'
refuse "a relative read-only path" 'readonlyPaths.*secret' '.linux.readonlyPaths=["secret"]'
refuse "a list of numbers" 'maskedPaths' '.linux.maskedPaths=[1]'
