#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # the guest expands it
. /opt/vmm/lib.sh

mkdir -p root
program /usr/bin/perl
initramfs virtio_pci virtio_console virtio_balloon vmw_vsock_virtio_transport
for module in strict.pm warnings.pm warnings/register.pm; do
	file=/usr/lib/x86_64-linux-gnu/perl-base/$module
	install -D "$file" "root$file"
done
cp vsock.pl root/
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >base.cpio

# consoles: a console on a file, a named port with a program of the host behind it
perl -MIO::Socket::UNIX -e '$SIG{ALRM} = sub { exit 1 }; alarm 200;
	until ($s = IO::Socket::UNIX->new(Peer => "/tmp/port")) { select undef, undef, undef, 0.2 }
	print $s "question\n"; print scalar <$s>' >/tmp/answer &
boot '
	until [ -e /sys/class/virtio-ports/vport*p1/name ]; do sleep 0.1; done
	echo NAME $(cat /sys/class/virtio-ports/vport*p1/name)
	exec 3<>$(ls /dev/vport*p1); read line <&3; echo "GOT $line"; echo "answer to $line" >&3
	head -c 300000 /dev/zero | tr "\0" x >/dev/hvc0; echo >/dev/hvc0
	sleep 1
' --console /tmp/hvc --console unix:/tmp/port,name=org.test
joined
expect "named port" 0 'NAME org.test' 'GOT question'
grep -qx 'answer to question' /tmp/answer || fail "named port: the host got '$(cat /tmp/answer)'"
[ "$(tr -cd x </tmp/hvc | wc -c)" = 300000 ] && echo "ok console" || fail "console: $(wc -c </tmp/hvc) bytes"
[ ! -e /tmp/port ] || fail "the port's socket is still there"

# a console at a terminal, which becomes larger; and keys that end the machine (there is none where it takes minutes)
if [ $accel != kvm ]; then
	VMM=/opt/vmm/terminal.pl boot '
		n=0; while [ $n -lt 500 ]; do
			/usr/bin/perl -e "open T, q(/dev/hvc0); \$w = pack q(S4), 0, 0, 0, 0; ioctl T, 0x5413, \$w; print join(q( ), q(SIZE), unpack q(S2), \$w), qq(\n)" >/dev/hvc0
			n=$((n + 1)); sleep 0.2
		done
	' --console stdio
	expect "size of a terminal" 0 'SIZE 30 100' 'SIZE 44 133'
fi

# sockets: from the host into the guest, and the other way
cat >host.pl <<'PERL'
use IO::Socket::UNIX;
my $data = join '', map { chr rand 256 } 1 .. 2000000;
$SIG{ALRM} = sub { print "TIMEOUT\n"; exit 1 };
alarm 200;
my ($s, $line);
for (;;) {
	$s = IO::Socket::UNIX->new(Peer => "/tmp/v") and print $s "CONNECT 5000\n" and defined($line = <$s>) and last;
	select undef, undef, undef, 0.3;
}
print $line;
unless (fork) { print $s $data; shutdown $s, 1; exit }
my ($back, $n) = ('');
while ($n = sysread $s, $back, 65536, length $back) { }
print $back eq $data ? "ECHO\n" : "DIFFERENT " . length($back) . "\n";
PERL
perl host.pl >/tmp/host &
perl -MIO::Socket::UNIX -e '$SIG{ALRM} = sub { exit 1 }; alarm 200;
	$l = IO::Socket::UNIX->new(Local => "/tmp/v_7000", Listen => 1); $c = $l->accept; print <$c>; print $c "BACK\n"' >/tmp/up &
boot '
	head -c 500000 /dev/urandom >/up; echo UP $(sha256sum </up)
	/usr/bin/perl /vsock.pl connect 2 7000 </up
	/usr/bin/perl /vsock.pl connect 2 7001 </up 2>&1
	/usr/bin/perl /vsock.pl listen 5000
' --vsock 77,path=/tmp/v
joined
expect "sockets" 0 'BACK' 'connect: Connection reset'
grep -q '^OK [0-9]*$' /tmp/host && grep -q ECHO /tmp/host && echo "ok into the guest" || fail "into the guest: $(cat /tmp/host)"
[ "UP $(sha256sum </tmp/up | cut -d ' ' -f 1)" = "$(grep -o 'UP [0-9a-f]*' $log)" ] || fail "out of the guest"

# the balloon takes memory, and gives it back
perl qmp.pl /tmp/qmp log:1:BEFORE '{"execute": "balloon", "arguments": {"value": 134217728}}' log:1:SMALL query-balloon \
	'{"execute": "balloon", "arguments": {"value": 268435456}}' log:1:LARGE query-balloon quit >/tmp/talk 2>&1 &
boot '
	free() { while read name kib unit; do [ $name != MemFree: ] || echo $kib; done </proc/meminfo; }
	full=$(free); echo BEFORE
	n=0; until [ $(free) -lt $((full - 110000)) ] || [ $n = 150 ]; do sleep 0.2; n=$((n + 1)); done; sleep 2; echo SMALL $n
	n=0; until [ $(free) -gt $((full - 20000)) ] || [ $n = 150 ]; do sleep 0.2; n=$((n + 1)); done; sleep 2; echo LARGE $n
	sleep 100
' --balloon --qmp /tmp/qmp
joined
expect "balloon" 0 'SMALL [0-9]{1,2}.?$' 'LARGE [0-9]{1,2}.?$'
[ "$(grep -o '"return": *{"actual": *[0-9]*' /tmp/talk | tr -dc '0-9\n' | tr '\n' ' ')" = "134217728 268435456 " ] || fail "query-balloon: $(cat /tmp/talk)"
grep -q '"BALLOON_CHANGE".*"actual": 134217728' /tmp/talk || fail "no word of the balloon: $(cat /tmp/talk)"
grep -q '"stat-total-memory": *[1-9][0-9]\{7\}' /tmp/talk || fail "what the guest says of its memory: $(cat /tmp/talk)"
finish
