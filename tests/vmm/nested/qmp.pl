#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# qmp.pl SOCKET WORD...: a client. A WORD is a command, raw JSON, "wait:EVENT", "idle:SECONDS", or
# "log:N:TEXT", which waits until TEXT is N times in the console's log.
# Prints all that the machine says, a line per object; ends with 1 when something does not come.
use strict;
use warnings;
use IO::Socket::UNIX;

$| = 1;
$SIG{ALRM} = sub { print "TIMEOUT\n"; exit 1 };
alarm 90;
my $path = shift;
my $socket;
until ($socket = IO::Socket::UNIX->new(Peer => $path)) { select undef, undef, undef, 0.2 }
my $seen = '';

sub read_line {
	my $line = <$socket>;
	if (!defined $line) { print "CLOSED\n"; exit 0 }
	$line =~ s/\r?\n//;
	print "$line\n";
	$seen .= "$line\n";
	return $line;
}

sub ask {
	print $socket shift;    # no new line: there are clients that send none
	1 until read_line() =~ /"(return|error)":/;
}

read_line();
ask('{"execute": "qmp_capabilities"}');
for my $word (@ARGV) {
	if ($word =~ /^wait:(.*)/) {
		my $event = $1;
		1 until $seen =~ /"event": ?"$event"/ or !read_line();
		$seen =~ s/.*"event": ?"$event"[^\n]*\n//s;
	} elsif ($word =~ /^log:(\d+):(.*)/) {
		my ($n, $text, $found) = ($1, $2, 0);
		while ($found < $n) {
			select undef, undef, undef, 0.3;
			open my $log, '<', '/tmp/console' or next;
			$found = grep { index($_, $text) >= 0 } <$log>;
		}
	} elsif ($word =~ /^idle:(.*)/) {
		select undef, undef, undef, $1;
	} else {
		ask($word =~ /^\{/ ? $word : qq({"execute": "$word"}));
	}
}
