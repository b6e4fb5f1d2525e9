#!/bin/bash
# SPDX-License-Identifier: MIT
# --log-opt max-size and max-file: nothing is lost and the order stays, also for a follower; a full disk.
. "$(dirname "$0")/lib.sh"
setup
dir_of() { echo "$T/root/instances/$(cleave ps -a --no-trunc --format json | jq -r "select(.Names==\"$1\").ID")"; }
run 0 --name rot --log-opt max-size=50k --log-opt max-file=4 cleave/tiny seq 1 1000
files() { (cd "$1" && echo log*); }
is "files" "$(files "$(dir_of rot)")" 'log log.1'
is "both are read" "$(cleave logs rot | sha256sum)" "$(seq 1 1000 | sha256sum)"
run 0 --name many --log-opt max-size=50k --log-opt max-file=4 cleave/tiny seq 1 20000
is "files up to the limit" "$(files "$(dir_of many)")" 'log log.1 log.2 log.3'
out=$(cleave logs many)
is "the end is there, nothing between is lost" "$out" "$(seq "$(head -n 1 <<<"$out")" 20000)"
size=$(stat -c %s "$(dir_of many)/log.1")
like "size of a file: $size" "$((size >= 50 * 1024 && size < 51 * 1024))" 1
is "--tail over several files" "$(cleave logs --tail 1500 many)" "$(seq 18501 20000)"
run 0 --name single --log-opt max-size=50k cleave/tiny seq 1 20000
is "one file when max-file is not given" "$(files "$(dir_of single)")" log
is "which has the end" "$(cleave logs single | tail -n 1)" 20000
# A follower
mkfifo "$T/go"
cleave run -d --name fol -v "$T:/t" --log-opt max-size=500k --log-opt max-file=20 cleave/tiny \
	sh -c 'read x </t/go; for i in 1 2 3 4 5 6 7 8 9 10; do seq 1 10000; sleep 0.1; done' >/dev/null
timeout 60 "$CLEAVE" logs -f fol >"$T/got" &
follower=$!
echo >"$T/go"
wait $follower
is "status of the follower" $? 0
is "nothing is lost or out of order for a follower" "$(sha256sum <"$T/got")" \
	"$(for _ in 1 2 3 4 5 6 7 8 9 10; do seq 1 10000; done | sha256sum)"
is "files that were written meanwhile" "$(files "$(dir_of fol)" | wc -w)" 15
# Killed while it writes and rotates: whole lines, and the next start goes on.
mkdir "$T/kill"
for i in 1 2 3 4 5; do
	id=$(cleave run -d --name "kk$i" --log-opt max-size=20k --log-opt max-file=500 cleave/tiny sh -c 'seq 1 10000000')
	sleep "0.$((i * 3 % 10))"
	pgrep -f "^cleave-monitor m .* $id\$" | xargs kill -KILL
	cleave ps -a >/dev/null
	out=$(cleave logs --tail 1000 "kk$i")
	first=$(head -n 1 <<<"$out")
	is "whole lines without a gap after kill -9" "$(sha256sum <<<"$out")" "$(seq "$first" $((first + $(wc -l <<<"$out") - 1)) | sha256sum)"
	cleave rm -f "kk$i" >/dev/null
done
# Full disk
if as_root; then
	mkdir "$T/small"
	mount -t tmpfs -o size=4m tmpfs "$T/small"
	CLEAVE_ROOT=$T/small cleave run --rm cleave/tiny true
	cat >"$T/fill.sh" <<-'END'
		seq 1 100000
		read x </t/go
		echo after
		sleep 0.2
		echo last
	END
	export CLEAVE_ROOT=$T/small
	cleave run -d --name full -v "$T:/t" cleave/tiny sh /t/fill.sh >/dev/null
	full() { [ "$(df --output=avail "$T/small" | tail -n 1)" -lt 8 ]; }
	until_true full
	sleep 0.3
	is "the instance goes on" "$(cleave ps --format json | jq -r .Names)" full
	log=$(echo "$T"/small/instances/*/log)
	is "whole lines" "$(tail -c 1 "$log" | od -An -tx1)" ' 0a'
	cut=$(wc -l <"$log")
	rm -rf "$T/small/images"
	echo >"$T/go"
	cleave wait full >/dev/null
	is "later lines appear" "$(cleave logs full 2>/dev/null | tail -n 2)" "$(printf 'after\nlast')"
	like "how many are missing is told" "$(cleave logs full 2>&1 >/dev/null)" "cleave: $((100000 - cut)) entries are missing"
	is "and is an attribute" "$(cleave logs --details full 2>/dev/null | grep -v '^ ')" "lost=$((100000 - cut)) after"
	cleave rm full >/dev/null
	export CLEAVE_ROOT=$T/root
	umount "$T/small"
fi
# Options
refuse 125 "unknown log opt 'foo' for json-file" run --log-opt foo=1 cleave/tiny true
refuse 125 "invalid size 'abc'" run --log-opt max-size=abc cleave/tiny true
refuse 125 'positive' run --log-opt max-size=0 cleave/tiny true
refuse 125 'max-file must be from 1' run --log-opt max-file=0 cleave/tiny true
refuse 125 'invalid logging opts for driver none' run --log-driver none --log-opt max-size=1m cleave/tiny true
refuse 125 "no log driver named 'syslog'" run --log-driver syslog cleave/tiny true
refuse 125 'expected NAME=VALUE' run --log-opt max-size cleave/tiny true
