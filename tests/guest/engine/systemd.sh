#!/bin/bash
# SPDX-License-Identifier: MIT
# systemd as the command of an instance whose image is this guest itself.
cd /opt/tests/engine || exit
export CLEAVE=/opt/cleave/cleave TMPDIR=/var/tmp
. ./lib.sh
setup
sys() { timeout 100 "$CLEAVE" exec sys "$@" 2>&1; }
listens() { sys test -S /run/dbus/system_bus_socket; }
booted() {
	local i
	for ((i = 0; i < 300; i++)); do
		listens && break
		sleep 0.2
	done
	is "$1" "$(sys systemctl is-system-running --wait)" running
	sys systemctl --failed --plain --no-legend
}
cgroups() { find /sys/fs/cgroup -type d -path "*$1*"; }

v2=$(stat -f -c %T /sys/fs/cgroup)
tar -C / --one-file-system --exclude='./guest*' --exclude='./etc/systemd/system/*guest.service' --exclude=./lib/modules \
	--exclude=./usr/lib/modules --exclude='./opt/*' --exclude='./tmp/*' --exclude='./var/tmp/*' -cf "$T/self.tar" . || exit
cleave import "$T/self.tar" local/self >/dev/null || exit
rm "$T/self.tar"

systemd-run -q --wait "$CLEAVE" --root "$CLEAVE_ROOT" --runroot "$CLEAVE_RUNROOT" run -d --name kept local/self sleep 1000
is "an instance outlives the service that started it" "$(sleep 1; cleave inspect -f '{{.State.Status}}' kept)" running
cleave rm -f kept >/dev/null

id=$(cleave run -d --name sys -m 400m --pids-limit 500 local/self /sbin/init)
booted "it boots"
is "a service has a cgroup below the instance's" \
	"$(sys systemd-run -q --wait --pipe -u where sh -c 'grep -c system.slice/where.service /proc/self/cgroup')" 1
if [ "$v2" = cgroup2fs ]; then
	like "limits of its services hold" "$(sys systemd-run -q --wait --pipe -p MemoryMax=50M -p TasksMax=20 \
		sh -c 'cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/memory.max /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/pids.max' |
		xargs)" '^52428800 20$'
	is "what the instance has it cannot raise" "$(sys cat /sys/fs/cgroup/memory.max 2>&1 | grep -c '^419430400$';
		sys sh -c 'echo max >/sys/fs/cgroup/memory.max' >/dev/null; cat /sys/fs/cgroup/cleave/"$id"/memory.max)" $'1\n419430400'
fi
is "exec goes on to work with controllers below" "$(sys sh -c 'echo here')" here
is "stats, too" "$(cleave stats --no-stream --format '{{.Name}}' sys)" sys
cleave pause sys >/dev/null
is "pause" "$(cleave inspect -f '{{.State.Status}}' sys)" paused
cleave unpause sys >/dev/null
sys useradd -m joe
is "a session of a user" "$(sys su - joe -s /bin/sh -c 'systemctl --user is-system-running --wait')" running
is "journal" "$(sys sh -c 'logger -t tag words; journalctl -q --sync; journalctl -q -o cat -t tag')" words
start=$SECONDS
is "stop" "$(cleave stop -t 90 sys)" sys
[ $((SECONDS - start)) -lt 60 ] || no "stop took $((SECONDS - start)) s"
is "exit status after stop" "$(cleave inspect -f '{{.State.ExitCode}}' sys)" 0
is "no cgroup is left" "$(cgroups "$id")" ''
cleave start sys >/dev/null
booted "it boots again"
is "ended by itself" "$(sys systemctl poweroff; timeout 60 "$CLEAVE" wait sys)" 0
is "the machine is still there" "$(systemctl is-system-running | grep -c -e starting -e running -e degraded)" 1
