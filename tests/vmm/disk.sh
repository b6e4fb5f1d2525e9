#!/bin/bash
# SPDX-License-Identifier: MIT
# Disks: both kinds of rings, several queues, what is read and written, flush, discard, zeroes, read-only.
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/files" && echo "hello, guest" >"$work/files/hello"
mke2fs -q -t ext4 -d "$work/files" "$work/fs.img" 16M || exit 1
add=(--add "$work/fs.img:/opt/vmm/fs.img")
nested disk.sh
