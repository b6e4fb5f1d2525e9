#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave import: formats of tar, instructions, and the way back through export.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/trees.sh"
setup python3 setfattr setfacl setcap tar
make_tree "$T/tree"
tree=$(describe "$T/tree")
plain() { sed "s/ ('.*//" | grep -v "before-1970"; } # without attributes

archive() { tar -C "$T/tree" --xattrs --xattrs-include='*' "$@" -cf "$T/a.tar" .; }
archive --format=pax
cleave import "$T/a.tar" pax:1 >/dev/null
same "pax" "$(describe "$(layer_of pax:1)")" "$tree"
for v in 0.0 0.1 1.0; do
	archive --format=pax -S --sparse-version=$v
	cleave import "$T/a.tar" "sparse:$v" >/dev/null
	same "pax, sparse $v" "$(describe "$(layer_of sparse:$v)")" "$tree"
	is "sparse $v stays sparse" "$([ "$(stat -c %b "$(layer_of sparse:$v)/etc/sparse")" -lt 1000 ] && echo yes)" yes
done
tar -C "$T/tree" --format=gnu -S -cf "$T/a.tar" .
cleave import "$T/a.tar" gnu:1 >/dev/null
same "gnu, with negative times and large numbers" "$(describe "$(layer_of gnu:1)" | sed "s/ ('.*//")" "$(sed "s/ ('.*//" <<<"$tree")"
rm -r "$T/tree/deep" "$T/tree/etc/long-target" "$T/tree/etc/nothing" "$T/tree/etc/late" "$T/tree/etc/before-1970"
touch -d @1234567890 "$T/tree" "$T/tree/etc"
tree=$(describe "$T/tree")
for f in ustar v7; do
	[ $f = ustar ] || { rm "$T"/tree/dev/* "$T/tree/tmp/fifo"; touch -d @1234567890 "$T/tree/dev" "$T/tree/tmp"; }
	tar -C "$T/tree" --format=$f -cf "$T/a.tar" .
	cleave import "$T/a.tar" $f:1 >/dev/null
	same "$f" "$(describe "$(layer_of $f:1)" | plain)" "$(describe "$T/tree" | plain)"
done
owner python3 - "$T/tree" "$T/py.tar" <<'END'
import sys, tarfile
with tarfile.open(sys.argv[2], "w:gz", format=tarfile.PAX_FORMAT) as t:
    t.add(sys.argv[1], ".")
END
cleave import - py:1 <"$T/py.tar" >/dev/null
same "Python's, gzip, standard input" "$(describe "$(layer_of py:1)" | plain | grep -v hard-symlink)" "$(describe "$T/tree" | plain | grep -v hard-symlink)"
(cd "$T/tree" && find . | busybox cpio -o -H newc 2>/dev/null) >"$T/a.cpio"
refuse 1 'no valid tar' import "$T/a.cpio" cpio:1

# Instructions, message, names
id=$(cleave import -m 'a message' -c 'CMD ["/bin/sh", "-c", "echo $X"]' -c 'ENV X=y' --change 'USER 5' "$T/py.tar" cfg:1)
is "it runs" "$(cleave run --rm cfg:1)" y
is "as the user" "$(cleave run --rm cfg:1 busybox id -u)" 5
config=$(cat "$CLEAVE_ROOT/images/blobs/sha256/${id#sha256:}")
is "message" "$(jq -r '.history[-1].comment' <<<"$config")" 'a message'
like "without a message" "$(cat "$CLEAVE_ROOT/images/blobs/sha256/$(cleave import "$T/py.tar" | cut -d: -f2)" | jq -r '.history[-1].comment')" '^[Ii]mported'
is "without a name" "$(cleave images --filter dangling=true -q 2>/dev/null | wc -l)" 1
like "-q" "$(cleave import -q "$T/py.tar")" '^sha256:[0-9a-f]{64}$'
refuse 1 "change 'NOTHING x'" import -c 'NOTHING x' "$T/py.tar" cfg:2
refuse 1 'must be lower case' import "$T/py.tar" CFG
refuse 1 'cannot be named by its digest' import "$T/py.tar" "a@sha256:$(printf '0%.0s' {1..64})"
true
cleave import --platform linux/arm/v7 "$T/py.tar" other:arch >/dev/null
is "--platform" "$(cleave image inspect -f '{{.Os}}/{{.Architecture}}/{{.Variant}}' other:arch)" linux/arm/v7
for platform in linux linux/ windows/amd64 linux/arm/ linux//v7 linux/arm/v7/x 'linux/a b'; do
	refuse 1 "--platform '$platform': expected linux/ARCH" import --platform "$platform" "$T/py.tar"
done
