#!/bin/sh
# SPDX-License-Identifier: MIT
# state_store.sh: the measurement behind docs/decisions/0001-state-store.md
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/cleave-state.XXXXXX")
trap 'rm -rf "$work"' EXIT
cc -std=gnu17 -D_GNU_SOURCE -O2 -static -I"$here/../src" -o "$work/state_store" "$here/state_store.c" \
	"$here"/../src/base/db.c "$here"/../src/base/err.c "$here"/../src/base/file.c "$here"/../src/base/str.c \
	-lsqlite3 -lm 2>/dev/null
for parallel in 1 2 8; do
	mkdir "$work/$parallel"
	"$work/state_store" "$work/$parallel" 2000 "$parallel" 1000
done
