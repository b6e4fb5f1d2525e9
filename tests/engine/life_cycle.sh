#!/bin/bash
# SPDX-License-Identifier: MIT
# create, start, stop, kill, restart, wait, pause, unpause, rename: what they do and say.
. "$(dirname "$0")/lib.sh"
setup
state() { cleave ps -a --format json | jq -rs --arg n "$1" '.[] | select(.Names == $n).State'; }
code() { cleave ps -a --format json | jq -rs --arg n "$1" '.[] | select(.Names == $n).ExitCode'; }
like "create prints the id" "$(cleave create --name one cleave/tiny sh -c 'echo again >>/f; cat /f; exit 3')" '^[0-9a-f]{64}$'
is "state after create" "$(state one)" created
is "start prints the name" "$(cleave start one)" one
is "wait prints the exit status" "$(cleave wait one)" 3
until_true [ "$(state one)" = exited ]
is "wait for one that has ended" "$(cleave wait one)" 3
is "what it wrote is still there" "$(cleave start -a one)" "$(printf 'again\nagain')"
cleave start -a one >/dev/null
is "start -a exits as it does" $? 3
is "start -a -i of one without input" "$(echo x | cleave start -ai one | wc -l)" 4
cleave rm one >/dev/null
# stop
trap_term='trap "exit 5" TERM; echo ready; while :; do sleep 0.02; done'
ready() { grep -q ready "$CLEAVE_ROOT/instances/$1/log"; }
id=$(cleave run -d --name two cleave/tiny sh -c "$trap_term")
until_true ready "$id"
is "stop prints the name" "$(cleave stop two)" two
is "its own exit status" "$(state two) $(code two)" 'exited 5'
is "stop of one that has ended" "$(cleave stop two)" two
is "started twice" "$(cleave start two two)" "$(printf 'two\ntwo')"
cleave run -d --name deaf cleave/tiny sleep 1000 >/dev/null # SIGTERM does nothing to it
cleave stop -t 0 deaf >/dev/null
is "stop -t 0" "$(code deaf)" 137
cleave rm deaf >/dev/null
cleave pause two >/dev/null
like "paused" "$(cleave ps)" '\(Paused\)'
refuse 1 'already paused' pause two
refuse 1 'is paused' rm two
is "stop of one that is paused" "$(cleave stop -t 5 two; state two)" "$(printf 'two\nexited')"
refuse 1 'not running' pause two
refuse 1 'not running' kill two
cleave start two >/dev/null
refuse 1 'not paused' unpause two
is "restart" "$(cleave restart -t 0 two; state two)" "$(printf 'two\nrunning')"
refuse 1 'is running: stop it first' rm two
refuse 1 'no such signal' kill -s NOPE two
refuse 1 'expected seconds' stop -t soon two
cleave kill -s KILL two >/dev/null
cleave wait two >"$T/code"
is "kill -s KILL" "$(cat "$T/code")" 137
# several at once: those that do not want to end take their time together
for n in p1 p2 p3; do cleave run -d --name $n --stop-timeout 2 cleave/tiny sleep 1000 >/dev/null; done
# apart FIELD - seconds from the first to the last time of p1, p2 and p3; one after the other it would be 4
apart() {
	for n in p1 p2 p3; do date -d "$(cleave inspect -f "{{.State.$1}}" $n)" +%s.%N; done | sort -n |
		awk 'NR == 1 { first = $1 } END { print $1 - first < 4 ? "at once" : "one by one" }'
}
is "stop of several prints their names" "$(cleave stop p1 p2 two p3 p1)" "$(printf 'p1\np2\ntwo\np3\np1')"
is "several are stopped at once" "$(apart FinishedAt)" "at once"
is "each was killed" "$(code p1) $(code p2) $(code p3)" '137 137 137'
cleave start p1 p2 p3 >/dev/null
is "restart of several" "$(cleave restart p1 p2 p3; state p1; state p3)" "$(printf 'p1\np2\np3\nrunning\nrunning')"
is "several are restarted at once" "$(apart StartedAt)" "at once"
is "stop goes on after a failure" "$(cleave stop -t 0 none p1 2>/dev/null || echo failed)" "$(printf 'p1\nfailed')"
is "stop --all" "$(names_of stop --all -t 0)" 'p2 p3'
cleave rm p1 p2 p3 >/dev/null
# names
cleave rename two three
is "rename" "$(state three)" exited
cleave create --name four cleave/tiny true >/dev/null
refuse 1 'already in use' rename four three
refuse 1 'invalid name' rename four .
cleave rm three four >/dev/null
refuse 1 'no such instance' start three
refuse 1 'no such instance' wait three
is "rm -f of one that is not there" "$(cleave rm -f three)" ''
# wait
cleave run -d --rm --name five cleave/tiny sh -c 'sleep 0.3; exit 9' >/dev/null
is "wait for one that is removed when it ends" "$(cleave wait five)" 9
cleave run -d --name six cleave/tiny sh -c 'sleep 0.2; exit 1' >/dev/null
cleave run -d --name seven cleave/tiny sh -c 'sleep 0.1; exit 2' >/dev/null
is "wait for several" "$(cleave wait six seven | xargs)" '1 2'
cleave rm six seven >/dev/null
# what cannot be started
id=$(cleave create --name eight cleave/tiny no-such-program)
refuse 1 'not found' start eight
is "state then" "$(state eight) $(code eight)" 'created 127'
cleave rm eight >/dev/null
is "events" "$(jq -r .Action "$CLEAVE_ROOT/events" | sort | uniq -c | awk '$2=="rename"{print $1}')" 1
