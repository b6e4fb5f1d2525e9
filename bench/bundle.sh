#!/bin/bash
# SPDX-License-Identifier: MIT
#
# bundle.sh DIR [COMMAND...] - make an OCI bundle that runs COMMAND (default: true)
#
# The root file system is Debian's busybox-static. config.json holds what Docker gives a
# container without options: capabilities, seccomp profile, mounts, device rules, masked and
# read-only paths; with a cgroup namespace. The seccomp profile is the one of Debian's Docker
# sources: SECCOMP_PROFILE names it, or it is taken from the package and kept in
# $SECCOMP_CACHE (default: a temporary directory).
set -euo pipefail

dir=${1:?usage: bundle.sh DIR [COMMAND...]}
shift
[ $# -gt 0 ] || set -- true

# Prints the path of Docker's default.json, which Debian ships in a package of Go sources.
# The package is unpacked, not installed: only this one file is wanted.
docker_profile() {
	local cache=$1 work get
	if [ ! -s "$cache/docker-seccomp.json" ]; then
		work=$(mktemp -d)
		cd "$work"
		get=(apt-get -qq -o APT::Sandbox::User=root download golang-github-docker-docker-dev)
		"${get[@]}" || { apt-get -qq update && "${get[@]}"; } >&2
		cd - >/dev/null
		dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work" --wildcards \
			'*/docker/docker/profiles/seccomp/default.json'
		mkdir -p "$cache"
		find "$work" -name default.json -exec cp {} "$cache/docker-seccomp.json" \;
		rm -rf "$work"
	fi
	echo "$cache/docker-seccomp.json"
}

profile=${SECCOMP_PROFILE:-$(docker_profile "${SECCOMP_CACHE:-${TMPDIR:-/tmp}/cleave-bench-cache}")}

mkdir -p "$dir/rootfs"/{bin,dev,etc,proc,root,sys,tmp}
cp "$(command -v busybox)" "$dir/rootfs/bin/busybox"
for applet in $("$dir/rootfs/bin/busybox" --list); do
	[ "$applet" = busybox ] || ln -sf busybox "$dir/rootfs/bin/$applet"
done
echo 'root:x:0:0:root:/root:/bin/sh' >"$dir/rootfs/etc/passwd"
echo 'root:x:0:' >"$dir/rootfs/etc/group"

# The profile's rules depend on architecture, capabilities and kernel; runtimes take only
# the result. A rule without a condition, or whose condition holds, stays.
jq -n --slurpfile profile "$profile" --args '
def caps: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD",
	"CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
	"CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"];
def none(list): (list // []) | all(. as $x | $x != "amd64" and (caps | index($x)) == null);
def applies:
	((.includes.arches // ["amd64"]) | index("amd64")) != null
	and ((.includes.caps // []) - caps == [])
	and none(.excludes.arches) and none(.excludes.caps)
	and .excludes.minKernel == null;
def seccomp: $profile[0] | {
	defaultAction,
	architectures: [.archMap[] | select(.architecture == "SCMP_ARCH_X86_64")
		| .architecture, .subArchitectures[]],
	syscalls: [.syscalls[] | select(applies) | {names, action}
		+ (if .errnoRet then {errnoRet} else {} end)
		+ (if (.args // []) != [] then {args} else {} end)]
} + ($profile[0].defaultErrnoRet | if . then {defaultErrnoRet: .} else {} end);
def device(allow; major; minor):
	{allow: allow, type: "c", major: major, minor: minor, access: "rwm"};
{
	ociVersion: "1.0.2",
	process: {
		terminal: false,
		user: {uid: 0, gid: 0},
		args: $ARGS.positional,
		env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
		cwd: "/",
		capabilities: {bounding: caps, effective: caps, permitted: caps},
		oomScoreAdj: 0
	},
	root: {path: "rootfs"},
	hostname: "bench",
	mounts: [
		{destination: "/proc", type: "proc", source: "proc",
			options: ["nosuid", "noexec", "nodev"]},
		{destination: "/dev", type: "tmpfs", source: "tmpfs",
			options: ["nosuid", "strictatime", "mode=755", "size=65536k"]},
		{destination: "/dev/pts", type: "devpts", source: "devpts",
			options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
		{destination: "/sys", type: "sysfs", source: "sysfs",
			options: ["nosuid", "noexec", "nodev", "ro"]},
		{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
			options: ["ro", "nosuid", "noexec", "nodev"]},
		{destination: "/dev/mqueue", type: "mqueue", source: "mqueue",
			options: ["nosuid", "noexec", "nodev"]},
		{destination: "/dev/shm", type: "tmpfs", source: "shm",
			options: ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]}
	],
	linux: {
		resources: {devices: [
			{allow: false, access: "rwm"},
			device(true; 1; 5), device(true; 1; 3), device(true; 1; 9), device(true; 1; 8),
			device(true; 5; 0), device(true; 5; 1), device(false; 10; 229)
		]},
		namespaces: [{type: "mount"}, {type: "network"}, {type: "uts"}, {type: "pid"},
			{type: "ipc"}, {type: "cgroup"}],
		maskedPaths: ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys",
			"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
			"/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
		readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
			"/proc/sysrq-trigger"],
		seccomp: seccomp
	}
}' "$@" >"$dir/config.json"
