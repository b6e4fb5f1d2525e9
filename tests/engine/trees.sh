# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Trees with everything that a layer can hold, for the tests of images; sourced after lib.sh.

# make_tree DIR - files of all kinds, as root also those that only root makes; whole seconds as times, since archives of layers have no more
make_tree() {
	local d=$1 long
	long=$(printf 'l%.0s' {1..200})
	mkdir -p "$d"/{bin,etc,dev,tmp,empty,shared,acl,deep/"$long/$long"}
	cp "$(command -v busybox)" "$d/bin/busybox"
	ln -s busybox "$d/bin/sh"
	ln "$d/bin/busybox" "$d/etc/hard"
	ln -s /no/such/file "$d/etc/dangling"
	ln "$d/etc/dangling" "$d/etc/hard-symlink"
	ln -s "$(printf 't%.0s' {1..300})" "$d/etc/long-target"
	echo one >"$d/etc/one"
	: >"$d/etc/nothing"
	echo name >"$d/deep/$long/$long/file"
	echo odd >"$d/etc/"$'new\nline = \xff \xc3\xa4'
	echo old >"$d/etc/old"
	echo late >"$d/etc/late"
	echo before >"$d/etc/before-1970"
	truncate -s 8M "$d/etc/sparse"
	echo middle | dd of="$d/etc/sparse" bs=1M seek=3 conv=notrunc status=none
	mkfifo "$d/tmp/fifo"
	if as_root; then
		mknod "$d/dev/null" c 1 3
		mknod "$d/dev/loop" b 7 300
		chown 3000000:4000000000 "$d/etc/nothing"
	fi
	chown 12:34 "$d/etc/one"
	chown -h 5:6 "$d/etc/dangling"
	chmod 4755 "$d/etc/one"
	chmod 1777 "$d/tmp"
	chmod 2770 "$d/shared"
	chmod 0 "$d/etc/old"
	setfattr -n user.text -v value "$d/etc/one"
	setfattr -n user.binary -v 0x00ff0a3d00 "$d/etc/one"
	setfattr -n user.on-directory -v 1 "$d/empty"
	cp "$d/bin/busybox" "$d/bin/ping"
	setcap cap_net_raw+ep "$d/bin/ping"
	setfacl -m u:7:rwx,g:8:r "$d/acl"
	setfacl -d -m u:9:rx "$d/acl"
	echo x >"$d/acl/file" && setfacl -b "$d/acl/file" # although it inherited one
	mkdir "$d/acl/dir" && setfacl -b -k "$d/acl/dir"
	find "$d" -depth -exec touch -h -d @1234567890 {} +
	touch -d @5 "$d/etc/old"
	touch -d @8589934600 "$d/etc/late"
	touch -d @-1000 "$d/etc/before-1970"
}

# describe DIR [UID-SHIFT] - one line for every file below it: all that a layer keeps
describe() {
	owner python3 - "$1" "${2:-0}" <<'END'
import hashlib, os, stat, sys
top, shift = os.fsencode(sys.argv[1]), int(sys.argv[2])
first = {}
for folder, dirs, files in os.walk(top):
    dirs.sort()
    for name in sorted(dirs + files):
        path = os.path.join(folder, name)
        s, rel = os.lstat(path), os.path.relpath(path, top)
        line = [repr(rel)[1:], oct(s.st_mode), s.st_uid - shift, s.st_gid - shift, int(s.st_mtime)]
        if stat.S_ISREG(s.st_mode):
            line += [s.st_size, hashlib.sha256(open(path, "rb").read()).hexdigest()[:16]]
        elif stat.S_ISLNK(s.st_mode):
            line.append(os.readlink(path))
        elif stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode):
            line.append((os.major(s.st_rdev), os.minor(s.st_rdev)))
        if not stat.S_ISDIR(s.st_mode):
            line.append(first.setdefault((s.st_dev, s.st_ino), rel))
        for x in sorted(os.listxattr(path, follow_symlinks=False)):
            if not x.startswith(("trusted.", "security.selinux")):
                line.append((x, os.getxattr(path, x, follow_symlinks=False)))
        print(*line)
END
}

# same WHAT HAVE WANT - two descriptions; a difference is shown as one
same() {
	if [ "$2" = "$3" ]; then yes; else no "$1" "$(diff <(echo "$3") <(echo "$2") | cut -c 1-200 | head -n 6)"; fi
}

# layer_of IMAGE [N] - directory of the topmost layer, or the Nth from 1, in the store $CLEAVE_ROOT
layer_of() {
	local chain='' diff
	while read -r diff; do
		[ -z "$chain" ] || diff=sha256:$(printf 'sha256:%s %s' "$chain" "$diff" | sha256sum | cut -d' ' -f1)
		chain=${diff#sha256:}
	done < <(cleave image inspect -f '{{range .RootFS.Layers}}{{println .}}{{end}}' "$1" | grep . | head -n "${2:-500}")
	echo "$CLEAVE_ROOT/layers/$chain/fs"
}

# on STORE COMMAND... - cleave with another store below $T
on() {
	local CLEAVE_ROOT=$T/$1 CLEAVE_RUNROOT=$T/run-$1
	export CLEAVE_ROOT CLEAVE_RUNROOT
	shift
	"$@"
}

# pod ARG... - podman with a store of its own; without root its mounts are seen in a namespace only, where the tree is
pod() {
	local in=()
	[ "$1" != image ] || as_root || in=(podman unshare)
	timeout 120 "${in[@]}" podman --root "$T/pod" --runroot "$T/pod-run" --storage-driver vfs "$@"
}
