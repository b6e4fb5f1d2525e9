#!/bin/bash
# SPDX-License-Identifier: MIT
# Instances with a restart policy after the machine has started anew: start --all, stop --all, filters.
. "$(dirname "$0")/lib.sh"
setup
names() { cleave ps -a "$@" --format '{{.Names}}' | sort | xargs; }
for policy in always unless-stopped on-failure no; do
	run 0 -d --name "$policy" --restart "$policy" cleave/tiny sleep 1000
done
run 0 -d --name by-hand --restart unless-stopped cleave/tiny sleep 1000
run 0 -d --name by-hand-always --restart always cleave/tiny sleep 1000
cleave create --name never --restart always cleave/tiny sleep 1000 >/dev/null
cleave stop -t 0 by-hand by-hand-always >/dev/null
is "filter restart-policy" "$(names --filter restart-policy=always)" 'always by-hand-always never'
is "two of them" "$(names --filter restart-policy=no --filter restart-policy=on-failure)" 'no on-failure'
is "should-start-on-boot" "$(names --filter should-start-on-boot=true)" 'always by-hand-always unless-stopped'
is "the others" "$(names --filter should-start-on-boot=false)" 'by-hand never no on-failure'
refuse 1 "invalid filter" ps --filter should-start-on-boot=maybe

# A power failure: everything dies, the memory file systems are empty.
lose_power() {
	local id pids
	for id in $(cleave ps -q --no-trunc); do
		pids=$(pgrep -f "$id" | xargs)
		# shellcheck disable=SC2046,SC2086 # lists of processes
		kill -9 $pids $(cat "$T/run/$id/pid") 2>/dev/null
	done
	sleep 0.2
	find "$T/run" -mindepth 1 -maxdepth 1 ! -name oci -exec rm -rf {} +
}
lose_power
is "nothing runs" "$(cleave ps -q)" ''
out=$(cleave start --all --filter should-start-on-boot=true)
is "status of start --all" $? 0
is "what start --all prints" "$(sort <<<"$out")" "$(cleave ps --no-trunc -q | sort)"
is "what runs" "$(names --filter status=running)" 'always by-hand-always unless-stopped'
is "again" "$(cleave start --all --filter should-start-on-boot=true)" ''
is "as podman" "$(names_of start --all --filter restart-policy=no --filter restart-policy=on-failure)" 'no on-failure'

# The machine is shut down, and starts: a unit stops and starts what has a policy.
is "stop for a boot" "$(names_of stop -t 0 --all --until-boot --filter restart-policy=always --filter restart-policy=unless-stopped)" \
	'always by-hand-always unless-stopped'
is "what still runs" "$(names --filter status=running)" 'no on-failure'
is "they come back" "$(names --filter should-start-on-boot=true)" 'always by-hand-always unless-stopped'
is "start" "$(cleave start --all --filter should-start-on-boot=true | wc -l)" 3
is "stop --all" "$(cleave stop -t 0 -a | wc -l)" 5
is "now a person stopped them" "$(names --filter should-start-on-boot=true)" 'always by-hand-always'

refuse 1 'names of instances, or --all$' start
refuse 1 'names of instances, or --all$' stop
refuse 1 'names of instances, or --all and' start --all always
refuse 1 'cannot be combined' start --all --attach

# The machine stopped while one was made and another removed
id=$(printf 'a%.0s' {1..64})
mkdir "$T/root/instances/$id" "$T/root/instances/.${id//a/b}"
cleave container prune -f --filter label=nobody >/dev/null
is "files of what does not exist go" "$(find "$T/root/instances" -name '*aaaaaaaaaaaa*' -o -name '*bbbbbbbbbbbb*')" ''

# Units
unit=$(cleave generate systemd -n always)
like "start" "$unit" "ExecStart=[^ ]*/cleave --root $T/root --runroot $T/run start --attach always"
like "stop" "$unit" "ExecStop=.* stop -t 10 always"
like "policy" "$unit" "Restart=on-failure"
cd "$T" || exit 1
is "--files" "$(cleave generate systemd --files --name --time 3 --restart-policy always no)" "$T/container-no.service"
like "--restart-policy" "$(cat container-no.service)" "Restart=always"
like "--time" "$(cat container-no.service)" "TimeoutStopSec=63.* stop -t 3 no"
id=$(cleave create -it --name again --restart always -e 'A=b c$d%e"' --label x cleave/tiny sh -c 'echo "$A"; exit 3')
unit=$(cleave generate systemd --new "$id")
like "by id" "$unit" "^# container-$id.service"
like "--new" "$unit" 'ExecStart=[^ ]*/cleave .* run --rm --name again -i -e "A=b c\$\$d%%e\\""'" --label x cleave/tiny sh -c "
[[ $unit != *--restart\ * ]] && yes || no "--restart is left out" "$unit"
like "the unit starts it again instead" "$unit" 'Restart=always'
like "a policy of its own beside the unit's" "$(cleave generate systemd again 2>&1 >/dev/null)" "^WARNING: instance 'again' has the restart policy 'always'"
cleave create --name thrice --restart on-failure:3 cleave/tiny false >/dev/null
like "as often as the instance asked" "$(cleave generate systemd --new thrice)" 'StartLimitBurst=3.*Restart=on-failure'
like "removed before" "$unit" 'ExecStartPre=-.* rm -f again'
refuse 1 "systemd knows" generate systemd --restart-policy never always
refuse 1 "no such instance" generate systemd nothing
if command -v systemd-analyze >/dev/null; then
	cleave generate systemd --new -n -f again >/dev/null
	for file in container-no container-again; do
		is "verify $file" "$(systemd-analyze verify --man=no "./$file.service" 2>&1 | grep "$file")" ''
	done
fi
cd / || exit 1
