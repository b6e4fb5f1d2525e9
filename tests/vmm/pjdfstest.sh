#!/bin/bash
# SPDX-License-Identifier: MIT
# PJDFSTEST=DIR: the POSIX tests of that checkout of pjdfstest on a shared directory, with processors in software; without,
# nothing is tried.  Many minutes.  SETS="chmod link": these of them only.
[ -n "${PJDFSTEST:-}" ] || { echo "skip: PJDFSTEST says where pjdfstest is"; exit 77; }
. "$(dirname "$0")/lib.sh"
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
cat >"$files/config.h" <<'H'
#define HAVE_SYS_SYSMACROS_H 1
#define HAVE_FACCESSAT 1
#define HAVE_FCHMODAT 1
#define HAVE_FCHOWNAT 1
#define HAVE_FSTATAT 1
#define HAVE_LINKAT 1
#define HAVE_MKDIRAT 1
#define HAVE_MKFIFOAT 1
#define HAVE_MKNODAT 1
#define HAVE_OPENAT 1
#define HAVE_POSIX_FALLOCATE 1
#define HAVE_READLINKAT 1
#define HAVE_RENAMEAT 1
#define HAVE_SYMLINKAT 1
#define HAVE_UTIMENSAT 1
#define HAVE_STRUCT_STAT_ST_ATIM 1
#define HAVE_STRUCT_STAT_ST_CTIM 1
#define HAVE_STRUCT_STAT_ST_MTIM 1
H
gcc -w -O1 -static -D_GNU_SOURCE -I"$files" -o "$files/pjdfstest" "$PJDFSTEST/pjdfstest.c" || exit 1
# guests make no device files in shared directories: what is tried with those is tried with pipes
cp -r "$PJDFSTEST/tests" "$files/tests" && rm "$files/tests/mknod/11.t" && find "$files/tests" -name '*.t' -print0 |
	xargs -0 sed -i 's/ block char / /; s/mknod \([^ ]*\) [bc] \([0-7]*\) [0-9]* [0-9]*/mkfifo \1 \2/' &&
	tar -C "$files" -cf "$files/pjdfstest.tar" tests || exit 1
add=(--add "$files/pjdfstest:/opt/vmm/pjdfstest" --add "$files/pjdfstest.tar:/opt/vmm/pjdfstest.tar")
TEST_TIMEOUT=${TEST_TIMEOUT:-3000} soft pjdfstest.sh "${SETS:-}"
