#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of cleave-oci, or of the container's process before its program runs, at any of their system calls:
# `state` answers truly and `delete --force` removes everything.
#
# STEP='VERB LABEL N [-a]' repeats one case; see step.c.  STEP='VERB' takes every call of that verb.
. "$(dirname "$0")/../oci/lib.sh"
SEED=${SEED:-1} # the same ones in each run, as far as time allows; make soak takes others
setup gcc
gcc -O1 -std=gnu17 -D_GNU_SOURCE -o "$T/step" "$here/../crash/step.c" || skip "no compiler"
"$T/step" true || skip "no ptrace here"
echo "SEED=$SEED"
RANDOM=$SEED
deadline=$((SECONDS + ${SOAK_SECONDS:-8}))
nap=86$$ # seconds to sleep, by which this test's processes are known
conf '.process.args=["sleep","'$nap'"]' '.linux.resources={memory:{limit:67108864},pids:{limit:50}}' \
	'.hooks={createRuntime:[{path:"/bin/true"}],poststop:[{path:"/bin/true"}]}'
gone() { [ -z "$(leftovers)" ] && ! grep -qa "slee[p].$nap" /proc/[0-9]*/cmdline 2>/dev/null; }
verbs=(create run start exec kill delete)
declare -A calls

# prepare VERB - a container in the state that the verb needs; $args
prepare() {
	args=("$1" "$ID")
	case $1 in
	create) args=(create -b "$B" "$ID") ;;
	run) args=(run -d -b "$B" "$ID") ;;
	exec) args=(exec -d "$ID" sleep "$nap") ;;
	kill) args=(kill "$ID" KILL) ;;
	delete) args=(delete --force "$ID") ;;
	esac
	case $1 in create | run) return ;; esac
	oci create -b "$B" "$ID" >/dev/null 2>&1 </dev/null || no "create for $1"
	[ "$1" = start ] || oci start "$ID" || no "start for $1"
}

# after CASE - what there is is told truly, and can be removed
after() {
	local state
	state=$(oci state "$ID" 2>/dev/null | jq -r .status)
	[ "$state" != stopped ] || ! grep -qa "slee[p].$nap" /proc/[0-9]*/cmdline 2>/dev/null ||
		soon gone_sleeper || no "STEP='$1': it is told to be stopped and runs"
	attempt delete --force "$ID"
	[ "$status" = 0 ] || no "STEP='$1': delete --force" "$out"
	soon gone || no "STEP='$1': something is left" "$(leftovers)"
}
gone_sleeper() { ! grep -qa "slee[p].$nap" /proc/[0-9]*/cmdline 2>/dev/null; }

one() {
	prepare "$1"
	timeout -k 5 30 "$T/step" ${4:+"$4"} -l "$2" -n "$3" -o "$T/report" "$OCI" --root "$ROOT" "${args[@]}" >/dev/null 2>&1 </dev/null
	[ $? != 124 ] || no "STEP='$*': it ends"
	after "$*"
	hits=$((hits + $(grep -c '^hit' "$T/report")))
}

count() {
	prepare "$1"
	timeout -k 5 30 "$T/step" -o "$T/report" "$OCI" --root "$ROOT" "${args[@]}" >"$T/said" 2>&1 </dev/null || no "$1 works" "$(cat "$T/said")"
	calls[$1]=$(cat "$T/report")
	after "$1"
}

hits=0
case ${STEP:-} in
*' '*) one $STEP ;;
?*)
	count "$STEP"
	while read -r label total; do
		for ((n = 1; n <= total; n += ${EVERY:-1})); do one "$STEP" "$label" "$n"; done
	done <<<"${calls[$STEP]}"
	;;
*)
	while [ "$SECONDS" -lt "$deadline" ] && [ "$failures" -lt 10 ]; do
		for v in "${verbs[@]}"; do
			[ -n "${calls[$v]:-}" ] || count "$v"
			mapfile -t lines <<<"${calls[$v]}"
			read -r label total <<<"${lines[RANDOM % ${#lines[@]}]}"
			all=''
			[ $((RANDOM % 4)) != 0 ] || all=-a
			one "$v" "$label" $((RANDOM % total + 1)) $all
		done
	done
	;;
esac
check "there were kills: $hits" test "$hits" -gt 0
