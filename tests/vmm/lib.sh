# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests of cleave-vmm that need a KVM which runs Linux: a script runs in an emulated guest that has one.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
add=() # further arguments of tests/guest/run.sh
bin=${CLEAVE_BIN:-$here/../../build/bin}

# file_systems DIR: images that the script gets, an ext4 and an erofs, and e2fsck with its libraries.
file_systems() {
	local file
	for file in $(command -v e2fsck) $(ldd "$(command -v e2fsck)" | grep -o '/[^ ]*' | grep -vE '/(libc|ld-linux.*)\.so'); do
		cp "$file" "$1/" && add+=(--add "$1/${file##*/}:/opt/vmm/${file##*/}")
	done
	mkdir "$1/root" && echo "hello, guest" >"$1/root/hello" &&
		mke2fs -q -t ext4 -b 4096 -d "$1/root" "$1/fs.img" 16M >/dev/null || return
	yes lines | head -c 4M >"$1/root/data"
	mkfs.erofs --quiet "$1/root.erofs" "$1/root" >/dev/null && truncate -s %2M "$1/root.erofs" || return
	add+=(--add "$1/fs.img:/opt/vmm/fs.img" --add "$1/root.erofs:/opt/vmm/root.erofs")
}

# nested SCRIPT [ARGUMENT]...: run tests/vmm/nested/SCRIPT in a guest with kvm-amd; its status is that of the script.
#
# QEMU's emulation of SVM stands still in about one of thirty runs: its guest's clock too, so that not even the time
# limits of the script (see boot()) end it.  That is told from a failure by the status, and tried once more.
nested() {
	local script=$1 image status=0 limit=(--timeout $(((${TEST_TIMEOUT:-600} - 20) / 2)))
	[ -z "${NESTED_SILENCE:-}" ] || limit=(--silence "$NESTED_SILENCE")
	shift
	command -v qemu-system-x86_64 >/dev/null || { echo "skip: qemu-system-x86_64 is not installed"; exit 77; }
	[ "$(id -u)" = 0 ] || { echo "skip: building the guest's image needs root"; exit 77; }
	image=$("$here/../guest/setup.sh") || exit 1
	for _ in 1 2; do
		status=0
		# both tries end before this test would, so that the last messages are seen
		"$here/../guest/run.sh" --cpus 1 --memory 1500 "${limit[@]}" \
			--add "$bin/cleave-vmm:/usr/local/bin/cleave-vmm" --add "$image/vmlinuz:/opt/vmm/vmlinuz" \
			--add "$here/nested/lib.sh:/opt/vmm/lib.sh" "${add[@]}" -- "$here/nested/$script" "$@" || status=$?
		[ $status = 124 ] || break
	done
	return $status
}

# soft SCRIPT [ARGUMENT]...: run tests/vmm/nested/SCRIPT here, in the root of that guest's image and its own namespaces,
# with processors in software; its status is that of the script.
soft() {
	local script=$1 image file
	shift
	[ "$(id -u)" = 0 ] || { echo "skip: building the guest's image needs root"; exit 77; }
	image=$("$here/../guest/setup.sh") || exit 1
	work=$(mktemp -d)
	# shellcheck disable=SC2154 # the script may have some
	trap 'rm -rf --one-file-system "$work" ${files:+"$files"}' EXIT
	mkdir "$work"/{image,top,files}
	cp "$bin/cleave-vmm" "$image/vmlinuz" "$here"/nested/* "$work/files/"
	for file in "${add[@]}"; do
		[ "$file" = --add ] || cp "${file%%:*}" "$work/files/"
	done
	# shellcheck disable=SC2016 # the inner shell expands it
	timeout "${TEST_TIMEOUT:-290}" unshare --mount --net --pid --fork --kill-child bash -c '
		set -e
		cd "$1"
		mount -o loop,ro "$2" image
		mount -t tmpfs top top
		mkdir top/upper top/work top/root
		mount -t overlay -o lowerdir=image,upperdir=top/upper,workdir=top/work overlay top/root
		mount --rbind /dev top/root/dev
		mount -t proc proc top/root/proc
		mount -t sysfs sysfs top/root/sys
		mount -t tmpfs tmp top/root/tmp
		mkdir -p top/root/opt/vmm
		cp files/* top/root/opt/vmm/
		mv top/root/opt/vmm/cleave-vmm top/root/usr/local/bin/
		shift 2
		chroot top/root busybox ip link set lo up
		ACCEL=soft exec chroot top/root "$@"
	' - "$work" "$image/root.img" "/opt/vmm/$script" "$@"
}
