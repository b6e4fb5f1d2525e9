#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's kernel boots on KVM 20 times in a row (BOOTS=N: so often) with 1, 2 and 4 processors.
# CPUS="1 2": with those numbers of processors.
BOOTS=${BOOTS:-20}
. "$(dirname "$0")/lib.sh"
status=0
for cpus in ${CPUS:-1 2 4}; do
	NESTED_TIMEOUT=$((60 + BOOTS * 60)) # a machine of its own takes 5 s for each
	nested boots.sh "$BOOTS" "$cpus" || status=1
done
exit $status
