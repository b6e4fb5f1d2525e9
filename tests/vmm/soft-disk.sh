#!/bin/bash
# SPDX-License-Identifier: MIT
# Disks, with processors in software.
. "$(dirname "$0")/lib.sh"
files=$(mktemp -d)
mkdir "$files/root" && echo "hello, guest" >"$files/root/hello"
mke2fs -q -t ext4 -d "$files/root" "$files/fs.img" 16M || exit 1
add=(--add "$files/fs.img:/opt/vmm/fs.img")
soft disk.sh
