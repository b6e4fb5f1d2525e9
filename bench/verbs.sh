# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # sourced by inner.sh
#
# The verbs of everyday life, beside podman's and those of Docker, whose daemon runs.

# Prints words for pairs, one per line: what is timed of verb $1, and what makes it possible each time.
verb_steps() {
	local up=("${cmd[@]}" run -d "${opts[@]}" --name) image=bench/busybox
	case $1 in
	run) printf '%s\n' @run "${up[@]}" bv-run $image sleep 100000 @untimed "${remove[@]}" bv-run ;;
	exec | ps) printf '%s\n' @run "${cmd[@]}" "$1" ;;&
	exec) printf '%s\n' bv-idle true ;;
	ps) ;;
	logs | inspect) printf '%s\n' @run "${cmd[@]}" "$1" bv-idle ;;
	stop)
		# It ends when it is asked to, which the first process of an instance must want.
		printf '%s\n' @untimed "${up[@]}" bv-stop $image \
			sh -c 'trap "exit 0" TERM; >/ready; sleep 100000 & wait'
		printf '%s\n' @untimed "${cmd[@]}" exec bv-stop sh -c 'until [ -e /ready ]; do sleep 0.01; done'
		printf '%s\n' @run "${cmd[@]}" stop bv-stop @untimed "${cmd[@]}" rm bv-stop
		;;
	rm)
		printf '%s\n' @untimed "${cmd[@]}" run "${opts[@]}" --name bv-rm $image true
		printf '%s\n' @untimed "${cmd[@]}" wait bv-rm @run "${cmd[@]}" rm bv-rm
		;;
	esac
}

subject_verbs() {
	local name verb args steps cmd opts remove
	present_engines verbs podman docker cleave
	for name in "${engines[@]}"; do
		use_engine "$name"
		"${cmd[@]}" run -d "${opts[@]}" --name bv-idle bench/busybox \
			sh -c 'seq 100; exec sleep 100000' >/dev/null </dev/null
	done
	for verb in run exec stop rm ps logs inspect; do
		args=()
		for name in "${engines[@]}"; do
			use_engine "$name"
			mapfile -t steps < <(verb_steps $verb)
			args+=(@cmd "$name" "${steps[@]}")
		done
		pairs --subject "verb-$verb" --goal cleave:podman:0.1 --goal cleave:docker:0.5 "${args[@]}"
	done
	for name in "${engines[@]}"; do
		use_engine "$name"
		"${remove[@]}" bv-idle >/dev/null
	done
}
