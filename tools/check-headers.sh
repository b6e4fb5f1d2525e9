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
alone() {
	local compiler
	for compiler in gcc clang; do
		"$compiler" "${@:2}" -Isrc -fsyntax-only -x c - <<-C || return
			#include "${1#src/}"
			#include "${1#src/}"
			typedef int not_empty;
		C
	done
}
export -f alone
python3 tools/csource.py 'src/*.h' | xargs -I{} -P "$(nproc)" bash -c 'alone "$@"' - {} "${flags[@]}"
