#!/bin/bash
# SPDX-License-Identifier: MIT
# A guest goes from processors in software to KVM and back, one that executes: the unit test of the host's KVM once more, in an
# emulated guest.
# Environment: STATE_TEST (build/test/vmm_state_test, which `make test-unit` builds).
. "$(dirname "$0")/lib.sh"
program=${STATE_TEST:-$here/../../build/test/vmm_state_test}
[ -x "$program" ] || { echo "skip: $program is not built"; exit 77; }
add+=(--add "$program:/opt/vmm/state_test")
for file in $(ldd "$program" | grep -o '/[^ ]*' | grep -vE '/(libc|ld-linux.*)\.so'); do
	add+=(--add "$file:/opt/vmm/lib/${file##*/}")
done
nested state.sh
