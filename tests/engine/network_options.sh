#!/bin/bash
# SPDX-License-Identifier: MIT
# What Docker and Podman have besides: addresses of others, servers of a network, options of drivers, links, reload.
. "$(dirname "$0")/lib.sh"
setup nft ip nsenter python3
up() { cleave run -d --name "$@" >/dev/null; }
field() { cleave inspect -f "$2" "$1"; }
net() { cleave network inspect -f "$2" "$1"; }
ping_to() { cleave exec "$1" ping -q -c 1 -W "${3:-5}" "$2" >/dev/null 2>&1 && echo yes || echo no; }
table=cleave-$(printf %s "$T/root" | sha256sum | cut -c 1-12)

# Addresses that are somebody else's
cleave network create --subnet 10.250.1.0/29 --aux-address router=10.250.1.3 --aux-address printer=10.250.1.2 aux >/dev/null
is "inspect" "$(net aux '{{json (index .IPAM.Config 0).AuxiliaryAddresses}}')" '{"router":"10.250.1.3","printer":"10.250.1.2"}'
up one --network aux cleave/tiny sleep 1000
is "nobody gets them" "$(field one '{{.NetworkSettings.IPAddress}}')" 10.250.1.4
refuse 125 "Address already in use: 10.250.1.3 belongs to 'router' in network aux" run --rm --network aux --ip 10.250.1.3 cleave/tiny true
refuse 1 'no matching subnet for aux-address 10.250.9.3' network create --subnet 10.250.2.0/29 --aux-address x=10.250.9.3 other
refuse 1 "10.250.2.1: it is the gateway's" network create --subnet 10.250.2.0/29 --aux-address x=10.250.2.1 other
refuse 1 'expected NAME=ADDRESS' network create --subnet 10.250.2.0/29 --aux-address 10.250.2.3 other

# What cannot be is refused with a reason
refuse 1 'is for|are for swarms' network create --config-only other
refuse 1 'are for swarms' network create --scope swarm other
refuse 1 'only default' network create --ipam-driver dhcp other
refuse 1 'has no options' network create --ipam-opt a=b other
refuse 1 'every network has addresses of IPv4' network create --ipv4=false other
refuse 1 'has no option .foo.: mtu, isolate' network create -o foo=bar other
refuse 1 'has no option .parent.' network create -o parent=lo other
refuse 1 'driver macvlan --opt parent=DEVICE.ID' network create -o vlan=7 other
refuse 1 'always isolated' network create -o isolate=false other
refuse 1 'expected true or false' network create -o com.docker.network.bridge.enable_icc=maybe other
refuse 1 'expected an address of IPv4' network create -o com.docker.network.bridge.host_binding_ipv4=::1 other
refuse 1 "mode .x. is not known: bridge, private, vepa and passthru" network create -d macvlan -o parent=lo -o mode=x other
refuse 1 'gives it one more' network connect --link x aux one
is "nothing was made" "$(cleave network ls --filter type=custom --format '{{.Name}}')" aux
is "with no name" "$(cleave network create --ipam-driver host-local --scope local -o isolate=true)" cleave1
is "the next one" "$(cleave network create)" cleave2

# Without names
cleave network create --disable-dns --subnet 10.250.3.0/24 mute >/dev/null
up silent --network mute cleave/tiny sleep 1000
is "no resolver" "$(net mute '{{.DNSEnabled}}') $(cleave exec silent grep -c 10.250.3.1 /etc/resolv.conf)" "false 0"
refuse 1 'has no names of its own' network update --dns-add 1.1.1.1 mute

# Servers of a network, while it is used
upstream=127.0.54.$((RANDOM % 200 + 2))
: >"$T/log"
python3 "$here/names.py" serve $upstream "$T/log" &
server=$!
until_true grep -q ready "$T/log"
cleave network create --subnet 10.250.4.0/24 --dns 127.0.54.1 named >/dev/null
up first --network named cleave/tiny sleep 1000
refuse 1 'nothing to update' network update named
refuse 1 "'x' is not the address" network update --dns-add x named
refuse 1 'has no server 127.0.54.99' network update --dns-drop 127.0.54.99 named
is "update" "$(cleave network update --dns-add "$upstream" --dns-drop 127.0.54.1 named)" named
is "its servers" "$(net named '{{json .NetworkDNSServers}}')" "[\"$upstream\"]"
ask() { nsenter --net="/proc/$(field first '{{.State.Pid}}')/ns/net" python3 "$here/names.py" ask 10.250.4.1 "$1" A; }
is "they are asked" "$(ask up.test)" "OK 192.0.2.9"
is "names of instances still" "$(ask first)" "OK $(field first '{{.NetworkSettings.IPAddress}}')"
kill $server

# Links
refuse 125 'expected INSTANCE or INSTANCE:ALIAS' run --rm --network named --link first:a:b cleave/tiny true
refuse 125 'no such|not found' run --rm --network named --link nobody:x cleave/tiny true
refuse 125 'needs a network on a bridge' run --rm --network none --link first:x cleave/tiny true
refuse 125 "Cannot link to 'one': no network has both" run --rm --network named --link one:x cleave/tiny true
up web --network named --link first:db --link first cleave/tiny sleep 1000
ip=$(field first '{{.NetworkSettings.IPAddress}}')
is "in its files" "$(cleave exec web sed -n "s/^$ip\t//p" /etc/hosts)" "db first $(field first '{{slice .Id 0 12}}')"$'\n'"first $(field first '{{slice .Id 0 12}}')"
is "it is reached" "$(ping_to web db)" yes
is "inspect of links" "$(field web '{{json .HostConfig.Links}}')" '["/first:/web/db","/first:/web/first"]'
cleave stop -t 0 web first >/dev/null
refuse 1 "Cannot link to a non running container: 'first' AS 'db'" start web
cleave start first >/dev/null && cleave start web >/dev/null
is "again, later" "$(ping_to web db)" yes

# Instances that do not reach each other; where ports are published
cleave network create --subnet 10.250.5.0/24 -o com.docker.network.bridge.enable_icc=false -o com.docker.network.bridge.host_binding_ipv4=127.0.0.1 apart >/dev/null
up left --network apart -p 7 cleave/tiny sleep 1000
up right --network apart cleave/tiny sleep 1000
is "apart" "$(ping_to left "$(field right '{{.NetworkSettings.IPAddress}}')" 1) $(ping_to left 10.250.5.1)" "no yes"
like "published there" "$(cleave port left 7)" '^127.0.0.1:[0-9]*$'

# What others removed
ip link del "$(net named '{{.NetworkInterface}}')"
nft delete table inet "$table"
is "lost" "$(ping_to web db 1)" no
ip=$(field first '{{.NetworkSettings.IPAddress}}')
is "reload" "$(cleave network reload web)" web
is "all of it is there again" "$(ping_to web db) $(ping_to first 10.250.4.1) $(field first '{{.NetworkSettings.IPAddress}}')" "yes yes $ip"
nsenter --net="/proc/$(field left '{{.State.Pid}}')/ns/net" ip link del eth0
cleave network reload -a >/dev/null
is "one that lost its device" "$(ping_to left 10.250.5.1)" yes
refuse 1 'is not running' network reload "$(cleave create --network apart cleave/tiny)"
is "nothing is wrong" "$(cleave system check -q)" ''
