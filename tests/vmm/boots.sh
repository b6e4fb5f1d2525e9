#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's kernel boots on KVM 20 times in a row (BOOTS=N: so often) with 1, 2 and 4 processors.
# CPUS="1 2": with those numbers of processors.
BOOTS=${BOOTS:-20}
. "$(dirname "$0")/lib.sh"
status=0
for cpus in ${CPUS:-1 2 4}; do
	NESTED_SILENCE=1200 # a boot takes 5 s on an idle host, minutes on one that does much else
	nested boots.sh "$BOOTS" "$cpus" || status=1
done
exit $status
