# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests of instances in virtual machines.  A test NAME.sh calls `in_machines NAME.test`: it runs on this host when
# something here can run a stock kernel, else in an emulated guest that has KVM.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(realpath -m "${CLEAVE_BIN:-$here/../../build/bin}")

# take_modules IMAGE - the test guest's modules, taken out of its disk once; tests may run side by side
take_modules() {
	local modules=$1/modules
	[ ! -d "$modules" ] || return 0
	rm -rf "$modules.$$" && mkdir "$modules.$$" || exit 1
	debugfs -R "rdump /lib/modules $modules.$$" "$1/root.img" 2>/dev/null
	mv -T "$modules.$$" "$modules" 2>/dev/null || rm -rf "$modules.$$"
}

# on_host IMAGE SCRIPT: with the kernel and the modules of the test guest
on_host() {
	take_modules "$1"
	MODULES=$(echo "$1"/modules/modules/*) CLEAVE=$bin/cleave KERNEL=$1/vmlinuz ENGINE_LIB=$here/../engine/lib.sh \
		VM_INSIDE=$here/inside.sh exec "$here/$2"
}

# find_guest - $image; skips without what tests of machines need
find_guest() {
	local program
	[ "$(id -u)" = 0 ] || { echo "skip: needs root"; exit 77; }
	for program in qemu-system-x86_64 debugfs jq; do
		command -v $program >/dev/null || { echo "skip: no $program"; exit 77; }
	done
	image=$("$here/../guest/setup.sh") || exit 1
}

in_machines() {
	find_guest
	! "$bin/cleave-vmm" --probe | grep -q ': yes' || on_host "$image" "$1"
	in_guest "$1"
}

# in_guest SCRIPT: in the emulated guest, whatever this host can
in_guest() {
	local program add=()
	[ -n "${image:-}" ] || find_guest
	for program in "$bin"/cleave*; do
		add+=(--add "$program:/usr/local/bin/$(basename "$program")")
	done
	exec "$here/../guest/run.sh" --cpus 1 --memory 1600 --timeout "${TEST_TIMEOUT:-600}" "${add[@]}" \
		--add "$image/vmlinuz:/opt/vm/vmlinuz" --add "$here/inside.sh:/opt/vm/inside.sh" --add "$here/../engine/lib.sh:/opt/vm/lib.sh" -- "$here/$1"
}
