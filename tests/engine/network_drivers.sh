#!/bin/bash
# SPDX-License-Identifier: MIT
# Networks on a device of the host, limits of rates, hosts that drop what comes in, and rules of iptables-legacy: with packets.
. "$(dirname "$0")/lib.sh"
setup nft ip nsenter python3 iptables
names=(engine-d$$ lan-d$$)
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
engine=(nsenter "--net=/run/netns/${names[0]}")
lan=(nsenter "--net=/run/netns/${names[1]}")
ip -n "${names[0]}" link add up0 type veth peer name down0 netns "${names[1]}"
ip -n "${names[0]}" addr add 203.0.113.1/24 dev up0
ip -n "${names[0]}" link set up0 up
ip -n "${names[1]}" addr add 203.0.113.2/24 dev down0
ip -n "${names[1]}" link set down0 up
cleave() { "${engine[@]}" "$CLEAVE" "$@"; }
up() { cleave run -d --name "$@" cleave/tiny sleep 1000 >/dev/null; }
field() { cleave inspect -f "$2" "$1"; }
ping_to() { "$@" >/dev/null 2>&1 && echo yes || echo no; }
exists() {
	"${engine[@]}" ip link add probe0 link up0 type "$1" 2>&1 | grep -q 'Unknown device type' && return 1
	ip -n "${names[0]}" link del probe0 2>/dev/null
	true
}

# macvlan and ipvlan: the instance is a host of its own on the device's network
for driver in macvlan ipvlan; do
	cleave network create -d $driver --subnet 203.0.113.0/24 --gateway 203.0.113.254 --ip-range 203.0.113.64/28 -o parent=up0 on-$driver >/dev/null
	if ! exists $driver; then
		refuse 125 "the kernel has no devices of kind $driver" run --rm --network on-$driver cleave/tiny true
		continue
	fi
	up one --network on-$driver
	up two --network on-$driver --network-alias two.alias
	address=$(field one "{{(index .NetworkSettings.Networks \"on-$driver\").IPAddress}}")
	like "$driver: an address of the range" "$address" '^203.0.113.(6[4-9]|7[0-9])$'
	# nothing listens, which it says itself
	is "$driver: from another host" "$("${lan[@]}" python3 -c 'import errno, socket, sys
s = socket.socket()
s.settimeout(10)
print(errno.errorcode.get(s.connect_ex((sys.argv[1], 99))))' "$address")" ECONNREFUSED
	is "$driver: to another host" "$(ping_to cleave exec one ping -q -c 1 -W 5 203.0.113.2)" yes
	is "$driver: from one to the other" "$(ping_to cleave exec two ping -q -c 1 -W 5 "$address")" yes
	is "$driver: by name, whoever came first" "$(ping_to cleave exec two ping -q -c 1 -W 5 one) $(ping_to cleave exec one ping -q -c 1 -W 5 two.alias)" "yes yes"
	cleave exec one sh -c 'echo 192.0.2.9 mine >>/etc/hosts'
	cleave rename two second
	is "$driver: renamed" "$(cleave exec one sed -n 's/^[0-9.]*\t\(second\) .*/\1/p' /etc/hosts)" second
	cleave stop -t 0 second >/dev/null
	is "$driver: when it is gone" "$(cleave exec one grep -c -e second -e 'of network' /etc/hosts; cleave exec one grep mine /etc/hosts)" $'0\n192.0.2.9 mine'
	cleave start second >/dev/null
	is "$driver: when it came back" "$(ping_to cleave exec one ping -q -c 1 -W 5 second) $(ping_to cleave exec second ping -q -c 1 -W 5 one)" "yes yes"
	cleave rename second two
	is "$driver: its host is not reached" "$(ping_to cleave exec two ping -q -c 1 -W 1 203.0.113.1)" no
	cleave rm -f one two >/dev/null
done
cleave network create -d macvlan --subnet 203.0.113.0/24 -o parent=no-such0 nowhere >/dev/null
refuse 125 "find network device 'no-such0'" run --rm --network nowhere cleave/tiny true
refuse 1 "the mode 'x' is not known" network create -d macvlan --subnet 203.0.113.0/24 -o parent=up0 -o macvlan_mode=x odd

# A rate: 1 MB takes a second with 8 Mbit/s, but for what a bucket holds
took() { # FROM TO ADDRESS: ms for 1 MB
	timeout 100 python3 - "$(field "$1" '{{.State.Pid}}')" "$(field "$2" '{{.State.Pid}}')" "$3" <<'E'
import ctypes, os, socket, sys, threading, time
libc = ctypes.CDLL(None)
def inside(pid):
    fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    if libc.setns(fd, 0x40000000) != 0:
        raise OSError("setns")
    os.close(fd)
def send():
    inside(sys.argv[1])
    with socket.create_connection((sys.argv[3], 99), 60) as s:
        s.sendall(bytes(1000000))
t = threading.Thread(target=send)
inside(sys.argv[2])
listener = socket.create_server(("", 99))
begin = time.monotonic()
t.start()
c, _ = listener.accept()
n = 0
while got := c.recv(65536):
    n += len(got)
t.join()
print(int((time.monotonic() - begin) * 1000) if n == 1000000 else -1)
E
}
cleave network create --subnet 10.254.1.0/24 fast >/dev/null
up slow --network fast --network-opt rate=8mbit
up peer --network fast
out_ms=$(took slow peer "$(field peer '{{.NetworkSettings.IPAddress}}')") in_ms=$(took peer slow "$(field slow '{{.NetworkSettings.IPAddress}}')")
is "a rate limits what it sends and gets ($out_ms, $in_ms ms)" "$([ "$out_ms" -ge 800 ] && [ "$in_ms" -ge 800 ] && echo yes)" yes

# Hosts that drop what nobody allowed, by the rules of nft and by those of before
resolves() { # INSTANCE NAME
	timeout 60 nsenter -n -t "$(field "$1" '{{.State.Pid}}')" python3 "$here/names.py" ask 10.254.1.1 "$2" A
}
is "a name" "$(resolves peer slow)" "OK $(field slow '{{.NetworkSettings.IPAddress}}')"
cleave rm -f slow peer >/dev/null
cleave network rm fast >/dev/null
close_host() { # for the rules of $tool
	if [ $tool = nft ]; then # tables of any name; one is closed by its policy, one by its last rule
		"${engine[@]}" nft -f - <<-'END'
			table inet guard {
				chain in { type filter hook input priority 0; policy drop; ct state established,related accept; iif lo accept; }
				chain through { type filter hook forward priority 5; policy accept; ct state established,related accept; counter reject; }
				chain open { type filter hook forward priority 6; policy accept; ip daddr 192.0.2.1 drop; }
			}
		END
	else
		"${engine[@]}" $tool -w -P FORWARD DROP
		"${engine[@]}" $tool -w -P INPUT DROP
	fi
}
open_host() {
	if [ $tool = nft ]; then
		"${engine[@]}" nft delete table inet guard
	else
		"${engine[@]}" $tool -w -P FORWARD ACCEPT
		"${engine[@]}" $tool -w -P INPUT ACCEPT
	fi
}
rules() {
	if [ $tool = nft ]; then
		"${engine[@]}" nft list table inet guard | sed 's/packets [0-9]* bytes [0-9]*//'
	else
		"${engine[@]}" $tool-save | sed 's/^#.*//; s/\[[0-9:]*\]//'
	fi
}
for tool in nft iptables iptables-legacy; do
	[ $tool = nft ] || { command -v $tool >/dev/null && "${engine[@]}" $tool -w -S >/dev/null 2>&1; } || continue
	close_host
	before=$(rules)
	cleave network create --subnet 10.254.1.0/24 fast >/dev/null
	up slow --network fast
	up peer --network fast -p 8080:99
	is "$tool: a name" "$(resolves peer slow)" "OK $(field slow '{{.NetworkSettings.IPAddress}}')"
	is "$tool: a way out" "$(ping_to cleave exec slow ping -q -c 1 -W 5 203.0.113.2)" yes
	is "$tool: the host itself stays closed" "$(ping_to cleave exec slow ping -q -c 1 -W 1 10.254.1.1)" no
	like "$tool: rules that were added" "$(rules)" 'cleave cl-'
	[ $tool != nft ] || is "$tool: none where it is open" "$("${engine[@]}" nft list chain inet guard open | grep -c cleave)" 0
	of_one=$(rules)
	up more --network fast
	is "$tool: no more for the next" "$(rules)" "$of_one"
	cleave rm -f slow peer more >/dev/null
	cleave network rm fast >/dev/null
	is "$tool: in the end the rules are as before" "$(rules)" "$before"
	open_host
done
