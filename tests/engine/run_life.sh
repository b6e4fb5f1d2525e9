#!/bin/bash
# SPDX-License-Identifier: MIT
# Options about the life of an instance, and what the image says: --restart, --stop-*, --health-*, --log-*,
# --cidfile, --pull, --platform, --init, --systemd, labels.
. "$(dirname "$0")/lib.sh"
setup
inside() { cleave run --rm "$@"; }
# config NAME JQ - what is kept of an instance
config() { jq -c "$2" "$T/root/instances/$(cleave ps -aq --no-trunc | while read -r i; do cleave ps -a --no-trunc --format json | jq -r "select(.ID==\"$i\" and .Names==\"$1\").ID"; done)/config.json"; }
r() { refuse 125 "$1" run --rm "${@:2}" cleave/tiny true; }
rr() { refuse 125 "$1" run "${@:2}" cleave/tiny true; }

cleave create --name all --restart on-failure:3 --stop-signal INT --stop-timeout 7 --health-cmd 'true x' \
	--health-interval 1m30s --health-timeout 500ms --health-retries 4 --health-start-period 1.5s --health-start-interval 2s \
	--log-driver json-file --log-opt max-size=10m --log-opt max-file=3 -l a=1 -l b --label c=2=3 --annotation x=y \
	--network-alias n --mac-address 02:42:ac:11:00:02 --expose 80 --expose 81/udp --platform linux cleave/tiny true >/dev/null
is "restart" "$(config all '[.restart,.restartMax]')" '["on-failure",3]'
is "stop" "$(config all '[.stopSignal,.stopTimeout]')" '["INT",7]'
is "health" "$(config all '[.health,.healthInterval,.healthTimeout,.healthRetries,.healthStartPeriod,.healthStartInterval]')" '[["CMD-SHELL","true x"],90000000000,500000000,4,1500000000,2000000000]'
is "log" "$(config all '[.logDriver,.logOpts]')" '["json-file",["max-size=10m","max-file=3"]]'
is "labels" "$(config all '[.labels,.annotations]')" '[["a=1","b=","c=2=3"],["x=y"]]'
is "network" "$(config all '[.networkAliases,.macAddress,.expose,.platform]')" '[["n"],"02:42:ac:11:00:02",["80/tcp","81/udp"],"linux"]'
printf '# comment\nfrom=file\n\nbare\n' >"$T/labels"
cleave create --name labels --label-file "$T/labels" -l from=option cleave/tiny true >/dev/null
is "--label-file" "$(config labels .labels)" '["from=option","bare="]'
for p in no always unless-stopped; do
	cleave create --name "p-$p" --restart $p cleave/tiny true >/dev/null
	is "--restart $p" "$(config "p-$p" .restart)" "\"$p\""
done
run 0 --rm --restart no cleave/tiny true
r "cannot specify both --restart and --rm" --restart always
rr "unknown policy 'x'" --restart x
rr "maximum retry count can only be used with 'on-failure'" --restart always:3
rr "maximum retry count must be an integer" --restart on-failure:x
r 'invalid signal: NOPE' --stop-signal NOPE
r 'expected a number of seconds' --stop-timeout x
r 'expected a time' --health-interval 5x --health-cmd a
r 'cannot be less than 1ms' --health-interval 1ns --health-cmd a
r 'expected a number' --health-retries x
r '--no-healthcheck conflicts' --no-healthcheck --health-cmd a
r "no log driver named 'x'" --log-driver x
r "unknown log opt 'x'" --log-opt x=1
r "expected NAME=VALUE" --log-opt x
r "invalid size" --log-opt max-size=x
r "max-file must be" --log-opt max-file=0
r "invalid logging opts for driver none" --log-driver none --log-opt max-size=1m
r 'label .=x. has no name' -l =x
r 'contains whitespace' --label-file <(echo 'a b=c')
r 'zero byte' --env-file <(printf 'A=1\0B')
r 'expected NAME=VALUE' --annotation x
r 'no name' -e =x

r 'invalid detach keys' --detach-keys ctrl-
r 'invalid detach keys' --detach-keys a,,b
run 0 --rm --detach-keys 'ctrl-a,b,ctrl-@' --sig-proxy=false cleave/tiny true
r 'valid streams are' -a x
refuse 125 'cannot specify both --attach and --detach' run -d -a stdout cleave/tiny true

# --cidfile, --pull, --platform
id=$(cleave run -d --rm --cidfile "$T/id" cleave/tiny sleep 1000)
is "--cidfile" "$(cat "$T/id")" "$id"
refuse 125 "container ID file found, make sure the other container isn't running or delete $T/id" run --rm --cidfile "$T/id" cleave/tiny true
cleave rm -f "$id" >/dev/null
refuse 125 'write container ID file' run --cidfile /no/such/dir/id cleave/tiny true
id=$(cleave create --cidfile "$T/id2" cleave/tiny true)
is "create --cidfile" "$(cat "$T/id2")" "$id"
for p in missing never; do run 0 --rm --pull $p cleave/tiny true; done
r "pull 'cleave/tiny:latest': registry 'docker.io' is blocked" --pull always
r 'invalid pull option' --pull x
arch=$(uname -m)
case $arch in x86_64) arch=amd64 other=arm64 ;; *) arch=arm64 other=amd64 ;; esac
for p in linux linux/$arch $arch "$(uname -m)"; do run 0 --rm --platform "$p" cleave/tiny true; done
r 'does not provide the specified platform' --platform linux/$other
r 'only the system linux' --platform windows/amd64

# --init
is "--init" "$(inside --init cleave/tiny sh -c 'cat /proc/1/comm; echo $$' | tr '\n' ' ')" 'docker-init 2 '
run 7 --rm --init cleave/tiny sh -c 'exit 7'
run 137 --rm --init cleave/tiny sh -c 'kill -9 $$'
run 127 --rm --init cleave/tiny no-such-program
run 126 --rm --init cleave/tiny /etc/passwd
run 0 --rm --init --read-only cleave/tiny true
is "--init reaps" "$(inside --init cleave/tiny sh -c '(sleep 0.05 & exec true); sleep 0.3; cat /proc/[0-9]*/stat | grep -c ") Z "')" 0
cleave run -d --name init --init cleave/tiny sh -c 'trap "exit 5" TERM; touch /ready; while :; do sleep 0.05; done' >/dev/null
until_true "$CLEAVE" exec init test -f /ready
cleave stop init >/dev/null
is "--init forwards signals" "$(cleave wait init)" 5
like "--init on a terminal" "$(script -qec "'$CLEAVE' run --rm -it --init cleave/tiny sh -c 'echo typed >/dev/tty'" /dev/null </dev/null | tr -d '\r')" '^(\^[@D])*typed'

# --systemd
if as_root || [ ! -d /sys/fs/cgroup/systemd ]; then # a user has a cgroup of his own only in the unified hierarchy
	is "--systemd always" "$(inside --systemd always cleave/tiny sh -c 'echo $container; for d in /run /run/lock /tmp /var/log/journal; do grep -c " $d .*- tmpfs" /proc/self/mountinfo; done; mkdir /run/x /tmp/x && echo ok' | tr '\n' ' ')" 'cleave 1 1 1 1 ok '
	if [ -d /sys/fs/cgroup/systemd ]; then
		is "its cgroup is writable" "$(inside --systemd always cleave/tiny sh -c 'mkdir /sys/fs/cgroup/systemd/x && rmdir /sys/fs/cgroup/systemd/x && echo ok')" ok
		run 1 --rm --systemd always cleave/tiny mkdir /sys/fs/cgroup/memory/x
	else
		is "its cgroup is writable" "$(inside --systemd always cleave/tiny sh -c 'mkdir /sys/fs/cgroup/x && rmdir /sys/fs/cgroup/x && echo ok')" ok
	fi
fi
is "not without" "$(inside cleave/tiny sh -c 'echo ${container-none}')" none
cleave create --name sd --entrypoint /sbin/init cleave/tiny >/dev/null
is "an init system is recognized" "$(config sd .stopSignal)" '"SIGRTMIN+3"'
is "no screens of the host for a log-in" "$(inside --privileged --systemd always cleave/tiny sh -c 'ls /dev/tty[0-9]* 2>/dev/null')" ''
cleave create --name sd2 cleave/tiny /lib/systemd/systemd >/dev/null
is "systemd, too" "$(config sd2 .stopSignal)" '"SIGRTMIN+3"'
cleave create --name sd3 --systemd false cleave/tiny /sbin/init >/dev/null
is "--systemd false" "$(config sd3 .stopSignal)" null
r "true, false and always" --systemd maybe

# What the image says
mkdir -p "$T/fs/bin"
cp "$(command -v busybox)" "$T/fs/bin/busybox"
for a in sh echo cat ls id grep; do ln -s busybox "$T/fs/bin/$a"; done
tar -C "$T/fs" -cf "$T/i.tar" .
cleave image import "$T/i.tar" plain >/dev/null
# edit what it says of running it: a new configuration and manifest in the layout
layout=$T/root/images/blobs/sha256
manifest=$(jq -r '.manifests[]|select(.annotations|tostring|contains("plain"))|.digest' "$T/root/images/index.json")
old=$(jq -r .config.digest "$layout/${manifest#sha256:}")
jq -c '.config={"Env":["A=image","B=image"],"Entrypoint":["echo"],"Cmd":["cmd"],"WorkingDir":"/work","User":"5:6","Volumes":{"/vol":{}},"ExposedPorts":{"80/tcp":{}},"Labels":{"from":"image"},"StopSignal":"SIGQUIT","Healthcheck":{"Test":["CMD","x"],"Interval":5000000000,"Retries":9}}' \
	"$layout/${old#sha256:}" >"$T/config"
cp "$T/config" "$layout/${old#sha256:}"
is "entry point and command" "$(inside plain)" cmd
is "another command" "$(inside plain a b)" 'a b'
is "another entry point drops the command" "$(inside --entrypoint id plain -u)" 5
is "no entry point" "$(inside --entrypoint '' plain id -g)" 6
is "environment, working directory" "$(inside -e B=own --entrypoint sh plain -c 'echo $A $B $PWD')" 'image own /work'
is "volume" "$(inside --entrypoint sh plain -c 'grep -c " /vol " /proc/self/mountinfo')" 1
cleave create --name image -l own=1 plain >/dev/null
is "labels, ports, signal" "$(config image '[.labels,.expose,.stopSignal]')" '[["from=image","own=1"],["80/tcp"],"SIGQUIT"]'
is "health check" "$(config image '[.health,.healthInterval,.healthRetries]')" '[["CMD","x"],5000000000,9]'
cleave create --name image2 --no-healthcheck --stop-signal TERM plain >/dev/null
is "--no-healthcheck" "$(config image2 '[.health,.stopSignal]')" '[["NONE"],"TERM"]'
cleave create --name image3 --health-retries 2 plain >/dev/null
is "another number of retries" "$(config image3 '[.health,.healthRetries]')" '[["CMD","x"],2]'
cleave rm -fv image image2 image3 >/dev/null
