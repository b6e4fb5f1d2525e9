#!/bin/bash
# SPDX-License-Identifier: MIT
# systemd as the command: it boots, its services and its journal work, it ends when it is asked to, twice.
. "$(dirname "$0")/lib.sh"
setup_debian python3
terminal() { python3 "$(dirname "$0")/../engine/terminal.py" "$@"; }
sys() { timeout 60 "$CLEAVE" exec sys "$@" 2>&1; }
listens() { sys test -S /run/dbus/system_bus_socket; }
booted() {
	until_true listens
	is "$1" "$(sys systemctl is-system-running --wait)" running
	[ "$(sys systemctl is-system-running)" = running ] || sys systemctl --failed --no-legend
}
# cgroups of an instance, whatever the layout
cgroups() { find /sys/fs/cgroup -type d -path "*$1*"; }

id=$(cleave run -d --name sys local/debian /sbin/init)
booted "systemd is found by the command's name, and boots"
is "it is the first process" "$(sys cat /proc/1/comm)" systemd
is "the machine's id is the instance's" "$(sys cat /etc/machine-id)" "${id:0:32}"
is "/run is nobody else's to write to" "$(sys stat -c %a /run)" 755
is "/tmp is everybody's" "$(sys stat -c %a /tmp)" 1777
is "it knows where it is" "$(sys systemd-detect-virt --container)" container-other
is "the target" "$(sys systemctl is-active multi-user.target)" active
is "cgroups below its own" "$(sys sh -c 'cut -d: -f3 /proc/$(systemctl show -P MainPID cron)/cgroup' |
	grep -v '^/$' | sort -u)" /system.slice/cron.service

is "a service stops" "$(sys sh -c 'systemctl stop nginx; systemctl is-active nginx')" inactive
is "and starts" "$(sys sh -c 'systemctl start nginx; systemctl is-active nginx')" active
is "another program as a service" "$(sys systemd-run -q --wait --pipe sh -c 'echo from a service')" 'from a service'
is "one with a memory limit and another user" \
	"$(sys systemd-run -q --wait --pipe -p MemoryMax=100M -p User=nobody id -un)" nobody
sys systemd-run -q --on-active=0.1 --timer-property=AccuracySec=10ms touch /run/fired
fired() { sys test -e /run/fired; }
until_true fired
is "journal of a service" "$(sys sh -c 'systemd-run -q --wait -u talk echo spoken; journalctl -q -o cat -u talk -t echo')" spoken
is "journal by syslog" "$(sys sh -c 'logger -t tag words; journalctl -q --sync; journalctl -q -o cat -t tag')" words
sys useradd -m -s /bin/bash joe
is "a session of a user" "$(sys su - joe -c 'systemctl --user is-system-running --wait; loginctl --no-legend' | grep joe |
	tr -s ' ' | cut -d ' ' -f 3 | xargs)" joe
sys systemd-run -q --wait -u broken false
is "a service that fails is seen" "$(sys systemctl is-system-running)" degraded
is "by name" "$(sys systemctl --failed --plain --no-legend | cut -d ' ' -f 1)" broken.service

start=$SECONDS
is "stop" "$(cleave stop -t 60 sys)" sys
[ $((SECONDS - start)) -lt 30 ] || no "stop took $((SECONDS - start)) s"
is "exit status after stop" "$(cleave inspect -f '{{.State.ExitCode}} {{.Config.StopSignal}}' sys)" '0 SIGRTMIN+3'
is "no cgroup is left" "$(cgroups "$id")" ''
cleave start sys >/dev/null
booted "it boots again"
is "with the same id" "$(sys cat /etc/machine-id)" "${id:0:32}"
sys systemctl exit 7
is "an exit status of its own" "$(timeout 60 "$CLEAVE" wait sys)" 7
cleave start sys >/dev/null
booted "and again"
sys systemctl poweroff
is "powered off inside" "$(timeout 60 "$CLEAVE" wait sys)" 0
cleave rm sys >/dev/null
is "no cgroup is left of that, either" "$(cgroups "$id")" ''

cleave create --name sys -it -m 1g local/debian /lib/systemd/systemd >/dev/null
cleave start sys >/dev/null
booted "it boots in a terminal"
for text in 'Welcome to .*Debian GNU/Linux 12' 'Started.*console-getty' 'Reached target.*multi-user.target'; do
	shows() { cleave logs sys | grep -q "$text"; }
	until_true shows || { echo "no $text"; cleave logs --tail 20 sys; }
done
sys sh -c 'echo root:secret | chpasswd'
out=$(terminal 'login:=root\r' 'Password:=secret\r' 'root@=tty; stty size\r' 'root@=\x10\x11' -- \
	"$CLEAVE" attach sys)
like "login on the console" "$out" '/dev/console|/dev/pts/0'
like "the console has the size of ours" "$out" '40 100'
is "stop" "$(cleave stop -t 60 sys)" sys
like "the terminal shows the end, too" "$(cleave logs --tail 3 sys)" 'Exiting container'
cleave rm sys >/dev/null

kinds='mount | grep -q "on /run type tmpfs" && echo prepared || echo not; cat /proc/1/environ | tr "\\0" "\\n" | grep -c ^container='
is "always: for any command" "$(cleave run --rm --systemd=always cleave/tiny sh -c "$kinds" | xargs)" 'prepared 1'
is "false: not even for systemd" "$(cleave run --rm --systemd=false --entrypoint /bin/sh \
	cleave/tiny -c "$kinds" | xargs)" 'not 0'
refuse 125 "systemd 'perhaps'" run --rm --systemd=perhaps cleave/tiny true
