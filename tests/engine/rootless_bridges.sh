#!/bin/bash
# SPDX-License-Identifier: MIT
# Networks of an ordinary user on bridges: names, addresses, ways out, published ports; kills; nothing is left.
[ "${1:-}" = inside ] || exec unshare -m "$0" inside # what is mounted here is nobody else's
. "$(dirname "$0")/lib.sh"
setup newuidmap useradd setpriv pasta curl python3 ip

ordinary_user cleave-br-$$ 1200000-1265535
user_tun
cd / || exit 1
ip_in() { u inspect -f "{{.NetworkSettings.Networks.$2.IPAddress}}" "$1"; }
read -r a b <<<"$(free_ports 2)"
server='mkdir -p /www; hostname >/www/index.html; exec httpd -f -p 80 -h /www'
host=$(hostname -I | cut -d ' ' -f 1)

# Names and addresses
u network create --subnet 10.254.7.0/24 one >/dev/null
u network create --internal two >/dev/null
is "nothing is there before it is used" "$(ls "$T/xdg/cleave")" 'keeper'
is "network ls" "$(u network ls --format '{{.Name}} {{.Driver}}' | xargs)" 'bridge bridge host host none null one bridge two bridge'
u run -d --name web -h web --network one --network-alias www --ip 10.254.7.9 -p "$a:80" -p "127.0.0.1:$b:80" cleave/tiny sh -c "$server" >/dev/null
u run -d --name job --network one cleave/tiny sleep 1000 >/dev/null
is "its address" "$(ip_in web one)" 10.254.7.9
is "by name" "$(u exec job wget -q -O - http://web/)" web
is "by alias" "$(u exec job wget -q -O - http://www/)" web
is "resolv.conf" "$(u exec job grep nameserver /etc/resolv.conf)" 'nameserver 10.254.7.1'
is "in the network of another" "$(u run --rm --network container:web cleave/tiny wget -q -O - http://127.0.0.1/)" web
is "nobody by that name" "$(u exec job timeout 5 wget -q -O - http://nobody.invalid/ >/dev/null 2>&1; echo $?)" 1
fails "an address that is taken" 'is in use|already' run --rm --network one --ip 10.254.7.9 cleave/tiny true
fails "a network that is in use" 'active endpoints' network rm one
fails "other drivers" 'needs root' network create -d macvlan -o parent=lo lan

id=$(u network ls --filter name=one -q --no-trunc)
is "the host has no such bridge, and no such rules" "$(ip -br link | grep -F "cl-${id:0:12}"; nft list ruleset 2>/dev/null | grep -F "cl-${id:0:12}")" ''

# Several networks
u run -d --name quiet --network two cleave/tiny sleep 1000 >/dev/null
fails "between networks" '' exec quiet timeout 3 wget -q -O - http://10.254.7.9/
is "an internal one has no way out" "$(u exec quiet ip route | grep -c default)" 0
u network connect two web
is "connect" "$(u exec quiet wget -q -O - http://web/)" web
u network disconnect two web
fails "disconnect" '' exec quiet timeout 3 wget -q -O - http://web/

# The way out: what the host has at its own address
setpriv --reuid="$user" --regid="$user" --clear-groups /usr/bin/python3 -c 'import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"outside")
    def log_message(self, *words): pass
server = http.server.ThreadingHTTPServer(("'"$host"'", 0), Page)
print(server.server_port, flush=True)
server.serve_forever()' >"$T/outside" &
outside=$!
until_true test -s "$T/outside"
there=http://$host:$(cat "$T/outside")/
is "the way out" "$(u exec job timeout 10 wget -q -O - "$there")" outside

# Published ports
get() { curl -s -m 5 "$1"; }
page() { [ "$(get "127.0.0.1:$a")" = web ]; }
until_true page
is "by the host's address" "$(get "$host:$a")" web
is "by 127.0.0.1 only" "$(get "127.0.0.1:$b") $(get "$host:$b" || echo refused)" 'web refused'
is "port" "$(u port web)" "80/tcp -> 0.0.0.0:$a"$'\n'"80/tcp -> 127.0.0.1:$b"
fails "a port that an instance has" "port is already allocated by instance 'web'" run --rm --network one -p "$a:80" cleave/tiny true
fails "a port that a program has" "is in use by a program of yours: see 'ss -tlnp'" run --rm --network one -p "$(cat "$T/outside"):80" cleave/tiny true
kill "$outside"

u rm -f -t 0 web job quiet >/dev/null
u network rm one two >/dev/null
is "no process is left" "$(pgrep -u "$user" -r S,R,D -a)" ''
is "nor a file" "$(find "$T/xdg/cleave" -mindepth 1 -maxdepth 1 ! -name oci ! -name keeper)" ''
umount /dev/net/tun
