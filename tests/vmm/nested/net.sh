#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
. /opt/vmm/lib.sh

initramfs virtio_pci virtio_net
[ $accel = soft ] || modprobe tun
head -c 4M /dev/urandom >data
sum=$(sha256sum <data)
sum=${sum%% *}

mkfifo /tmp/never
busybox httpd -p 1001 -h /opt/vmm
cases="split,1 packed,2"
[ "$accel" = kvm ] || cases=packed,2 # devices are the same, and time is longer
for case in $cases; do
	option=queues=${case#*,}
	[ "${case%,*}" = packed ] || option=$option,rings=split
	rm -f got
	(
		for _ in {1..500}; do [ ! -e /sys/class/net/tap9 ] || break; sleep 0.2; done
		busybox ip addr add 10.9.0.1/24 dev tap9
		busybox ip link set tap9 up
		exec busybox nc -l -p 1000 >got <>/tmp/never # its end would end the guest's side too
	) &
	# shellcheck disable=SC2016 # the guest expands it
	boot '
		ip link set eth0 up; ip addr add 10.9.0.2/24 dev eth0
		echo MAC $(cat /sys/class/net/eth0/address) $(ls -d /sys/class/net/eth0/queues/rx-* | wc -l)
		n=0; until ping -c 1 -W 1 10.9.0.1 >/dev/null || [ $n = 20 ]; do n=$((n + 1)); done
		ping -c 3 -s 8000 10.9.0.1 | grep loss
		head -c 6000000 /dev/urandom >/out; echo SENT $(sha256sum </out)
		sleep 1; nc 10.9.0.1 1000 </out
		wget -q -O - http://10.9.0.1:1001/data | sha256sum
		dmesg | grep -iE "virtio.*error|eth0.*(bad|hung)" && echo FAILED
	' --net "tap=tap9,mac=52:54:00:00:00:07,$option" --cpus 2
	joined
	expect "network, $case" 0 'MAC 52:54:00:00:00:07' ' 0% packet loss' "^$sum"
	sent=$(grep -o 'SENT [0-9a-f]*' $log)
	[ "SENT $(sha256sum <got | cut -d ' ' -f 1)" = "$sent" ] || fail "network, $case: what was sent is not what came"
done
boot '' --net tap=a-name-that-is-too-long
expect "name too long" 2 'a name has 1 to 15 bytes'
finish
