#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
. /opt/vmm/lib.sh

initramfs button evdev
talk=/tmp/talk

# client WORD...: what the last machine's client says goes to $talk
client() {
	perl qmp.pl /tmp/qmp "$@" >$talk 2>&1 &
	client=$!
}

# said NAME REGEX...: each is in what the client was told
said() {
	local name=$1 regex
	shift
	wait $client
	for regex; do
		grep -qE -- "$regex" $talk || { fail "$name: not told '$regex'"; sed 's/^/    < /' $talk; return; }
	done
	echo "ok $name"
}

client query-status '{"execute": "query-cpus-fast", "id": [1, "x"]}' query-version query-commands query-kvm \
	query-memory-size-summary no-such-command '{"execute": 5}' '{"a"}' '[1]' \
	stop query-status stop cont query-status quit wait:SHUTDOWN
boot 'sleep 100' --qmp /tmp/qmp --cpus 2
expect "quit" 0
enabled=$([ $accel = kvm ] && echo true || echo false)
said "answers" '"status": ?"running"' '"cpu-index": ?1.*"id": ?\[1, ?"x"\]' '"name": ?"query-kvm"' "\"enabled\": ?$enabled" \
	'"base-memory": ?268435456' 'CommandNotFound.*no-such-command' 'execute: expected a string' \
	'"event": ?"STOP"' '"status": ?"paused"' '"event": ?"RESUME"' 'SHUTDOWN.*host-qmp-quit'
[ ! -e /tmp/qmp ] || fail "the socket is still there"

client log:1:PRESS system_powerdown wait:POWERDOWN wait:SHUTDOWN
boot 'echo PRESS; dd if=/dev/input/event0 of=/dev/null bs=24 count=1 2>&1 | grep -q "1+0 records in" && echo BUTTON' --qmp /tmp/qmp
expect "power button" 0 BUTTON
said "power button's events" '"event": ?"SHUTDOWN".*guest-shutdown'

client log:1:STARTED system_reset wait:RESET log:2:STARTED stop system_reset wait:RESET cont log:3:STARTED quit
boot 'echo STARTED; sleep 100' --qmp /tmp/qmp --cpus 2
expect "reset from outside" 0
said "reset's events" 'RESET.*host-qmp-system-reset'

client stop idle:3 quit
boot 'echo STARTED' --qmp /tmp/qmp
grep -q STARTED $log && fail "it ran while stopped"
boot '' --qmp /nowhere/qmp
expect "no folder for the socket" 1 "listen at '/nowhere/qmp'"
finish
