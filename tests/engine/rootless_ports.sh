#!/bin/bash
# SPDX-License-Identifier: MIT
# Published ports of an ordinary user's networks: who is seen to ask, udp, ranges; what is killed is made again.
[ "${1:-}" = inside ] || exec unshare -m "$0" inside # what is mounted here is nobody else's
. "$(dirname "$0")/lib.sh"
setup newuidmap useradd setpriv pasta curl python3 ip nsenter

ordinary_user cleave-po-$$ 1300000-1365535
user_tun
cd / || exit 1
host=$(hostname -I | cut -d ' ' -f 1)
plain() { sed 's/^\[::ffff:\(.*\)\]$/\1/'; }
get() { curl -s -m 10 "$1/cgi-bin/who" | plain; }
home() { cut -d ' ' -f 1 "$T/xdg/cleave/net/holder"; }
pasta() { cat "$T/xdg/cleave/net/pasta.pid"; }
relay() { pgrep -u "$user" -x cleave-ports || pgrep -f "^cleave-ports $T/xdg"; }
read -r a b c d <<<"$(free_ports 4)"
server='mkdir -p /www/cgi-bin; printf "#!/bin/sh\necho; echo \$REMOTE_ADDR\n" >/www/cgi-bin/who; chmod 755 /www/cgi-bin/who
seq 200000 >/www/big; exec httpd -f -p 80 -h /www'

u network create --subnet 10.254.8.0/24 net >/dev/null
u run -d --name web --network net -p "$a:80" -p "$b:5000/udp" -p 127.0.0.1:"$c:80" cleave/tiny sh -c "$server" >/dev/null
answers() { [ -n "$(get "127.0.0.1:$a")" ]; }
until_true answers
is "the sender's address" "$(get "$host:$a")" "$host"
is "the host's own, by 127.0.0.1" "$(get "127.0.0.1:$a")" 10.254.8.1
curl -s -m 20 "127.0.0.1:$a/big" "127.0.0.1:$a/big" | cmp -s - <(seq 200000; seq 200000) && yes || no "many bytes"
for ((i = 0; i < 40; i++)); do curl -s -m 20 "$host:$a/big" | tail -n 1 & done >"$T/xdg/many"
wait
is "many connections" "$(grep -c '^200000$' "$T/xdg/many")" 40
is "another instance of the network, by the gateway's" "$(u run --rm --network net cleave/tiny timeout 10 wget -q -O - "http://10.254.8.1:$a/cgi-bin/who" | plain)" 10.254.8.1

# Datagrams: an echo with the address of who asked
echoes='import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("", 5000))
while True:
    text, who = s.recvfrom(65536)
    s.sendto(who[0].removeprefix("::ffff:").encode() + b" " + text, who)'
nsenter -n -t "$(u inspect -f '{{.State.Pid}}' web)" python3 -c "$echoes" &
echo=$!
ask() {
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.connect((sys.argv[1], int(sys.argv[2])))
for i in range(20):
    try:
        s.send(b"x" * 3000)
        print(s.recv(65536).decode().replace("x" * 3000, "whole"))
        break
    except OSError:
        pass' "$1" "$2"
}
is "udp" "$(ask "$host" "$b")" "$host whole"
is "udp by 127.0.0.1" "$(ask 127.0.0.1 "$b")" "10.254.8.1 whole"
kill "$echo"

# IPv6, where the host has an address
host6=$(ip -6 -o addr show scope global | awk '{sub("/.*", "", $4); print $4; exit}')
u network create --subnet 10.254.9.0/24 --subnet fd00:254:9::/64 --ipv6 six >/dev/null
u run -d --name web6 --network six -p "[::]:$d:80" -p "[::]:$d:5000/udp" cleave/tiny sh -c "$server" >/dev/null
answers6() { [ -n "$(get "[::1]:$d")" ]; }
until_true answers6
is "::1 is shown as the gateway" "$(get "[::1]:$d")" '[fd00:254:9::1]'
nsenter -n -t "$(u inspect -f '{{.State.Pid}}' web6)" python3 -c "$echoes" &
echo=$!
if [ -n "$host6" ]; then
	is "the sender's address of IPv6" "$(get "[$host6]:$d")" "[$host6]"
	is "udp of IPv6" "$(ask "$host6" "$d")" "$host6 whole"
	curl -s -m 20 "[$host6]:$d/big" | cmp -s - <(seq 200000) && yes || no "many bytes by IPv6"
fi
is "udp by ::1" "$(ask ::1 "$d")" "fd00:254:9::1 whole"
kill "$echo"
u rm -f -t 0 web6 >/dev/null
u network rm six >/dev/null

# What cannot be had
fails "a port below 1024" 'ports below 1024 need root' run --rm --network net -p 7:80 cleave/tiny true
fails "sctp" 'without root only tcp and udp can be published.* --network host' run --rm --network net -p "$d:80/sctp" cleave/tiny true
fails "a port that an instance has" "allocated by instance 'web'" run --rm --network net -p "$c:80" cleave/tiny true
u run -d --name range --network net -p "$d-$((d + 1)):80-81" cleave/tiny sleep 1000 >/dev/null
is "a range" "$(u port range)" "80/tcp -> 0.0.0.0:$d"$'\n'"81/tcp -> 0.0.0.0:$((d + 1))"
u rm -f -t 0 range >/dev/null
is "it is free again" "$(u run --rm --network net -p "$d:80" cleave/tiny echo free)" free
u restart -t 0 web >/dev/null
until_true answers

# Kills
u run -d --name job --network net cleave/tiny sleep 1000 >/dev/null
asks() { u exec job timeout 10 wget -q -O - http://web/cgi-bin/who >"$T/xdg/asked" 2>&1; }
# again COMMAND - after a next command, which may be too early to see the end
again() { u ps >/dev/null && "$@"; }
other() { [ "$($1)" != "$before" ] && [ -d "/proc/$($1)" ]; }
before=$(relay)
kill -9 "$before"
until_true again other relay
is "after a kill of what passes on" "$(get "$host:$a")" "$host"
before=$(pasta)
kill -9 "$before"
until_true again other pasta
is "after a kill of pasta" "$(get "$host:$a")" "$host"
before=$(home)
kill -9 "$before"
until_true again other home
is "after a kill of the keeper" "$(asks && get "$host:$a")" "$host"
kill -9 "$(home)" "$(pasta)" "$(relay)" $(pgrep -f "^cleave-names $T/xdg")
until_true again asks
is "after a kill of everything" "$(get "$host:$a")" "$host"
is "and what is new finds what is old" "$(u run --rm --network net cleave/tiny timeout 10 wget -q -O - http://web/cgi-bin/who | plain | cut -d . -f 1-3)" 10.254.8

u rm -f -t 0 web job >/dev/null
u network rm net >/dev/null
is "no process is left" "$(pgrep -u "$user" -r S,R,D -a)" ''
is "nor a file" "$(find "$T/xdg/cleave" -mindepth 1 -maxdepth 1 ! -name oci ! -name keeper)" ''
umount /dev/net/tun
