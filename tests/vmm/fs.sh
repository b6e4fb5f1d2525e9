#!/bin/bash
# SPDX-License-Identifier: MIT
# A shared directory: what POSIX promises, what the host sees of it, read-only, as an ordinary user, no way out of it.
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -O1 -static -D_GNU_SOURCE -o "$work/posix" "$here/nested/posix.c" || exit 1
add=(--add "$work/posix:/opt/vmm/posix")
nested fs.sh
