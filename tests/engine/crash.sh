#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of any of our processes at any moment leaves a store that the next command understands.
. "$(dirname "$0")/lib.sh"
setup
cleave run --rm cleave/tiny true
# The client, killed during and after the start.
for i in $(seq 1 30); do
	"$CLEAVE" run --rm --name "k$i" cleave/tiny sleep 0.05 >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$(printf '%02d' $((i * 2)))"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
done
gone() { [ -z "$(cleave ps -aq)" ]; }
until_true gone
# All at once: client, monitor-to-be, starter, container process before its program runs.
kill_ours() {
	local p
	for p in /proc/[0-9]*; do
		[ "$(cat "$p/comm" 2>/dev/null)" = cleave ] &&
			grep -qzx "CLEAVE_ROOT=$T/root" "$p/environ" 2>/dev/null && kill -KILL "${p#/proc/}" 2>/dev/null
	done
}
for i in $(seq 1 30); do
	"$CLEAVE" run --rm --name "g$i" cleave/tiny sleep 0.05 >/dev/null 2>&1 &
	sleep "0.00$((i * 3 % 10))"
	kill_ours
	wait 2>/dev/null
done
until_true gone
# The monitor of a running instance: the instance is lost, and the next command says so.
id=$(cleave run -d --name lost cleave/tiny sleep 1000)
monitor=$(pgrep -f "^cleave-monitor m .* $id\$")
kill -KILL "$monitor"
ended() { [ ! -d "/proc/$monitor" ]; }
until_true ended
is "state after the monitor died" "$(cleave ps -a --format json | jq -r '.State+","+(.ExitCode|tostring)')" exited,137
cleave rm lost >/dev/null
# An import.
tar -C / -cf "$T/bin.tar" bin/busybox usr/lib/locale usr/bin 2>/dev/null
for i in 1 2 3 4 5 6 7 8; do
	"$CLEAVE" image import "$T/bin.tar" killed >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$((i * 7 % 10))"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
done
rm "$T/bin.tar"
tar -C / -cf "$T/small.tar" bin/busybox
cleave image import "$T/small.tar" small >/dev/null
is "what killed imports left is removed by the next one" "$(ls "$T/root/tmp")" ''
for f in "$T"/root/images/blobs/sha256/*; do
	[ "$(sha256sum <"$f" | cut -d' ' -f1)" = "${f##*/}" ] || no "blob $f is whole"
done
run 0 --rm cleave/tiny true
is "no cgroup is left" "$(find /sys/fs/cgroup -type d -path "*/cleave/$id*")" ''
