#!/bin/bash
# SPDX-License-Identifier: MIT
# Published ports: from the host, from instances, from outside; what is printed of them; ports that are taken.
. "$(dirname "$0")/lib.sh"
setup nft ip curl
up() { cleave run -d --name "$@" >/dev/null; }
get() { curl -s -m 5 "$1"; }
serve='mkdir -p /www; hostname >/www/index.html; exec httpd -f -h /www -p '
# free - three different ports
free() {
	python3 -c 'import socket
s = [socket.socket() for n in range(3)]
for one in s: one.bind(("", 0))
print(*[one.getsockname()[1] for one in s])'
}
answers() { [ "$(get "$1")" = "$2" ]; }
host=$(hostname -I | cut -d ' ' -f 1)
read -r a b c <<<"$(free)"

up web -h web -p "$a:80" -p "127.0.0.1:$b:80" -p 8000-8001/udp --expose 443 cleave/tiny sh -c "$serve 80"
until_true answers "127.0.0.1:$a" web
is "by localhost" "$(get "localhost:$a")" web
is "by the host's address" "$(get "$host:$a")" web
is "by ::1, which no instance is behind: refused at once" "$(get "[::1]:$a"; echo $?)" 7
is "by 127.0.0.1 only" "$(get "127.0.0.1:$b") $(get "$host:$b")" "web "
up peer cleave/tiny sleep 1000
is "from another instance" "$(cleave exec peer wget -q -O- "$host:$a")" web
is "from itself" "$(cleave exec web wget -q -O- "$host:$a")" web
udp1=$(cleave port web 8000/udp | sed 's/.*://') udp2=$(cleave port web 8001/udp | sed 's/.*://')
is "port" "$(cleave port web)" "80/tcp -> 0.0.0.0:$a
80/tcp -> 127.0.0.1:$b
8000/udp -> 0.0.0.0:$udp1
8001/udp -> 0.0.0.0:$udp2"
is "port of one" "$(cleave port web 80)" "0.0.0.0:$a"$'\n'"127.0.0.1:$b"
refuse 1 "no public port '81/tcp' published for web" port web 81
like "ps" "$(cleave ps --filter name=web --format '{{.Ports}}')" "^0.0.0.0:$a->80/tcp, 127.0.0.1:$b->80/tcp, 0.0.0.0:$udp1.*/udp, 443/tcp$"
is "inspect" "$(cleave inspect web | jq -c '.[0].NetworkSettings.Ports | [."80/tcp"[0].HostPort, ."443/tcp"]')" "[\"$a\",null]"
is "what was asked for" "$(cleave inspect web | jq -c '.[0].HostConfig.PortBindings."80/tcp" | map(.HostPort)')" "[\"$a\",\"$b\"]"

# UDP, both ways
timeout 60 nsenter -n -t "$(cleave inspect -f '{{.State.Pid}}' web)" python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 8000))
while True:
    data, sender = s.recvfrom(100)
    s.sendto(b"%s from %s" % (data, sender[0].encode()), sender)
' &
server=$!
is "udp" "$(python3 - "$udp1" <<'E'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
for n in range(20):
    try:
        s.sendto(b"there and back", ("127.0.0.1", int(sys.argv[1])))
        print(s.recv(100).decode().strip())
        break
    except OSError:
        pass
E
)" "there and back from $(cleave inspect -f '{{.NetworkSettings.Gateway}}' web)"
kill "$server"

# Ports that are taken
refuse 125 "port is already allocated by instance 'web'" run --rm -p "$a:81" cleave/tiny true
refuse 125 "port is already allocated by instance 'web'" run --rm -p "127.0.0.1:$a:81" cleave/tiny true
python3 -m http.server "$c" --bind 127.0.0.1 >/dev/null 2>&1 &
holder=$!
until_true eval "curl -s -o /dev/null -m 2 127.0.0.1:$c"
refuse 125 "port $c/tcp is in use by python3, process $holder" run --rm -p "$c:80" cleave/tiny true
refuse 125 "it is no address of this host" run --rm -p "198.51.100.7:$c:80" cleave/tiny true
refuse 125 "no addresses of that version of IP" run --rm -p "[::1]:$c:80" cleave/tiny true
kill "$holder"
is "one of a range" "$(up range -p "$a-$((a + 20)):80" cleave/tiny sleep 1000; p=$(cleave port range 80 | sed 's/.*://')
	[ "$p" -gt "$a" ] && [ "$p" -le $((a + 20)) ] && echo within)" within
up all -P --expose 80 --expose 53/udp cleave/tiny sleep 1000
is "-P" "$(cleave port all | sed 's/:[0-9]*$//')" $'80/tcp -> 0.0.0.0\n53/udp -> 0.0.0.0'

up sctp -p 132/sctp -p "$c:133/sctp" cleave/tiny sleep 1000
like "sctp" "$(cleave port sctp | xargs)" "^132/sctp -> 0.0.0.0:[0-9]+ 133/sctp -> 0.0.0.0:$c\$"

# Given back at the end, also when its processes were all killed
cleave stop -t 0 web >/dev/null
is "of one that is stopped" "$(get "127.0.0.1:$a")$(cleave port web)" ''
cleave start web >/dev/null
until_true answers "127.0.0.1:$a" web
pid=$(cleave inspect -f '{{.State.Pid}}' web)
kill -9 "$(sed -n 's/^PPid:\t//p' "/proc/$pid/status")" "$pid"
until_true eval '[ "$(cleave ps -a --filter name=web --format "{{.State}}")" = exited ]'
is "no element of the rules is left" "$(nft list table inet "cleave-$(printf %s "$T/root" | sha256sum | cut -c 1-12)" | grep -c "tcp . $a ")" 0
up web2 -p "$a:80" cleave/tiny sleep 1000
is "the next one gets it" "$(cleave port web2 80)" "0.0.0.0:$a"
