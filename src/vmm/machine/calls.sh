#!/bin/sh
# SPDX-License-Identifier: MIT
# calls.sh OUTPUT COMPILER...: names of the system calls by their numbers, as rows of an array in C.
set -eu
out=$1
shift
echo '#include <asm/unistd.h>' | "$@" -E -dM - |
	sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$/[\2] = "\1",/p' | sort -u >"$out.new"
[ -s "$out.new" ]
mv "$out.new" "$out"
