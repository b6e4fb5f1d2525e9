# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Sourced by the tests that lib.sh runs, on this host or in the emulated guest: as ../engine/lib.sh, after its setup.
# shellcheck disable=SC2034
if [ -z "${ENGINE_LIB:-}" ]; then # the emulated guest
	for module in irqbypass kvm kvm-amd; do modprobe $module || exit 1; done
	KERNEL=/opt/vm/vmlinuz MODULES=/lib/modules/$(uname -r) CLEAVE=/usr/local/bin/cleave ENGINE_LIB=/opt/vm/lib.sh
	mkdir -p /tmp/t && mount -t tmpfs tmpfs /tmp/t
	export TMPDIR=/tmp/t
fi
# shellcheck source=../engine/lib.sh
. "$ENGINE_LIB"
setup

# add_kernel - the store has the test guest's kernel
add_kernel() { cleave kernel add --modules "$MODULES" "$KERNEL" >/dev/null || no "kernel add"; }
