#!/bin/bash
# SPDX-License-Identifier: MIT
# The part of vmm.sh that runs in the guest with KVM.
# shellcheck disable=SC2016,SC2054 # the inner guest expands it; commas belong to the values
# shellcheck source=../tests/vmm/nested/lib.sh
. /opt/vmm/lib.sh
modprobe tun
modprobe vhost_vsock || true

program /usr/bin/perl
initramfs virtio_pci virtio_blk virtio_net vmw_vsock_virtio_transport
sed -i 's|^export PATH=/bin|echo INIT; export PATH=/bin|' root/init
sed -i '2i /bin/busybox mount -t devtmpfs dev /dev; exec >/dev/console 2>&1 </dev/console' root/init
cat >root/vsock.pl <<'PERL'
# sends AMOUNT MiB to port 7000 of the host, and waits until all of it is there
my ($mib) = @ARGV;
socket(my $s, 40, 1, 0) or die "FAILED socket: $!";
connect($s, pack('S S L L x4', 40, 0, 7000, 2)) or die "FAILED connect: $!";
my $block = 'v' x 65536;
for (1 .. $mib * 16) { for ($at = 0; $at < 65536;) { $at += syswrite($s, $block, 65536 - $at, $at) || die "FAILED write: $!" } }
shutdown $s, 1;
sysread $s, $block, 1;
PERL
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >base.cpio
archive() {
	mkdir -p one && printf '%s\n' "$2" >one/script
	(cd one && echo script | busybox cpio -o -H newc 2>/dev/null) | cat base.cpio - >"$1"
}
archive idle.cpio 'sleep 2; echo IDLE; sleep 1'
archive load.cpio '
	for i in 1 2; do # the first time is for caches
		[ $i = 1 ] || echo BEGIN disk_4k_reads 500 reads; dd if=/dev/vda of=/dev/null bs=4k count=500 iflag=direct 2>/dev/null || echo FAILED dd; [ $i = 1 ] || echo END disk_4k_reads
	done
	echo BEGIN disk_4k_writes 500 writes; dd if=/dev/zero of=/dev/vda bs=4k count=500 oflag=direct 2>/dev/null || echo FAILED dd; echo END disk_4k_writes
	echo BEGIN disk_1M_reads 32 MiB; dd if=/dev/vda of=/dev/null bs=1M count=32 iflag=direct 2>/dev/null || echo FAILED dd; echo END disk_1M_reads
	ip link set eth0 up; ip addr add 10.9.0.2/24 dev eth0
	n=0; until ping -c 1 -W 1 10.9.0.1 >/dev/null || [ $n = 9 ]; do n=$((n + 1)); done
	echo BEGIN network_round_trips 200 pings; ping -q -A -c 200 10.9.0.1 >/dev/null || echo FAILED ping; echo END network_round_trips
	echo BEGIN network_sent 8 MiB; dd if=/dev/zero bs=64k count=128 2>/dev/null | nc 10.9.0.1 1000 >/dev/null || echo FAILED nc; echo END network_sent
	echo BEGIN network_received 8 MiB; nc 10.9.0.1 1001 </dev/null | wc -c >/dev/null; echo END network_received
	echo BEGIN vsock_sent 8 MiB; /usr/bin/perl /vsock.pl 8 2>&1; echo END vsock_sent
'
rm -rf root one
truncate -s 64M /dev/shm/disk && dd if=/dev/zero of=/dev/shm/disk bs=1M count=64 conv=notrunc 2>/dev/null

# who takes what guests send, and sends to them: ports of TCP, a port of vsock, a unix socket in its place
cat >serve.pl <<'PERL'
use IO::Socket::INET;
use IO::Socket::UNIX;
sub accept_one { my ($l) = @_; accept(my $c, $l) or return; return $c }
sub sink { my ($l) = @_; while (my $c = accept_one($l)) { my $b; 1 while sysread $c, $b, 262144; syswrite $c, 'x'; close $c } }
my $tcp = sub { my ($port) = @_; return IO::Socket::INET->new(Listen => 5, LocalAddr => '0.0.0.0', LocalPort => $port, ReuseAddr => 1) || die "listen: $!" };
unless (fork) { sink($tcp->(1000)); exit }
unless (fork) {
	my ($l, $block) = ($tcp->(1001), 's' x 65536);
	while (my $c = accept_one($l)) { for (1 .. 128) { my $at = 0; $at += syswrite $c, $block, 65536 - $at, $at while $at < 65536 } close $c }
	exit;
}
unless (fork) { unlink '/tmp/v_7000'; sink(IO::Socket::UNIX->new(Local => '/tmp/v_7000', Listen => 5) || die); exit }
exit unless socket(my $s, 40, 1, 0);
bind($s, pack('S S L L x4', 40, 0, 7000, 0xffffffff)) and listen($s, 5) and sink($s);
PERL
perl serve.pl &

append="console=ttyS0 quiet loglevel=1 cryptomgr.notests panic=-1 reboot=k init_on_alloc=0"
on() {
	local name=$1
	shift
	perl watch.pl "$name" "$@"
	[ ! -s "/tmp/err.$name" ] || sed "s/^/$name: /" "/tmp/err.$name" | head -n 3
}
address() { # of the host's side, when the device is there
	(
		until [ -e /sys/class/net/tap0 ]; do sleep 0.1; done
		busybox ip addr flush dev tap0
		busybox ip addr add 10.9.0.1/24 dev tap0
		busybox ip link set tap0 up
	) &
}
qemu=(qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -serial stdio -enable-kvm -cpu host -m 256 -kernel vmlinuz -append "$append")
microvm=(-M microvm,rtc=on,acpi=on,pit=off,pic=off,pcie=on)
q35=(-M q35)
cleave=(cleave-vmm --kernel vmlinuz --memory 256M --append "$append")

on cleave "${cleave[@]}" --initrd idle.cpio
on qemu-microvm "${qemu[@]}" "${microvm[@]}" -initrd idle.cpio
on qemu-q35 "${qemu[@]}" "${q35[@]}" -initrd idle.cpio
if command -v lkvm >/dev/null; then
	on kvmtool lkvm run -k vmlinuz -i idle.cpio -m 256 -c 1 --console serial -p "$append"
fi
address
on cleave "${cleave[@]}" --initrd load.cpio --disk /dev/shm/disk --net tap=tap0 --vsock 5,path=/tmp/v
qemu+=(-drive file=/dev/shm/disk,format=raw,if=none,id=d,aio=io_uring -device virtio-blk-pci-non-transitional,drive=d
	-netdev tap,id=n,ifname=tap0,script=no,downscript=no,vhost=off -device virtio-net-pci-non-transitional,netdev=n,romfile=
	-device vhost-vsock-pci-non-transitional,guest-cid=5 -initrd load.cpio)
address
on qemu-microvm "${qemu[@]}" "${microvm[@]}"
address
on qemu-q35 "${qemu[@]}" "${q35[@]}"
exit 0
