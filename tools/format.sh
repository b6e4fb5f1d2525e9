#!/bin/bash
# SPDX-License-Identifier: MIT
#
# format.sh           bring all C files into the form that .clang-format describes
# format.sh --check   only name the lines that differ
set -euo pipefail

cd "$(dirname "$0")/.."
mapfile -t files < <(python3 tools/csource.py 'src/*.[ch]' 'fuzz/*.[ch]' 'bench/*.[ch]' 'tests/*.[ch]')
if [ "${1:-}" = --check ]; then
	clang-format --dry-run --Werror --ferror-limit=3 "${files[@]}"
else
	clang-format -i "${files[@]}"
	# from now on `make lint` insists
	echo "The tree was formatted by tools/format.sh; tools/lint.sh checks that it stays so." >tools/format.applied
fi
