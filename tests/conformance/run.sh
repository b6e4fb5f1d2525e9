#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [CLIENT]...: drive the runtime with real engines and sum up; all clients without arguments.
#
# Environment: CLEAVE_OCI (build/bin/cleave-oci), ONLY, STEP_TIMEOUT: as in lib.sh.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export CLEAVE_OCI=${CLEAVE_OCI:-$here/../../build/bin/cleave-oci}
[ -x "$CLEAVE_OCI" ] || { echo "conformance: no program $CLEAVE_OCI" >&2; exit 1; }
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

[ $# -gt 0 ] || set -- podman containerd docker machines
for client in "$@"; do
	status=0
	"$here/$client.sh" </dev/null 2>&1 | tee "$log" || status=$?
	bad=$(grep -E '^not ok ' "$log" | grep -vc '# TODO')
	skip=$(grep -Ec '^(ok .*# SKIP|not ok .*# TODO)' "$log")
	good=$(grep -E '^ok ' "$log" | grep -vc '# SKIP')
	if [ $status = 77 ]; then
		skip=1
	elif [ $status != 0 ] && [ "$bad" = 0 ]; then
		bad=1
	fi
	passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
	echo "# $client: $good passed, $bad failed, $skip skipped"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
