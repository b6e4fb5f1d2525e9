#!/bin/bash
# SPDX-License-Identifier: MIT
# Networks of an ordinary user: pasta with ports, names and the way out; what is missing says so; nothing is left.
[ "${1:-}" = inside ] || exec unshare -m "$0" inside # what is mounted here is nobody else's
. "$(dirname "$0")/lib.sh"
setup newuidmap useradd setpriv pasta curl

ordinary_user cleave-net-$$ 1100000-1165535
user_tun
cd / || exit 1
read -r port more <<<"$(free_ports 2)"
get() { curl -s -m 5 "$1"; }
page() { [ "$(get "127.0.0.1:$port")" = page ]; }

u run -d --name web -h host-of-web -p "$port:80" -p "127.0.0.1:$more:80" cleave/tiny \
	sh -c 'mkdir /www; echo page >/www/index.html; exec httpd -f -h /www' >/dev/null
until_true page
is "by the host's address" "$(get "$(hostname -I | cut -d ' ' -f 1):$port")" page
is "by 127.0.0.1" "$(get "127.0.0.1:$more")" page
is "its network" "$(u inspect -f '{{.HostConfig.NetworkMode}}' web) $(u exec web ls /sys/class/net | xargs)" "pasta eth0 lo"
is "port" "$(u port web)" "80/tcp -> 0.0.0.0:$port"$'\n'"80/tcp -> 127.0.0.1:$more"
is "resolv.conf" "$(u exec web grep nameserver /etc/resolv.conf)" 'nameserver 169.254.1.1'
is "--dns" "$(u run --rm --dns 192.0.2.7 cleave/tiny grep nameserver /etc/resolv.conf)" 'nameserver 192.0.2.7'
like "its name" "$(u exec web cat /etc/hosts)" 'host-of-web'
python3 -c 'import socket, sys
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    c, _ = s.accept()
    c.sendall(b"seen")' >"$T/private" &
private=$!
until_true test -s "$T/private"
is "what the host has at 127.0.0.1 is not seen" "$(u exec web timeout 5 nc 127.0.0.1 "$(cat "$T/private")" </dev/null 2>/dev/null)" ''
kill "$private"

fails "a port that is taken" "port is already allocated by instance 'web'" run --rm -p "$port:80" cleave/tiny true
fails "a protocol that it cannot" 'only tcp and udp can be published' run --rm -p "$port:80/sctp" cleave/tiny true
mkdir "$T/few" && ln -s "$(command -v newuidmap)" "$(command -v newgidmap)" "$T/few"
path=$T/few fails "without the program" 'package passt' run --rm --network pasta cleave/tiny true
path=$T/few fails "ports without the program" 'package passt' run --rm -p 8080:80 cleave/tiny true
is "then there is no network" "$(path=$T/few u run --rm cleave/tiny ls /sys/class/net)" lo

u restart -t 0 web >/dev/null
until_true page
kill -9 "$(u inspect -f '{{.State.Pid}}' web)"
gone() { [ "$(u ps -a --format '{{.State}}')" = exited ]; }
until_true gone
is "pasta ends with it" "$(pgrep -u "$user" -f pasta.pid -r S,R)" ''
u rm web >/dev/null
is "no process is left" "$(pgrep -u "$user" -r S,R,D)" ''
is "nor a file" "$(find "$T/xdg/cleave" -mindepth 1 -maxdepth 1 ! -name oci ! -name keeper)" ''
umount /dev/net/tun
