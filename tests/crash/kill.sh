#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of any of our processes at any of its system calls: the next ordinary commands find a store
# that is whole, with all of an instance or image or nothing, and leave nothing behind.
#
# STEP='VERB LABEL N [-a]' repeats one case; see step.c.  STEP='VERB' takes every call of that verb, or each
# EVERYth.
. "$(dirname "$0")/verbs.sh"
crash_setup 25
make_verbs
hits=0
declare -A calls

# one VERB LABEL N [-a]
one() {
	begin_case "$*" "$1"
	stepped ${4:+"$4"} -l "$2" -n "$3"
	check_store "$1"
	end_case "$1"
	hits=$((hits + $(grep -c '^hit' "$T/report")))
}

# count VERB - lines "LABEL CALLS" of a run without a kill
count() {
	begin_case "$1 without a kill" "$1"
	stepped
	[ $status = 0 ] || fail "it works" "$(cat "$T/said")"
	calls[$1]=$(cat "$T/report")
	end_case "$1"
}

every_call() {
	local label total n
	count "$1"
	while read -r label total; do
		echo "$1 $label: $total calls"
		for ((n = 1; n <= total; n += ${EVERY:-1})); do one "$1" "$label" "$n"; done
	done <<<"${calls[$1]}"
}

sample() {
	local lines label total all=''
	[ -n "${calls[$1]:-}" ] || count "$1"
	mapfile -t lines <<<"${calls[$1]}"
	read -r label total <<<"${lines[RANDOM % ${#lines[@]}]}"
	[ $((RANDOM % 4)) != 0 ] || all=-a
	one "$1" "$label" $((RANDOM % total + 1)) $all
}

case ${STEP:-} in
*' '*) one $STEP ;;
?*) every_call "$STEP" ;;
*) sample_verbs ;;
esac
echo "$hits kills"
is "there were kills" "$((hits > 0))" 1
