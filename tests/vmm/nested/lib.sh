# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Runs in the emulated guest, or with ACCEL=soft in its root: boots Linux in machines of cleave-vmm, and checks what
# they say.  SOFT: value of --soft, with ACCEL=soft.

set -uo pipefail
cd /opt/vmm || exit 1
failed=0
log=/tmp/console
accel=${ACCEL:-kvm}
release=$(ls /lib/modules)
modules="irqbypass kvm kvm-amd"
[ $accel = kvm ] || modules=
for module in $modules; do
	modprobe "$module" || exit 1
done

# initramfs MODULE...: an archive with busybox and these modules (with what they need) as base.cpio.
initramfs() {
	local module
	rm -rf root && mkdir -p root/{bin,dev,proc,sys,m}
	cp /bin/busybox root/bin/
	[ ${#programs[@]} = 0 ] || { printf '%s\n' "${programs[@]}"; ldd "${programs[@]}" | grep -o '/[^ ]*'; } | tr -d : | sort -u |
		while read -r module; do
			install -D "$module" "root$module"
		done
	[ $# = 0 ] || modprobe -S "$release" --show-depends --all "$@" | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r module; do
			cp "$module" root/m/
			basename "$module" >>root/m/order
		done
	cat >root/init <<-'INIT'
		#!/bin/busybox sh
		export PATH=/bin
		/bin/busybox --install -s /bin
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		[ ! -e /m/order ] || while read -r m; do insmod /m/$m || echo "FAILED insmod $m"; done </m/order
		. /script
		poweroff -f
	INIT
	chmod +x root/init
	(cd root && find . | busybox cpio -o -H newc 2>/dev/null) >base.cpio
}

# program FILE...: put programs and their libraries into the machines too; before initramfs.
programs=()
program() {
	programs+=("$@")
}

# boot SCRIPT [OPTION]...: run the shell text in a machine; its console is in $log, its exit status in $status.
boot() {
	local script=$1 extra=${APPEND:-}
	shift
	mkdir -p one && printf '%s\n' "$script" >one/script
	(cd one && echo script | busybox cpio -o -H newc 2>/dev/null) | cat base.cpio - >all.cpio
	status=0
	timeout --kill-after=10 "${BOOT_TIMEOUT:-200}" "${VMM:-cleave-vmm}" --accel "$accel" ${SOFT:+--soft "$SOFT"} \
		--kernel "${KERNEL:-vmlinuz}" --initrd all.cpio \
		--append "console=ttyS0 quiet cryptomgr.notests panic=-1 init_on_alloc=0 $extra" "$@" \
		>$log 2>$log.err </dev/null || status=$?
}

fail() {
	failed=$((failed + 1))
	echo "FAIL $*"
	sed 's/^/    /' $log $log.err | tail -n 40
}

# expect NAME STATUS REGEX...: the last machine ended with STATUS and each REGEX is in its output.
expect() {
	local name=$1 want=$2 regex
	shift 2
	[ "$status" = "$want" ] || { fail "$name: exit status $status, not $want"; return; }
	for regex; do
		grep -qE -- "$regex" $log $log.err || { fail "$name: no '$regex'"; return; }
	done
	! grep -E '^FAILED|BUG:|Oops|virtio.*(error|broken)|Call Trace' $log || { fail "$name: see above"; return; }
	echo "ok $name"
}

# joined [PID]...: these, or all that run beside the machines, end soon; what does not is ended, and a failure.
joined() {
	local pid
	# shellcheck disable=SC2046 # one word each
	[ $# != 0 ] || set -- $(jobs -p)
	for pid; do
		timeout 250 tail --pid="$pid" -f /dev/null || { fail "what ran beside the machine does not end"; kill "$pid"; }
		wait "$pid"
	done
}

finish() {
	exit $((failed > 0))
}
