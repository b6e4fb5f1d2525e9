#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Build the guest image and print the directory that holds it: vmlinuz, initrd, root.img.
#
# The result is cached in build/guest/<key>, where the key is a hash of every file that shapes the
# image (this script and image/). Building again is a no-op until one of them changes; remove
# build/guest to pick up new Debian packages. Debian's kernel is unpacked, never installed.
#
# Environment: GUEST_MIRROR, GUEST_SECURITY_MIRROR replace the Debian archives.

set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/build/guest
mirror=${GUEST_MIRROR:-http://deb.debian.org/debian}
security=${GUEST_SECURITY_MIRROR:-http://deb.debian.org/debian-security}
PATH=$PATH:/usr/sbin:/sbin
release=bookworm
size=2G

# Kernel modules that the initramfs loads so that it can find the root disk and the ports.
boot_modules="virtio_pci virtio_blk virtio_console"

# Parts of the kernel's module tree that tests can use; the rest only makes the image larger.
module_dirs="arch block crypto fs lib mm net virt drivers/acpi/button.ko drivers/block drivers/char drivers/dax
	drivers/input/evdev.ko drivers/md drivers/misc/pvpanic drivers/nvdimm
	drivers/net/bonding drivers/net/ipvlan drivers/net/macvlan.ko drivers/net/macvtap.ko
	drivers/net/dummy.ko drivers/net/ifb.ko drivers/net/net_failover.ko drivers/net/tap.ko
	drivers/net/tun.ko drivers/net/veth.ko drivers/net/virtio_net.ko drivers/net/vrf.ko
	drivers/net/vxlan drivers/net/wireguard drivers/vhost drivers/virtio"

die() {
	echo "guest setup: $*" >&2
	exit 1
}

need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null ||
			die "$tool is not installed (see tests/guest/packages.txt)"
	done
}

# The package manager's settings on this machine that the image build must share: proxies and
# the policy about the age of archive indexes.
host_apt_options() {
	apt-config dump --no-empty | grep -E '^Acquire::(https?::Proxy|Check-)' || true
}

build_root() {
	local root=$1 debs=$2 packages
	packages=$(paste -sd, "$here/image/packages.txt")
	host_apt_options >"$debs/apt.conf"
	# shellcheck disable=SC2016 # the hook expands its variables itself
	mmdebstrap --quiet --mode=root --variant=essential --format=directory \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		--include="$packages" --aptopt="$debs/apt.conf" \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/i18n/*' \
		--customize-hook="cd '$debs' && export APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG &&
			apt-get -qq -o APT::Sandbox::User=root download \
			\$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')" \
		"$release" "$root" \
		"deb $mirror $release main" \
		"deb $mirror $release-updates main" \
		"deb $security $release-security main"
}

add_kernel() {
	local root=$1 kernel=$2 version dir
	version=$(ls "$kernel/lib/modules")
	for dir in $module_dirs; do
		dir=lib/modules/$version/kernel/$dir
		mkdir -p "$root/$(dirname "$dir")"
		cp -a "$kernel/$dir" "$root/$dir"
	done
	cp "$kernel/lib/modules/$version"/modules.* "$root/lib/modules/$version/"
	depmod -b "$root" "$version"
}

# What makes a Debian tree a test guest: our two ways to start, no units that wait for hardware
# or the network, and an unprivileged user for rootless tests.
configure_root() {
	local root=$1 unit
	install -D -m 755 -t "$root/guest" "$here/image/init" "$here/image/run"
	install -m 644 "$here/image/guest.service" "$root/etc/systemd/system/"
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	ln -s ../guest.service "$root/etc/systemd/system/multi-user.target.wants/"
	while read -r unit; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done <"$here/image/masked-units.txt"
	ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
	mkdir -p "$root/etc/systemd/journald.conf.d"
	printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n' \
		>"$root/etc/systemd/journald.conf.d/guest.conf"
	echo guest >"$root/etc/hostname"
	echo '127.0.0.1 localhost guest' >"$root/etc/hosts"
	rm -f "$root/etc/fstab"
	echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
	chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash tester
	rm -rf "$root/var/cache/apt" "$root/var/lib/apt/lists"
}

build_initrd() {
	local root=$1 dir=$2 out=$3 version module
	version=$(ls "$root/lib/modules")
	mkdir -p "$dir"/{bin,dev,modules,proc,root,sys}
	install -m 755 "$root/bin/busybox" "$dir/bin/busybox"
	install -m 755 "$here/image/initramfs-init" "$dir/init"
	for module in $boot_modules; do
		modprobe -d "$root" -S "$version" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r module; do
			cp "$module" "$dir/modules/"
			basename "$module" >>"$dir/modules/order"
		done
	(cd "$dir" && find . | cpio --quiet -o -H newc -R 0:0) >"$out"
}

main() {
	local key out work
	key=$(cat "$here/setup.sh" "$here"/image/* | sha256sum | cut -c1-16)
	out=$cache/$key
	if [ ! -e "$out/root.img" ]; then
		need apt-get cpio depmod dpkg flock mke2fs mmdebstrap modprobe
		[ "$(id -u)" = 0 ] || die "building the image needs root"
		mkdir -p "$cache"
		exec 9>"$cache/lock"
		flock 9
	fi
	if [ ! -e "$out/root.img" ]; then
		echo "guest setup: building the image, this takes a minute or two" >&2
		work=$(mktemp -d "$cache/work.XXXXXX")
		# shellcheck disable=SC2064 # the path is fixed now
		trap "rm -rf --one-file-system '$work'" EXIT
		mkdir "$work/debs" "$work/out"
		build_root "$work/root" "$work/debs" >&2
		dpkg -x "$work"/debs/linux-image-*.deb "$work/kernel"
		add_kernel "$work/root" "$work/kernel"
		configure_root "$work/root"
		build_initrd "$work/root" "$work/initrd" "$work/out/initrd"
		cp "$work"/kernel/boot/vmlinuz-* "$work/out/vmlinuz"
		truncate -s "$size" "$work/out/root.img"
		mke2fs -q -t ext4 -O ^has_journal -E root_owner=0:0 -d "$work/root" \
			"$work/out/root.img"
		find "$cache" -mindepth 1 -maxdepth 1 -type d ! -path "$work" \
			-exec rm -rf --one-file-system {} +
		chmod 755 "$work/out"
		mv "$work/out" "$out"
	fi
	echo "$out"
}

main
