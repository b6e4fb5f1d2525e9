#!/bin/bash
# SPDX-License-Identifier: MIT
# Networks: the verbs, addresses, what reaches what, files inside, and what is left behind.
. "$(dirname "$0")/lib.sh"
setup nft ip curl
inside() { timeout 60 "$CLEAVE" run --rm "$@" </dev/null; }
up() { cleave run -d --name "$@" >/dev/null; }
field() { cleave inspect -f "$2" "$1"; }
# The rules of others, without what they count
foreign() {
	local family name
	nft list tables 2>/dev/null | grep -v ' cleave' | while read -r _ family name; do
		nft list table "$family" "$name" 2>/dev/null
	done | sed 's/packets [0-9]* bytes [0-9]*//'
}
before=$(foreign)

# The default network, made when it is needed
is "networks of a new store" "$(cleave network ls --format '{{.Name}} {{.Driver}} {{.Scope}}')" $'bridge bridge local\nhost host local\nnone null local'
up one cleave/tiny sleep 1000
up two -h deux cleave/tiny sleep 1000
gateway=$(field one '{{.NetworkSettings.Gateway}}')
ip1=$(field one '{{.NetworkSettings.IPAddress}}') ip2=$(field two '{{.NetworkSettings.IPAddress}}')
like "an address" "$ip1 $ip2" '^[0-9.]+ [0-9.]+$'
is "of its own" "$([ "$ip1" = "$ip2" ] || echo differs)" differs
is "the network" "$(field one '{{.HostConfig.NetworkMode}} {{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.IPAddress}}{{end}}')" "bridge bridge $ip1"
is "MAC address" "$(cleave exec one cat /sys/class/net/eth0/address)" "$(field one '{{.NetworkSettings.MacAddress}}')"
is "default route" "$(cleave exec one ip route | sed -n 's/^default via \([0-9.]*\).*/\1/p')" "$gateway"
is "its name in /etc/hosts" "$(cleave exec two grep deux /etc/hosts)" "$ip2"$'\tdeux'
cleave exec one ping -q -c 1 -W 5 "$ip2" >/dev/null && yes || no "one reaches two"
cleave exec one ping -q -c 1 -W 5 "$gateway" >/dev/null && yes || no "one reaches the host"
is "of another instance" "$(inside --network container:one cleave/tiny ip addr show eth0 | grep -c "$ip1/")" 1
out_device=$(ip -4 route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
is "MTU" "$(cleave exec one cat /sys/class/net/eth0/mtu)" "$(m=$(cat "/sys/class/net/$out_device/mtu"); echo $((m < 1500 ? m : 1500)))"
cleave restart -t 0 one >/dev/null
is "it has one again" "$(cleave exec one ip addr show eth0 | grep -c "$(field one '{{.NetworkSettings.IPAddress}}')/")" 1

# Networks that are made
id=$(cleave network create --subnet 10.251.7.0/24 --gateway 10.251.7.9 --ip-range 10.251.7.128/30 --label a=b -o mtu=1300 mine)
like "create prints the id" "$id" '^[0-9a-f]{64}$'
is "inspect" "$(cleave network inspect -f '{{.Name}} {{.Id}} {{(index .IPAM.Config 0).Subnet}} {{(index .IPAM.Config 0).Gateway}} {{(index .IPAM.Config 0).IPRange}} {{.Labels.a}} {{.Internal}}' "${id:0:12}")" \
	"mine $id 10.251.7.0/24 10.251.7.9 10.251.7.128/30 b false"
cleave network create --internal --ipv6 --subnet fd25:1::/64 --subnet 10.251.8.0/24 inner >/dev/null
is "filters" "$(cleave network ls -q --filter label=a) $(cleave network ls --filter driver=null --format '{{.Name}}') $(cleave network ls --filter name=inn --format '{{.Name}}')" "${id:0:12} none inner"
is "type" "$(cleave network ls --filter type=custom --format '{{.Name}}' | xargs)" "inner mine"
refuse 1 'network with name mine already exists' network create mine
refuse 1 'overlaps with network .mine.' network create --subnet 10.251.7.128/25 other
refuse 1 "overlaps with the host's route" network create --subnet "$(ip -4 route show dev "$out_device" scope link | sed -n 's/ .*//p' | head -n 1)" other
refuse 1 'invalid gateway 10.1.0.1: it is not in 10.9.9.0/24' network create --subnet 10.9.9.0/24 --gateway 10.1.0.1 other
refuse 1 'invalid ip-range' network create --subnet 10.9.9.0/24 --ip-range 10.9.8.0/25 other
refuse 1 'must have a corresponding subnet' network create --gateway 10.9.9.1 other
refuse 1 "invalid subnet '10.9.9.0'" network create --subnet 10.9.9.0 other
refuse 1 'invalid mtu' network create -o mtu=7 other
refuse 1 'invalid network name' network create 'a b'
refuse 1 'predefined' network create host
refuse 1 'driver .x. is not known' network create -d x other
refuse 1 'needs a device of the host' network create -d macvlan other
like "inspect of nothing" "$(cleave network inspect nothing 2>&1)" 'network nothing not found'
refuse 1 'cannot be removed' network rm bridge
is "exists" "$(cleave network exists mine; echo $?; cleave network exists nothing; echo $?)" $'0\n1'

up aa --network mine --network-alias alias --mac-address 02:42:00:00:00:77 cleave/tiny sleep 1000
is "of the range" "$(field aa '{{.NetworkSettings.IPAddress}}')" 10.251.7.129
is "MAC address that was asked for" "$(cleave exec aa cat /sys/class/net/eth0/address)" 02:42:00:00:00:77
is "MTU that was asked for" "$(cleave exec aa cat /sys/class/net/eth0/mtu)" 1300
like "its alias" "$(cleave exec aa cat /etc/hosts)" 'alias'
up bb --network mine --ip 10.251.7.200 cleave/tiny sleep 1000
is "an address that was asked for" "$(cleave exec bb ip addr show eth0 | grep -c 10.251.7.200/24)" 1
is "as Podman writes it" "$(inside --network mine:ip=10.251.7.201,mac=02:42:00:00:00:78,alias=zz cleave/tiny sh -c 'ip addr show eth0 | grep -c -e 10.251.7.201/24 -e 02:42:00:00:00:78; grep -c zz /etc/hosts' | xargs)" "2 1"
is "as Docker writes it" "$(inside --network name=mine,ip=10.251.7.201,alias=zz cleave/tiny sh -c 'ip addr show eth0 | grep -c 10.251.7.201/24; grep -c zz /etc/hosts' | xargs)" "1 1"
refuse 125 'invalid field x=y' run --rm --network mine:x=y cleave/tiny true
refuse 125 "Address already in use: instance 'bb'" run --rm --network mine --ip 10.251.7.200 cleave/tiny true
refuse 125 'does not belong to network mine' run --rm --network mine --ip 10.251.9.1 cleave/tiny true
refuse 125 'does not belong to network mine' run --rm --network mine --ip 10.251.7.9 cleave/tiny true
refuse 125 'cannot attach both' run --rm --network host --network mine cleave/tiny true
refuse 125 'network no-net not found' run --rm --network no-net cleave/tiny true
refuse 125 'expected bits per second' run --rm --network-opt rate=x cleave/tiny true
up fill1 --network mine cleave/tiny sleep 1000
up fill2 --network mine cleave/tiny sleep 1000
up fill3 --network mine cleave/tiny sleep 1000
refuse 125 'no available IPv4 addresses in network mine: all of 10.251.7.128/30 are in use' run --rm --network mine cleave/tiny true
cleave rm -f fill1 fill2 fill3 >/dev/null
refuse 1 "has active endpoints: instance '" network rm mine

# What reaches what
reach() { cleave exec "$1" ping -q -c 1 -W 2 "$2" >/dev/null 2>&1 && echo yes || echo no; }
up cc --network inner cleave/tiny sleep 1000
inner=$(field cc '{{.NetworkSettings.Networks.inner.IPAddress}}')
is "within a network" "$(reach aa 10.251.7.200)" yes
is "from one network to another" "$(reach aa "$ip2") $(reach two 10.251.7.200) $(reach two "$inner")" "no no no"
is "an internal one has no way out" "$(cleave exec cc ip route | grep -c default)" 0
is "IPv6" "$(cleave exec cc ip addr show eth0 | grep -c 'inet6 fd25:1::')" 1
up dd --network inner --network mine --ip 10.251.8.77 cleave/tiny sleep 1000
is "in two networks" "$(reach dd 10.251.7.200) $(reach dd "$inner") $(cleave exec dd ip route | grep -c '^default via 10.251.7.9')" "yes yes 1" 2>/dev/null

# Networks that come and go while it runs
cleave network connect --alias later mine two
is "connected" "$(reach two 10.251.7.200) $(field two '{{len .NetworkSettings.Networks}}')" "yes 2"
refuse 1 'already exists in network mine' network connect mine two
cleave network disconnect mine two
is "disconnected" "$(reach two 10.251.7.200) $(field two '{{len .NetworkSettings.Networks}}')" "no 1"
refuse 1 'is not connected to network mine' network disconnect mine two
cleave create --name still --network none cleave/tiny sleep 1000 >/dev/null
cleave network connect mine still
is "connected before it runs" "$(field still '{{.HostConfig.NetworkMode}}')" mine
is "a filter of ps" "$(cleave ps -a --filter network=mine --format '{{.Names}}' | grep -cx -e aa -e still)" 2

# Rules that somebody flushed, and what a dead process may leave
nft delete table inet "cleave-$(printf %s "$T/root" | sha256sum | cut -c 1-12)"
like "check tells" "$(cleave system check -q)" "network .mine.: the rules of nftables do not know cl-${id:0:12}"
like "check repairs" "$(cleave system check -q -r)" 'made again'
is "then all is well" "$(cleave system check -q)" ''

# A lost bridge and lost rules come back with the next start
ip link del "cl-${id:0:12}"
nft delete table inet "cleave-$(printf %s "$T/root" | sha256sum | cut -c 1-12)"
cleave rm -f aa bb dd >/dev/null
up aa --network mine cleave/tiny sleep 1000
is "after they were lost" "$(reach aa 10.251.7.9)" yes

# In the end nothing but what was there before
cleave ps -aq | xargs "$CLEAVE" rm -f >/dev/null
is "prune" "$(cleave network prune -f | sort | xargs)" "Deleted Networks: inner mine"
is "nothing foreign was touched" "$(foreign)" "$before"
until_true eval '! ip -br link | grep -q "^cv.*cl-"'
