#!/bin/bash
# SPDX-License-Identifier: MIT
# kill: by name and number, default, --all, with and without pid namespace.
. "$(dirname "$0")/lib.sh"
setup

conf "$(script 'for s in HUP INT QUIT USR1 USR2 TERM WINCH CONT; do trap "echo $s >>/out" $s; done; echo ready >>/out; while :; do sleep 0.01; done')"
start() {
	: >"$B/rootfs/out"
	oci run -d -b "$B" "$ID" >/dev/null 2>&1 </dev/null
	soon grep -q ready "$B/rootfs/out"
}
start
for s in HUP SIGINT quit sigusr1 12 WINCH 18; do
	oci kill "$ID" "$s" || no "kill $s"
	n=$((${n:-1} + 1))
	soon sh -c "[ \$(wc -l <'$B/rootfs/out') -ge $n ]"
done
oci kill "$ID"
soon grep -q TERM "$B/rootfs/out"
eq "signals by name, with SIG, in small letters, by number, default" "$(tail -n +2 "$B/rootfs/out" | tr '\n' ' ')" 'HUP INT QUIT USR1 USR2 WINCH CONT TERM '
for s in NOPE 65 -1 99999999999 SIG ''; do
	fails "signal '$s'" 'signal|option' kill "$ID" "$s"
done
check "signal 0 asks only" oci kill "$ID" 0
down

# RTMIN and friends
conf "$(script 'trap "echo rt >>/out" 36; echo ready >>/out; while :; do sleep 0.01; done')"
start
oci kill "$ID" RTMIN+2
soon grep -q rt "$B/rootfs/out"
like "RTMIN+2" "$(cat "$B/rootfs/out")" rt
down

# without a pid namespace: everything goes with the first process
conf '.linux.namespaces |= map(select(.type != "pid"))' "$(script 'sleep 1000 & sleep 1001 & echo ready >/out; wait')"
start
procs=$(oci ps -f json "$ID" | jq -r '.[]')
eq "three processes" "$(wc -w <<<"$procs")" 3
oci kill "$ID" KILL
gone() { for p in $procs; do [ ! -e "/proc/$p" ] || grep -q '^State:.*[ZX]' "/proc/$p/status" || return 1; done; }
check "KILL without a pid namespace kills all" soon gone
oci delete "$ID" || no delete
start
procs=$(oci ps -f json "$ID" | jq -r '.[]')
oci kill --all "$ID" KILL
check "kill --all" soon gone
oci delete "$ID"
start
procs=$(oci ps -f json "$ID" | jq -r '.[]')
kill -9 "$(field pid)"
soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q stopped"
check "kill --all of a stopped one with processes left" oci kill --all "$ID" KILL
check "ends them" soon gone
oci delete --force "$ID"
start
procs=$(oci ps -f json "$ID" | jq -r '.[]')
kill -9 "$(field pid)"
soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q stopped"
check "delete --force ends them too" oci delete --force "$ID"
check "really" soon gone
