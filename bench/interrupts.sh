#!/bin/bash
# SPDX-License-Identifier: MIT
#
# bench/interrupts.sh [HOW]...: how late the timer's interrupt comes on a processor in software that is busy
#
# HOW: as of --soft (default: tlb, then interp).  Prints a line for each kind of work (bench/soft/latency.c says what is in
# it); the goal is 100 microseconds when the host lets the machine run.
set -euo pipefail

cd "$(dirname "$0")/.."
bin=${CLEAVE_BIN:-build/bin}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

gcc -O2 -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none -mno-red-zone -mgeneral-regs-only \
	-fno-asynchronous-unwind-tables -c -o "$work/latency.o" bench/soft/latency.c
gcc -c -o "$work/long.o" tests/vmm/bare/long.S
ld -m elf_x86_64 -static -nostdlib -z noexecstack --no-warn-rwx-segments -Ttext=0x200000 -e start -o "$work/latency" \
	"$work/long.o" "$work/latency.o"

[ $# -gt 0 ] || set -- tlb interp
for how; do
	timeout 60 "$bin/cleave-vmm" --accel soft --soft "$how" --kernel "$work/latency" --append a --memory 32M </dev/null |
		sed -n "/in time/s/^/$how /p"
done
