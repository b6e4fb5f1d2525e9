#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Run a script as root inside a small Debian guest; see README.md.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)

usage() {
	cat <<'USAGE'
usage: run.sh [OPTION]... -- SCRIPT [ARGUMENT]...

  --mode busybox|systemd    what PID 1 is (busybox: a shell script, the default)
  --cgroup v2|hybrid|v1     control group layout (v2)
  --cpus N                  processors (2)
  --memory M                memory in MiB (1024)
  --timeout S               seconds until the guest is killed (180)
  --silence S               instead: seconds in which the script prints no line until the guest is killed, for work
                            that takes as long as this host lets it
  --add HOST:GUEST          copy a file or directory into the guest; may be repeated
  --console FILE            keep the kernel's messages in FILE
  --accel tcg|icount|kvm    how to run the guest's processor (tcg); icount: one instruction is one nanosecond,
                            so that times can be compared whatever else the machine does; with --cpus 1

Exit status: that of SCRIPT (77: skipped), 1 if the guest died, 124 after the timeout.
USAGE
}

die() {
	echo "guest: $*" >&2
	exit 1
}

number() {
	[[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || die "$1: '$2' is not a number from 1 to 999999"
}

# Append the file or directory $2 to the archive $1 under the absolute guest path $3.
archive() {
	local tar=$1 host guest base
	host=$(readlink -e "$2") || die "--add: no such file on this host: $2"
	[[ $3 == /* ]] || die "--add: the guest path is not absolute: $3"
	# shellcheck disable=SC2001 # what & means in ${//} depends on the version of bash
	guest=$(sed 's/[\\&,]/\\&/g' <<<"${3#/}")
	if [ -d "$host" ]; then
		tar -rf "$tar" -C "$host" --transform="s,^\.\(/\|\$\),${guest%/}\1,rhS" .
	else
		base=$(basename "$host")
		tar -rf "$tar" -C "$(dirname "$host")" --transform="s,^.*\$,$guest,rhS" "./$base"
	fi
}

# Pass lines on; when none comes for so long, the guest is killed.
lines() {
	local line status=0
	while [ $status = 0 ]; do
		IFS= read -r -t "$silence" line || status=$?
		[ $status = 0 ] && printf '%s\n' "$line" || printf %s "$line"
	done
	[ $status -gt 128 ] || return 0
	touch "$work/silent"
	kill "$(cat "$work/pid")"
}

mode=busybox cgroup=v2 cpus=2 memory=1024 timeout=180 silence='' console='' accel=tcg add=() icount=()
while [ $# -gt 0 ]; do
	case $1 in
	--help)
		usage
		exit 0
		;;
	--)
		shift
		break
		;;
	--mode | --cgroup | --cpus | --memory | --timeout | --silence | --console | --accel | --add)
		[ $# -ge 2 ] || die "$1 needs a value"
		case $1 in
		--add) add+=("$2") ;;
		--cpus | --memory | --timeout | --silence) number "$1" "$2" ;;&
		*) declare "${1#--}=$2" ;;
		esac
		shift 2
		;;
	*)
		usage >&2
		die "unknown argument: $1"
		;;
	esac
done
[ $# -ge 1 ] || die "no script given (after --)"
[ -r "$1" ] || die "cannot read the script: $1"

case $cgroup in
v2) layout="systemd.unified_cgroup_hierarchy=1" ;;
hybrid) layout="systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=0" ;;
v1) layout="systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1" ;;
*) die "--cgroup: '$cgroup' is not v2, hybrid or v1" ;;
esac
case $mode in
busybox) init=/guest/init ;;
systemd) init=/lib/systemd/systemd ;;
*) die "--mode: '$mode' is not busybox or systemd" ;;
esac
case $accel in
tcg) accel=tcg,tb-size=256 ;;
icount) accel=tcg,tb-size=256 icount=(-icount "shift=0,sleep=off") ;;
kvm) ;;
*) die "--accel: '$accel' is not tcg, icount or kvm" ;;
esac
command -v qemu-system-x86_64 >/dev/null ||
	die "qemu-system-x86_64 is not installed (see tests/guest/packages.txt)"
image=$("$here/setup.sh")

work=$(mktemp -d "${TMPDIR:-/tmp}/guest.XXXXXX")
trap 'rm -rf "$work"' EXIT
script=$1
shift
printf '%q ' exec /guest/script "$@" >"$work/start"
for pair in "${add[@]}"; do
	[[ $pair == *:* ]] || die "--add: '$pair' is not HOST:GUEST"
	archive "$work/files.tar" "${pair%%:*}" "${pair#*:}"
done
install -m 755 "$script" "$work/script"
archive "$work/files.tar" "$work/start" /guest/start
archive "$work/files.tar" "$work/script" /guest/script

# The script's output comes through a named pipe, so that a terminal keeps its settings and a log
# file is appended to. Opening it for both directions at the end releases a reader that QEMU never
# reached.
mkfifo "$work/output"
if [ -n "$silence" ]; then
	timeout=0 # none
	lines <"$work/output" &
else
	cat "$work/output" &
fi
cat=$!
TMPDIR=$work timeout --kill-after=5 "$timeout" qemu-system-x86_64 \
	-pidfile "$work/pid" -nodefaults -no-user-config -display none -no-reboot -nic none \
	-machine q35,hpet=off -accel "$accel" "${icount[@]}" -cpu max -smp "$cpus" -m "$memory" \
	-kernel "$image/vmlinuz" -initrd "$image/initrd" \
	-append "console=ttyS0 quiet panic=-1 cryptomgr.notests init_on_alloc=0 pci=lastbus=0 no_timer_check \
net.ifnames=0 psi=1 swapaccount=1 apparmor=1 lsm=landlock,yama,apparmor,bpf \
systemd.show_status=0 $layout guest.cgroup=$cgroup guest.init=$init" \
	-drive "file=$image/root.img,format=raw,if=virtio,snapshot=on" \
	-drive "file=$work/files.tar,format=raw,if=virtio,readonly=on" \
	-chardev "file,id=console,path=$work/console" -serial chardev:console \
	-chardev "file,id=output,path=$work/output" \
	-chardev "file,id=status,path=$work/status" -device virtio-serial-pci \
	-device virtserialport,chardev=output,name=output \
	-device virtserialport,chardev=status,name=status </dev/null >&2 &
qemu=$!
trap 'kill $qemu; exit 130' INT TERM
code=0
wait $qemu || code=$?
: <>"$work/output"
wait $cat || true

if [ -n "$console" ]; then
	cp "$work/console" "$console" || echo "guest: no console log" >&2
fi
status=$(cat "$work/status" 2>/dev/null || true)
if [[ $status =~ ^[0-9]{1,3}$ ]]; then
	exit "$status"
fi
tail -n 60 "$work/console" >&2 || true
if [ "$code" = 124 ] || [ -e "$work/silent" ]; then
	echo "guest: killed after ${silence:-$timeout} seconds${silence:+ of silence}; the last kernel messages are above" >&2
	exit 124
fi
die "the guest ended without an exit status (qemu: $code); the last kernel messages are above"
