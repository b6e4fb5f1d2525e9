#!/bin/sh
# SPDX-License-Identifier: MIT
# tiny.sh OUT.o: make image cleave/tiny from Debian's busybox-static, as an object file to link.
# The same busybox gives the same bytes.
set -eu
out=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
busybox=$(command -v busybox || echo /bin/busybox)
root=$work/root
umask 022
mkdir -p "$root"/bin "$root"/dev "$root"/etc "$root"/home "$root"/proc "$root"/sys \
	"$root"/usr/bin "$root"/usr/sbin "$root"/var/log "$root"/run "$root"/sbin
mkdir -m 700 "$root/root"
mkdir -m 1777 "$root/tmp" "$root/var/tmp"
cp "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list); do
	[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
user:x:1000:1000:user:/home/user:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
END
cat >"$root/etc/group" <<'END'
root:x:0:
daemon:x:1:
tty:x:5:
www-data:x:33:
users:x:100:user
user:x:1000:
nogroup:x:65534:
END
echo 'NAME="cleave/tiny"' >"$root/etc/os-release"
mkdir -m 755 "$root/home/user"
tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=ustar \
	--exclude=./home/user -cf "$work/tiny.tar" .
tar -C "$root" --mtime=@0 --owner=1000 --group=1000 --numeric-owner --format=ustar \
	-rf "$work/tiny.tar" ./home/user
gzip -9n "$work/tiny.tar"
cd "$work"
ld -r -b binary -z noexecstack -o tiny.o tiny.tar.gz
objcopy --rename-section .data=.rodata,alloc,load,readonly,data,contents tiny.o "$out"
