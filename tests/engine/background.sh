#!/bin/bash
# SPDX-License-Identifier: MIT
# With cgroup v2 an instance in the background does not end with the cgroup (service, session) that started it.
if [ "${1:-}" != --there ]; then
	[ "$(id -u)" = 0 ] || { echo "skip: needs root"; exit 77; }
	exec unshare -m "$0" --there
fi
. "$(dirname "$0")/lib.sh"
top=/sys/fs/cgroup
if [ "$(stat -f -c %T $top)" != cgroup2fs ]; then # the half of a hybrid host that is v2
	[ "$(stat -f -c %T $top/unified 2>/dev/null)" = cgroup2fs ] || skip "no cgroup v2"
	mount --bind $top/unified $top || skip "no mount"
fi
setup
service=$top/service-$$
mkdir "$service"
bash -c "echo \$\$ >$service/cgroup.procs && '$CLEAVE' run -d --name kept cleave/tiny sleep 1000 >/dev/null"
is "nothing is left in it" "$(cat "$service/cgroup.procs")" ''
rmdir "$service" || no "the cgroup is in use"
is "the instance runs" "$(cleave inspect -f '{{.State.Status}}' kept)" running
bash -c "'$CLEAVE' restart -t 0 kept >/dev/null"
monitor=$(cut -d' ' -f4 "/proc/$(cleave inspect -f '{{.State.Pid}}' kept)/stat")
is "its monitor is with the others" "$(grep ^0:: "/proc/$monitor/cgroup")" 0::/cleave/monitors
cleave rm -f kept >/dev/null
