#!/bin/bash
# SPDX-License-Identifier: MIT
# Stressors, one kind after the other, each checking its results.
seconds=${STRESS_SECONDS:-60}
n=$(nproc)
failed=0
as=
# stress OPTION... - as another user if $as says so
# shellcheck disable=SC2086
stress() {
	local status=0
	timeout -k 10 $((seconds * 4 + 600)) $as stress-ng --verify --timeout "${seconds}s" --metrics-brief --oomable "$@" >log 2>&1 || status=$?
	if [ $status != 0 ] || grep -qE '^stress-ng: (fail|error)' log; then
		echo "FAIL $* (status $status)"
		cat log
		failed=1
	else
		echo "ok $*"
	fi
}
for kind in ${ONLY:-cpu methods vm fork futex signal mmap sem pthread context atomic vecmath matrix switch pipe sigsegv tsc memcpy str timer \
	clock vector fp mutex membarrier rdrand mcontend lockbus icache shm mremap mprotect vfork exec clone sigfpe sigtrap nanosleep}; do
	case $kind in
	cpu) stress --cpu "$n" --cpu-method all ;;
	methods) stress --cpu "$n" --cpu-ops 200 --timeout 600s --vm 1 --vm-bytes 1m --vm-ops 100000 ;; # each of them, however short the time
	exec) as='setpriv --reuid 65534 --clear-groups' stress --exec "$n" --temp-path /tmp ;; # not for root
	vm) stress --vm "$n" --vm-bytes 128m --vm-method all ;;
	context) stress --context "$n" ;;
	signal) stress --signal "$n" --sigsuspend "$n" --sigq "$n" --kill "$n" ;;
	vector) stress --vecwide "$n" ;;
	*) stress "--$kind" "$n" ;;
	esac
done
exit $failed
