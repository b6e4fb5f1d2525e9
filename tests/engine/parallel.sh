#!/bin/bash
# SPDX-License-Identifier: MIT
# Many clients at once on one store.
. "$(dirname "$0")/lib.sh"
setup
pids=()
for i in $(seq 1 20); do
	"$CLEAVE" run --rm --name "p$i" cleave/tiny sh -c "exit $i" >"$T/out$i" 2>&1 &
	pids+=($!)
done
for i in $(seq 1 20); do
	wait "${pids[i - 1]}"
	status=$?
	is "status of number $i, $(cat "$T/out$i")" "$status" "$i"
done
is "the embedded image was made once" "$(cleave image ls -q | sort -u | wc -l)" 1
# One name, many takers: one wins.
wins=0
for i in $(seq 1 10); do "$CLEAVE" run -d --name same cleave/tiny sleep 100 >"$T/same$i" 2>&1 & done
wait
for i in $(seq 1 10); do grep -q '^[0-9a-f]\{64\}$' "$T/same$i" && wins=$((wins + 1)); done
is "one of ten gets the name" "$wins" 1
