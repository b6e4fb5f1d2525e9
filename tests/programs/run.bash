#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [OPTION]... [NAME]...: real programs (inside/NAME.sh) in virtual machines, compared with a container
#
#   --vcpus LIST       processors of the machine, one run for each (1,2,4)
#   --accel NAME       who executes (soft)
#   --memory SIZE      of a machine (2g)
#   --kernel PACKAGE   Debian's package of its kernel (linux-image-cloud-amd64)
#   --no-reference     without the run in a container: nothing is compared
#
# A program passes with exit status 0, when its lines "same ..." are those of the container's run, and when the machine's
# kernel complains of nothing.  It takes hours.  Environment: PROGRAMS_STORE (a directory of build), ONLY (parts of a
# program), STRESS_SECONDS (60: for each stressor).
# shellcheck disable=SC2016 # the shell inside expands it
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cleave=$(realpath -m "${CLEAVE:-$here/../../build/bin/cleave}")
vcpus=1,2,4 accel=soft memory=2g kernel=linux-image-cloud-amd64 reference=1
while [ $# -gt 0 ]; do
	case $1 in
	--vcpus) vcpus=$2 && shift 2 ;;
	--accel) accel=$2 && shift 2 ;;
	--memory) memory=$2 && shift 2 ;;
	--kernel) kernel=$2 && shift 2 ;;
	--no-reference) reference= && shift ;;
	-*) sed -n '4,14s/^# \{0,1\}//p' "$0" && exit 2 ;;
	*) break ;;
	esac
done
if [ $# = 0 ]; then
	for file in "$here"/inside/*.sh; do
		set -- "$@" "$(basename "$file" .sh)"
	done
fi
[ "$(id -u)" = 0 ] || { echo "skip: needs root"; exit 77; }
tar=$("$here/../workloads/image.bash" "$here") || exit 1
store=${PROGRAMS_STORE:-$(dirname "$tar")}
logs=$store/logs
run=$(mktemp -d)
export CLEAVE_ROOT=$store/store CLEAVE_RUNROOT=$run
trap 'rm -rf "$run"' EXIT
mkdir -p "$logs"
"$cleave" image inspect local/programs >/dev/null 2>&1 || "$cleave" import "$tar" local/programs >/dev/null || exit 1
"$cleave" kernel inspect "$kernel" >/dev/null 2>&1 || "$cleave" kernel fetch --name "$kernel" "$kernel" >/dev/null || exit 1
chmod +r "$here"/inside/*
passed=0 failed=0

# try NAME WHERE OPTION... - one run; its output is in $log
try() {
	local name=$1 where=$2 status=0 start=$SECONDS options
	shift 2
	log=$logs/$name.$where
	read -ra options < <(sed -n 's/^# options: //p' "$here/inside/$name.sh")
	timeout -k 60 "${TEST_TIMEOUT:-10000}" "$cleave" run --rm --replace --name "programs-$name" "$@" --network none --shm-size 256m \
		--cap-add SYSLOG "${options[@]}" -v "$CLEAVE_ROOT/kernels/$kernel/modules:/modules:ro" -e ONLY -e STRESS_SECONDS -e "WHERE=$where" -v "$here/inside:/inside:ro" \
		local/programs bash /inside/run "$name" >"$log" 2>&1 </dev/null || status=$?
	[ $status -lt 124 ] || "$cleave" rm -f "programs-$name" >/dev/null 2>&1 # it took too long, and runs on
	if [ $status != 0 ]; then
		verdict="FAIL, status $status"
	elif [ "$where" != container ] && [ -n "$reference" ] &&
		! diff <(grep '^same ' "$logs/$name.container") <(grep '^same ' "$log") >"$log.diff"; then
		verdict="FAIL, not the same: $log.diff"
	else
		verdict=ok
	fi
	case $verdict in ok) passed=$((passed + 1)) ;; *) failed=$((failed + 1)) ;; esac
	echo "$name $where: $verdict ($((SECONDS - start)) s) $log"
}

for name; do
	[ -z "$reference" ] || grep -q '^# machines only' "$here/inside/$name.sh" || try "$name" container
	for n in ${vcpus//,/ }; do
		try "$name" "vm$n" --vm --accel "$accel" --kernel "$kernel" --vcpus "$n" --memory "$memory"
	done
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
