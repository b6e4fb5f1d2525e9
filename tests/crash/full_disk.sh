#!/bin/bash
# SPDX-License-Identifier: MIT
# A full disk (or one that fails) at any change of a file: the command says so in one line and leaves the
# store as it was, or does its work without that change; with room again everything works.
#
# STEP='VERB N ERROR [-s]' repeats one case; see step.c.  STEP='VERB' takes every change of that verb.
. "$(dirname "$0")/verbs.sh"
crash_setup 15
make_verbs
hits=0
declare -A calls

# All that lists show
lists() { echo "$(names)/$(images)/$(volumes)"; }

# What a failed command has to say
check_message() {
	[ "$(wc -l <"$T/said")" = 1 ] || fail "it says one line" "$(cat "$T/said")"
	grep -Eqi 'space|full|i/o|input/output' "$T/said" || fail "it says why" "$(cat "$T/said")"
}

# With room again the command works, unless it had done its work before it failed.
again() {
	case $1 in
	run_* | create | logs) [ "$(names)" != 'xx ' ] || return ;;
	rm | rm_f) [ "$(names)" = 'xx ' ] || return ;;
	kill | stop) [ "$(field xx State)" = running ] || return ;;
	volume_rm) [ "$(volumes)" = 'vol ' ] || return ;;
	rmi | untag) [ "$(images)" != "$old_images" ] || return ;;
	wait | attach) return ;;
	esac
	timeout 60 "${cmd[@]}" >"$T/again" 2>&1 </dev/null || fail "with room it works" "$(cat "$T/again")"
}

# one VERB N ERROR [-s]
one() {
	local before
	begin_case "$*" "$1"
	before=$(lists)
	stepped -e "$3" -n "$2" ${4:+"$4"} -p "$CLEAVE_ROOT" -p "$CLEAVE_RUNROOT"
	if [ "$status" != 0 ]; then
		check_message
		case $1 in
		create | rename | image | load | save | tag | untag | rmi | prune | volume_*) one_of "$(lists)" "$before" ;;
		esac
		again "$1"
	fi
	check_store "$1"
	end_case "$1"
	hits=$((hits + $(grep -c '^hit' "$T/report")))
}

count() {
	begin_case "$1 without an error" "$1"
	stepped -p "$CLEAVE_ROOT" -p "$CLEAVE_RUNROOT"
	[ $status = 0 ] || fail "it works" "$(cat "$T/said")"
	calls[$1]=$(sed -n 's/^writes //p' "$T/report")
	end_case "$1"
}

every_call() {
	local n error
	count "$1"
	echo "$1: ${calls[$1]} changes"
	for ((n = 1; n <= calls[$1]; n += ${EVERY:-1})); do
		for error in 'ENOSPC -s' ENOSPC EIO; do one "$1" "$n" $error; done
	done
}

sample() {
	local errors=('ENOSPC -s' ENOSPC EIO)
	[ -n "${calls[$1]:-}" ] || count "$1"
	[ "${calls[$1]}" = 0 ] || one "$1" $((RANDOM % calls[$1] + 1)) ${errors[RANDOM % 3]}
}

case ${STEP:-} in
*' '*) one $STEP ;;
?*) every_call "$STEP" ;;
*) sample_verbs ;;
esac
echo "$hits failures of a disk"
is "there were failures" "$((hits > 0))" 1
