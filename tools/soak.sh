#!/bin/bash
# SPDX-License-Identifier: MIT
#
# soak.sh: the tests of tests/crash, each for its share of SOAK_MINUTES (default: 60), one after the other; then those of
# tests/engine that hold for virtual machines, too.
#
# SEED repeats what a failed run sampled; a random one without.
set -uo pipefail

cd "$(dirname "$0")/.." || exit
passed=0 failed=0 skipped=0
tests=(tests/crash/*.sh)
for t in "${tests[@]}"; do
	[ -x "$t" ] || tests=("${tests[@]/$t/}")
done
read -ra tests <<<"${tests[*]}"
export SEED=${SEED:-$((RANDOM * 32768 + RANDOM))} SOAK_SECONDS=$((${SOAK_MINUTES:-60} * 60 / ${#tests[@]}))
count() {
	case $1 in
	0) passed=$((passed + 1)) ;;
	77) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
}
for t in "${tests[@]}"; do
	echo "== $t, $SOAK_SECONDS s"
	timeout -k 10 $((SOAK_SECONDS + 300)) "$t" </dev/null
	count $?
done
echo "== tests/vm/engine.sh soak"
timeout -k 10 3600 tests/vm/engine.sh soak </dev/null
count $?
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
