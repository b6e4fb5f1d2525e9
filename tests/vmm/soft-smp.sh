#!/bin/bash
# SPDX-License-Identifier: MIT
# Two processors in software: the order of their memory accesses, code that the other one or a disk writes, pages that are
# mapped elsewhere.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${CLEAVE_BIN:-$here/../../build/bin}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
gcc -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none -mno-red-zone -mgeneral-regs-only \
	-fno-asynchronous-unwind-tables -c -o smp.o "$here/bare/smp.c" &&
	gcc -c -o long.o "$here/bare/long.S" &&
	ld -m elf_x86_64 -static -nostdlib -z noexecstack --no-warn-rwx-segments -Ttext=0x200000 -e start -o smp long.o smp.o || exit 1
# a disk of functions: mov $number, %eax; ret
python3 -c 'import sys
for n in range(64): sys.stdout.buffer.write((b"\xb8" + n.to_bytes(4, "little") + b"\xc3").ljust(512, b"\xcc"))' >disk
failed=0

# run SOFT LETTER: that on processors that work so.
run() {
	local status=0
	timeout 120 "$bin/cleave-vmm" --accel soft --soft "$1" --kernel smp --append "$2" --memory 32M --cpus 2 --disk disk,ro \
		>out 2>err </dev/null || status=$?
	cat out
	if [ $status != 0 ] || ! grep -q '^DONE' out || grep -q wrong out err; then
		echo "FAIL $1: exit status $status"
		cat err
		failed=1
	fi
}

if [ $# -gt 0 ]; then
	run "${2:-tlb}" "$1"
else
	run tlb a
	run tlb,threads c
	run interp c
fi
exit $failed
