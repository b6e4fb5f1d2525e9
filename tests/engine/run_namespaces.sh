#!/bin/bash
# SPDX-License-Identifier: MIT
# Namespaces and names: --network, --pid, --ipc, --uts, --userns, --cgroupns, hosts, resolv.conf, ports.
. "$(dirname "$0")/lib.sh"
setup
inside() { cleave run --rm "$@"; }
ns() { local kind=$1; shift; inside "$@" cleave/tiny readlink "/proc/self/ns/$kind"; }
host() { readlink "/proc/self/ns/$1"; }
differs() { if [ "$2" != "$3" ] && [ -n "$2" ]; then yes; else no "$1" "both: $2"; fi; }

for kind in net pid ipc uts cgroup mnt; do
	differs "$kind of its own" "$(ns $kind)" "$(host $kind)"
done
! as_root || is "no user namespace" "$(ns user)" "$(host user)"
is "--network host" "$(ns net --network host)" "$(host net)"
is "--net host" "$(ns net --net=host)" "$(host net)"
is "--pid host" "$(ns pid --pid host)" "$(host pid)"
is "--ipc host" "$(ns ipc --ipc host)" "$(host ipc)"
is "--uts host" "$(ns uts --uts host)" "$(host uts)"
is "--cgroupns host" "$(ns cgroup --cgroupns host)" "$(host cgroup)"
! as_root || is "--userns host" "$(ns user --userns host)" "$(host user)"
differs "--ipc private" "$(ns ipc --ipc private)" "$(host ipc)"
differs "--cgroupns private" "$(ns cgroup --cgroupns private)" "$(host cgroup)"
is "--network none" "$(inside --network none cleave/tiny ls /sys/class/net)" lo
is "--network default" "$(inside --network default cleave/tiny ls /sys/class/net | xargs)" "eth0 lo"
is "--ipc none" "$(inside --ipc none cleave/tiny sh -c 'grep -c " /dev/shm " /proc/self/mountinfo')" 0
is "--ipc host: its shm" "$(mkdir -p /dev/shm && echo there >/dev/shm/cleave-test-$$; inside --ipc host cleave/tiny cat /dev/shm/cleave-test-$$; rm /dev/shm/cleave-test-$$)" there
is "--network host: the host's name" "$(inside --network host cleave/tiny hostname)" "$(hostname)"
is "--uts host: the host's name" "$(inside --uts host cleave/tiny sh -c 'hostname; echo $HOSTNAME' | sort -u)" "$(hostname)"
is "--network host with a name" "$(inside --network host --hostname box cleave/tiny hostname)" box

# Of another instance
cleave run -d --name donor --ipc shareable --add-host there:1.2.3.4 cleave/tiny sh -c 'echo shared >/dev/shm/file; sleep 1000' >/dev/null
until_true sh -c "cat '$T'/run/*/pid >/dev/null 2>&1"
pid=$(cat "$T"/run/*/pid)
for kind in net pid ipc; do
	option=$kind
	[ $kind != net ] || option=network
	is "--$option container:NAME" "$(ns $kind --$option container:donor)" "$(readlink "/proc/$pid/ns/$kind")"
done
is "its /etc/hosts" "$(inside --network container:donor cleave/tiny grep -c there /etc/hosts)" 1
is "its shm" "$(inside --ipc container:donor cleave/tiny cat /dev/shm/file)" shared
is "its processes" "$(inside --pid container:donor cleave/tiny ps -o comm | grep -c '[s]leep')" 1
cleave create --name joiner --network container:donor cleave/tiny true >/dev/null
cleave run -d --name private cleave/tiny sleep 1000 >/dev/null
refuse 125 'non-shareable IPC' run --rm --ipc container:private cleave/tiny true
cleave stop -t 0 donor private >/dev/null
refuse 125 'it is not running' run --rm --network container:donor cleave/tiny true
refuse 1 'it is not running' start joiner
cleave start donor >/dev/null
run 0 --rm --ipc container:donor cleave/tiny true
is "start of one that joins" "$(cleave start -a joiner; echo $?)" 0
cleave rm -f joiner donor private >/dev/null
refuse 125 'no such instance' run --rm --network container:donor cleave/tiny true
refuse 125 "network nonet not found" run --rm --network nonet cleave/tiny true
refuse 125 "invalid mode" run --rm --pid x cleave/tiny true
refuse 125 "invalid mode" run --rm --ipc x cleave/tiny true
refuse 125 "invalid mode" run --rm --uts nonsense cleave/tiny true
refuse 125 "invalid mode" run --rm --cgroupns x cleave/tiny true
refuse 125 "invalid mode" run --rm --userns x cleave/tiny true
refuse 125 "only supported in rootless mode" run --rm --userns keep-id cleave/tiny true
cleave create --name other cleave/tiny true >/dev/null
refuse 125 "conflicting options: hostname and the network mode" run --rm --hostname a --network container:other cleave/tiny true
refuse 125 "conflicting options: dns and the network mode" run --rm --dns 1.1.1.1 --network container:other cleave/tiny true
refuse 125 "conflicting options: custom host-to-IP" run --rm --add-host a:1.1.1.1 --network container:other cleave/tiny true
refuse 125 "conflicting options: port publishing" run --rm -p 80 --network container:other cleave/tiny true
refuse 125 "conflicting options: hostname and the UTS mode" run --rm --hostname a --uts host cleave/tiny true

# User namespaces: each instance has ids of its own, owners of files are mapped.
range() { inside "$@" cleave/tiny awk '{ print $1, $3, ($2 >= 100000) }' /proc/self/uid_map; }
if as_root; then
	run 0 --rm --userns auto cleave/tiny true
else
	refuse 125 '--userns auto needs root' run --rm --userns auto cleave/tiny true
fi
if [ "$status" = 0 ]; then
	is "--userns auto" "$(range --userns auto)" '0 65536 1'
	is "--userns auto:size" "$(range --userns auto:size=5000)" '0 5000 1'
	is "its root owns the files" "$(inside --userns auto cleave/tiny sh -c 'stat -c %u /bin/busybox; touch /new; stat -c %u /new; stat -c %u /home/user' | tr '\n' ' ')" '0 0 1000 '
	is "another user" "$(inside --userns auto -u user cleave/tiny id -u)" 1000
	is "a volume is its own" "$(inside --userns auto -v ns:/new cleave/tiny sh -c 'touch /new/x; stat -c %u /new/x')" 0
	cleave run -d --name ns1 --userns auto cleave/tiny sh -c 'echo kept >/file; sleep 1000' >/dev/null
	cleave run -d --name ns2 --userns auto cleave/tiny sleep 1000 >/dev/null
	first=$(cleave exec ns1 awk '{print $2}' /proc/self/uid_map)
	differs "ranges do not overlap" "$(cleave exec ns2 awk '{print $2}' /proc/self/uid_map)" "$first"
	pid=$(cleave exec ns1 sh -c 'cat /proc/self/uid_map' | awk '{print $2}')
	is "on the host it is somebody else" "$(stat -c %u "/proc/$(pgrep -u "$pid" -f 'sleep 1000' | head -n 1)")" "$first"
	cleave stop -t 0 ns1 >/dev/null
	cleave start ns1 >/dev/null
	is "the range stays" "$(cleave exec ns1 awk '{print $2}' /proc/self/uid_map)" "$first"
	is "files stay" "$(cleave exec ns1 sh -c 'cat /file; stat -c %u /file' | tr '\n' ' ')" 'kept 0 '
	cleave rm -f ns1 ns2 >/dev/null
	is "a range is free again" "$(inside --userns auto cleave/tiny awk '{print $2}' /proc/self/uid_map)" "$first"
	cleave volume rm ns >/dev/null
fi
refuse 125 'expected auto or auto:size=NUMBER' run --rm --userns auto:colour=1 cleave/tiny true
refuse 125 'range of size is 1 to' run --rm --userns auto:size=0 cleave/tiny true
refuse 125 'conflicting options: --privileged' run --rm --privileged --userns auto cleave/tiny true

# Names
is "-h" "$(inside -h box cleave/tiny hostname)" box
is "--domainname" "$(inside --network none -h box --domainname example.org cleave/tiny sh -c 'cat /proc/sys/kernel/domainname; grep box /etc/hosts' | tr '\t\n' '  ')" 'example.org 127.0.1.1 box.example.org box '
is "its own name in /etc/hosts" "$(inside cleave/tiny sh -c 'grep -c "$(hostname)" /etc/hosts')" 1
is "--add-host" "$(inside --add-host a:1.2.3.4 --add-host b=2001:db8::1 --add-host 'c:[::1]' cleave/tiny tail -n 4 /etc/hosts | head -n 3 | tr '\t\n' '  ')" '1.2.3.4 a 2001:db8::1 b ::1 c '
like "host-gateway" "$(inside --network host --add-host h:host-gateway cleave/tiny grep h$ /etc/hosts)" '^[0-9.]+.h$'
is "--network host: the host's hosts" "$(inside --network host cleave/tiny cat /etc/hosts)" "$(cat /etc/hosts)"
! as_root || is "resolv.conf" "$(inside cleave/tiny cat /etc/resolv.conf)" "$(cat /etc/resolv.conf)"
is "--dns, --dns-search, --dns-option" "$(inside --dns 9.9.9.9 --dns 2001:db8::2 --dns-search a.b --dns-search c --dns-option ndots:2 cleave/tiny grep -v '^#' /etc/resolv.conf)" $'nameserver 9.9.9.9\nnameserver 2001:db8::2\nsearch a.b c\noptions ndots:2'
is "--dns-search ." "$(inside --dns 9.9.9.9 --dns-search . --dns-opt x cleave/tiny grep -v '^#' /etc/resolv.conf)" $'nameserver 9.9.9.9\noptions x'
r() { refuse 125 "$1" run --rm "${@:2}" cleave/tiny true; }
r '1 to 63 characters' -h "$(printf '%064d' 0)"
r '1 to 63 characters' -h 'a b'
r '1 to 63 characters' --domainname ''
r 'bad format for add-host' --add-host a
r 'invalid IP address in add-host: "1.2.3"' --add-host a:1.2.3
r 'is not an ip address' --dns x
r 'not a valid domain' --dns-search 'a b'
r 'not one word' --dns-option $'a\tb'

# Ports and addresses are checked and kept
out=$(cleave run --rm --network none -p 8080:80 -p 127.0.0.1:81:81/udp -p '[::1]::82' -p 83 -p 90-92:80-82 cleave/tiny echo ran 2>&1)
like "-p without a network" "$out" 'Published ports are discarded.*ran'
like "-P" "$(inside --network none -P cleave/tiny true 2>&1)" 'Published ports are discarded'
r 'invalid containerPort' -p x
r 'invalid containerPort' -p 99999
r 'invalid hostPort' -p x:80
r 'invalid IP address' -p 1.2.3:80:80
r 'invalid ranges' -p 80-81:80-82
r 'invalid port format for --expose' --expose x/tcp
r 'not a valid mac address' --mac-address 1:2
r 'user specified IP address is supported on user defined networks only' --ip 1.2.3.4
r 'invalid IPv4 address' --ip x
r 'invalid IPv6 address' --ip6 1.2.3.4

# the UTS and cgroup namespaces of another instance
cleave run -d --name donor -h donated cleave/tiny sleep 1000 >/dev/null
ns() { cleave run --rm "$@" cleave/tiny sh -c 'readlink /proc/self/ns/uts; readlink /proc/self/ns/cgroup' | xargs; }
have=$(cleave exec donor sh -c 'readlink /proc/self/ns/uts; readlink /proc/self/ns/cgroup' | xargs)
like "there are such" "$have" 'uts:.*cgroup:'
is "--uts and --cgroupns container:NAME" "$(ns --uts container:donor --cgroupns container:donor)" "$have"
is "with its host name" "$(cleave run --rm --uts container:donor cleave/tiny sh -c 'hostname; cat /etc/hostname' | xargs)" 'donated donated'
refuse 125 'hostname and the UTS mode' run --uts container:donor -h mine cleave/tiny true
refuse 125 'no such instance' run --uts container:nobody cleave/tiny true
