#!/bin/bash
# SPDX-License-Identifier: MIT
# Three hosts in network namespaces: a client, one that runs instances and drops what nobody allowed, a server.
. "$(dirname "$0")/lib.sh"
setup nft ip iptables nsenter curl
names=(client$$ engine$$ server$$)
end() {
	local said status
	said=$(finish)
	status=$?
	trap - EXIT
	echo "$said"
	for n in "${names[@]}"; do ip netns del "$n" 2>/dev/null; done
	exit "$status"
}
trap end EXIT
for n in "${names[@]}"; do
	ip netns add "$n" || skip "no network namespaces here"
	ip -n "$n" link set lo up
done
# not by ip-netns(8), which hides the control groups
in_host() { echo "nsenter --net=/run/netns/$1"; }
read -ra client <<<"$(in_host "${names[0]}")"
read -ra engine <<<"$(in_host "${names[1]}")"
read -ra server <<<"$(in_host "${names[2]}")"
link() { # from a host to the one with the engine
	ip -n "$1" link add up0 type veth peer name "$2" netns "${names[1]}"
	ip -n "$1" addr add "$3.2/24" dev up0
	ip -n "$1" link set up0 up
	ip -n "$1" route add default via "$3.1"
	ip -n "${names[1]}" addr add "$3.1/24" dev "$2"
	ip -n "${names[1]}" link set "$2" up
}
link "${names[0]}" toclient 203.0.113
link "${names[2]}" toserver 198.51.100
cleave() { "${engine[@]}" "$CLEAVE" "$@"; }

# As Docker leaves a host: nothing is forwarded that nobody allowed, and a chain for the rules of others
"${engine[@]}" iptables -P FORWARD DROP
"${engine[@]}" iptables -N DOCKER-USER
"${engine[@]}" iptables -A FORWARD -j DOCKER-USER
rules() { "${engine[@]}" iptables-save | sed 's/^#.*//; s/\[[0-9:]*\]//'; }
before=$(rules)

cleave network create --internal --subnet 10.252.1.0/24 inner >/dev/null
cleave run -d --name web -p 8080:80 cleave/tiny sh -c 'mkdir /www; echo page >/www/index.html; exec httpd -f -h /www' >/dev/null
cleave run -d --name shut --network inner -p 8081:80 cleave/tiny sh -c 'mkdir /www; echo page >/www/index.html; exec httpd -f -h /www' >/dev/null
web=$(cleave inspect -f '{{.NetworkSettings.IPAddress}}' web)
get() { "${client[@]}" curl -s -m "${2:-5}" "http://$1/"; }
answers() { [ "$(get "$@")" = page ]; }
until_true answers 203.0.113.1:8080
is "from another host" "$(get 203.0.113.1:8080)" page
"${client[@]}" ip route add "$web/32" via 203.0.113.1
is "not past the ports" "$(get "$web:80" 1)" ''
is "an internal network publishes nothing" "$(get 203.0.113.1:8081 1)" ''
like "the host's rules show what was added" "$(rules)" 'DOCKER-USER -i c'

# To the server: by the host's address; an internal network does not get there
"${server[@]}" python3 -c '
import http.server
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())
    def log_message(self, *a): pass
http.server.HTTPServer(("", 80), H).serve_forever()' &
holder=$!
until_true eval '[ -n "$("${engine[@]}" curl -s -m 2 198.51.100.2)" ]'
is "masqueraded" "$(cleave exec web wget -q -O- 198.51.100.2)" 198.51.100.1
is "not from an internal network" "$(timeout 20 "${engine[@]}" "$CLEAVE" exec shut ping -q -c 1 -W 1 198.51.100.2 >/dev/null 2>&1 || echo no)" no

# The sender's address is kept
cleave run -d --name who -p 8090:90 cleave/tiny sleep 1000 >/dev/null
timeout 60 "${engine[@]}" nsenter -n -t "$(cleave inspect -f '{{.State.Pid}}' who)" python3 -c '
import socket
s = socket.create_server(("", 90))
while True:
    c, a = s.accept()
    c.recv(1000)
    c.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + a[0].encode())
    c.close()' &
peer=$!
until_true eval '[ -n "$(get 203.0.113.1:8090 2)" ]'
is "the sender's address is kept" "$(get 203.0.113.1:8090)" 203.0.113.2
kill "$holder" "$peer"
wait "$holder" "$peer" 2>/dev/null

# The end
cleave rm -f web shut who >/dev/null
cleave network prune -f >/dev/null
is "the host's rules are as before" "$(rules)" "$before"
