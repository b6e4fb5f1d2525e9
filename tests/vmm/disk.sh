#!/bin/bash
# SPDX-License-Identifier: MIT
# Disks: both kinds of rings, several queues, what is read and written, flush, discard, zeroes, read-only; files as memory.
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
file_systems "$work" || exit 1
nested disk.sh
