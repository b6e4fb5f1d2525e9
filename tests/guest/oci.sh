#!/bin/bash
# SPDX-License-Identifier: MIT
#
# oci.sh [MODE-CGROUP...] - test the container runtime where this machine's kernel may not let us:
# control group v2, AppArmor, systemd. One guest after the other; the last line sums up.
#
# Environment: CLEAVE_BIN, the folder with the programs (default: build/bin).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bin=${CLEAVE_BIN:-$here/../../build/bin}

# What each guest is for: tests of this folder, and those of tests/oci that do more there.
tests_of() {
	local own=guest/oci all=oci
	case $1 in
	systemd-v2)
		echo $own/{limits_v2,tree_v2,devices_v2,apparmor,systemd_unit,systemd_user}.sh $all/{life_cycle,pause_resume}.sh
		;;
	busybox-v2) echo $own/{limits_v2,devices_v2}.sh ;;
	busybox-v1) echo $own/apparmor.sh $all/{cgroup_limits_v1,cgroup_path,devices_rules,pause_resume}.sh ;;
	busybox-hybrid) echo $all/{cgroup_limits_v1,cgroup_path}.sh ;;
	systemd-v1) echo $own/systemd_unit.sh ;;
	systemd-hybrid) echo $own/systemd_unit.sh ;;
	*)
		echo "oci.sh: unknown guest '$1'" >&2
		exit 2
		;;
	esac
}

[ $# -gt 0 ] || set -- systemd-v2 busybox-v1 systemd-hybrid
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for guest; do
	tests=$(tests_of "$guest") || exit
	echo "== guest $guest"
	status=0
	# shellcheck disable=SC2086 # a list of names without spaces
	"$here/run.sh" --mode "${guest%-*}" --cgroup "${guest#*-}" --cpus 1 --timeout 900 \
		--add "$bin/cleave-oci:/usr/local/bin/cleave-oci" \
		--add "$bin/cleave-systemd:/usr/local/bin/cleave-systemd" \
		--add "$here/../run.sh:/opt/tests/run.sh" --add "$here/../oci:/opt/tests/oci" \
		--add "$here/oci:/opt/tests/guest/oci" -- "$here/oci-guest.sh" $tests 2>&1 </dev/null | tee "$log" || status=$?
	if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		skipped=$((skipped + BASH_REMATCH[3]))
	else
		echo "FAIL the guest ended with status $status"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
