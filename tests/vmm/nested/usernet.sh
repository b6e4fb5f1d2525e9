#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # the guest expands it
. /opt/vmm/lib.sh

program /usr/bin/perl
initramfs virtio_pci virtio_net af_packet
for module in strict.pm warnings.pm warnings/register.pm; do
	install -D /usr/lib/x86_64-linux-gnu/perl-base/$module root/usr/lib/x86_64-linux-gnu/perl-base/$module
done
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >base.cpio
busybox ip link set lo up
head -c 3M /dev/urandom >data
sum=$(sha256sum <data)
sum=${sum%% *}
mkdir -p www && cp data www/ && for i in 1 2 3 4 5 6 7 8; do echo "small $i" >www/$i; done
busybox httpd -p 127.0.0.1:1001 -h www
echo nameserver 127.0.0.1 >/etc/resolv.conf

# answers everything that comes to ports 53 and 2000 with what came
perl -MIO::Socket::INET -e 'for my $port (53, 2000) { next if fork; my $s = IO::Socket::INET->new(Proto => "udp",
	LocalAddr => "127.0.0.1", LocalPort => $port) or die; while (defined $s->recv(my $b, 65000)) { $s->send("$port $b") } }' &
# takes a connection at port 1000, says what came and, after its end, answers
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 1000) or die;
	while ($c = $l->accept) { local $/; $d = <$c>; open F, ">", "/tmp/got"; print F $d; close F; print $c "ANSWER " . length $d; close $c }' &

dhcp='
	cat >/dhcp <<"SH"
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add $ip/24 dev $interface; ip route add default via $router; echo nameserver $dns >/etc/resolv.conf; echo BOUND $ip $router $dns
SH
	chmod +x /dhcp; mkdir -p /etc; ip link set lo up; ip link set eth0 up
	udhcpc -q -n -t 5 -i eth0 -s /dhcp 2>/dev/null || echo FAILED dhcp
	cat >/ask.pl <<"PERL"
# tcp ADDRESS PORT: standard input goes there, the answer comes out; udp ADDRESS PORT TEXT; serve[-udp] - PORT: one client
my ($kind, $addr, $port, $text) = @ARGV;
$SIG{ALRM} = sub { print "SILENCE\n"; exit 1 };
alarm 60;
socket my $s, 2, $kind =~ /udp/ ? 2 : 1, 0 or die;
if ($kind =~ /serve/) {
	bind $s, pack "S n x12", 2, $port or die $!;
	if ($kind eq "serve") {
		listen $s, 5; accept my $c, $s or die $!; print "GOT $_" while <$c>; syswrite $c, "from the guest\n";
	} else {
		$from = recv $s, my $b, 100, 0; print "GOT $b\n"; send $s, "back $b", 0, $from;
	}
	exit;
}
connect $s, pack("S n a4 x8", 2, $port, pack("C4", split /\./, $addr)) or do { print "connect: $!\n"; exit 1 };
if ($kind eq "tcp") {
	my $b;
	while ($n = sysread STDIN, $b, 65536) { for ($at = 0; $at < $n;) { $at += syswrite $s, $b, $n - $at, $at or die $! } }
	shutdown $s, 1;
	print $b while sysread $s, $b, 65536;
	print "\n";
} else {
	syswrite $s, $text; sysread $s, my $b, 65536; print length($b) > 100 ? length $b : $b, "\n";
}
PERL
	cat >/average <<"SH"
cd /sys/class/net/eth0/statistics
[ $(cat tx_bytes) -gt $(($(cat tx_packets) * 2500)) ] && echo LARGE SENT
[ $(cat rx_bytes) -gt $(($(cat rx_packets) * 2500)) ] && echo LARGE RECEIVED
SH
'
cat >/usr/local/bin/as-user <<'SH'
#!/bin/sh
exec setpriv --reuid 1000 --regid 1000 --clear-groups -- cleave-vmm "$@"
SH
chmod 755 /usr/local/bin/as-user /opt/vmm && chmod 644 vmlinuz
[ $accel = soft ] || chmod 666 /dev/kvm

# into the guest: a port for TCP, one for UDP
(
	for _ in {1..300}; do
		perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:8080") or exit 1; print $s "to the guest\n";
			shutdown $s, 1; $_ = <$s>; print; exit !/from the guest/' >/tmp/in 2>&1 && break
		sleep 0.5
	done
	perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "127.0.0.1:8081", Blocking => 0); for (1 .. 60) {
		$s->send("datagram"); select undef, undef, undef, 0.3; last if defined $s->recv($b, 100) && length $b } print $b' >/tmp/in-udp
) &
forwards=$!
for rings in packed split; do
	serve='/usr/bin/perl /ask.pl serve - 80; /usr/bin/perl /ask.pl serve-udp - 81'
	extra=,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:127.0.0.1:8081-10.0.2.15:81
	[ $rings = packed ] || { extra=,rings=split; serve=; }
	VMM=as-user boot "$dhcp"'
		ping -c 2 10.0.2.2 | grep loss
		wget -q -O - http://10.0.2.2:1001/data | sha256sum
		for i in 1 2 3 4 5 6 7 8; do wget -q -O - http://10.0.2.2:1001/$i >/$i & done; wait; echo PARALLEL $(cat /1 /2 /3 /4 /5 /6 /7 /8 | sort | uniq | wc -l)
		head -c 3000000 /dev/urandom >/out; echo SENT $(sha256sum </out)
		/usr/bin/perl /ask.pl tcp 10.0.2.2 1000 </out
		. /average
		/usr/bin/perl /ask.pl udp 10.0.2.2 2000 text
		/usr/bin/perl /ask.pl udp 10.0.2.3 53 name
		echo | /usr/bin/perl /ask.pl tcp 10.0.2.2 9
		echo | /usr/bin/perl /ask.pl tcp 10.0.2.77 9
		'"$serve"'
		dmesg | grep -iE "virtio.*error|eth0.*(bad|hung)" && echo FAILED
	' --net "user,loopback$extra" --cpus 2
	expect "user network, $rings" 0 'BOUND 10.0.2.15 10.0.2.2 10.0.2.3' ' 0% packet loss' "^$sum" 'PARALLEL 8' 'ANSWER 3000000' \
		'^2000 text' '^53 name' 'LARGE SENT' 'LARGE RECEIVED'
	[ "$(grep -c 'connect: Connection refused' $log)" = 2 ] || fail "user network, $rings: refused connections"
	sent=$(grep -o 'SENT [0-9a-f]*' $log)
	[ "SENT $(sha256sum </tmp/got | cut -d ' ' -f 1)" = "$sent" ] || fail "user network, $rings: what was sent is not what came"
done
joined $forwards
grep -q 'from the guest' /tmp/in && grep -q 'back datagram' /tmp/in-udp && echo "ok forwarded ports" || fail "forwarded ports: $(cat /tmp/in /tmp/in-udp)"
VMM=as-user boot "$dhcp"'
	echo | /usr/bin/perl /ask.pl tcp 10.0.2.2 1001
	ping -c 1 10.0.2.2 | grep loss
' --net user
expect "no way to the host's own services" 0 'connect: Connection refused' ' 0% packet loss'
boot '' --net user,hostfwd=tcp:1-2
expect "wrong forward" 2 "'tcp:1-2' is not like"
finish
