#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# terminal.pl ARGUMENT...: cleave-vmm at a terminal of 30 rows and 100 columns, which has 44 and 133 as soon as the guest
# has said "SIZE 30 100"; when it says the new ones, keys end the machine.
use strict;
use warnings;

$SIG{ALRM} = sub { print "TIMEOUT\n"; exit 1 };
alarm 180;
open my $terminal, '+<', '/dev/ptmx' or die "/dev/ptmx: $!";
my $number = pack 'i', 0;
ioctl $terminal, 0x40045431, $number or die "TIOCSPTLCK: $!";
ioctl $terminal, 0x80045430, $number or die "TIOCGPTN: $!";
my $name = '/dev/pts/' . unpack 'i', $number;

sub size {
	ioctl $terminal, 0x5414, pack('S4', @_, 0, 0) or die "TIOCSWINSZ: $!";
}

size(30, 100);
my $pid = fork;
if (!$pid) {
	close $terminal;
	syscall 112;    # setsid: the terminal is what is opened next
	open STDIN, '<', $name or die "$name: $!";
	open STDOUT, '>', $name or die "$name: $!";
	exec 'cleave-vmm', @ARGV;
}
my ($seen, $state) = ('', 0);
while (sysread $terminal, my $data, 4096) {
	syswrite STDOUT, $data;
	$seen .= $data;
	if ($state == 0 && $seen =~ /SIZE 30 100\b/) {
		$state = 1;
		size(44, 133);
	} elsif ($state == 1 && $seen =~ /SIZE 44 133\b/) {
		$state = 2;
		syswrite $terminal, "\x01x";
	}
}
waitpid $pid, 0;
exit $? >> 8;
