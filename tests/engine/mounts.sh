#!/bin/bash
# SPDX-License-Identifier: MIT
# -v of directories and files, --mount, --tmpfs, --read-only.
. "$(dirname "$0")/lib.sh"
setup
inside() { cleave run --rm "$@"; }
mkdir "$T/dir"
echo host >"$T/dir/file"
is "-v" "$(inside -v "$T/dir:/mnt/new" cleave/tiny cat /mnt/new/file)" host
inside -v "$T/dir:/mnt" cleave/tiny sh -c 'echo inside >/mnt/made'
is "-v is writable" "$(cat "$T/dir/made")" inside
run 1 --rm -v "$T/dir:/mnt:ro" cleave/tiny touch /mnt/x
like "-v :ro" "$out" 'Read-only'
is "-v of a file" "$(inside -v "$T/dir/file:/etc/motd" cleave/tiny cat /etc/motd)" host
is "-v ./relative" "$(cd "$T" && inside -v ./dir:/mnt cleave/tiny cat /mnt/file)" host
is "-v cleans the destination" "$(inside -v "$T/dir:/a/../../b/" cleave/tiny cat /b/file)" host
is "-v makes a missing directory" "$(inside -v "$T/made/here:/mnt" cleave/tiny ls -a /mnt | tr '\n' ' '; ls -d "$T/made/here")" ". .. $T/made/here"
run 1 --rm --read-only cleave/tiny touch /file
like "--read-only" "$out" 'Read-only'
run 0 --rm --read-only cleave/tiny sh -c 'echo x >/dev/shm/x && cat /etc/hosts && ls /proc/1'
run 0 --rm --read-only -v "$T/dir:/mnt/new" cleave/tiny touch /mnt/new/x
run 1 --rm --read-only -v "$T/dir:/mnt/new" cleave/tiny touch /x
run 0 --name one cleave/tiny sh -c 'echo changed >/etc/passwd'
is "instances do not share what they write" "$(inside cleave/tiny grep -c root: /etc/passwd)" 1

# What is below a mount: recursive read-only, not recursive.
mkdir "$T/dir/below"
as_root && mount -t tmpfs below "$T/dir/below"
echo below >"$T/dir/below/f"
is "-v is recursive" "$(inside -v "$T/dir:/mnt" cleave/tiny cat /mnt/below/f)" below
run 1 --rm -v "$T/dir:/mnt:ro" cleave/tiny touch /mnt/below/x
like "-v :ro is recursive" "$out" 'Read-only'
if as_root; then # mounts of the host
	is "bind-recursive=writable" "$(inside --mount "type=bind,src=$T/dir,dst=/mnt,ro,bind-recursive=writable" cleave/tiny sh -c 'echo w >/mnt/below/w; cat /mnt/below/w')" w
	is "bind-recursive=disabled" "$(inside --mount "type=bind,src=$T/dir,dst=/mnt,bind-recursive=disabled" cleave/tiny ls /mnt/below)" ''
	is "bind-nonrecursive" "$(inside --mount "type=bind,src=$T/dir,dst=/mnt,bind-nonrecursive" cleave/tiny ls /mnt/below)" ''
	umount "$T/dir/below"
fi
rm -f "$T/dir/below/f"

# --mount
is "--mount type=bind" "$(inside --mount "type=bind,source=$T/dir,target=/mnt" cleave/tiny cat /mnt/file)" host
is "--mount src, dst; keys in any case" "$(inside --mount "Type=bind,SRC=$T/dir,dst=/mnt" cleave/tiny cat /mnt/file)" host
for ro in readonly ro readonly=true ro=1; do
	run 1 --rm --mount "type=bind,src=$T/dir,destination=/mnt,$ro" cleave/tiny touch /mnt/x
	like "--mount $ro" "$out" 'Read-only'
done
run 0 --rm --mount "type=bind,src=$T/dir,dst=/mnt,readonly=false" cleave/tiny touch /mnt/x
if as_root; then
	mkdir "$T/shared"
	mount -t tmpfs shared "$T/shared" && mount --make-shared "$T/shared"
	like "propagation" "$(inside --mount "type=bind,src=$T/shared,dst=/mnt,bind-propagation=rslave" cleave/tiny grep ' /mnt ' /proc/self/mountinfo)" 'master:'
	like "no propagation" "$(inside --mount "type=bind,src=$T/dir,dst=/mnt" cleave/tiny grep -c 'master:\|shared:' /proc/self/mountinfo)" '^0$'
	umount "$T/shared"
fi
mkdir "$T/a,b"
is "--mount with quotes" "$(inside --mount "type=bind,\"src=$T/a,b\",dst=/mnt" cleave/tiny sh -c 'ls -d /mnt')" /mnt
like "--mount type=tmpfs" "$(inside --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770 cleave/tiny sh -c 'df -k /t | tail -n 1; stat -c %a /t')" '1024 .*1770'
like "--mount tmpfs is noexec" "$(inside --mount type=tmpfs,dst=/t cleave/tiny grep ' /t ' /proc/self/mountinfo)" 'nosuid,nodev,noexec'

# --tmpfs
like "--tmpfs" "$(inside --tmpfs /t cleave/tiny grep ' /t ' /proc/self/mountinfo)" 'rw,nosuid,nodev,noexec.* tmpfs '
like "--tmpfs options" "$(inside --tmpfs /t:size=2m,exec,mode=700 cleave/tiny sh -c 'df -k /t | tail -n 1; stat -c %a /t; grep " /t " /proc/self/mountinfo')" '2048 .*700.* rw,nosuid,nodev,relatime'
run 0 --rm --read-only --tmpfs /tmp cleave/tiny touch /tmp/x
is "--tmpfs on a mount" "$(inside -v "$T/dir:/mnt" --tmpfs /mnt/below cleave/tiny sh -c 'touch /mnt/below/inside; cat /mnt/file'; ls "$T/dir/below")" host

# What is usually mounted can be replaced; a mount inside another comes later, whatever the order.
is "a file of its own for hosts" "$(inside -v "$T/dir/file:/etc/hosts" cleave/tiny cat /etc/hosts)" host
like "/dev/shm of its own" "$(inside --tmpfs /dev/shm:size=3m cleave/tiny df -k /dev/shm)" ' 3072 '
mkdir "$T/inner"
echo inner >"$T/inner/f"
is "nested" "$(inside -v "$T/inner:/mnt/below" -v "$T/dir:/mnt" cleave/tiny cat /mnt/below/f /mnt/file | tr '\n' ' ')" 'inner host '

refuse 125 "unknown option 'rx'" run --rm -v "$T/dir:/mnt:rx" cleave/tiny true
refuse 125 'includes invalid characters' run --rm -v 'a/b:/mnt' cleave/tiny true
refuse 125 'absolute path' run --rm -v "$T/dir:mnt" cleave/tiny true
refuse 125 "can't be '/'" run --rm -v "$T/dir:/" cleave/tiny true
refuse 125 'empty section' run --rm -v "$T/dir:" cleave/tiny true
refuse 125 'empty section' run --rm -v ":/mnt" cleave/tiny true
refuse 125 'Duplicate mount point: /mnt' run --rm -v "$T/dir:/mnt" --tmpfs /mnt/ cleave/tiny true
refuse 125 'bind source path does not exist' run --rm --mount type=bind,src=/no/such/dir,dst=/mnt cleave/tiny true
refuse 125 'target is required' run --rm --mount "type=bind,src=$T/dir" cleave/tiny true
refuse 125 "unexpected key 'x'" run --rm --mount "type=bind,src=$T/dir,dst=/mnt,x=1" cleave/tiny true
refuse 125 'must be a key=value pair' run --rm --mount 'type=bind,src,dst=/mnt' cleave/tiny true
refuse 125 "cannot mix 'tmpfs-\*' options with mount type 'bind'" run --rm --mount "type=bind,src=$T/dir,dst=/mnt,tmpfs-size=1m" cleave/tiny true
refuse 125 "mount type unknown: 'x'" run --rm --mount "type=x,src=$T/dir,dst=/mnt" cleave/tiny true
refuse 125 'invalid propagation mode' run --rm --mount "type=bind,src=$T/dir,dst=/mnt,bind-propagation=x" cleave/tiny true
refuse 125 'must be absolute' run --rm --mount "type=bind,src=dir,dst=/mnt" cleave/tiny true
refuse 125 "requires 'readonly'" run --rm --mount "type=bind,src=$T/dir,dst=/mnt,bind-recursive=readonly" cleave/tiny true
refuse 125 'invalid value for tmpfs-mode' run --rm --mount "type=tmpfs,dst=/mnt,tmpfs-mode=9" cleave/tiny true
refuse 125 'a quote is not closed' run --rm --mount "type=tmpfs,\"dst=/mnt" cleave/tiny true
refuse 125 "invalid tmpfs option 'nope'" run --rm --tmpfs /t:nope cleave/tiny true
refuse 125 'over 8192 bytes' run --rm -v "/$(printf '%09000d' 0):/mnt" cleave/tiny true

like "-v of a directory, without programs and devices" \
	"$(cleave run --rm -v "$T:/m:ro,noexec,nodev" cleave/tiny grep ' /m ' /proc/self/mountinfo)" ' /m ro,[^ ]*nodev,noexec'
