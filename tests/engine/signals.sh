#!/bin/bash
# SPDX-License-Identifier: MIT
# Signals sent to a foreground `cleave run` reach the instance; kill -9 of it does not.
. "$(dirname "$0")/lib.sh"
setup
running() { [ -n "$(cleave ps -q)" ]; }
gone() { [ -z "$(cleave ps -aq)" ]; }
ready() { grep -q ready "$T/out"; }
"$CLEAVE" run --rm cleave/tiny sh -c 'trap "echo got it; exit 5" USR1; echo ready; while :; do sleep 0.05; done' >"$T/out" &
pid=$!
until_true ready
kill -USR1 $pid
wait $pid
is "status after a signal that is handled" $? 5
like "the instance got it" "$(cat "$T/out")" 'got it'
: >"$T/out"
"$CLEAVE" run --rm --name survivor cleave/tiny sh -c 'echo ready; while [ ! -e /end ]; do sleep 0.05; done' >"$T/out" &
pid=$!
until_true ready
kill -KILL $pid
wait $pid 2>/dev/null
sleep 0.2
is "the instance survives its client" "$(cleave ps --format json | jq -r .Names)" survivor
cleave rm -f survivor >/dev/null
until_true gone
is "and is gone after rm -f" "$(cleave ps -aq)" ''
