# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # sourced by inner.sh, as is $failed
#
# Many instances at once: $instances of cleave, $peers of each of the others.

instances=${INSTANCES:-1000} peers=50

# Prints a rate: SUBJECT WHAT NUMBER MILLISECONDS
rate() {
	if [ "$format" = json ]; then
		printf '{"subject":"%s","name":"%s","number":%d,"ms":%d}\n' "$@"
	else
		awk -v s="$1" -v w="$2" -v n="$3" -v ms="$4" \
			'BEGIN {printf "  %s: %s: %d in %d ms, %.1f per second\n", s, w, n, ms, n * 1000 / (ms > 0 ? ms : 1)}'
	fi
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# scale_start FIRST LAST PARALLEL - start instances of cleave by number
scale_start() {
	local begin
	begin=$(now_ms)
	seq "$1" "$2" | xargs -P "$3" -I{} "$cleave" run -d "${cleave_opts[@]}" --stop-signal KILL \
		--name bs-{} bench/busybox sleep 100000 >/dev/null || failed=1
	rate scale-start "cleave, $3 at a time" $(($2 - $1 + 1)) $(($(now_ms) - begin))
}

# What the processes named cleave-monitor occupy, each with its share of shared pages
scale_memory() {
	local p sum=0 count=0
	for p in /proc/[0-9]*; do
		[ "$(cat "$p/comm" 2>/dev/null)" = cleave-monitor ] || continue
		sum=$((sum + $(field Pss "$p/smaps_rollup"))) count=$((count + 1))
	done
	if [ "$format" = json ]; then
		printf '{"subject":"scale-memory","name":"cleave","processes":%d,"kib":%d,"goal_kib":500000}\n' $count $sum
	else
		printf '  scale-memory: %d monitors have %d KiB (PSS), goal: at most 500000 KiB\n\n' $count $sum
	fi
}

# Every command line of scale's pairs, of verb $1; the round's number is in the name.
scale_args() {
	local name
	args=()
	if [[ " ${present[*]} " = *" crun "* ]]; then
		case $1 in
		start) args+=(@cmd crun @run "${path[crun]}" run --detach --bundle "$work/sleep" "$prefix-s{i}") ;;
		list) args+=(@cmd crun @run "${path[crun]}" list) ;;
		stop) args+=(@cmd crun @run "${path[crun]}" delete --force "$prefix-s{i}") ;;
		esac
	fi
	for name in "${engines[@]}"; do
		use_engine "$name"
		args+=(@cmd "$name" @run "${cmd[@]}")
		case $1 in
		start) args+=(run -d "${opts[@]}" --stop-signal KILL --name "bs-{i}" bench/busybox sleep 100000) ;;
		list) args+=(ps) ;;
		stop) args+=(stop "bs-{i}") ;;
		esac
	done
}

subject_scale() {
	local args cmd opts remove begin name rounds_before=$rounds ids i
	present_engines scale podman docker cleave
	rounds=$peers
	scale_args start
	pairs --warmup 0 --subject scale-start --goal cleave:podman:0.1 --goal cleave:crun:1.2 "${args[@]}"
	rounds=$rounds_before
	scale_args list
	pairs --subject "scale-list-$peers" --goal cleave:podman:0.1 "${args[@]}"
	if [[ " ${engines[*]} " = *" cleave "* ]]; then
		scale_start "$peers" $((instances / 2 - 1)) 1
		scale_start $((instances / 2)) $((instances - 1)) 8
		scale_memory
		pairs --subject "scale-$instances" --limit ps:30 --limit stats:100 \
			@cmd ps @run "$cleave" ps @cmd ps-a @run "$cleave" ps -a @cmd ps-q @run "$cleave" ps -q \
			@cmd stats @run "$cleave" stats --no-stream \
			@cmd inspect @run "$cleave" inspect bs-1 @cmd exec @run "$cleave" exec bs-1 true
	fi
	rounds=$peers
	scale_args stop
	pairs --warmup 0 --subject scale-stop --goal cleave:podman:0.1 --goal cleave:crun:1.2 "${args[@]}"
	rounds=$rounds_before
	if [[ " ${engines[*]} " = *" cleave "* ]]; then
		begin=$(now_ms)
		"$cleave" stop --all >/dev/null || failed=1
		rate scale-stop "cleave stop --all" $((instances - peers)) $(($(now_ms) - begin))
		mapfile -t ids < <("$cleave" ps -aq)
		begin=$(now_ms)
		"$cleave" rm "${ids[@]}" >/dev/null || failed=1
		rate scale-rm "cleave rm, all" ${#ids[@]} $(($(now_ms) - begin))
	fi
	for name in "${engines[@]}"; do
		[ "$name" != cleave ] || continue
		use_engine "$name"
		for ((i = 0; i < peers; i++)); do
			"${remove[@]}" "bs-$i" >/dev/null
		done
	done
	[ "$format" = json ] || echo
}
