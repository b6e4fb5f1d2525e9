#!/bin/bash
# SPDX-License-Identifier: MIT
# process.capabilities: five sets, ambient, exec --cap.
. "$(dirname "$0")/lib.sh"
setup

show='grep -E "^Cap(Inh|Prm|Eff|Bnd|Amb)" /proc/self/status | tr -d "\t\n"'
none=0000000000000000
# CAP_CHOWN is bit 0, CAP_KILL 5, CAP_NET_RAW 13
gives "none configured, none there" "$show" "CapInh:${none}CapPrm:${none}CapEff:${none}CapBnd:${none}CapAmb:$none" 'del(.process.capabilities)'
gives "empty sets" "$show" "CapInh:${none}CapPrm:${none}CapEff:${none}CapBnd:${none}CapAmb:$none" '.process.capabilities={}'
gives "root gets bounding and permitted" "$show" \
	"CapInh:${none}CapPrm:0000000000002021CapEff:0000000000002021CapBnd:0000000000002021CapAmb:$none" \
	'.process.capabilities=({bounding:["CAP_CHOWN","CAP_KILL","CAP_NET_RAW"]} | .permitted=.bounding | .effective=.bounding)'
gives "a user has none after execve" "$show" \
	"CapInh:${none}CapPrm:${none}CapEff:${none}CapBnd:0000000000000021CapAmb:$none" \
	'.process.user.uid=1000 | .process.capabilities=({bounding:["CAP_CHOWN","CAP_KILL"]} | .permitted=.bounding | .effective=.bounding)'
gives "a user keeps ambient ones" "$show" \
	"CapInh:0000000000000020CapPrm:0000000000000020CapEff:0000000000000020CapBnd:0000000000000021CapAmb:0000000000000020" \
	'.process.user.uid=1000 | .process.capabilities=({bounding:["CAP_CHOWN","CAP_KILL"]} | .permitted=.bounding | .effective=.bounding
		| .inheritable=["CAP_KILL"] | .ambient=["CAP_KILL"])'
gives "ambient ones without inheritable ones are left out, silently" "$show" \
	"CapInh:${none}CapPrm:0000000000000021CapEff:0000000000000021CapBnd:0000000000000021CapAmb:$none" \
	'.process.capabilities=({bounding:["CAP_CHOWN","CAP_KILL"]} | .permitted=.bounding | .effective=.bounding | .ambient=.bounding)'
ct "$show" '.process.capabilities=({bounding:["CAP_CHOWN","CAP_KILL"]} | .permitted=.bounding | .ambient=.bounding | .inheritable=["CAP_KILL"])'
like "one of several is told" "$out" "can't raise ambient capability CAP_CHOWN"
gives "inheritable" "$show" \
	"CapInh:0000000000000020CapPrm:0000000000000021CapEff:0000000000000021CapBnd:0000000000000021CapAmb:$none" \
	'.process.capabilities=({bounding:["CAP_CHOWN","CAP_KILL"]} | .permitted=.bounding | .effective=.bounding | .inheritable=["CAP_KILL"])'
gives "a dropped capability is really gone" 'chown 5 /tmp 2>/dev/null || echo refused' refused
ct "$show" '.process.capabilities.bounding+=["CAP_NOT_THERE"]'
like "an unknown capability is left out with a warning or refused by name" "$out" CAP_NOT_THERE
refuse "a capability that is no string" 'capabilities.bounding' '.process.capabilities.bounding=[7]'

up '.process.capabilities=({bounding:["CAP_KILL"]} | .permitted=.bounding | .effective=.bounding)'
attempt exec "$ID" sh -c "$show"
eq "exec gets those of config.json" "$out" "CapInh:${none}CapPrm:0000000000000020CapEff:0000000000000020CapBnd:0000000000000020CapAmb:$none"
attempt exec --cap CAP_CHOWN "$ID" sh -c "$show"
eq "exec --cap adds, and nothing becomes inheritable" "$out" \
	"CapInh:${none}CapPrm:0000000000000021CapEff:0000000000000021CapBnd:0000000000000021CapAmb:$none"
fails "exec --cap with a wrong name" 'CAP_X' exec --cap CAP_X "$ID" true
