#!/bin/bash
# SPDX-License-Identifier: MIT
#
# bench/soft.sh [ROUNDS]: the software CPU next to QEMU's TCG: the same kernel, the same initramfs, in turns.
#
# Prints a table: milliseconds in the guest (the least of all rounds) and the quotient; its geometric mean; and how much more
# two processors do than one.
# SOFT=interp measures the interpreter.  Wants an idle machine: with others on it, use the quotients at best.
set -euo pipefail

cd "$(dirname "$0")/.."
rounds=${1:-3} bin=${CLEAVE_BIN:-build/bin}
image=$(tests/guest/setup.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work"/root/{bin,proc,dev}
cp "$(command -v busybox)" "$work/root/bin/busybox"
ln -s busybox "$work/root/bin/sh"
cc -O2 -static -fno-math-errno -o "$work/root/bin/work" bench/soft/work.c
cp bench/soft/init "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc 2>/dev/null) >"$work/initrd"

ours() {
	timeout 600 "$bin/cleave-vmm" --accel soft --soft="${SOFT:-tlb}" -k "$image/vmlinuz" -i "$work/initrd" -m 512M \
		--append "console=ttyS0 panic=-1 quiet ${1:-}" "${@:2}" </dev/null
}

theirs() {
	timeout 600 qemu-system-x86_64 -accel tcg -cpu max -m 512M -nographic -no-reboot -kernel "$image/vmlinuz" \
		-initrd "$work/initrd" -append "console=ttyS0 panic=-1 quiet" </dev/null
}

for ((round = 0; round < rounds; round++)); do
	for who in ours theirs; do
		$who | sed -n "s/\r//; s/.*RESULT \([a-z0-9]*\) \([0-9]*\)\$/$who \1 \2/p" >>"$work/results"
	done
done
ours TWO=1 --cpus 2 | sed -n 's/\r//; s/.*RESULT \([a-z]*\) \([0-9]*\)$/\1 \2/p' >"$work/two"
awk '
	{ key = $1 " " $2; if (!(key in best) || $3 < best[key]) best[key] = $3; if (!($2 in seen)) { seen[$2] = 1; order[++n] = $2 } }
	END {
		printf "%-10s %10s %10s %8s\n", "workload", "cleave", "tcg", "factor"
		for (i = 1; i <= n; i++) {
			a = best["ours " order[i]]; b = best["theirs " order[i]]
			if (a <= 0 || b <= 0)
				continue
			printf "%-10s %10d %10d %8.2f\n", order[i], a, b, b / a
			sum += log(b / a); count++
		}
		if (count > 0)
			printf "%-10s %30.2f\n", "mean", exp(sum / count)
	}' "$work/results"
awk '
	{ if (!($1 in best) || $2 < best[$1]) best[$1] = $2 }
	END { if (best["two"] > 0) printf "two processors do %.2f times what one does\n", 2 * best["one"] / best["two"] }' "$work/two"
