# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests of cleave-vmm that need a KVM which runs Linux: a script runs in an emulated guest that has one.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
add=() # further arguments of tests/guest/run.sh
bin=${CLEAVE_BIN:-$here/../../build/bin}

# nested SCRIPT [ARGUMENT]...: run tests/vmm/nested/SCRIPT in a guest with kvm-amd; its status is that of the script.
nested() {
	local script=$1 image
	shift
	command -v qemu-system-x86_64 >/dev/null || { echo "skip: qemu-system-x86_64 is not installed"; exit 77; }
	[ "$(id -u)" = 0 ] || { echo "skip: building the guest's image needs root"; exit 77; }
	image=$("$here/../guest/setup.sh") || exit 1
	"$here/../guest/run.sh" --cpus 1 --memory 1500 --timeout "${NESTED_TIMEOUT:-${TEST_TIMEOUT:-290}}" \
		--add "$bin/cleave-vmm:/usr/local/bin/cleave-vmm" --add "$image/vmlinuz:/opt/vmm/vmlinuz" \
		--add "$here/nested/lib.sh:/opt/vmm/lib.sh" "${add[@]}" -- "$here/nested/$script" "$@"
}
