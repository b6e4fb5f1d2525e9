#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh BUILD [SECONDS]: run every fuzz target of a build with -Dfuzz=true for SECONDS (default 20).
# New inputs stay in BUILD/fuzz/corpus; one that crashes is kept in BUILD/fuzz/crashes and named.
set -eu
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
	echo "usage: $0 BUILD [SECONDS]" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)/fuzz
seconds=${2:-20}
ran=0
for target in "$build"/fuzz_*; do
	[ -f "$target" ] && [ -x "$target" ] || continue
	name=${target##*/fuzz_}
	mkdir -p "$build/corpus/$name" "$build/crashes"
	dict=
	[ -f "$here/$name.dict" ] && dict="-dict=$here/$name.dict"
	echo "fuzz: $name for $seconds s"
	"$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$build/crashes/$name-" $dict \
		"$build/corpus/$name" "$here/corpus/$name" >"$build/$name.log" 2>&1 || {
		tail -n 40 "$build/$name.log" >&2
		echo "fuzz: $name failed; log: $build/$name.log" >&2
		exit 1
	}
	grep -E 'stat::number_of_executed_units|stat::new_units_added' "$build/$name.log" || true
	ran=$((ran + 1))
done
if [ "$ran" -eq 0 ]; then
	echo "fuzz: no target in $build; build with -Dfuzz=true" >&2
	exit 1
fi
