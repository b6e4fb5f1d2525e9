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

# The store of the engine under test and that of podman, both in the work directory.
export CLEAVE_ROOT=$work/store CLEAVE_RUNROOT=/run/cleave-bench
podman=("$(command -v podman)" --root "$work/podman" --runroot /run/podman-bench
	--tmpdir /run/podman-tmp --cgroup-manager cgroupfs --events-backend none)
podman_run=("${podman[@]}" run --rm --network none --cgroup-parent "/$prefix-podman"
	--ulimit nofile=1024:1024 --ulimit nproc=1024:1024)
cleave_state='' podman_state=''

# Sets $cleave_state and $podman_state to "here" or to why the engine is absent.
find_engines() {
	[ -z "$cleave_state" ] || return 0
	cleave_state=here podman_state=here
	if [ ! -x "$cleave" ]; then
		cleave_state="no program '$cleave'"
	elif ! "$cleave" run --rm cleave/tiny true </dev/null >/dev/null 2>"$work/log"; then
		cleave_state="'run --rm cleave/tiny true' fails: $(tail -n 1 "$work/log")"
	fi
	if [ ! -x "${podman[0]}" ]; then
		podman_state="no podman"
	elif ! tar -C "$work/true/rootfs" -c . | "${podman[@]}" import - bench/busybox >"$work/log" 2>&1 ||
		! "${podman_run[@]}" bench/busybox true </dev/null >/dev/null 2>"$work/log"; then
		podman_state="does not run here: $(tail -n 1 "$work/log")"
	fi
}

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

# Prints the least of five times, in ms, that a command takes.
least_ms() {
	local start end ms least=
	for _ in 1 2 3 4 5; do
		start=$(date +%s%N)
		"$@" </dev/null >/dev/null 2>"$work/log" || return 1
		end=$(date +%s%N)
		ms=$(((end - start) / 1000000))
		[ -n "$least" ] && [ "$least" -le $ms ] || least=$ms
	done
	echo "$least"
}

# An instance with the work directory's data that writes a file, in the background, to its log.
logs_cleave() {
	"$cleave" rm -f bench-logs || true
	"$cleave" run -d --name bench-logs -v "$work/data:/data" cleave/tiny cat "/data/$1"
	"$cleave" wait bench-logs
}
logs_podman() {
	"${podman[@]}" rm -f bench-logs || true
	"${podman[@]}" run -d --network none --cgroup-parent "/$prefix-podman" --ulimit nofile=1024:1024 \
		--ulimit nproc=1024:1024 --log-driver k8s-file --name bench-logs -v "$work/data:/data" \
		bench/busybox cat "/data/$1"
	"${podman[@]}" wait bench-logs
}

# The rate of writing to the log, and whether it is all there.
measure_logs() {
	local name=$1 empty kind ms whole
	shift
	empty=$(least_ms "logs_$name" empty) || return 1
	for kind in lines short; do
		ms=$(least_ms "logs_$name" $kind) || return 1
		ms=$((ms - empty)) whole=complete
		[ "$("$@" logs bench-logs | sha256sum)" = "$(sha256sum <"$work/data/$kind")" ] || whole="NOT complete"
		if [ "$format" = json ]; then
			printf '{"subject":"logs","name":"%s","kind":"%s","ms":%d,"log":"%s"}\n' "$name" "$kind" "$ms" "$whole"
		else
			printf '  %-10s %-8s %8d ms %8d MB/s   %s\n' "$name" "$kind" "$ms" \
				$(($(stat -c %s "$work/data/$kind") / 1000 / (ms > 0 ? ms : 1))) "$whole"
		fi
	done
	"$@" rm -f bench-logs >/dev/null
}

subject_logs() {
	find_engines
	mkdir -p "$work/data"
	: >"$work/data/empty"
	awk 'BEGIN {for (i = 0; i < 2000000; i++) printf "%099d\n", i}' >"$work/data/lines"
	awk 'BEGIN {for (i = 0; i < 4000000; i++) print "y"}' >"$work/data/short"
	[ "$format" = json ] || printf 'logs (time from the start of an instance to its end, less that of one that writes nothing)\n'
	if [ "$podman_state" = here ]; then
		measure_logs podman "${podman[@]}" || say logs podman "fails: $(tail -n 1 "$work/log")"
	else
		say logs podman "$podman_state"
	fi
	if [ "$cleave_state" = here ]; then
		measure_logs cleave "$cleave" || say logs cleave "fails: $(tail -n 1 "$work/log")"
		[ "$format" = json ] || echo "  logs: goal for cleave: at most half of podman's time"
	else
		say logs cleave "$cleave_state"
	fi
	rm -rf "$work/data"
}

field() { awk -v name="$1:" '$1 == name {print $2}' "$2"; }

# Prints what the processes that are new since $before, outside of any container, occupy.
measure_memory() {
	local name=$1 p pid rss pss private sum_rss=0 sum_pss=0 sum_private=0 count=0
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
			[ "$format" = json ] || echo "  memory: goal for cleave: at most 500 KiB"
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
