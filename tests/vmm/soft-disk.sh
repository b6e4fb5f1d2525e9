#!/bin/bash
# SPDX-License-Identifier: MIT
# Disks, with processors in software.
. "$(dirname "$0")/lib.sh"
files=$(mktemp -d)
file_systems "$files" || exit 1
soft disk.sh
