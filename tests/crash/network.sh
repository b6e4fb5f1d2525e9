#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of any of our processes at any of its system calls, while networks are made, entered, left and removed: the next
# commands find them whole, and nothing is left: devices, rules, addresses, ports, resolvers.
#
# STEP='VERB LABEL N [-a]' repeats one case, STEP=VERB takes every call of that verb, or each EVERYth; as kill.sh.
#
# In a network namespace of its own, where whatever is there was left by us.
[ -n "${CRASH_INSIDE:-}" ] || CRASH_INSIDE=1 exec unshare --net "$0"
. "$(dirname "$0")/verbs.sh"
crash_setup 12
command -v nft >/dev/null && command -v ip >/dev/null || skip "no nft or ip"
. "$(dirname "$0")/kills.sh"
ip link set lo up
port=$((20000 + $$ % 10000))

networks() { list network ls --filter type=custom --format '{{.Name}}'; }
make_mine() { ok network create mine; }
run_in() { ok run -d "${life[@]}" --network "$@" cleave/tiny sleep "$nap"; }
run_mine() { make_mine && run_in mine -p "$port:80"; }
run_beside() { make_mine && run_xx; }
run_connected() { run_beside && ok network connect mine xx; }
in_mine() { "$CLEAVE" exec xx ip addr show eth1 2>/dev/null | grep -q 'inet '; }
# What was begun can be done again, whatever there is of it, and undone
connects() {
	local said
	[ "$(field xx State)" = running ] || return 0
	said=$(timeout 60 "$CLEAVE" network connect mine xx 2>&1) || [[ $said = *already\ exists* ]] || fail "it can be connected" "$said"
	in_mine || fail "then it is connected" "$("$CLEAVE" exec xx ip addr)"
	ok network disconnect mine xx
	! in_mine || fail "then it is not connected any more"
	said=$(timeout 60 "$CLEAVE" network disconnect mine xx 2>&1) && fail "it cannot be disconnected twice"
	[[ $said = *is\ not\ connected* ]] || fail "it says so" "$said"
	ok network connect mine xx && in_mine || fail "it can be connected again"
}
usable() { # the networks that are listed can be used
	local name
	for name in $(networks); do ok run --rm --network "$name" cleave/tiny true; done
}
# The instance answers to its name, when it runs
resolved() {
	[ "$(field xx State)" = running ] || return 0
	ok network inspect -f '{{(index .IPAM.Config 0).Gateway}}' mine
	until_true eval "timeout 20 python3 '$here/names.py' ask $out xx A 2>/dev/null | grep -q ^OK" || fail "its name is resolved"
}
published() { [ "$(field xx State)" != running ] || [ "$(cleave port xx 80 | head -n 1)" = "0.0.0.0:$port" ] || fail "its port is published" "$(cleave port xx)"; }
prune() { ok volume prune -af && ok image prune -f && ok network prune -f; }

life=(--name xx --cgroup-parent "$group" --stop-signal KILL)
verb run true 'maybe_xx; published' run -d "${life[@]}" -p "$port:80" cleave/tiny sleep "$nap"
verb run_rm true maybe_xx run --rm "${life[@]}" -p "$port:80" cleave/tiny true
verb run_named make_mine 'maybe_xx; resolved; published' run -d "${life[@]}" --network mine --network-alias www -p "$port:80" cleave/tiny sleep "$nap"
verb create_network true 'one_of "$(networks)" "" "new "; usable' network create --ipv6 --subnet "fd25:99::/64" new
verb connect run_beside 'one_xx; connects; resolved' network connect mine xx
verb disconnect run_connected 'one_xx; connects; resolved' network disconnect mine xx
verb rm_network make_mine 'one_of "$(networks)" "" "mine "; usable' network rm mine
verb prune_network make_mine 'one_of "$(networks)" "" "mine "; usable' network prune -f
verb stop run_mine 'one_xx; ok start xx; resolved; published' stop xx
verb restart run_mine 'one_xx; resolved; published' restart -t 0 xx
verb rm_f run_mine maybe_xx rm -f xx
mapfile -t verbs < <(printf '%s\n' "${!argv[@]}" | sort)

# What devices and rules there are, and who resolves
around() {
	ip -br link | grep -v '^lo '
	nft list ruleset
	pgrep -af "^cleave-names $CLEAVE_RUNROOT" || true
	ls "$CLEAVE_RUNROOT/names" 2>/dev/null
	find /sys/fs/cgroup{,/*}/cleave -maxdepth 1 -name "names-${mine:-none}*" 2>/dev/null
}
nothing_around() { [ -z "$(around)" ]; }
none_left() {
	ok network ls -q --no-trunc --filter name=mine && mine=${out:0:12}
	remove_all && ok network prune -f
	until_true nothing_around || fail "nothing of networks is left" "$(around)"
	[ -z "$(networks)" ] || fail "no network is left" "$(networks)"
	ok system check -q
	[ -z "$out" ] || fail "the store is sound" "$out"
}

after_kill() {
	ok ps -a && eval "${look[$1]}" && told_truly
	none_left
}
kills
