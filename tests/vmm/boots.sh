#!/bin/bash
# SPDX-License-Identifier: MIT
# BOOTS=N: Debian's kernel boots on KVM N times in a row with 1, 2 and 4 processors; without, nothing is tried.  Minutes.
# CPUS="1 2": with those numbers of processors.
[ "${BOOTS:-0}" -gt 0 ] || { echo "skip: BOOTS says how many are wanted"; exit 77; }
. "$(dirname "$0")/lib.sh"
status=0
for cpus in ${CPUS:-1 2 4}; do
	NESTED_TIMEOUT=$((60 + BOOTS * 60)) # a machine of its own takes 5 s for each
	nested boots.sh "$BOOTS" "$cpus" || status=1
done
exit $status
