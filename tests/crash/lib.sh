# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the tests of this folder: what the engine's tests have, the stepper, and the invariants.
#
#   SEED           of what is sampled; printed, so that a run can be had again
#   SOAK_SECONDS   how long a test goes on (default: short)
#   STEP           one case instead of many, as a failure prints it
# shellcheck disable=SC2034
. "$(dirname "${BASH_SOURCE[0]}")/../engine/lib.sh"
case=setup bad=0
crash_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SEED=${SEED:-1} # the same ones in each run, as far as time allows; make soak takes others
RANDOM=$SEED
nap=9$$ # seconds to sleep, by which processes of instances are known

# crash_setup SECONDS - as setup; makes the stepper, the images and $base, what an empty store looks like
crash_setup() {
	SOAK_SECONDS=${SOAK_SECONDS:-$1}
	setup gcc
	gcc -O1 -std=gnu17 -D_GNU_SOURCE -o "$T/step" "$crash_here/step.c" || skip "no compiler"
	"$T/step" true || skip "no ptrace here"
	export CLEAVE
	group=/crash$$
	base=$T/base
	mkdir "$T/fs" "$T/fs/bin" "$T/fs/data"
	cp /bin/busybox "$T/fs/bin/busybox"
	ln -s busybox "$T/fs/bin/sh"
	ln -s busybox "$T/fs/bin/true"
	echo text >"$T/fs/data/file"
	tar -C "$T/fs" -cf "$T/rootfs.tar" .
	cleave image import "$T/rootfs.tar" local/mine >/dev/null
	cleave save -o "$T/saved.tar" local/mine
	cleave rmi local/mine >/dev/null
	begin_store
	echo "$NAME: SEED=$SEED"
	deadline=$((SECONDS + SOAK_SECONDS))
}

# Files of the store that say what it holds
store() {
	find "$CLEAVE_ROOT" -mindepth 1 \( -path "$CLEAVE_ROOT/layers/*/fs" -o -path "$CLEAVE_ROOT/instances/*" \
		-o -path "$CLEAVE_ROOT/volumes/*/*" \) -prune -printf '%P %y\n' -o \
		! -name 'state.db*' ! -name 'events*' -printf '%P %y\n' | sort
}

prune() {
	ok volume prune -af && ok image prune -f
}

# ok ARG... - cleave succeeds, in time, and says nothing on standard error; output in $out
ok() {
	out=$(timeout 60 "$CLEAVE" "$@" 2>"$T/stderr" </dev/null)
	status=$?
	[ "$status" = 0 ] && [ ! -s "$T/stderr" ] && return
	fail "'$*' gives $status" "$(cat "$T/stderr")"
	return 1
}

# fail WHAT [DETAIL...] - $case says how to see it again
fail() {
	no "STEP='$case': $1" "${@:2}"
	bad=1
	[ "$failures" -lt 10 ] || exit 1 # more would not tell more
}

field() { cleave ps -a --filter "name=^$1\$" --format "{{.$2}}" 2>/dev/null; }

# What is told not to run does not.
told_truly() {
	ok ps -aq --filter status=running --filter status=paused --filter status=restarting || return
	[ -n "$out" ] || [ -z "$(sleepers)" ] || fail "nothing runs of what does not run"
}

sleepers() { pgrep -f "^sleep $nap" || true; }

# Instances are what the list says they are: those that run answer, the others can be started.
whole_instances() {
	local name state
	ok ps -a --no-trunc --format '{{.Names}} {{.State}}' || return
	while read -r name state; do
		[ -n "$name" ] || continue
		ok inspect "$name" || return
		case $state in
		running)
			# it may be about to end
			timeout 60 "$CLEAVE" exec "$name" true >/dev/null 2>&1 </dev/null ||
				until_ended "$name" || ok exec "$name" true || return
			;;
		paused) ok unpause "$name" && ok exec "$name" true || return ;;
		restarting) ;;
		created | exited) ok start "$name" || return ;;
		*) fail "state of '$name'" "$state" ;;
		esac
	done <<<"$out"
}

until_ended() {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(field "$1" State)" = running ] || return 0
		sleep 0.05
	done
	return 1
}

# Every image of the list runs, and its index names the same ones.
whole_images() {
	local name listed
	ok image ls --format '{{.ID}}' || return
	for name in $out; do
		ok run --rm --network none "$name" true || return
	done
	ok image ls --no-trunc --format '{{.Repository}}:{{.Tag}}' || return
	listed=$(grep -v '^<none>' <<<"$out" | sort)
	[ "$listed" = "$(jq -r '.manifests[].annotations["org.opencontainers.image.ref.name"] // empty' \
		"$CLEAVE_ROOT/images/index.json" | sort)" ] || fail "index.json agrees with the list" "$listed" "$(jq -c . "$CLEAVE_ROOT/images/index.json")"
}

remove_all() {
	local ids
	ok ps -aq --no-trunc || return
	# shellcheck disable=SC2086 # a list of ids
	ids=$out
	[ -z "$ids" ] || ok rm -f $ids
}

# What may be there after everything was removed is what was there before.
check_nothing_left() {
	local left i
	until_true settled
	for i in 1 2 3 4 5 6 7 8; do
		left=$(
			find "$CLEAVE_RUNROOT" -mindepth 1 -maxdepth 1 ! -name oci 2>/dev/null
			find "$CLEAVE_RUNROOT/oci" -mindepth 1 -maxdepth 1 ! -name .seccomp 2>/dev/null
			grep -F "$T/r" /proc/self/mountinfo
			find /sys/fs/cgroup{,/*}"$group" -mindepth 1 -type d 2>/dev/null
			pgrep -af "^sleep $nap|^cleave.* $CLEAVE_ROOT" || true
		)
		[ -n "$left" ] || break
		sleep 0.05 # what was killed just now is not waited for
	done
	[ -z "$left" ] || fail "nothing is left" "$left"
	left=$(store | diff "$base" - | grep '^[<>]')
	[ -z "$left" ] || fail "the store is as it was" "$left"
	flock -n "$CLEAVE_ROOT/tmp" true || fail "nobody holds the lock of tmp"
}

begin_store() {
	cleave run --rm -v /data cleave/tiny true
	cleave load -q -i "$T/saved.tar" >/dev/null
	prune
	until_true settled
	store >"$base"
}

# Nobody waits for the disk.
settled() { [ ! -e "$CLEAVE_ROOT/unsettled" ]; }

# Begin anew after a failure, so that the next one is another.
fresh_store() {
	local p
	for p in /sys/fs/cgroup{,/*}"$group"/*/freezer.state; do [ ! -e "$p" ] || echo THAWED >"$p"; done
	for p in /sys/fs/cgroup{,/*}"$group"/*/cgroup.freeze; do [ ! -e "$p" ] || echo 0 >"$p"; done
	for p in $(sleepers) $(pgrep -f "^cleave.* $CLEAVE_ROOT"); do kill -KILL "$p" 2>/dev/null; done
	sleep 0.1
	for p in /sys/fs/cgroup{,/*}"$group"/*/; do [ ! -d "$p" ] || rmdir "$p"; done
	cleave network prune -f >/dev/null 2>&1 || true
	rm -rf "${CLEAVE_ROOT:?}" "${CLEAVE_RUNROOT:?}"
	begin_store
}

time_left() { [ "$SECONDS" -lt "$deadline" ]; }

# sample_verbs - call "sample VERB" for all verbs, in an order that follows from the seed, as long as there is time
sample_verbs() {
	local order=("${verbs[@]}") i k v
	while time_left; do
		for ((i = ${#order[@]} - 1; i > 0; i--)); do
			k=$((RANDOM % (i + 1))) v=${order[i]}
			order[i]=${order[k]} order[k]=$v
		done
		for v in "${order[@]}"; do ! time_left || sample "$v"; done
	done
}
