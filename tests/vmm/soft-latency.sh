#!/bin/bash
# SPDX-License-Identifier: MIT
# How late interrupts come on a processor in software that is busy: within 100 microseconds, when the host lets it run.
# One of ten is enough here, since this host may have other work; the table that is printed tells the rest.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${CLEAVE_BIN:-$here/../../build/bin}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
gcc -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none -mno-red-zone -mgeneral-regs-only \
	-fno-asynchronous-unwind-tables -c -o latency.o "$here/bare/latency.c" &&
	gcc -c -o long.o "$here/bare/long.S" &&
	ld -m elf_x86_64 -static -nostdlib -z noexecstack --no-warn-rwx-segments -Ttext=0x200000 -e start -o latency long.o latency.o ||
	exit 1

# measure SOFT: 0 if everything of one run was in time.
measure() {
	timeout 60 "$bin/cleave-vmm" --accel soft --soft "$1" --kernel latency --append a --memory 32M >out 2>err </dev/null || { cat err; return 1; }
	sed "s/^/$1 /" out
	[ "$(grep -c '^[a-z]*: in time [1-9]' out)" = 8 ] && grep -q '^DONE' out &&
		awk '/in time/ { for (i = 1; i < NF; i++) if ($i == "best" && $(i + 1) > 100000) late = 1 } END { exit late }' out
}

failed=0
for soft in tlb interp; do
	measure $soft || measure $soft || measure $soft || { echo "FAIL $soft: interrupts are late"; failed=1; }
done
exit $failed
