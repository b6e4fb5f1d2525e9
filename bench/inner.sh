#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The measurements of run.sh, which starts this as the first process of new mount and pid
# name spaces: /run and /dev/shm are private, so the default state directories of all
# runtimes are empty and unshared; /proc shows only what the measurements started.
# shellcheck disable=SC2317 # the subject_ functions are called by their name in a variable
set -euo pipefail
trap 'exit 130' INT TERM
: "${here:?inner.sh is started by run.sh}" "${work:?}" "${prefix:?}" "${subjects:?}" "${rounds:?}"
: "${format:?}" "${oci:?}" "${cleave:?}"
failed=0 workload='' before=''

mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm

# Debian's crun refuses a host that has v1 controllers and a cgroup2 tree beside them. There
# all runtimes run without that tree. The controllers move to a directory of our own, because
# crun and podman also make directories for controllers that are not mounted.
if grep -q ' cgroup ' /proc/self/mounts; then
	cgroup=/sys/fs/cgroup
	[ "$format" = json ] || ! grep -q ' cgroup2 ' /proc/self/mounts ||
		echo "note: hybrid cgroups, measured without the cgroup2 tree"
	mkdir /run/cgroup
	find $cgroup -maxdepth 1 -type l -exec cp -a {} /run/cgroup \;
	awk -v top="$cgroup/" 'index($2, top) == 1 {print $3, substr($2, length(top) + 1)}' \
		/proc/self/mounts | while read -r type name; do
		if [ "$type" = cgroup ]; then
			mkdir "/run/cgroup/$name"
			mount --move "$cgroup/$name" "/run/cgroup/$name"
		else
			umount "$cgroup/$name"
		fi
	done
	umount $cgroup
	mount -t tmpfs -o mode=755 tmpfs $cgroup
	for from in /run/cgroup/*; do
		if [ -L "$from" ]; then
			mv "$from" $cgroup
		else
			mkdir "$cgroup/${from##*/}"
			mount --move "$from" "$cgroup/${from##*/}"
			rmdir "$from"
		fi
	done
	rmdir /run/cgroup
fi

say() {
	if [ "$format" = json ]; then
		printf '{"subject":"%s","name":"%s","absent":"%s"}\n' "$1" "$2" "$3"
	else
		printf '%s: %s is absent: %s\n' "$1" "$2" "$3"
	fi
}

pairs() {
	"$work/pairs" --rounds "$rounds" --format "$format" "$@" || failed=1
	[ "$format" = json ] || echo
}

# The OCI runtimes that are here and run the bundle, crun first: ratios are to it.
declare -A path=([crun]=$(command -v crun) [runc]=$(command -v runc) [cleave-oci]=$oci)
present=()
for name in crun runc cleave-oci; do
	if [ ! -x "${path[$name]}" ]; then
		say runtimes "$name" "no program '${path[$name]}'"
	elif ! "${path[$name]}" run --bundle "$work/true" "$prefix-$name" \
		</dev/null >"$work/log" 2>&1; then
		say runtimes "$name" "'run' of the bundle fails: $(tail -n 1 "$work/log")"
	else
		present+=("$name")
	fi
done

subject_run() {
	local args=()
	for name in "${present[@]}"; do
		args+=(@cmd "$name" @run "${path[$name]}" run --bundle "$work/true" "$prefix-$name")
	done
	pairs --subject run --goal cleave-oci:crun:0.5 --goal cleave-oci:runc:0.2 "${args[@]}" \
		@cmd floor @run "$work/floor" "$work/true/rootfs" /bin/true
}

# Two containers are started at once and a round lasts until both have ended.
subject_parallel() {
	local args=()
	for name in "${present[@]}"; do
		args+=(@cmd "$name" @run "${path[$name]}" run --bundle "$work/true" "$prefix-$name-{n}")
	done
	pairs --subject parallel --parallel 2 "${args[@]}" \
		@cmd floor @run "$work/floor" "$work/true/rootfs" /bin/true
}

subject_exec() {
	local args=() running=()
	for name in "${present[@]}"; do
		"${path[$name]}" run --detach --bundle "$work/sleep" "$prefix-$name" \
			</dev/null >/dev/null 2>"$work/log" ||
			{ say exec "$name" "run --detach fails: $(tail -n 1 "$work/log")"; continue; }
		running+=("$name")
		args+=(@cmd "$name" @run "${path[$name]}" exec "$prefix-$name" true)
	done
	pairs --subject exec --goal cleave-oci:crun:0.5 "${args[@]}" @cmd /bin/true @run /bin/true
	for name in "${running[@]}"; do
		"${path[$name]}" delete --force "$prefix-$name"
	done
}

# As Podman and conmon call a runtime: create with a pid file, start, the program ends and is
# reaped by the caller (not timed), delete.
subject_cycle() {
	local args=() id
	for name in "${present[@]}"; do
		id=$prefix-$name
		args+=(@cmd "$name"
			@run "${path[$name]}" create --bundle "$work/true" --pid-file "$work/$name.pid" "$id"
			@run "${path[$name]}" start "$id"
			@reap "$work/$name.pid"
			@run "${path[$name]}" delete --force "$id")
	done
	pairs --subject cycle --goal cleave-oci:crun:0.6 "${args[@]}"
}

# shellcheck source=bench/engines.sh
. "$here/engines.sh"
# shellcheck source=bench/verbs.sh
. "$here/verbs.sh"
# shellcheck source=bench/logs.sh
. "$here/logs.sh"
# shellcheck source=bench/scale.sh
. "$here/scale.sh"

subject_engine() {
	local args=()
	find_engines
	[ ! -x "${path[crun]}" ] ||
		args+=(@cmd crun @run "${path[crun]}" run --bundle "$work/true" "$prefix-crun")
	if [ "$podman_state" = here ]; then
		args+=(@cmd podman @run "${podman_run[@]}" bench/busybox true)
	else
		say engine podman "$podman_state"
	fi
	if [ "$cleave_state" = here ]; then
		args+=(@cmd cleave @run "$cleave" run --rm cleave/tiny true)
	else
		say engine cleave "$cleave_state"
	fi
	pairs --subject engine --goal cleave:crun:1.2 --goal cleave:podman:0.1 "${args[@]}"
}

field() { awk -v name="$1:" '$1 == name {print $2}' "$2"; }

# Prints what the processes that are new since $before, outside of any container, occupy. Sets $sum_rss and $count.
measure_memory() {
	local name=$1 p pid rss pss private sum_pss=0 sum_private=0
	sum_rss=0 count=0
	for p in /proc/[0-9]*; do
		pid=${p#/proc/}
		[[ " $before " != *" $pid "* ]] || continue
		[ "$(readlink "$p/ns/pid")" = "$(readlink /proc/self/ns/pid)" ] || continue
		[ -r "$p/smaps_rollup" ] || continue
		rss=$(field Rss "$p/smaps_rollup") pss=$(field Pss "$p/smaps_rollup")
		private=$(awk '/^Private_/ {n += $2} END {print n + 0}' "$p/smaps_rollup")
		[ -n "$rss" ] || continue
		if [ "$format" = json ]; then
			printf '{"subject":"memory","name":"%s","process":"%s","rss_kib":%d,"pss_kib":%d,"private_kib":%d}\n' \
				"$name" "$(cat "$p/comm")" "$rss" "$pss" "$private"
		else
			printf '  %-14s %-16s %9d %9d %9d\n' "$name" "$(cat "$p/comm")" "$rss" "$pss" "$private"
		fi
		sum_rss=$((sum_rss + rss)) sum_pss=$((sum_pss + pss))
		sum_private=$((sum_private + private)) count=$((count + 1))
	done
	if [ "$format" = json ]; then
		printf '{"subject":"memory","name":"%s","processes":%d,"rss_kib":%d,"pss_kib":%d,"private_kib":%d}\n' \
			"$name" "$count" "$sum_rss" "$sum_pss" "$sum_private"
	else
		printf '  %-14s %-16s %9d %9d %9d\n' "$name" "all $count" "$sum_rss" "$sum_pss" "$sum_private"
	fi
}

# Waits, at most 10 s, for a process in another pid name space: the workload runs. Sets $workload.
wait_for_workload() {
	local p
	for _ in {1..100}; do
		for p in /proc/[0-9]*; do
			[[ " $before " == *" ${p#/proc/} "* ]] && continue
			[ "$(cat "$p/comm" 2>/dev/null)" = sleep ] || continue
			[ "$(readlink "$p/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] || continue
			workload=${p#/proc/}
			return 0
		done
		sleep 0.1
	done
	return 1
}

# Notes the processes that there are, in $before.
processes() {
	local p
	before=''
	for p in /proc/[0-9]*; do
		before+=" ${p#/proc/}"
	done
}

subject_memory() {
	find_engines
	[ "$format" = json ] || printf 'memory (KiB resident in the processes an idle instance adds to its workload)\n  %-14s %-16s %9s %9s %9s\n' \
		'' process RSS PSS private
	if [ "$podman_state" = here ]; then
		processes
		"${podman_run[@]}" --name bench-memory --detach bench/busybox sleep 100000 >/dev/null </dev/null
		if wait_for_workload; then
			measure_memory podman
		else
			say memory podman "its workload did not start"
		fi
		"${podman[@]}" rm --force --time 0 bench-memory >/dev/null
	else
		say memory podman "$podman_state"
	fi
	if [ "$cleave_state" = here ]; then
		processes
		"$cleave" run --rm cleave/tiny sleep 100000 >/dev/null </dev/null &
		if wait_for_workload; then
			measure_memory cleave
			if [ "$format" = json ]; then
				printf '{"subject":"memory","name":"cleave","processes":%d,"kib":%d,"goal_kib":500}\n' "$count" "$sum_rss"
			else
				echo "  memory: goal for cleave: at most 500 KiB"
			fi
			kill -KILL "$workload"
			wait $! || true # the workload was killed, so this reports 137
		else
			say memory cleave "its workload did not start"
			kill $!
		fi
	else
		say memory cleave "$cleave_state"
	fi
}

for subject in $subjects; do
	"subject_$subject"
done
exit "$failed"
