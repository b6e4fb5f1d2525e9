#!/bin/bash
# SPDX-License-Identifier: MIT
#
# vm.sh [ROUNDS]: instances in virtual machines on the software CPU, beside QEMU (TCG; microvm, q35)
#
# Times of `cleave run --rm --vm` of the embedded image running `true`, and what QEMU needs from exec until the init of its
# guest runs, with the same kernel and command line, in turns; the parts of a start; programs and bytes in and out of a
# machine that runs; memory of one machine and of several, which have read files of their image.
# Environment: CLEAVE_BIN (build/bin), MACHINES (10: how many for the last table).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "${CLEAVE_BIN:-$here/../build/bin}")
rounds=${1:-10}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { sed -n '4,10s/^# \{0,1\}//p' "$0"; exit 2; }
[ "$(id -u)" = 0 ] || { echo "vm.sh: must run as root" >&2; exit 1; }
for program in qemu-system-x86_64 cpio debugfs strace cc; do
	command -v $program >/dev/null || { echo "vm.sh: $program is not installed" >&2; exit 1; }
done
image=$("$here/../tests/guest/setup.sh")
work=$(mktemp -d)
export CLEAVE_ROOT=$work/root CLEAVE_RUNROOT=$work/run
cleave() { "$bin/cleave" "$@"; }
clean_up() {
	cleave ps -aq | xargs -r "$bin/cleave" rm -f >/dev/null
	cleave network prune -f >/dev/null
	rm -rf "$work"
}
trap clean_up EXIT
mkdir "$work/modules"
debugfs -R "rdump /lib/modules $work/modules" "$image/root.img" 2>/dev/null
cleave kernel add --modules "$work"/modules/modules/* "$image/vmlinuz" >/dev/null
vm=(--vm --accel soft --network none cleave/tiny)

# QEMU's guest says that its init runs
mkdir -p "$work/q/dev"
mknod "$work/q/dev/console" c 5 1
cat >"$work/init.c" <<'C'
#include <sys/reboot.h>
#include <unistd.h>
int main(void) { (void) !write(1, "INIT\n", 5); return reboot(RB_POWER_OFF); }
C
cc -O2 -static -o "$work/q/init" "$work/init.c"
(cd "$work/q" && find . | cpio -o -H newc 2>/dev/null) >"$work/initrd"
append='console=ttyS0 quiet cryptomgr.notests reboot=k panic=-1 init_on_alloc=0 rdinit=/init'

now() { echo $((${EPOCHREALTIME/./} / 1000)); }
# to_init OPTION... - milliseconds until init runs, nothing when it does not
to_init() {
	local from line pid
	from=$(now)
	exec 9< <(exec timeout 120 qemu-system-x86_64 "$@" -accel tcg -cpu max -m 256M -nodefaults -no-user-config -display none \
		-no-reboot -serial stdio -kernel "$image/vmlinuz" -initrd "$work/initrd" -append "$append" </dev/null 2>/dev/null)
	pid=$!
	while read -r line <&9; do
		case $line in *INIT*) echo $(($(now) - from)) && break ;; esac
	done
	exec 9<&-
	kill "$pid" 2>/dev/null || true # one without a power button stays
	wait "$pid" 2>/dev/null || true
}
ours() {
	local from
	from=$(now)
	cleave run --rm "${vm[@]}" true </dev/null && echo $(($(now) - from))
}
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)]; else print "-" }'; }

ours >/dev/null # files are read once
for ((i = 0; i < rounds; i++)); do
	ours >>"$work/ours"
	to_init -M microvm,acpi=off,rtc=on,pit=on,pic=on >>"$work/microvm"
	to_init -M q35 >>"$work/q35"
done
a=$(median <"$work/ours") m=$(median <"$work/microvm") q=$(median <"$work/q35")
echo "| start | ms |"
echo "|---|---|"
echo "| cleave run --rm --vm, whole | $a |"
echo "| QEMU microvm, to init | $m |"
echo "| QEMU q35, to init | $q |"
awk -v a="$a" -v m="$m" -v q="$q" 'BEGIN { b = m == "-" || (q != "-" && q + 0 < m + 0) ? q : m; if (b > 0) printf "| quotient, to the faster | %.2f |\n\n", a / b }'

# The parts: system calls of the host that mark them, and what the guest's kernel says
strace -f -ttt --seccomp-bpf -e trace=execve,connect,exit_group,pidfd_send_signal,clone,clone3,fork,vfork -e signal=none -o "$work/trace" \
	"$bin/cleave" run --rm "${vm[@]}" true </dev/null
cleave run --rm --cap-add SYSLOG "${vm[@]}" dmesg >"$work/dmesg"
awk '
	FNR == NR { if (match($0, /\[ *[0-9.]+\]/)) { t = substr($0, RSTART + 1, RLENGTH - 2) * 1000; if (/Run \/init/) init = t; if (/fuse: init/) fuse = t; last = t } next }
	{ t = $2 * 1000 }
	!begin { begin = t }
	/execve.*cleave-vmm"/ && !vmm { vmm = t; machine = $1 }
	vmm && !cpu && $1 == machine && /(clone|fork)/ { made = t }
	/connect.*vsock_1025/ && !ready { ready = t; cpu = made }
	/connect.*"vsock"/ && !asked { asked = t }
	asked && !over && /pidfd_send_signal.*SIGKILL/ { over = t }
	{ end = t }
	END {
		if (!fuse) fuse = last
		print "| part | ms |"; print "|---|---|"
		printf "| cleave, until cleave-vmm runs | %.0f |\n", vmm - begin
		printf "| cleave-vmm, until its last thread or process begins | %.0f |\n", cpu - vmm
		printf "| kernel, until init | %.0f |\n", ready - cpu - (last - init)
		printf "| init: modules | %.0f |\n", fuse - init
		printf "| init: mount, until it is ready | %.0f |\n", last - fuse
		printf "| mounts of the instance, workload | %.0f |\n", over - ready
		printf "| teardown | %.0f |\n\n", end - over
	}' "$work/dmesg" "$work/trace"

cleave run -d --name one "${vm[@]}" sleep 100000 >/dev/null
cleave exec one true
for ((i = 0; i < rounds * 3; i++)); do
	from=$(now)
	cleave exec one true
	echo $(($(now) - from))
done >"$work/exec"
rate() { # bytes per second of 64 MB through a command
	local from
	from=$(now)
	"$@" >/dev/null
	echo $((65536000 / ($(now) - from) / 1000))
}
echo "| in a machine that runs | |"
echo "|---|---|"
echo "| exec true | $(median <"$work/exec") ms |"
echo "| standard output | $(rate cleave exec one dd if=/dev/zero bs=64k count=1000 2>/dev/null) MB/s |"
head -c 65536000 /dev/zero >"$work/zero"
echo "| standard input | $(rate cleave exec -i one dd of=/dev/null bs=64k <"$work/zero" 2>/dev/null) MB/s |"
echo

# Shares of memory, in KiB for each of $1 machines: the guest's; the image's pages, which all of them use; what processors in
# software translated and remember; all else of the monitor, the process that stands for the program, and the machine
beyond() {
	local id pid p
	for id in $(cleave ps -q); do
		pid=$(cleave inspect -f '{{.State.Pid}}' "$id")
		for p in "$(awk '{ print $4 }' "/proc/$pid/stat")" "$pid" $(pgrep -P "$pid") $(pgrep -P "$(pgrep -P "$pid")"); do
			echo "process $(tr "\0" " " <"/proc/$p/cmdline")"
			cat "/proc/$p/smaps"
		done || true
	done | awk -v n="$1" -v what="$2" '
		/^process / { soft = $2 ~ /^cleave-vmm:/ }
		/^[0-9a-f]+-[0-9a-f]+ / { name = $6 }
		/^Pss:/ {
			if (name ~ /guest-memory/) guest += $2
			else if (name ~ /\/erofs$/) image += $2
			else if (soft && (name == "" || name ~ /memfd:code|\[heap\]/)) code += $2
			else own += $2
		}
		END { printf "| %s | %d | %d | %d | %d | %d |\n", what, n, guest / n, image / n, code / n, own / n }'
}
machines() { # WHAT OPTION... - one and several of them
	local i
	cleave run -d --vm --accel soft --network none "${@:2}" >"$work/id"
	cleave exec "$(cat "$work/id")" cat /data >/dev/null
	beyond 1 "$1"
	for ((i = 1; i < ${MACHINES:-10}; i++)); do
		cleave run -d --vm --accel soft --network none "${@:2}" >"$work/id"
		cleave exec "$(cat "$work/id")" cat /data >/dev/null
	done
	beyond "${MACHINES:-10}" "$1"
	cleave ps -q | xargs "$bin/cleave" rm -f >/dev/null
}
cleave rm -f one >/dev/null
mkdir "$work/image"
cleave run --name files cleave/tiny true && cleave export files | tar -x -C "$work/image"
cleave rm files >/dev/null
head -c 64M /dev/urandom >"$work/image/data"
tar -c -C "$work/image" . | cleave import - image >/dev/null
locks=() # who would make the image's file system does not wait for the lock of its layer
for layer in "$work"/root/layers/*/; do
	exec {lock}<"$layer"
	flock "$lock" && locks+=("$lock")
done
echo "| after reading 64 MiB of the image | machines | guest, KiB each | image | caches of processors in software | all else on the host |"
echo "|---|---|---|---|---|---|"
machines "shared directory" image sleep 100000
for lock in "${locks[@]}"; do exec {lock}<&-; done
cleave run --rm --vm --accel soft --network none image true
until [ "$(find "$work/root/layers" -name erofs | wc -l)" -ge 2 ]; do sleep 0.1; done # that of the embedded image is there already
machines "image as memory, with a layer that is written" image sleep 100000
machines "image as memory (--read-only)" --read-only image sleep 100000
