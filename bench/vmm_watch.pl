#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# watch.pl NAME COMMAND...: run a machine, tell what its guest's console says and when, as lines "RESULT NAME WHAT VALUE".
#
# "INIT": milliseconds since exec.  "IDLE": resident KiB of the process but for the guest's memory (mappings of 128 MiB and
# more).  "BEGIN WHAT AMOUNT UNIT" to "END WHAT": AMOUNT per second, and nanoseconds for each that the process's first
# thread, which serves devices, was on a processor.
use strict;
use warnings;
no warnings 'portable';    # addresses have 64 bits
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my $name = shift;
my ($begin, %start);
$| = 1;

sub result { print "RESULT $name $_[0] $_[1]\n" }

sub resident {
	my ($kib, $size) = (0, 0);
	open my $f, '<', "/proc/$_[0]/smaps" or return;
	while (<$f>) {
		$size = (hex($2) - hex $1) >> 10 if /^([0-9a-f]+)-([0-9a-f]+) /;
		$kib += $1 if /^Rss: +(\d+)/ and $size < 131072;
	}
	result('resident_KiB_beyond_the_guest', $kib);
}

# Nanoseconds that the first thread has been on a processor.
sub busy {
	open my $f, '<', "/proc/$_[0]/schedstat" or return 0;
	return (split ' ', <$f>)[0];
}

pipe my $out, my $in;
$begin = clock_gettime(CLOCK_MONOTONIC);
my $pid = fork;
if ($pid == 0) {
	open STDOUT, '>&', $in;
	open STDERR, '>', "/tmp/err.$name";
	open STDIN, '<', '/dev/null';
	close $out;
	exec @ARGV or die "exec: $!";
}
close $in;
$SIG{ALRM} = sub { print "$name: no end after 600 seconds\n"; kill 'KILL', $pid };
alarm 600;
while (my $line = <$out>) {
	my $now = clock_gettime(CLOCK_MONOTONIC);
	$line =~ s/[\r\n]+//g;
	if ($line =~ /INIT$/) {
		result('ms_from_exec_to_init', sprintf '%.0f', ($now - $begin) * 1000);
	} elsif ($line =~ /IDLE$/) {
		resident($pid);
	} elsif ($line =~ /BEGIN (\S+) (\S+) (\S+)/) {
		$start{$1} = [$now, $2, $3, busy($pid)];
	} elsif ($line =~ /END (\S+)/ and $start{$1}) {
		my ($at, $amount, $unit, $before) = @{$start{$1}};
		result("$1_${unit}_per_second", sprintf '%.0f', $amount / ($now - $at));
		result("$1_${unit}_host_ns_each", sprintf '%.0f', (busy($pid) - $before) / $amount);
	} elsif ($line =~ /FAILED|Call Trace|BUG/) {
		print "$name: $line\n";
	}
}
waitpid $pid, 0;
print "$name: exit status ", $? >> 8, "\n" if $?;
