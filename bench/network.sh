#!/bin/bash
# SPDX-License-Identifier: MIT
#
# network.sh [ROUNDS] - what networks cost, beside podman and docker where they run: a container on a bridge beside one
# without a network, `run -d -p` until the first answer to an HTTP request, what passes between two containers of a
# network, to the host and through a published port, and many instances with a port each: time, rules, processes. Rounds
# are interleaved; figures are medians. What virtual machines send and get: devices.sh.
#
# Everything happens in name spaces of its own for networks and processes, which end with the script.
#
# Environment: CLEAVE (build/bin/cleave), INSTANCES (200); MIB (2048) and TRIPS (20000) of each measurement of what passes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ "${2:-}" != inside ]; then
	exec unshare --net --mount --pid --fork --mount-proc "$0" "${1:-20}" inside
fi
cleave=$(realpath "${CLEAVE:-$here/../build/bin/cleave}")
work=$(mktemp -d)
mount -t tmpfs tmpfs /run
ip link set lo up
export CLEAVE_ROOT=$work/root CLEAVE_RUNROOT=/run/cleave-bench
# with our runtime, since crun does not run on every host
podman=(podman --runtime "$(dirname "$cleave")/cleave-oci" --root "$work/podman" --runroot /run/podman-bench --tmpdir /run/podman-tmp
	--network-config-dir "$work/podman-networks" --cgroup-manager cgroupfs --events-backend none --log-level error)
docker=(/usr/bin/docker --config "$work/docker-client" -H unix:///run/docker-bench/sock)
end() {
	"$cleave" ps -aq | xargs -r "$cleave" rm -f >/dev/null
	"$cleave" network prune -f >/dev/null
	"${podman[@]}" rm -fa --time 0 >/dev/null 2>&1 || true
	"${docker[@]}" ps -aq 2>/dev/null | xargs -r "${docker[@]}" rm -f >/dev/null 2>&1 || true
	[ ! -s /run/docker-bench/pid ] || kill "$(cat /run/docker-bench/pid)" || true
	wait
	umount -R "$work/docker" "$work/podman" 2>/dev/null || true
	rm -rf "$work" || true
}
trap end EXIT

mkdir -p "$work/fs/bin" "$work/fs/www" "$work/fs/tmp" "$work/docker-client" /run/docker-bench
cp /bin/busybox "$work/fs/bin/busybox"
for name in sh httpd sleep true; do ln -s busybox "$work/fs/bin/$name"; done
echo page >"$work/fs/www/index.html"
tar -C "$work/fs" -cf "$work/fs.tar" .
"$cleave" image import "$work/fs.tar" bench/web >/dev/null
engines=("cleave=$cleave")
if command -v podman >/dev/null && "${podman[@]}" import -q "$work/fs.tar" localhost/bench/web >/dev/null 2>&1; then
	engines+=("podman=${podman[*]}")
fi
if [ -x "${docker[0]}" ] && [ -x /usr/sbin/dockerd ]; then
	cat >"$work/docker.json" <<-EOF
	{
		"data-root": "$work/docker", "exec-root": "/run/docker-bench/exec", "pidfile": "/run/docker-bench/pid",
		"deprecated-key-path": "$work/docker-key.json", "hosts": ["unix:///run/docker-bench/sock"],
		"exec-opts": ["native.cgroupdriver=cgroupfs"]
	}
	EOF
	TMPDIR=$work /usr/sbin/dockerd --config-file "$work/docker.json" </dev/null >"$work/docker.log" 2>&1 &
	for _ in {1..200}; do
		! "${docker[@]}" version >/dev/null 2>&1 || break
		sleep 0.1
	done
	if "${docker[@]}" import "$work/fs.tar" bench/web >/dev/null 2>&1 && "${docker[@]}" run --rm bench/web true >/dev/null 2>"$work/log"; then
		engines+=("docker=${docker[*]}")
	else
		echo "docker does not run here: $(tail -n 1 "$work/log" "$work/docker.log" 2>/dev/null | tail -n 1)"
	fi
fi
cc -std=gnu17 -D_GNU_SOURCE -O2 -o "$work/netload" "$here/netload.c"
INSTANCES=${INSTANCES:-200} python3 "$here/network.py" "$work/netload" "$1" "${engines[@]}"
