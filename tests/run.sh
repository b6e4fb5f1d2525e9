#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [--long | TEST...] - run black-box tests, two at a time, and count
#
# Without arguments: every tests/*/*.sh but libraries, the suites that have a runner of their own, and those of long.list,
# which --long runs.
# A test exits 0 (passed; it says how long it took), 1 (failed) or 77 (skipped); what it printed is shown unless it
# passed.
# TEST_JOBS: how many at a time. TEST_TIMEOUT: seconds for one test.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
jobs=${TEST_JOBS:-2}
export TEST_TIMEOUT=${TEST_TIMEOUT:-600}

# The body of one job: prints the verdict, keeps the output in a file.
if [ "${1:-}" = --one ]; then
	name=${3#"$here"/}
	log=$2/${name//\//_}
	timeout --kill-after=10 "$TEST_TIMEOUT" "$3" >"$log" 2>&1 </dev/null
	case $? in
	0) echo "pass $name ($SECONDS s)" ;;
	77) echo "skip $name: $(sed -n 's/^skip: //p' "$log" | tail -n 1)" ;;
	124 | 137)
		echo "FAIL $name: over $TEST_TIMEOUT s"
		sed 's/^/    /' "$log"
		;;
	*)
		echo "FAIL $name"
		sed 's/^/    /' "$log"
		;;
	esac
	exit 0
fi

if [ "${1:-}" = --long ]; then
	mapfile -t tests < <(sed -n "s|^[a-z]*/.*\\.sh\$|$here/&|p" "$here/long.list")
elif [ $# -gt 0 ]; then
	tests=("$@")
else
	mapfile -t tests < <(find "$here" -mindepth 2 -maxdepth 2 -name '*.sh' -perm -u+x ! -name 'lib.sh' \
		! -path "$here/guest/*" ! -path "$here/conformance/*" | grep -vFf <(grep '^[a-z]' "$here/long.list") | sort)
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
printf '%s\0' "${tests[@]}" | xargs -0 -r -n 1 -P "$jobs" realpath -z |
	xargs -0 -r -n 1 -P "$jobs" "$here/run.sh" --one "$logs" | tee "$logs/all"
passed=$(grep -c '^pass ' "$logs/all")
failed=$(grep -c '^FAIL ' "$logs/all")
skipped=$(grep -c '^skip ' "$logs/all")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
