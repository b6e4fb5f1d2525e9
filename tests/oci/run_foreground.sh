#!/bin/bash
# SPDX-License-Identifier: MIT
# run in the foreground: signals are passed on, no subreaper, the container goes with its program.
. "$(dirname "$0")/lib.sh"
setup

conf "$(script 'for s in HUP INT QUIT USR1 USR2 TERM CONT; do trap "echo $s" $s; done; trap "echo bye; exit 5" WINCH; echo ready; while :; do sleep 0.01; done')"
"$OCI" --root "$ROOT" run -b "$B" "$ID" >"$T/out" 2>&1 </dev/null &
run=$!
soon grep -q ready "$T/out"
for s in HUP USR1 USR2 TERM CONT; do
	kill -$s $run
	soon grep -q "^$s" "$T/out" || no "signal $s is passed on"
done
kill -WINCH $run
wait $run
eq "status" "$?" 5
eq "signals are passed on" "$(tr '\n' ' ' <"$T/out")" 'ready HUP USR1 USR2 TERM CONT bye '
eq "the container is gone with its program" "$(leftovers)" ""

conf "$(script 'sleep 1000 & echo $!; exit 0')" '.linux.namespaces |= map(select(.type != "pid"))'
attempt run -b "$B" "$ID"
eq "what it leaves behind is ended" "$status $(leftovers)" "0 "
check "really" soon test ! -e "/proc/$out"

conf '.process.args=["sleep","1000"]'
"$OCI" --root "$ROOT" run --no-subreaper -b "$B" "$ID" >/dev/null 2>&1 </dev/null &
run=$!
soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q running"
kill -9 $run
wait $run 2>/dev/null
eq "the runtime killed: the container runs on" "$(field status)" running
down
"$OCI" --root "$ROOT" run -b "$B" "$ID" >/dev/null 2>&1 </dev/null &
run=$!
soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q running"
oci kill "$ID" KILL
wait $run
eq "killed from elsewhere: status 137" "$?" 137

conf "$(script 'i=0; while [ $i -lt 20 ]; do (true &); i=$((i+1)); done; echo made; sleep 1000')" '.linux.namespaces |= map(select(.type != "pid"))'
"$OCI" --root "$ROOT" run -b "$B" "$ID" >"$T/out" 2>&1 </dev/null &
run=$!
soon grep -q made "$T/out"
check "orphans of the container are reaped while it runs" soon sh -c "! ps --ppid $run -o stat= | grep -q Z"
oci kill "$ID" KILL
wait $run
eq "and it has the status of the program" "$?" 137
