#!/bin/bash
# SPDX-License-Identifier: MIT
#
# vmm.sh [--accel tcg|icount|kvm]: cleave-vmm beside QEMU (microvm, q35) and kvmtool where it is installed
#
# In one emulated guest with KVM, the same kernel and initramfs: time from exec to the guest's init, memory of the
# machine's process beyond that of the guest, disk, network, sockets.  With icount (the default) an instruction is a
# nanosecond: times do not depend on the load of this host and hardly differ between runs.
# Environment: CLEAVE_BIN (build/bin), VMM_TIMEOUT (1800 seconds).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
guest=$here/../tests/guest
bin=${CLEAVE_BIN:-$here/../build/bin}
accel=icount
if [ "${1:-}" = --accel ]; then
	accel=${2:?--accel needs tcg, icount or kvm}
	shift 2
fi
[ $# = 0 ] || { sed -n '4,10s/^# \{0,1\}//p' "$0"; exit 2; }
command -v qemu-system-x86_64 >/dev/null || { echo "vmm.sh: qemu-system-x86_64 is not installed" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "vmm.sh: must run as root" >&2; exit 1; }
image=$("$guest/setup.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# QEMU with its libraries and what it loads
add=()
take() {
	add+=(--add "$1:$1")
}
qemu=$(command -v qemu-system-x86_64)
take "$qemu"
for lib in $(ldd "$qemu" | grep -o '/[^ ]*'); do
	take "$lib"
done
for file in /usr/share/qemu/{qboot.rom,bios-microvm.bin,linuxboot_dma.bin,kvmvapic.bin,pvh.bin} /usr/share/seabios/bios-256k.bin; do
	[ ! -e "$file" ] || add+=(--add "$file:/usr/share/qemu/${file##*/}")
done
if command -v lkvm >/dev/null; then
	take "$(command -v lkvm)"
fi

"$guest/run.sh" --cpus 1 --memory 1800 --accel "$accel" --timeout "${VMM_TIMEOUT:-1800}" "${add[@]}" \
	--add "$bin/cleave-vmm:/usr/local/bin/cleave-vmm" --add "$image/vmlinuz:/opt/vmm/vmlinuz" \
	--add "$guest/../vmm/nested/lib.sh:/opt/vmm/lib.sh" --add "$here/vmm_watch.pl:/opt/vmm/watch.pl" \
	-- "$here/vmm_inner.sh" >"$work/out" 2>"$work/err" || { cat "$work/out" "$work/err" >&2; exit 1; }
grep -v '^RESULT' "$work/out" >&2 || true
awk '
	$1 == "RESULT" { v[$3, $2] = $4; if (!($3 in seen)) { seen[$3] = 1; key[++n] = $3 } if (!($2 in who)) { who[$2] = 1; name[++m] = $2 } }
	END {
		printf "| what |"; for (i = 1; i <= m; i++) printf " %s |", name[i]; print ""
		printf "|---|"; for (i = 1; i <= m; i++) printf "---|"; print ""
		for (k = 1; k <= n; k++) {
			label = key[k]; gsub(/_/, " ", label); printf "| %s |", label
			for (i = 1; i <= m; i++) printf " %s |", v[key[k], name[i]]
			print ""
		}
	}' "$work/out"
