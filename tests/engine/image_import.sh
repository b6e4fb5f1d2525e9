#!/bin/bash
# SPDX-License-Identifier: MIT
# image import and image ls.
. "$(dirname "$0")/lib.sh"
setup xz zstd gzip
mkdir -p "$T/fs/bin" "$T/fs/etc"
cp "$(command -v busybox)" "$T/fs/bin/busybox"
ln -s busybox "$T/fs/bin/sh"
ln "$T/fs/bin/busybox" "$T/fs/bin/cat"
echo one >"$T/fs/etc/one"
chown 12:34 "$T/fs/etc/one"
chmod 4755 "$T/fs/etc/one"
setfattr -n user.test -v value "$T/fs/etc/one" 2>/dev/null
tar -C "$T/fs" --xattrs -cf "$T/a.tar" .
gzip -k "$T/a.tar" && zstd -q "$T/a.tar" && xz -k -0 "$T/a.tar"
for f in a.tar a.tar.gz a.tar.zst a.tar.xz; do
	like "import of $f" "$(cleave image import "$T/$f" "test/${f##*.}:1")" '^sha256:[0-9a-f]{64}$'
	is "run of $f" "$(cleave run --rm "test/${f##*.}:1" cat /etc/one)" one
done
is "from standard input" "$(cleave image import - stdin <"$T/a.tar.gz" | wc -c)" 72
is "owner and mode" "$(cleave run --rm test/gz:1 busybox stat -c '%u %g %a' /etc/one)" '12 34 4755'
is "one layer for the same content" "$(find "$T/root/layers" -mindepth 1 -maxdepth 1 ! -name mount-points | wc -l)" 1
is "names" "$(cleave image ls --format json | jq -r '.Repository+":"+.Tag' | sort | tr '\n' ' ')" \
	'stdin:latest test/gz:1 test/tar:1 test/xz:1 test/zst:1 '
like "header" "$(cleave image ls | head -n 1)" '^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$'
id=$(cleave image ls -q --no-trunc | head -n 1)
is "run by id" "$(cleave run --rm "${id:7:8}" cat /etc/one)" one
refuse 125 'no command specified' run --rm test/gz:1
# The layout is one that others can read.
for m in $(jq -r '.manifests[].digest' "$T/root/images/index.json"); do
	blob=$T/root/images/blobs/sha256/${m#sha256:}
	is "digest of the manifest" "sha256:$(sha256sum <"$blob" | cut -d' ' -f1)" "$m"
	for d in $(jq -r '.config.digest, .layers[].digest' "$blob"); do
		is "digest of a blob" "sha256:$(sha256sum <"$T/root/images/blobs/sha256/${d#sha256:}" | cut -d' ' -f1)" "$d"
	done
done
tag=$(cleave image import "$T/a.tar" test/tar:1)
is "a name moves to the new image" "$(cleave image ls --no-trunc --format json | jq -r 'select(.Repository=="test/tar").ID')" "$tag"
is "the old one stays without a name" "$(cleave image ls --format json | jq -r .Repository | grep -c '<none>')" 1
