#!/bin/bash
# SPDX-License-Identifier: MIT
#
# check-headers.sh BUILD: every header of src compiles alone, with gcc and with clang, under the
# warnings of the meson build BUILD.
set -euo pipefail

cd "$(dirname "$0")/.."
mapfile -t flags < <(python3 - "$1/compile_commands.json" <<'PY'
import json, shlex, sys
words = shlex.split(json.load(open(sys.argv[1]))[0]["command"])
print("\n".join(w for w in words if w.startswith(("-W", "-D", "-U", "-std=")) and
                w not in ("-Winvalid-pch", "-Wconditional-uninitialized")))
PY
)
failed=0
for header in $(python3 tools/csource.py 'src/*.h'); do
	for compiler in gcc clang; do
		"$compiler" "${flags[@]}" -Isrc -fsyntax-only -x c - <<-C || failed=1
			#include "${header#src/}"
			#include "${header#src/}"
			typedef int not_empty;
		C
	done
done
exit $failed
