#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run-all.sh [--long | NAME]...: what this machine may lack, tried in emulated guests, and a sum.
#
# First the runtime itself under cgroup v2 without and with systemd (selftest.sh), then every
# tests/guest/NAME.test: an executable that calls run.sh itself, prints what failed and exits with
# 0, 77 (skipped) or anything else.  Those of ../long.list are run by --long.
#
# Environment: CLEAVE_OCI (build/bin/cleave-oci).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
CLEAVE_OCI=$(readlink -m "${CLEAVE_OCI:-$here/../../build/bin/cleave-oci}")
[ -x "$CLEAVE_OCI" ] || { echo "guest: no program $CLEAVE_OCI" >&2; exit 1; }
export CLEAVE_OCI GUEST_RUNTIMES=$CLEAVE_OCI
GUEST_HELPERS=$(find "$(dirname "$CLEAVE_OCI")" -maxdepth 1 -name cleave-systemd)
export GUEST_HELPERS
passed=0 failed=0 skipped=0

try() {
	local name=$1 status=0 start=$SECONDS log
	shift
	log=$("$@" 2>&1 </dev/null) || status=$?
	case $status in
	0) passed=$((passed + 1)) && echo "ok    $name ($((SECONDS - start)) s)" ;;
	77) skipped=$((skipped + 1)) && echo "skip  $name: ${log##*$'\n'}" ;;
	*)
		failed=$((failed + 1))
		echo "FAIL  $name (status $status)"
		echo "      ${log//$'\n'/$'\n'      }"
		;;
	esac
}

if ! command -v qemu-system-x86_64 >/dev/null || [ "$(id -u)" != 0 ]; then
	echo "skip  guests: need root and qemu-system-x86_64"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
if [ "${1:-}" = --long ]; then
	shift
	mapfile -t tests < <(sed -n 's|^guest/\(.*\)\.test$|\1|p' "$here/../long.list")
	set -- "${tests[@]}" "$@"
elif [ $# = 0 ]; then
	set -- busybox-v2 systemd-v2
	for test in "$here"/*.test; do
		name=$(basename "$test")
		grep -qx "guest/$name" "$here/../long.list" || set -- "$@" "${name%.test}"
	done
fi
for name in "$@"; do
	if [ -x "$here/$name.test" ]; then
		try "$name" "$here/$name.test"
	else
		try "$name" "$here/selftest.sh" "$name"
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
