# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # sourced by inner.sh; others use the arrays
#
# The engines that are compared: where their stores are, how each is called, whether it is here.
# All have the same busybox as image bench/busybox, no network, and files of one disk.

export CLEAVE_ROOT=$work/store CLEAVE_RUNROOT=/run/cleave-bench
unset DOCKER_HOST DOCKER_CONTEXT
cleave_cmd=("$cleave")
podman=("$(command -v podman)" --root "$work/podman" --runroot /run/podman-bench
	--tmpdir /run/podman-tmp --cgroup-manager cgroupfs --events-backend none)
docker=(/usr/bin/docker --config "$work/docker-client" -H unix:///run/docker-bench/sock)

# Options of `run`; a limit of processes or files cannot be raised here, which podman tries.
cleave_opts=(--network none --cgroup-parent "/$prefix-cleave")
podman_opts=(--network none --cgroup-parent "/$prefix-podman" --ulimit nofile=1024:1024
	--ulimit nproc=1024:1024 --log-driver k8s-file)
docker_opts=(--network none)
podman_run=("${podman[@]}" run --rm "${podman_opts[@]}")

# What removes an instance at once, running or not
cleave_remove=("${cleave_cmd[@]}" rm -f)
podman_remove=("${podman[@]}" rm --force --time 0)
docker_remove=("${docker[@]}" rm --force)

# "here", or why the engine is absent
cleave_state='' podman_state='' docker_state=''

# The root file system of the bundle as a tarball on standard output
root_tar() { tar -C "$work/true/rootfs" -c .; }

# Sets $cleave_state and $podman_state.
find_engines() {
	[ -z "$cleave_state" ] || return 0
	cleave_state=here podman_state=here
	if [ ! -x "$cleave" ]; then
		cleave_state="no program '$cleave'"
	elif ! root_tar | "${cleave_cmd[@]}" image import - bench/busybox >"$work/log" 2>&1 ||
		! "${cleave_cmd[@]}" run --rm "${cleave_opts[@]}" bench/busybox true </dev/null >/dev/null 2>"$work/log"; then
		cleave_state="does not run here: $(tail -n 1 "$work/log")"
	fi
	if [ ! -x "${podman[0]}" ]; then
		podman_state="no podman"
	elif ! root_tar | "${podman[@]}" import - bench/busybox >"$work/log" 2>&1 ||
		! "${podman_run[@]}" bench/busybox true </dev/null >/dev/null 2>"$work/log"; then
		podman_state="does not run here: $(tail -n 1 "$work/log")"
	fi
}

# Starts Docker's daemon, which ends with this name space, and sets $docker_state.
find_docker() {
	[ -z "$docker_state" ] || return 0
	docker_state=here
	if [ ! -x "${docker[0]}" ] || [ ! -x /usr/sbin/dockerd ]; then
		docker_state="no docker"
		return 0
	fi
	mkdir -p "$work/docker" "$work/docker-client" /run/docker-bench
	cat >"$work/docker.json" <<-EOF
	{
		"data-root": "$work/docker", "exec-root": "/run/docker-bench/exec",
		"pidfile": "/run/docker-bench/pid", "deprecated-key-path": "$work/docker-key.json",
		"hosts": ["unix:///run/docker-bench/sock"], "bridge": "none", "iptables": false,
		"ip6tables": false, "ip-forward": false, "cgroup-parent": "/$prefix-docker",
		"exec-opts": ["native.cgroupdriver=cgroupfs"]
	}
	EOF
	TMPDIR=$work /usr/sbin/dockerd --config-file "$work/docker.json" </dev/null >"$work/docker.log" 2>&1 &
	for _ in {1..200}; do
		! "${docker[@]}" version >/dev/null 2>&1 || break
		sleep 0.1
	done
	if ! root_tar | "${docker[@]}" import - bench/busybox >"$work/log" 2>&1 ||
		! "${docker[@]}" run --rm "${docker_opts[@]}" bench/busybox true </dev/null >/dev/null 2>"$work/log"; then
		docker_state="does not run here: $(tail -n 1 "$work/log")"
	fi
}

# present_engines SUBJECT NAME... - set $engines to those of the names that are here, and say who is not.
# Ratios are to the first.
engines=()
present_engines() {
	local name subject=$1
	shift
	find_engines
	[[ " $* " != *" docker "* ]] || find_docker
	engines=()
	for name in "$@"; do
		local -n state=${name}_state
		if [ "$state" = here ]; then
			engines+=("$name")
		else
			say "$subject" "$name" "$state"
		fi
	done
}

# Sets $cmd, $opts and $remove to what engine $1 is called with.
use_engine() {
	local command=$1
	[ "$1" != cleave ] || command=cleave_cmd # its path is in $cleave
	local -n c=$command o=${1}_opts r=${1}_remove
	cmd=("${c[@]}") opts=("${o[@]}") remove=("${r[@]}")
}
