#!/bin/bash
# SPDX-License-Identifier: MIT
# What a processor in software does without the interpreter: system calls, interrupts that wait, string instructions, rows of
# pushes and pops, bases of segments.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${CLEAVE_BIN:-$here/../../build/bin}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
gcc -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none -mno-red-zone -mgeneral-regs-only \
	-fno-asynchronous-unwind-tables -c -o levels.o "$here/bare/levels.c" &&
	gcc -c -o long.o "$here/bare/long.S" &&
	ld -m elf_x86_64 -static -nostdlib -z noexecstack --no-warn-rwx-segments -Ttext=0x200000 -e start -o levels long.o levels.o ||
	exit 1
failed=0
for soft in tlb interp verify; do
	status=0
	timeout 120 "$bin/cleave-vmm" --accel soft --soft $soft --kernel levels --append a --memory 32M --stats >out 2>err </dev/null || status=$?
	cat out
	if [ $status != 0 ] || ! grep -q '^DONE' out || grep -q wrong out err; then
		echo "FAIL $soft: exit status $status"
		cat err
		failed=1
	fi
	if [ $soft = verify ] && ! grep -qE 'verified [1-9][0-9]{2,}$' err; then
		echo "FAIL $soft"
		cat err
		failed=1
	fi
done
exit $failed
