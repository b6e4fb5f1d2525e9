#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# vsock.pl listen PORT | connect CID PORT: standard input goes to the socket, what comes back to standard output;
# "listen" sends back what it gets.
use strict;
use warnings;

my ($AF_VSOCK, $SOCK_STREAM, $ANY) = (40, 1, 0xffffffff); # no module: the machine has perl and little else

sub address { pack 'S S L L x4', $AF_VSOCK, 0, $_[1], $_[0] }
my ($mode, @where) = @ARGV;
my $buf;
socket(my $s, $AF_VSOCK, $SOCK_STREAM, 0) or die "socket: $!";
if ($mode eq 'listen') {
	bind($s, address($ANY, $where[0])) or die "bind: $!";
	listen($s, 5) or die "listen: $!";
	accept(my $c, $s) or die "accept: $!";
	while ((my $n = sysread($c, $buf, 65536)) > 0) {
		my $at = 0;
		$at += syswrite($c, $buf, $n - $at, $at) while $at < $n;
	}
	exit 0;
}
connect($s, address(@where)) or die "connect: $!";
if (my $pid = fork) {
	while (my $n = sysread($s, $buf, 65536)) { syswrite(STDOUT, $buf, $n) }
	waitpid $pid, 0;
} else {
	while (my $n = sysread(STDIN, $buf, 65536)) {
		my $at = 0;
		$at += syswrite($s, $buf, $n - $at, $at) while $at < $n;
	}
	shutdown($s, 1);
}
