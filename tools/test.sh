#!/bin/bash
# SPDX-License-Identifier: MIT
#
# test.sh KIND...: run `make test-KIND` for each and sum up.
#
# Every kind ends with a line "N passed, N failed, N skipped"; so does this script.  A kind without
# one, or that fails without a failed test, counts as one failure.  The sum is also in
# build/test-summary.
set -uo pipefail

cd "$(dirname "$0")/.." || exit
mkdir -p build
passed=0 failed=0 skipped=0 report=()
for kind in "$@"; do
	echo "== $kind"
	start=$SECONDS status=0
	${MAKE:-make} --no-print-directory "test-$kind" 2>&1 </dev/null | tee "build/test-$kind.log" || status=$?
	if [[ $(grep -Eo '[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped' "build/test-$kind.log" | tail -n 1) =~ \
		([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped ]]; then
		p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
	else
		p=0 f=1 s=0
	fi
	[ $status = 0 ] || [ "$f" != 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	report+=("$(printf '%-12s %5d passed %5d failed %5d skipped %5d s' "$kind" "$p" "$f" "$s" $((SECONDS - start)))")
done
echo "== summary"
printf '%s\n' "${report[@]}"
echo "$passed passed, $failed failed, $skipped skipped" | tee build/test-summary
[ $failed = 0 ]
