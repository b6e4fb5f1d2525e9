# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the tests that kill: one case, all cases of a verb, a sample of all verbs.  The test defines
# after_kill VERB, which looks at what there is, and has its verbs in ${verbs[@]} (verbs.sh).
# shellcheck disable=SC2034,SC2154
hits=0
declare -A calls

# one VERB LABEL N [-a]
one() {
	begin_case "$*" "$1"
	stepped ${4:+"$4"} -l "$2" -n "$3"
	after_kill "$1"
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

# What $STEP says, or a sample
kills() {
	case ${STEP:-} in
	*' '*) one $STEP ;;
	?*) every_call "$STEP" ;;
	*) sample_verbs ;;
	esac
	echo "$hits kills"
	is "there were kills" "$((hits > 0))" 1
}
