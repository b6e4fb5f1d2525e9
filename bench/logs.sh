# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # sourced by inner.sh
#
# How fast an instance may write to its log, and whether everything is in it, in order.

# An instance of engine $1 that writes file $2 to its log: prints the ms from its start to its end.
write_log() {
	local cmd opts remove start
	use_engine "$1"
	"${remove[@]}" bl-log >/dev/null 2>&1 || true
	start=$(date +%s%N)
	"${cmd[@]}" run -d "${opts[@]}" --name bl-log -v "$work/data:/data" bench/busybox cat "/data/$2" \
		>/dev/null </dev/null 2>"$work/log" || return 1
	"${cmd[@]}" wait bl-log >/dev/null || return 1
	echo $((($(date +%s%N) - start) / 1000))
}

log_is_whole() {
	local cmd opts remove
	use_engine "$1"
	[ "$("${cmd[@]}" logs bl-log 2>/dev/null | sha256sum)" = "$(sha256sum <"$work/data/$2")" ]
}

median() { sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : int((v[NR / 2] + v[NR / 2 + 1]) / 2)}'; }

report_log() {
	local us=$((${4} - ${3})) bytes
	bytes=$(stat -c %s "$work/data/$2")
	if [ "$format" = json ]; then
		printf '{"subject":"logs","name":"%s","kind":"%s","us":%d,"bytes":%d,"log":"%s"}\n' "$1" "$2" "$us" "$bytes" "$5"
	else
		printf '  %-10s %-8s %8d ms %8d MB/s   %s\n' "$1" "$2" $((us / 1000)) \
			$((bytes / (us > 0 ? us : 1))) "$5"
	fi
}

subject_logs() {
	local name kind us rate
	local -A times=() middle=() whole=()
	present_engines logs podman cleave
	mkdir -p "$work/data"
	: >"$work/data/empty"
	awk 'BEGIN {for (i = 0; i < 2000000; i++) printf "%099d\n", i}' >"$work/data/lines"
	awk 'BEGIN {for (i = 0; i < 4000000; i++) print "y"}' >"$work/data/short"
	for ((i = 0; i < (rounds < 15 ? rounds : 15); i++)); do
		for kind in empty lines short; do
			for name in "${engines[@]}"; do
				us=$(write_log "$name" $kind) || { say logs "$name" "fails: $(tail -n 1 "$work/log")"; return; }
				times[$name-$kind]+="$us"$'\n'
				[ "$i" != 0 ] || ! log_is_whole "$name" $kind || whole[$name-$kind]=complete
			done
		done
	done
	[ "$format" = json ] ||
		printf 'logs (median of the time from start to end of an instance, less that of one that writes nothing)\n'
	for name in "${engines[@]}"; do
		for kind in empty lines short; do
			middle[$name-$kind]=$(printf %s "${times[$name-$kind]}" | median)
			[ $kind = empty ] || report_log "$name" $kind "${middle[$name-empty]}" "${middle[$name-$kind]}" \
				"${whole[$name-$kind]:-NOT complete}"
		done
		use_engine "$name"
		"${remove[@]}" bl-log >/dev/null
	done
	for kind in lines short; do
		[ "${#engines[@]}" = 2 ] || continue
		rate=$(awk -v p=$((middle[podman-$kind] - middle[podman-empty])) \
			-v c=$((middle[cleave-$kind] - middle[cleave-empty])) 'BEGIN {printf "%.3f", c / p}')
		[ "$format" != json ] || printf '{"subject":"logs","name":"cleave","base":"podman","kind":"%s","of_medians":%s,"goal":0.5}\n' $kind "$rate"
		[ "$format" = json ] || echo "  logs: $kind: cleave / podman = $rate, goal: at most 0.5"
	done
	rm -rf "$work/data"
	[ "$format" = json ] || echo
}
