#!/bin/bash
# SPDX-License-Identifier: MIT
# A debugger at the machine's socket: Debian's gdb stops Linux at an address, looks around, steps, and lets it go on.
# ACCEL, KERNEL: with another accelerator than soft, another kernel than that of the guests' image.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${CLEAVE_BIN:-$here/../../build/bin}
command -v gdb >/dev/null || { echo "skip: gdb is not installed"; exit 77; }
if [ -z "${KERNEL:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "skip: building the guest's image needs root"; exit 77; }
	image=$("$here/../guest/setup.sh") || exit 1
	KERNEL=$image/vmlinuz
fi
work=$(mktemp -d)
vmm=
trap 'exec 3>&-; [ -z "$vmm" ] || kill "$vmm" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

fail() {
	failed=1
	echo "FAIL $*"
	sed 's/^/    /' log err gdb.log 2>/dev/null
}

mkdir -p root/{bin,proc,dev}
cp "$(command -v busybox)" root/bin/
cat >root/init <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox grep -E ' T __x64_sys_sync$' /proc/kallsyms
while :; do /bin/busybox sync; /bin/busybox sleep 0.1; done &
echo READY
read -r line
echo "READ $line"
/bin/busybox poweroff -f
INIT
chmod +x root/init
(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >initrd

# start OPTION...: a machine whose serial port reads the pipe "typed"
start() {
	rm -f typed
	mkfifo typed
	exec 3<>typed
	timeout 150 "$bin/cleave-vmm" --accel "${ACCEL:-soft}" --kernel "$KERNEL" --gdb unix:gdb "$@" >log 2>err <typed &
	vmm=$!
}

until_socket() {
	for _ in $(seq 300); do
		[ -S gdb ] && return
		sleep 0.1
	done
}

# debug COMMAND...: what gdb says to them is in gdb.log
debug() {
	printf '%s\n' "set pagination off" "set confirm off" "set remotetimeout 100" "target remote gdb" "$@" >commands
	timeout 100 gdb -nx -batch -x commands >gdb.log 2>&1 || fail "gdb's exit status"
}

# said NAME REGEX...: each is in a line of gdb.log, one after the other
said() {
	local name=$1 at=0 n regex
	shift
	for regex; do
		n=$(tail -n +$((at + 1)) gdb.log | grep -nE -m 1 -- "$regex" | cut -d: -f1)
		[ -n "$n" ] || { fail "$name: no '$regex'"; return; }
		at=$((at + n))
	done
}

# ended NAME STATUS: the machine ends with it
ended() {
	local status=0
	wait "$vmm" || status=$?
	vmm=
	[ $status = "$2" ] || fail "$1: exit status $status, not $2"
	[ ! -e gdb ] || fail "$1: the socket is still there"
}

linux=(--initrd initrd --append "console=ttyS0 quiet cryptomgr.notests panic=-1 init_on_alloc=0")
start --paused "${linux[@]}"
until_socket
# shellcheck disable=SC2016 # the registers are gdb's
debug 'print/x $rip' 'info registers cr0 rbx' 'x/1xg $rip' 'stepi' 'detach'
said "before the first instruction" '^\$1 = 0x[0-9a-f]+' '^cr0 ' '^rbx ' ':.0x' '^0x.* in ' 'detached'
for _ in $(seq 1500); do
	grep -q READY log && break
	sleep 0.1
done
address=0x$(awk '/__x64_sys_sync/ { print $1 }' log)
# shellcheck disable=SC2016
debug "break *$address" continue 'print/x $rip' 'print $cs & 3' 'x/1i $pc' stepi 'print/x $rip != '"$address" \
	delete "hbreak *$address" continue 'print/x $pc' delete 'set $xmm15.v2_int64[1] = 0x1234' \
	'print/x $xmm15.v2_int64[1]' 'info threads' "x/1xb $address" 'set var *(char *) '"$address = *(char *) $address" \
	'shell echo go >typed' continue
said "a breakpoint" "Breakpoint 1, $address" "^\\\$1 = $address" '^\$2 = 0$' "=> $address" '^\$3 = 0x1$' "Breakpoint 2, $address" \
	"^\\\$4 = $address" '^\$5 = 0x1234$' 'Thread 1 \(processor 0\)' "^$address:" 'exited normally'
ended "power off" 0
grep -q 'READ go' log || fail "it did not go on"

start --paused "${linux[@]}"
until_socket
debug 'kill'
ended "kill" 0

# without Linux, with KVM too where there is one: even one that only emulates has its own breakpoints and steps
gcc -c -o guest.o "$here/bare/guest.S" &&
	ld -m elf_x86_64 -static -nostdlib -z noexecstack -Ttext=0x200000 -e start -o guest guest.o || exit 1
off=0x$(nm guest | awk '$3 == "off" { print $1 }' | sed 's/^0*//')
pushed=$(printf '%#x' $((0x$(nm guest | awk '$3 == "stack" { print $1 }') - 4))) # where the first call leaves its return address
gcc -O1 -o kvm-debug "$here/kvm-debug.c" || exit 1
[ ! -w /dev/kvm ] || ./kvm-debug >kvm-debug.out || fail "kvm-debug: $?"
# tells ACCEL KIND: that accelerator can; KVM depends on what is below it, processors in software watch no data
tells() {
	[ "$1 $2" = "soft int3" ] || { [ "$1" = kvm ] && grep -qx "$2 host" kvm-debug.out; }
}
for ACCEL in soft $([ ! -w /dev/kvm ] || echo kvm); do
	KERNEL=guest start --paused --append o --memory 32M --stats
	until_socket
	# shellcheck disable=SC2016
	debug "hbreak *$off" continue 'print/x $rip' stepi 'print/x $rip - '"$off" 'set $rbx = 0x77' 'print/x $rbx' delete continue
	said "$ACCEL: hardware breakpoint" "Breakpoint 1, 0x0*${off#0x}" "^\\\$1 = $off" '^\$2 = 0x5$' '^\$3 = 0x77$' 'exited normally'
	ended "$ACCEL: power off" 0
	grep -q "^processor 0: $ACCEL, .*ports 6" err || fail "$ACCEL: what was counted"
	if tells $ACCEL int3; then
		KERNEL=guest start --paused --append o --memory 32M
		until_socket
		# shellcheck disable=SC2016
		debug "break *$off" continue 'print/x $rip' delete continue
		said "$ACCEL: breakpoint" "Breakpoint 1, 0x0*${off#0x}" "^\\\$1 = $off" 'exited normally'
		ended "$ACCEL: power off after a breakpoint" 0
	fi
	if tells $ACCEL write; then
		KERNEL=guest start --paused --append o --memory 32M
		until_socket
		debug "watch *(int *) $pushed" continue delete continue
		said "$ACCEL: watchpoint" 'Hardware watchpoint 1: ' 'Old value' 'exited normally'
		ended "$ACCEL: power off after a watchpoint" 0
	fi
done
# data: a KVM that only emulates does not look
stack=0x$(nm guest | awk '$3 == "stack" { print $1 }' | sed 's/^0*//')
ACCEL=soft KERNEL=guest start --paused --append o --memory 32M
until_socket
debug "watch *(int *) ($stack - 4)" continue delete "awatch *(char *) ($stack - 8)" continue delete continue
said "watchpoints" 'Hardware watchpoint 1' '^Old value = 0$' '^New value = [1-9]' 'Hardware access' 'Value = |New value = ' 'exited normally'
ended "watchpoints: power off" 0
exit $failed
