#!/bin/bash
# SPDX-License-Identifier: MIT
# Perl, ripgrep (Rust), compressors: their output is what it is elsewhere.
# shellcheck disable=SC2016
perl -e 'use Digest::SHA "sha256_hex"; my (%h, @a, $x, $f); $x = 1;
	for my $i (1 .. 100000) { $x = ($x * 1103515245 + 12345) & 0x7fffffff; $h{$x % 50021} .= chr(65 + $x % 26); $f += sqrt($x) / $i; push @a, $x if $i % 7 == 0 }
	my $t = join ",", map { "$_=$h{$_}" } sort { $a <=> $b } keys %h; my $n = () = $t =~ /([A-M]+)[N-Z]{2,3}(?=[A-F])/g;
	$t =~ s/(\d+)=(\w)/reverse($1) . $2/ge; print "same perl ", sha256_hex($t), " $n ", sprintf("%.17g", $f), " ", sha256_hex(join ",", sort @a), "\n"' || exit 1
head -c 30000000 /usr/bin/node >data 2>/dev/null || tar c /usr/lib/python3.11 | head -c 30000000 >data
for how in 'gzip -9' 'bzip2' 'xz -3 -T 2' 'zstd -10 -T2'; do
	command -v "${how%% *}" >/dev/null || continue
	head -c 1000000 data | $how >packed || exit 1
	echo "same $how $(sha256sum <packed)"
	echo "same un-$how $(${how%% *} -dc <packed | sha256sum)"
done
rg --version | tail -n 3
for pattern in 'ELF' '(?i)function\s+\w+' '[a-f0-9]{12,}' 'a.{3,9}z\b'; do
	echo "same rg $pattern $(rg -a -c -j 2 -e "$pattern" data) $(rg -j 4 -c "$pattern" /usr/lib/python3.11 | sort | sha256sum)"
done
