#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of any of our processes at any of its system calls: the next ordinary commands find a store
# that is whole, with all of an instance or image or nothing, and leave nothing behind.
#
# STEP='VERB LABEL N [-a]' repeats one case; see step.c.  STEP='VERB' takes every call of that verb.
. "$(dirname "$0")/lib.sh"
crash_setup 25

make=(-d --name xx --cgroup-parent "$group" --stop-signal KILL --log-opt max-size=20k --log-opt max-file=2)
run_x() { ok run "${make[@]}" cleave/tiny sleep "$nap"; }
create_x() { ok create "${make[@]:1}" -v vol:/vol cleave/tiny sleep "$nap"; }

# A verb is a function that prepares, an array of arguments, and a function that looks at what is there.
declare -A prepare look argv
verb() {
	prepare[$1]=$2 look[$1]=$3
	shift 3
	argv[$verb]=$(printf '%q ' "$@")
}
names() { cleave ps -a --format '{{.Names}}' 2>/dev/null | sort | tr '\n' ' '; }
one_of() { # one_of HAVE WANT... - what there is may be one of these
	local have=$1 w
	shift
	for w in "$@"; do [ "$have" = "$w" ] && return; done
	fail "it is one of: $(printf "'%s' " "$@")" "$have"
}
maybe_x() { one_of "$(names)" '' 'xx '; }
one_x() { one_of "$(names)" 'xx '; }
told_truly() { # what is told not to run does not
	case $(field xx State) in running | paused) ;; *) [ -z "$(sleepers)" ] || fail "no process of what does not run" ;; esac
}
images() { cleave image ls --format '{{.Repository}}:{{.Tag}}' 2>/dev/null | sort | tr '\n' ' '; }
old='cleave/tiny:latest local/mine:latest '
with() { one_of "$(images)" "$old" "$(printf '%s\n' "$@" $old | sort | tr '\n' ' ')"; }
volumes() { cleave volume ls -q | sort | tr '\n' ' '; }
volume_full() {
	one_of "$(volumes)" '' 'vol '
	[ -z "$(volumes)" ] || [ "$(cat "$CLEAVE_ROOT/volumes/vol/_data/file" 2>&1)" = text ] || fail "a volume that is listed has its data"
}
with_volume() { ok volume create vol && echo text >"$CLEAVE_ROOT/volumes/vol/_data/file"; }
run_short() { ok run "${make[@]}" cleave/tiny sleep 0.4; }
run_changed() { run_x && ok exec xx sh -c 'echo changed >/changed'; }
nothing() { :; }

for verb in run_d run_fg run_rm run_init run_restart run_volume run_anonymous run_userns run_health create start exec exec_d stop kill_x restart rm rm_f \
	rename pause unpause wait logs import load save commit tag untag rmi prune prune_volume volume_create volume_rm attach; do
	case $verb in
	run_d) verb $verb nothing maybe_x run "${make[@]}" cleave/tiny sleep "$nap" ;;
	run_fg) verb $verb nothing maybe_x run "${make[@]:1}" cleave/tiny true ;;
	run_rm) verb $verb nothing maybe_x run --rm "${make[@]:1}" cleave/tiny true ;;
	run_init) verb $verb nothing maybe_x run --init "${make[@]}" cleave/tiny sleep "$nap" ;;
	run_restart) verb $verb nothing maybe_x sh -c '"$CLEAVE" run --restart always "$@"; sleep 0.4' - "${make[@]}" cleave/tiny true ;;
	run_volume) verb $verb nothing maybe_x run "${make[@]}" -v vol:/data local/mine /bin/busybox sleep "$nap" ;;
	run_anonymous) verb $verb nothing maybe_x run "${make[@]}" -v /data --rm local/mine /bin/busybox sleep "$nap" ;;
	run_userns) verb $verb nothing maybe_x run "${make[@]}" --userns auto cleave/tiny sleep "$nap" ;;
	run_health) verb $verb nothing maybe_x run "${make[@]}" --health-cmd true --health-interval 100ms cleave/tiny sleep "$nap" ;;
	create) verb $verb nothing maybe_x create "${make[@]:1}" -v vol:/vol cleave/tiny sleep "$nap" ;;
	start) verb $verb create_x one_x start xx ;;
	exec) verb $verb run_x one_x exec xx true ;;
	exec_d) verb $verb run_x one_x exec -d xx sleep "$nap" ;;
	stop) verb $verb run_x one_x stop xx ;;
	kill_x) verb $verb run_x one_x kill xx ;;
	restart) verb $verb run_x one_x restart xx ;;
	rm) verb $verb create_x maybe_x rm xx ;;
	rm_f) verb $verb run_x maybe_x rm -f xx ;;
	rename) verb $verb run_x nothing rename xx yy ;;
	pause) verb $verb run_x one_x pause xx ;;
	unpause) verb $verb 'run_x && ok pause xx' one_x unpause xx ;;
	wait) verb $verb run_short 'sleep 0.4; one_x' wait xx ;;
	logs) verb $verb nothing maybe_x run "${make[@]:1}" cleave/tiny seq 1 3000 ;;
	attach) verb $verb run_short 'sleep 0.4; one_x' attach xx ;;
	import) verb $verb nothing 'with new:latest' image import "$T/rootfs.tar" new ;;
	load) verb $verb 'ok rmi local/mine' nothing load -i "$T/saved.tar" ;;
	save) verb $verb nothing nothing save -o "$T/out.tar" local/mine cleave/tiny ;;
	commit) verb $verb run_changed 'one_x; with new:latest' commit xx new ;;
	tag) verb $verb nothing 'with new:latest' tag local/mine new ;;
	untag) verb $verb 'ok tag local/mine new' 'with new:latest' rmi new ;;
	rmi) verb $verb 'ok import -c "LABEL a=b" '"$T/rootfs.tar new" 'with new:latest' rmi new ;;
	prune) verb $verb 'ok import '"$T/rootfs.tar" nothing image prune -f ;;
	prune_volume) verb $verb with_volume volume_full volume prune -af ;;
	volume_create) verb $verb nothing 'one_of "$(volumes)" "" "vol "' volume create -o type=tmpfs -o device=tmpfs vol ;;
	volume_rm) verb $verb with_volume volume_full volume rm vol ;;
	esac
done

# Arguments that begin with "sh" are a command of their own.
command_of() {
	eval "cmd=(${argv[$1]})"
	[ "${cmd[0]}" = sh ] || cmd=("$CLEAVE" "${cmd[@]}")
}

# one VERB LABEL N [-a]
one() {
	local how=()
	case="$*" bad=0
	[ -z "${4:-}" ] || how=("$4")
	command_of "$1"
	eval "${prepare[$1]}" >/dev/null
	timeout 60 "$T/step" "${how[@]}" -l "$2" -n "$3" -o "$T/report" "${cmd[@]}" >"$T/said" 2>&1 </dev/null
	status=$?
	[ $status != 124 ] || fail "it ends"
	ok ps -a && eval "${look[$1]}" && told_truly && whole_instances
	case $1 in import | load | save | commit | tag | untag | rmi | prune) whole_images ;; esac
	remove_all && put_back "$1" && prune
	check_nothing_left
	[ "$bad" = 0 ] && yes || { sed 's/^/  said: /' "$T/said"; fresh_store; }
	hits=$((hits + $(grep -c '^hit' "$T/report")))
}

# Images as at the beginning
put_back() {
	case $1 in
	import | commit | tag | untag | rmi) ok rmi -f new ;;
	load) ok load -i "$T/saved.tar" ;;
	esac
}

# count VERB - "LABEL CALLS" lines of a run without a kill
count() {
	case="$1 without a kill" bad=0
	command_of "$1"
	eval "${prepare[$1]}" >/dev/null
	timeout 60 "$T/step" -o "$T/report" "${cmd[@]}" >"$T/said" 2>&1 </dev/null || fail "it works" "$(cat "$T/said")"
	calls[$1]=$(cat "$T/report")
	remove_all && put_back "$1" && prune
	check_nothing_left
	[ "$bad" = 0 ] || fresh_store
}

hits=0
declare -A calls
case=setup
if [[ ${STEP:-} == *' '* ]]; then
	# shellcheck disable=SC2086 # words
	one $STEP
	exit
fi
shuffled() { # words in an order that follows from the seed
	local words=("$@") i k
	for ((i = $# - 1; i > 0; i--)); do
		k=$((RANDOM % (i + 1)))
		set -- "${words[i]}"
		words[i]=${words[k]} words[k]=$1
	done
	echo "${words[@]}"
}
mapfile -t verbs < <(printf '%s\n' "${!argv[@]}" | sort)
read -ra verbs <<<"${STEP:-$(shuffled "${verbs[@]}")}"
for v in "${verbs[@]}"; do
	if [ -n "${STEP:-}" ]; then
		count "$v"
		while read -r label total; do
			echo "$v $label: $total calls"
			for ((n = 1; n <= total; n += ${EVERY:-1})); do one "$v" "$label" "$n"; done
		done <<<"${calls[$v]}"
		exit
	fi
done
while time_left; do
	for v in "${verbs[@]}"; do
		time_left || break
		[ -n "${calls[$v]:-}" ] || count "$v"
		mapfile -t lines <<<"${calls[$v]}"
		read -r label total <<<"${lines[RANDOM % ${#lines[@]}]}"
		all=''
		[ $((RANDOM % 4)) != 0 ] || all=-a
		one "$v" "$label" $((RANDOM % total + 1)) $all
	done
done
echo "$hits kills"
is "there were kills" "$((hits > 0))" 1
