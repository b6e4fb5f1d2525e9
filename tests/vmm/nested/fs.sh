#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # the guest expands it
. /opt/vmm/lib.sh

programs=(/opt/vmm/posix)
initramfs virtio_pci virtiofs
mkdir -p /srv/share/in /srv/outside && chmod 755 /srv/share
echo host >/srv/share/hello
echo secret >/srv/outside/file
ln -s /srv/outside /srv/share/absolute
ln -s ../outside/file /srv/share/relative
mknod /srv/share/device c 1 5
mkfifo /srv/share/fifo

boot '
	mkdir /s /srv; mount -t virtiofs shared /s || echo FAILED mount
	cat /s/hello
	/opt/vmm/posix /s/in
	chown 1234:5678 /s/in/data/copy; echo "from the guest" >/s/in/text
	cat /s/relative /s/absolute/file 2>&1
	ls -a /s/.. | grep -q proc && echo UP
	[ "$(head -c 3 /s/device | tr "\0" z)" = zzz ] && echo DEVICE
	dd if=/dev/urandom of=/s/big bs=1M count=2 2>/dev/null; echo SUM $(sha256sum </s/big)
	umount /s; mount -t virtiofs shared /s; echo AGAIN $(sha256sum </s/big)
	dmesg | grep -iE "fuse|virtiofs.*(error|bad)"
' --fs /srv/share,tag=shared --cpus 2
expect "POSIX" 0 '^host' 'POSIX [0-9]+ checks, 0 wrong' 'relative.*No such file' 'absolute/file' UP DEVICE
grep -q secret $log && fail "the guest read a file outside"
[ "$(stat -c %u:%g:%A /srv/share/in/rights/open/mine/file)" = 1000:1001:-rwxr-xr-x ] || fail "owner and mode on the host: $(ls -ln /srv/share/in/rights/open/mine)"
[ "$(stat -c %u:%g /srv/share/in/data/copy)" = 1234:5678 ] || fail "owner on the host"
[ "$(cat /srv/share/in/text)" = "from the guest" ] || fail "text on the host"
sum=$(sha256sum </srv/share/big)
grep -q "SUM ${sum%% *}" $log && grep -q "AGAIN ${sum%% *}" $log || fail "data on the host"
[ "$(cat /srv/outside/file)" = secret ] || fail "a file outside changed"

chmod 666 /dev/kvm && chown -R 1000:1000 /srv/share && rm -rf /srv/share/in && chmod 755 /opt/vmm && chmod 644 vmlinuz
cat >/usr/local/bin/as-user <<'SH'
#!/bin/sh
exec setpriv --reuid 1000 --regid 1000 --clear-groups -- cleave-vmm "$@"
SH
chmod 755 /usr/local/bin/as-user
VMM=as-user boot '
	mkdir /s /r; mount -t virtiofs shared /s && mount -t virtiofs locked /r || echo FAILED mount
	echo new >/s/new && cat /s/new; chown 5 /s/new 2>&1
	cat /r/hello; echo x 2>&1 >/r/x; rm /r/hello 2>&1; touch /r/hello 2>&1
' --fs /srv/share,tag=shared --fs /srv/share,tag=locked,ro --memory 128M
expect "as an ordinary user, and read-only" 0 '^new' 'Operation not permitted' '^host' 'x: Read-only' 'hello.*Read-only'
[ "$(stat -c %u /srv/share/new)" = 1000 ] || fail "owner of what an ordinary user's guest made"
boot '' --fs /srv/share
expect "no tag" 2 "tag=NAME"
finish
