#!/bin/bash
# SPDX-License-Identifier: MIT
#
# bench/devices.sh [ROUNDS]: disks, networks and sockets of cleave-vmm beside those of QEMU.
#
# The same kernel and the same work in both, with processors in software (--accel soft, QEMU's TCG), in turns, so that it
# runs on any host.  Prints, for each kind of work, how much of it was done per second (the most of all rounds), the
# quotient of both, and the time that the thread which serves the devices took for each request or MiB; then the resident
# memory of a machine that has all devices, beyond that of its guest.
#
# Times on processors in software are for the most part theirs; the last columns are about devices alone.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-3} bin=$(realpath "${CLEAVE_BIN:-build/bin}")
[ "$(id -u)" = 0 ] || { echo "devices.sh: must run as root" >&2; exit 1; }
command -v qemu-system-x86_64 >/dev/null || { echo "devices.sh: qemu-system-x86_64 is not installed" >&2; exit 1; }
if [ -z "${DEVICES_INSIDE:-}" ]; then
	DEVICES_IMAGE=$(tests/guest/setup.sh) DEVICES_INSIDE=1 exec unshare --net --mount --pid --fork --kill-child "$0" "$@"
fi
mount -t proc proc /proc
image=$DEVICES_IMAGE
work=$(mktemp -d)
trap 'umount -l "$work/root" 2>/dev/null; umount -l "$work/memory" 2>/dev/null; rm -rf --one-file-system "$work"' EXIT

# the guest: one program, the modules of its kernel
mkdir -p "$work"/{root,memory} "$work"/guest/{bin,proc,sys,dev,m}
mount -o loop,ro "$image/root.img" "$work/root"
cp "$(command -v busybox)" "$work/guest/bin/busybox"
ln -s busybox "$work/guest/bin/sh"
cc -O2 -Wall -Wextra -static -o "$work/guest/bin/load" bench/devices/load.c
cp bench/devices/init "$work/guest/init"
release=$(ls "$work/root/lib/modules")
modprobe -d "$work/root" -S "$release" --show-depends --all virtio_pci virtio_blk virtio_net vmw_vsock_virtio_transport |
	awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
	while read -r module; do
		cp "$module" "$work/guest/m/"
		basename "$module" >>"$work/guest/m/order"
	done
cat >"$work/guest/work" <<'END'
memory_random_4k_read 8000 requests disk /dev/vda read random 4096 8000 1
memory_random_4k_read_32_at_once 30000 requests disk /dev/vda read random 4096 30000 32
memory_sequential_1M_read 1024 MiB disk /dev/vda read sequential 1048576 1024 4
file_random_4k_read 8000 requests disk /dev/vdb read random 4096 8000 1
file_random_4k_write 8000 requests disk /dev/vdb write random 4096 8000 1
file_random_4k_write_32_at_once 30000 requests disk /dev/vdb write random 4096 30000 32
file_sequential_1M_read 1024 MiB disk /dev/vdb read sequential 1048576 1024 4
file_sequential_1M_write 512 MiB disk /dev/vdb write sequential 1048576 512 4
tap_echo 4000 bytes tcp 10.9.0.1 1000 echo 4000
tap_sent 256 MiB tcp 10.9.0.1 1000 send 268435456
tap_received 256 MiB tcp 10.9.0.1 1000 receive 268435456
user_echo 4000 bytes tcp 10.0.2.2 1000 echo 4000
user_sent 128 MiB tcp 10.0.2.2 1000 send 134217728
user_received 128 MiB tcp 10.0.2.2 1000 receive 134217728
vsock_echo 4000 bytes vsock 2 7000 echo 4000
vsock_sent 128 MiB vsock 2 7000 send 134217728
vsock_received 128 MiB vsock 2 7000 receive 134217728
END
[ -z "${ONLY:-}" ] || sed -i "/$ONLY/!d" "$work/guest/work"
(cd "$work/guest" && find . | cpio -o -H newc 2>/dev/null) >"$work/initrd"

# the other sides
mount -t tmpfs memory "$work/memory"
truncate -s 256M "$work/memory/disk" # nothing is in it: reading costs next to nothing
dd if=/dev/urandom of="$work/file" bs=1M count=64 2>/dev/null
ip link set lo up
ip tuntap add dev tap0 mode tap vnet_hdr
ip addr add 10.9.0.1/24 dev tap0
ip link set tap0 up
load=$work/guest/bin/load
"$load" serve tcp 1000 2>/dev/null & # clients that are killed
"$load" serve unix "$work/v_7000" 2>/dev/null &
[ ! -e /dev/vhost-vsock ] || "$load" serve vsock 7000 2>/dev/null &

append="console=ttyS0 quiet loglevel=1 cryptomgr.notests init_on_alloc=0 panic=-1 net.ifnames=0"
ours() {
	perl bench/vmm_watch.pl cleave "$bin/cleave-vmm" --accel soft --memory 256M --kernel "$image/vmlinuz" \
		--initrd "$work/initrd" --append "$append" --disk "$work/memory/disk" --disk "$work/file" --net tap=tap0 \
		--net user,loopback --vsock "5,path=$work/v"
}
theirs() {
	local vsock=()
	[ ! -e /dev/vhost-vsock ] || vsock=(-device "vhost-vsock-pci-non-transitional,guest-cid=5")
	perl bench/vmm_watch.pl qemu qemu-system-x86_64 -accel tcg -cpu max -M q35 -m 256 -nodefaults -no-user-config \
		-display none -no-reboot -serial stdio -kernel "$image/vmlinuz" -initrd "$work/initrd" -append "$append" \
		-drive "file=$work/memory/disk,format=raw,if=none,id=d0,aio=io_uring" \
		-device virtio-blk-pci-non-transitional,drive=d0 \
		-drive "file=$work/file,format=raw,if=none,id=d1,aio=io_uring" \
		-device virtio-blk-pci-non-transitional,drive=d1 \
		-netdev tap,id=n0,ifname=tap0,script=no,downscript=no,vhost=off \
		-device virtio-net-pci-non-transitional,netdev=n0,romfile= \
		-netdev user,id=n1 -device virtio-net-pci-non-transitional,netdev=n1,romfile= "${vsock[@]}"
}
for ((round = 0; round < rounds; round++)); do
	for who in ours theirs; do
		$who >>"$work/results"
	done
done
grep -v '^RESULT' "$work/results" >&2 || true
awk '
	$1 == "RESULT" {
		what = $3; value = $4
		if (sub(/_per_second$/, "", what)) {
			if (!(what in seen)) { seen[what] = 1; order[++n] = what }
			if (value > rate[$2, what]) rate[$2, what] = value
		} else if (sub(/_host_ns_each$/, "", what)) {
			if (!(($2, what) in cost) || value < cost[$2, what]) cost[$2, what] = value
		}
	}
	END {
		printf "%-42s %10s %10s %8s   %10s %10s\n", "per second", "cleave", "qemu", "factor", "cleave us", "qemu us"
		for (i = 1; i <= n; i++) {
			w = order[i]; a = rate["cleave", w]; b = rate["qemu", w]
			label = w; gsub(/_/, " ", label)
			printf "%-42s %10d %10s %8s   %10.2f %10s\n", label, a, b ? b : "-", b ? sprintf("%.2f", a / b) : "-",
				cost["cleave", w] / 1000, b ? sprintf("%.2f", cost["qemu", w] / 1000) : "-"
			if (b > 0) { sum += log(a / b); count++ }
		}
		if (count > 0)
			printf "%-42s %30.2f\n", "mean", exp(sum / count)
	}' "$work/results"
[ -e /dev/vhost-vsock ] || echo "QEMU has no sockets (virtio-vsock) here: they need the host's module vhost_vsock."

# A guest that halts, with KVM where there is one: what the process needs for itself.
[ -w /dev/kvm ] || exit 0
cc -c -o "$work/guest.o" tests/vmm/bare/guest.S
ld -m elf_x86_64 -static -nostdlib -z noexecstack -Ttext=0x200000 -e start -o "$work/bare" "$work/guest.o"
"$bin/cleave-vmm" --accel kvm --kernel "$work/bare" --append h --memory 256M --disk "$work/memory/disk" --disk "$work/file" \
	--net tap=tap0 --net user --vsock "5,path=$work/v" --balloon --console "$work/console,name=a" \
	--fs "$work/guest,tag=f" --qmp "$work/q" --serial "$work/serial" &
vmm=$!
until grep -qs BARE "$work/serial" || ! kill -0 $vmm; do sleep 0.05; done
awk '
	/^[0-9a-f]+-[0-9a-f]+ / { guest = 0 }
	/^Size:/ { guest = $2 >= 131072 }
	/^Rss:/ && !guest { kib += $2 }
	END { printf "resident memory beyond the guest, all devices: %d KiB (goal: 5120)\n", kib }' "/proc/$vmm/smaps"
kill $vmm
wait $vmm || [ $? = 143 ]
