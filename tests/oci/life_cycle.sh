#!/bin/bash
# SPDX-License-Identifier: MIT
# create, start, state, kill, delete: states, their fields, refusals in the wrong one.
. "$(dirname "$0")/lib.sh"
setup

conf '.process.args=["sleep","1000"] | .annotations={"a":"1","b c":"\"2\""}'
oci create -b "$B" "$ID" >"$T/log" 2>&1 </dev/null || no create "$(cat "$T/log")"
eq "created" "$(field status)" created
eq "state has what the spec asks for" "$(oci state "$ID" | jq -c '[.ociVersion,.id,.bundle,.annotations.a,.annotations["b c"]]')" \
	"[\"$(jq -r .ociVersion "$B/config.json")\",\"$ID\",\"$B\",\"1\",\"\\\"2\\\"\"]"
pid=$(field pid)
check "pid" test -e "/proc/$pid"
like "the program does not run yet" "$(cat "/proc/$pid/comm")" '^[^s]|^s[^l]'
fails "create again with this id" 'already exists|exist' create -b "$B" "$ID"
fails "run with this id" 'already exists|exist' run -b "$B" "$ID"
eq "the first is unharmed" "$(field status)" created
echo '{}' >"$B/config.json"
check "start does not look at config.json again" oci start "$ID"
eq "running" "$(field status)" running
soon grep -q sleep "/proc/$pid/comm"
eq "the program" "$(cat "/proc/$pid/comm")" sleep
eq "the pid stays" "$(field pid)" "$pid"
fails "start twice" 'already running|not.*created|running' start "$ID"
fails "delete while it runs" 'not stopped|running' delete "$ID"
eq "it still runs" "$(field status)" running
check kill oci kill "$ID" KILL
soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q stopped"
eq "stopped" "$(field status)" stopped
eq "pid of a stopped one" "$(field pid)" 0
fails "kill a stopped one" 'not running' kill "$ID" KILL
fails "start a stopped one" 'stopped' start "$ID"
fails "exec in a stopped one" 'stopped|not running' exec "$ID" true
fails "pause a stopped one" 'not running|stopped' pause "$ID"
check delete oci delete "$ID"
eq "nothing is left" "$(leftovers)" ""
for v in state start delete kill pause resume ps events update; do
	fails "$v of one that does not exist" "does not exist|nobody" "$v" nobody
done
fails "exec in one that does not exist" "does not exist" exec nobody true
check "delete --force of one that does not exist" oci delete --force nobody

conf '.process.args=["sleep","1000"]'
oci create -b "$B" "$ID" >/dev/null 2>&1 </dev/null
check "delete of a created one" oci delete "$ID"
eq "leaves nothing" "$(leftovers)" ""
oci create -b "$B" "$ID" >/dev/null 2>&1 </dev/null
check "kill of a created one" oci kill "$ID" KILL
soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q stopped"
eq "stops it" "$(field status)" stopped
oci delete "$ID"
oci run -d -b "$B" "$ID" >/dev/null 2>&1 </dev/null
check "delete --force while it runs" oci delete -f "$ID"
eq "leaves nothing either" "$(leftovers)" ""
for bad in '' . .. ../x a/b 'a b' $'a\nb' 'ä' '*' "$(printf 'x%.0s' {1..2000})"; do
	fails "id $(printf %q "${bad:0:10}")" 'container ID|invalid|id' create -b "$B" "$bad"
done
for good in a 1 a-b_c.d+e A--; do
	oci run -b "$B" "$good-$ID" >/dev/null 2>&1 </dev/null &
	soon sh -c "'$OCI' --root '$ROOT' state '$good-$ID' | grep -q running"
	check "id $good" oci delete --force "$good-$ID"
done
conf
oci create -b "$B" "$ID" >/dev/null 2>&1 </dev/null
eq "nobody but its owner can start a container" "$(stat -c %a "$ROOT/$ID/start")" 600
down
fails "no id" 'argument|usage' create
fails "two ids" 'argument|usage' create a b
fails "an unknown verb" 'no such command|nonsense' nonsense
