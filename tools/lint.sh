#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lint.sh [--deep]: what a tool can check.  Every check runs; the last line sums up.
#
# --deep adds what takes minutes: gcc's analyzer and cppcheck.  Neither understands cleanup attributes, so
# what they say is to be read, and fails nothing.
set -uo pipefail

cd "$(dirname "$0")/.." || exit
export PYTHONDONTWRITEBYTECODE=1
build=build/lint passed=0 failed=0

check() {
	local name=$1 log
	shift
	if log=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "ok    $name"
	else
		failed=$((failed + 1))
		echo "FAIL  $name"
	fi
	[ -z "$log" ] || echo "      ${log//$'\n'/$'\n'      }"
}

# All sources under clang's warnings; without optimization, so that the objects still have every
# variable that the text has.
clang_build() {
	if [ ! -f $build/build.ninja ]; then
		rm -rf $build
		CC=clang meson setup $build --buildtype=plain -Dstatic_programs=false -Dtests=true
	fi >$build.log 2>&1 || { cat $build.log; return 1; }
	ninja -C $build -k 0 >$build.log 2>&1 ||
		{ sed -n '/: \(fatal \)\?error: /,/^[0-9]* errors\? generated/p; /ERROR\|undefined reference/p' $build.log; return 1; }
}

scripts() {
	local file files=()
	for file in $(python3 tools/csource.py); do
		case $(head -c 64 "$file" | head -n 1 | tr -d '\0') in
		'#!/bin/sh'* | '#!/bin/bash'*) files+=("$file") ;;
		esac
	done
	printf '%s\0' "${files[@]}" | xargs -0 -n 8 -P "$(nproc)" shellcheck -x -P SCRIPTDIR -S warning
}

analyzer() {
	local dir=build/analyze
	[ -f $dir/build.ninja ] || CC=gcc meson setup $dir --buildtype=debugoptimized -Dstatic_programs=false \
		-Dwerror=false -Dc_args='-fanalyzer -Wno-analyzer-malloc-leak' >$dir.log 2>&1
	ninja -C $dir -t clean >/dev/null && ninja -C $dir -j 2 >$dir.log 2>&1
	grep -A 2 'Wanalyzer' $dir.log
}

cpp_check() {
	cppcheck --quiet --std=c11 --enable=warning,portability --template=gcc \
		--suppress=missingInclude --suppress=unknownMacro --suppress=memleak --suppress=comparePointers \
		--suppress=varFuncNullUB -D_GNU_SOURCE -Isrc -j 2 src 2>&1
}

mkdir -p build
check "layers: includes point one way" tools/check-layers.py
check "docs: comments agree with declarations" tools/check-docs.py
check "size: files and functions" tools/check-size.py
check "words: banned functions and words" tools/check-words.py
check "build: no warnings with clang" clang_build
check "headers: each compiles alone" tools/check-headers.sh $build
check "globals: none that is not explained" tools/check-globals.py $build
check "scripts: shellcheck" scripts
if [ -e tools/format.applied ]; then
	check "format: as clang-format writes it" tools/format.sh --check
fi
if [ "${1:-}" = --deep ]; then
	echo "note  gcc -fanalyzer"
	analyzer
	echo "note  cppcheck"
	cpp_check
fi
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
