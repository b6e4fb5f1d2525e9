#!/bin/bash
# SPDX-License-Identifier: MIT
# Names of instances: who is answered what, servers of others, several networks, comings and goings, and kills.
. "$(dirname "$0")/lib.sh"
setup nsenter python3 ip
declare -A pids
pid() { pids[$1]=$(field "$1" '{{.State.Pid}}'); }
up() {
	cleave run -d --name "$1" "${@:2}" cleave/tiny sleep 1000 >/dev/null
	pid "$1"
}
field() { cleave inspect -f "$2" "$1"; }
ip_in() { field "$1" "{{.NetworkSettings.Networks.$2.IPAddress}}"; }
# ask INSTANCE NAME [TYPE [tcp]] - of the server that its resolv.conf names
ask() {
	local said server
	server=$(sed -n 's/^nameserver //p' "/proc/${pids[$1]}/root/etc/resolv.conf" | head -n 1)
	echo "${pids[$1]} $server $2 ${*:3}" >&8
	read -r -t 60 -u 9 said
	echo "$said"
}
mkfifo "$T/questions" "$T/answers"
exec 8<>"$T/questions" 9<>"$T/answers"
python3 "$here/names.py" asker <&8 >&9 8>&- 9>&- &
asker=$!
resolvers() { pgrep -u 65534 -f "^cleave-names $T/run" || true; }
keepers() { pgrep -u 0 -f "^cleave-names $T/run" || true; }
upstream=127.0.53.$((RANDOM % 200 + 2))
: >"$T/log"
python3 "$here/names.py" serve $upstream "$T/log" &
server=$!
until_true grep -q ready "$T/log"
dns=(--dns 127.0.53.1 --dns "$upstream") # the first is nobody

# One network
cleave network create --ipv6 --subnet 10.253.1.0/24 --subnet fd25:253::/64 mine >/dev/null
is "no resolver without instances" "$(resolvers)" ''
up web --network mine --network-alias www --network-alias both -h host-of-web "${dns[@]}"
up db --network mine --network-alias both "${dns[@]}"
is "one for the network" "$(resolvers | wc -l)" 1
a=$(ip_in web mine) b=$(ip_in db mine) b6=$(field db '{{.NetworkSettings.Networks.mine.GlobalIPv6Address}}')
is "resolv.conf" "$(cleave exec web cat /etc/resolv.conf | grep -v -e ^search -e '^#')" $'nameserver 10.253.1.1\noptions ndots:0'
for name in web WEB www host-of-web web.mine "$(field web '{{.Id}}' | cut -c 1-12)"; do
	is "of $name" "$(ask db "$name" A)" "OK $a"
done
is "of IPv6" "$(ask web db AAAA)" "OK $(python3 -c 'import ipaddress, sys; print(ipaddress.ip_address(sys.argv[1]))' "$b6")"
is "of an alias that two have" "$(ask web both A)" "OK $(printf '%s\n' "$a" "$b" | sort | xargs)"
is "other records of a name" "$(ask web db TXT)" OK
is "by TCP" "$(ask web db A tcp)" "OK $b"
is "the name of an address" "$(ask db "$(tr . '\n' <<<"$a" | tac | xargs | tr ' ' .).in-addr.arpa" PTR)" 'OK web.mine'
is "an address that nobody has" "$(ask db 250.1.253.10.in-addr.arpa PTR)" NXDOMAIN
is "of a program with a C library" "$(cleave exec db ping -q -c 1 -W 5 www | grep -c ' 0% packet loss')" 1
is "from the host" "$(timeout 60 python3 "$here/names.py" ask 10.253.1.1 web A) $(timeout 60 python3 "$here/names.py" ask 10.253.1.1 up.test A)" "OK $a REFUSED"

# Servers of others
is "of a server" "$(ask web up.test A)" 'OK 192.0.2.9'
is "case is kept" "$(ask web Up.Test A)" 'OK 192.0.2.9'
is "of a server, by TCP" "$(ask web up.test A tcp)" 'OK 192.0.2.9'
is "what does not fit comes by TCP" "$(ask web big.test TXT)" "OK $(for ((i = 0; i < 20; i++)); do printf '256 '; done)by TCP"
is "nobody has it" "$(ask web nobody.test A)" NXDOMAIN
is "a server that fails" "$(ask web broken.test A)" SERVFAIL
is "nobody was asked for our own" "$(grep -c -i -e ' web' -e ' db' -e arpa "$T/log")" 0
up alone --network mine --dns 127.0.53.1
is "no server answers" "$(ask alone up.test A)" SERVFAIL
up chosen --network mine --dns $upstream --dns-search example.org --dns-option ndots:2
is "options" "$(cleave exec chosen cat /etc/resolv.conf)" $'nameserver 10.253.1.1\nsearch example.org\noptions ndots:2'
cleave rm -f alone chosen >/dev/null

# Several networks, also one that does not lead outside
cleave network create --internal --subnet 10.253.2.0/24 inner >/dev/null
up store --network inner --network-alias data
is "an internal one asks nobody" "$(ask store up.test A) $(ask store store A)" "NXDOMAIN OK $(ip_in store inner)"
up front --network mine --network inner "${dns[@]}"
is "names of both networks" "$(ask front web A) $(ask front data A) $(ask front up.test A)" "OK $a OK $(ip_in store inner) OK 192.0.2.9"
is "but not of those it is not in" "$(ask web data A) $(ask store web A)" "NXDOMAIN NXDOMAIN"
is "each sees the address of its own" "$(ask store front A) $(ask web front A)" "OK $(ip_in front inner) OK $(ip_in front mine)"
cleave network create --subnet 10.253.4.0/24 third >/dev/null
up far --network third
cleave network connect third front
is "of a third, that leads outside" "$(ask front far A) $(ask web far A) $(ask far front A)" "OK $(ip_in far third) NXDOMAIN OK $(ip_in front third)"
cleave network disconnect mine front
is "after it left the first" "$(ask front far A) $(ask front data A) $(ask front web A)" "OK $(ip_in far third) OK $(ip_in store inner) NXDOMAIN"
cleave network disconnect third front
cleave network connect mine front
cleave rm -f far >/dev/null
cleave network disconnect inner front
is "after it left one" "$(ask front data A) $(ask store front A)" "NXDOMAIN NXDOMAIN"
cleave network connect --alias again inner front
is "after it came back" "$(ask front data A) $(ask store again A)" "OK $(ip_in store inner) OK $(ip_in front inner)"

# In the default network there are no names, until it enters another one
up plain
is "the default network has none" "$(cleave exec plain grep -c -e 10.253 -e ndots /etc/resolv.conf)" 0
cleave network connect mine plain
is "a network that is entered later" "$(ask plain web A)" "OK $a"
is "and is known there" "$(ask web plain A)" "OK $(ip_in plain mine)"
cleave rm -f plain front >/dev/null

# Names come and go with instances
cleave rename db base
pids[base]=${pids[db]}
is "renamed" "$(ask web base A) $(ask web db A)" "OK $b NXDOMAIN"
cleave stop -t 0 base >/dev/null
is "stopped" "$(ask web base A)" NXDOMAIN
cleave start base >/dev/null
pid base
is "started" "$(ask web base A)" "OK $(ip_in base mine)"

# Resolvers that are killed, or stopped, are started anew at once
id=$(cleave network inspect -f '{{.Id}}' mine)
in_own_cgroup() { for p in $(resolvers); do grep -o "/cleave/names-${id:0:12}" "/proc/$p/cgroup"; done; }
is "it is in a cgroup of its own" "$(in_own_cgroup | sort -u)" "/cleave/names-${id:0:12}"
anew() { [ "$(resolvers | wc -l)" = 2 ] && [ -z "$(resolvers | grep -xF "$was")" ]; }
answers() { [ "$(ask web base A) $(ask store data A)" = "OK $(ip_in base mine) OK $(ip_in store inner)" ]; }
for signal in KILL STOP SEGV; do
	was=$(resolvers)
	# shellcheck disable=SC2046 # a list of ids
	kill -$signal $(resolvers)
	until_true anew
	until_true answers
done
is "each has one that looks after it" "$(keepers | wc -l)" 2

# Killed with those who look after them
# shellcheck disable=SC2046 # as above
kill -9 $(keepers)
until_true eval '[ -z "$(resolvers)" ]'
is "others do not need it" "$(cleave network inspect -f '{{.Name}}' mine)" mine
like "check tells" "$(cleave system check -q)" "network 'mine': its resolver is gone"
cleave ps -q >/dev/null
is "the next command starts it again" "$(ask web base A) $(ask store data A)" "OK $(ip_in base mine) OK $(ip_in store inner)"

# One whose starter died before it was told all
for socket in "$T"/run/names/*.sock; do mv "$socket" "${socket%.sock}.new"; done
cleave ps -q >/dev/null
is "is replaced" "$(ask web base A) $(resolvers | wc -l)" "OK $(ip_in base mine) 2"

# An instance that is started again by its policy, alone in its network
cleave network create --subnet 10.253.5.0/24 lone >/dev/null
up solo --network lone --restart always
is "alone" "$(ask solo solo A)" "OK $(ip_in solo lone)"
was=${pids[solo]}
kill -9 "$was"
restarted() { pid solo && [ "${pids[solo]}" != 0 ] && [ "${pids[solo]}" != "$was" ]; }
until_true restarted
until_true eval '[ "$(ask solo solo A)" = "OK $(ip_in solo lone)" ]'
cleave rm -f solo >/dev/null

# Programs of the host that have port 53, or that of the resolver
cleave network create --subnet 10.253.3.0/24 busy >/dev/null
hold() { # PORT
	: >"$T/busy"
	python3 -c 'import socket, sys, time
s = [socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
for one in s: one.bind(("10.253.3.1", int(sys.argv[1])))
print("ready", flush=True)
time.sleep(1000)' "$1" >"$T/busy" &
	holder=$!
	until_true grep -q ready "$T/busy"
}
hold 53
up busy1 --network busy
is "port 53 is not needed" "$(ask busy1 busy1 A) $(ask busy1 busy1 A tcp)" "OK $(ip_in busy1 busy) OK $(ip_in busy1 busy)"
cleave rm -f busy1 >/dev/null
kill $holder
hold 30053
like "it says who has its own" "$(cleave run -d --name busy1 --network busy cleave/tiny sleep 1000 2>&1)" "names of network busy are not resolved: port 30053 of 10.253.3.1 is in use by python3, process $holder"
is "and uses the host's servers" "$(cleave exec busy1 grep -c 10.253.3.1 /etc/resolv.conf)" 0
kill $holder

# Hostile packets, from an instance: it goes on
timeout 60 nsenter -n -t "$(field web '{{.State.Pid}}')" python3 -c '
import os, random, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.253.1.1", 53))
random.seed(1)
for n in range(3000):
    p = bytearray(os.urandom(2) + b"\1\0\0\1\0\0\0\0\0\0\3web\0\0\1\0\1" + os.urandom(n % 40))
    for k in range(n % 4):
        p[random.randrange(len(p))] = random.randrange(256)
    try:
        s.send(p[:random.randrange(len(p) + 1)])
    except OSError:
        pass
held = [socket.create_connection(("10.253.1.1", 53)) for n in range(20)]
for h in held:
    try:
        h.send(b"\xff\xff" + os.urandom(100))
    except OSError:
        pass'
is "it goes on" "$(ask web web A) $(ask base web A tcp)" "OK $a OK $a"

# The last one takes it along
cleave rm -f web base >/dev/null
is "one is left" "$(resolvers | wc -l)" 1
cleave rm -f store busy1 >/dev/null
is "none is left" "$(resolvers)$(keepers)$(find /sys/fs/cgroup{,/*}/cleave -maxdepth 1 -name "names-${id:0:12}" 2>/dev/null)" ''
kill $server $asker
