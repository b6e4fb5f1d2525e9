#!/bin/bash
# SPDX-License-Identifier: MIT
# pause and resume: state, frozen processes, exec, kill, delete.
. "$(dirname "$0")/lib.sh"
setup
cg_dir freezer >/dev/null || [ -e /sys/fs/cgroup/cgroup.controllers ] || skip "no freezer"

up "$(script 'while :; do echo x >>/out; sleep 0.01; done')"
soon test -s "$B/rootfs/out"
check pause oci pause "$ID"
eq "paused" "$(field status)" paused
a=$(wc -l <"$B/rootfs/out")
sleep 0.2
eq "nothing runs" "$(wc -l <"$B/rootfs/out")" "$a"
fails "pause twice" 'paused|not running' pause "$ID"
fails "exec in a paused one" 'paused' exec "$ID" true
fails "delete a paused one" 'paused|not stopped' delete "$ID"
attempt ps -f json "$ID"
eq "ps works" "$(jq length <<<"$out" | sed 's/[2-9]/1/')" 1
check resume oci resume "$ID"
eq "running" "$(field status)" running
check "and going on" soon sh -c "[ \$(wc -l <'$B/rootfs/out') -gt $a ]"
fails "resume twice" 'not paused' resume "$ID"
oci pause "$ID"
check "kill KILL of a paused one" oci kill "$ID" KILL
check "ends it" soon sh -c "'$OCI' --root '$ROOT' state '$ID' | grep -q stopped"
oci delete "$ID" || no delete
up
oci pause "$ID"
check "delete --force of a paused one" oci delete --force "$ID"
conf '.process.args=["sleep","9"]'
oci create -b "$B" "$ID" >/dev/null 2>&1 </dev/null
check "pause of a created one" oci pause "$ID"
check "resume of a created one" oci resume "$ID"
eq "is created still" "$(field status)" created
oci delete "$ID"
up
oci pause "$ID"
(oci exec --ignore-paused "$ID" true </dev/null >/dev/null 2>&1 && touch "$T/done") &
sleep 0.2
check "exec --ignore-paused waits" test ! -e "$T/done"
oci resume "$ID"
check "until it is resumed" soon test -e "$T/done"
down
