#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave load: archives and layouts of Podman, skopeo and cleave save, packed in every way.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/trees.sh"
setup podman skopeo python3 setfattr setfacl setcap tar gzip zstd xz
# A new store is used from here on
fresh() { stores=$((${stores:-0} + 1)) && export CLEAVE_ROOT=$T/root$stores CLEAVE_RUNROOT=$T/run; }
# consistent - all blobs have their digests, and all that manifests name is there
consistent() {
	local m d blobs=$CLEAVE_ROOT/images/blobs/sha256
	(cd "$blobs" && sha256sum -- * | awk '$1 != $2 { print "digest of " $2 }')
	for m in $(jq -r '.manifests[].digest' "$CLEAVE_ROOT/images/index.json"); do
		for d in $(jq -r '.config.digest, .layers[].digest' "$blobs/${m#sha256:}"); do
			[ -f "$blobs/${d#sha256:}" ] || echo "no blob $d"
		done
	done
}
# load WHAT WANT ARG... - into a fresh store: what it prints, and that the layer is as the tree
load() {
	local what=$1 want=$2
	shift 2
	fresh
	is "load: $what" "$(cleave load "$@" 2>&1)" "$want"
	same "tree of: $what" "$(describe "$(layer_of test/tree:1 1)")" "$tree"
	is "store after: $what" "$(consistent)" ''
}

make_tree "$T/tree"
tree=$(describe "$T/tree")
tar -C "$T/tree" --format=pax --xattrs --xattrs-include='*' -cf "$T/tree.tar" .
id=$(cleave import -c 'CMD ["/bin/sh", "-c", "echo works"]' "$T/tree.tar" test/tree:1)
said='Loaded image: test/tree:1'
cleave save -o "$T/d.tar" test/tree:1
cleave save --format oci-archive -o "$T/o.tar" test/tree:1
cleave save --format oci-dir -o "$T/layout" test/tree:1

# Ways in
load 'docker-archive' "$said" -i "$T/d.tar"
is "the id is the same" "$(cleave images -q --no-trunc)" "$id"
is "it runs" "$(cleave run --rm test/tree:1)" works
is "again" "$(cleave load -i "$T/d.tar")" "$said"
is "still one image" "$(cleave images -q | wc -l)" 1
load '--input' "$said" --input "$T/d.tar"
load 'quiet' "$said" -q -i "$T/d.tar"
load 'standard input, a file' "$said" <"$T/d.tar"
load 'standard input, a pipe' "$said" < <(cat "$T/d.tar")
load 'oci-archive' "$said" -i "$T/o.tar"
load 'layout' "$said" -i "$T/layout"
cp -r "$T/layout" "$T/derived"
named() { jq -c --arg n "$1" '.manifests[0].annotations["org.opencontainers.image.ref.name"] = $n' "$T/layout/index.json" >"$T/derived/index.json"; }
named 1
load "containerd's two names, of which one is the tag" "$said" -i "$T/derived"
named new/tree:2
fresh
is "made of another image, whose name was left in it" "$(cleave load -i "$T/derived")" 'Loaded image: new/tree:2'
for z in gzip zstd xz; do
	$z -c -q "$T/d.tar" >"$T/d.$z"
	load "docker-archive in $z" "$said" -i "$T/d.$z"
	load "docker-archive in $z through a pipe" "$said" < <(cat "$T/d.$z")
done
zstd -q -c "$T/o.tar" >"$T/o.zst"
load 'oci-archive in zstd' "$said" -i "$T/o.zst"
(umask 077 && fresh && cleave load -q -i "$T/d.tar" >"$T/said" && layer_of test/tree:1 >"$T/where")
is "umask: root directory of the layer" "$(stat -c %a "$(cat "$T/where")")" 755
out=$(script -qec "'$CLEAVE' load" /dev/null </dev/null | tr -d '\r')
like "a terminal is no archive" "$out" '^cleave: standard input is a terminal'

# Podman's and skopeo's archives; layers in every packing
pod load -qi "$T/d.tar" >/dev/null
pod save -q -o "$T/pd.tar" test/tree:1
tree_before=$tree
tree=$(grep -v before-1970 <<<"$tree") # Podman has no times before 1970
all_of() { describe "$@" | grep -v before-1970; }
podload() {
	fresh
	is "load: $1" "$(cleave load -i "$2" 2>&1)" "$said"
	same "tree of: $1" "$(all_of "$(layer_of test/tree:1)")" "$tree"
	is "store after: $1" "$(consistent)" ''
}
podload "podman's docker-archive" "$T/pd.tar"
is "podman's image has the same id" "$(cleave images -q --no-trunc)" "$id"
pod save -q --format oci-archive -o "$T/po.tar" test/tree:1
podload "podman's oci-archive" "$T/po.tar"
pod save -q --format oci-dir -o "$T/pl" test/tree:1 2>/dev/null
fresh
like "load: podman's layout" "$(cleave load -i "$T/pl")" '^Loaded image'
pod save -q --format docker-dir -o "$T/pdd" test/tree:1 2>/dev/null
refuse 1 "neither 'manifest.json' nor 'index.json'|no image|expected a list" load -i "$T/pdd"
for z in gzip zstd; do
	skopeo copy -q --dest-compress-format $z "docker-archive:$T/d.tar" "oci:$T/sk-$z:test/tree:1"
	podload "skopeo's layout in $z" "$T/sk-$z"
	is "digests of $z layers are kept" "$(jq -r '.manifests[0].digest' "$CLEAVE_ROOT/images/index.json")" "$(jq -r '.manifests[0].digest' "$T/sk-$z/index.json")"
	skopeo copy -q "oci:$T/sk-$z" "oci-archive:$T/sk-$z.tar:test/tree:1"
	podload "skopeo's oci-archive in $z" "$T/sk-$z.tar"
	cleave save -o "$T/again.tar" test/tree:1
	like "podman reads what came in $z" "$(pod load -i "$T/again.tar" 2>&1)" 'Loaded image: docker.io/test/tree:1'
	[ $z = gzip ] || continue # "zstd compression is not supported for docker images"
	skopeo copy -q "oci:$T/sk-$z" "docker-archive:$T/skd-$z.tar:test/tree:1"
	podload "skopeo's docker-archive of $z" "$T/skd-$z.tar"
done

# Several images, several names, a shared layer, one image in two packings
pod load -qi "$T/d.tar" >/dev/null
printf 'FROM test/tree:1\nCOPY two /etc/two\nCMD ["busybox", "cat", "/etc/two"]\n' >"$T/Containerfile"
echo two >"$T/two"
pod build -q --isolation chroot -f "$T/Containerfile" -t example.org/two:x "$T" >/dev/null
pod tag example.org/two:x docker.io/test/two:2 docker.io/test/two:3
pod save -q -m -o "$T/many.tar" test/tree:1 example.org/two:x docker.io/test/two:2
fresh
is "several images" "$(cleave load -i "$T/many.tar" | sort)" $'Loaded image: example.org/two:x\nLoaded image: test/tree:1\nLoaded image: test/two:2'
is "a shared layer is there once" "$(find "$CLEAVE_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 2
is "store after several" "$(consistent)" ''
is "run the second" "$(cleave run --rm test/two:2)" two
is "files of both layers" "$(cleave run --rm test/two:2 busybox cat /etc/one)" one
cleave save -o "$T/many2.tar" test/two test/tree:1
fresh
is "and back" "$(cleave load -i "$T/many2.tar" | sort)" $'Loaded image: test/tree:1\nLoaded image: test/two:2'
fresh
skopeo copy -q "oci:$T/sk-gzip" "oci:$T/both:test/tree:gz"
skopeo copy -q "oci:$T/sk-zstd" "oci:$T/both:test/tree:zs"
is "one image in two packings" "$(cleave load -i "$T/both" | sort)" $'Loaded image: test/tree:gz\nLoaded image: test/tree:zs'
is "store after two packings" "$(consistent)" ''
cleave save -o "$T/zs.tar" test/tree:zs
is "save of the second" "$?" 0
blobs() { ls "$CLEAVE_ROOT/images/blobs/sha256"; }
fresh
cleave load -q -i "$T/sk-zstd" >/dev/null
before=$(blobs)
is "again, in another packing" "$(cleave load -i "$T/sk-gzip")" "$said"
is "what came for it is not kept" "$(blobs)" "$before"
skopeo copy -q --dest-compress-format gzip "docker-archive:$T/many.tar:test/tree:1" "oci:$T/mixed:test/tree:gz"
skopeo copy -q --dest-compress-format zstd "docker-archive:$T/many.tar:example.org/two:x" "oci:$T/mixed:two:zs"
fresh
is "two images that share a layer, in two packings" "$(cleave load -i "$T/mixed" | sort)" $'Loaded image: test/tree:gz\nLoaded image: two:zs'
is "store after those" "$(consistent)" ''
cleave save -o "$T/mixed.tar" test/tree:gz two:zs
is "save of both" "$?" 0
pod save -q -o "$T/noname.tar" "$(pod image inspect -f '{{.Id}}' test/tree:1)"
fresh
is "without a name" "$(cleave load -i "$T/noname.tar")" "Loaded image ID: $id"

tree=$tree_before
# Members as links, as older programs write them; layers in packings of their own
mkdir "$T/old" && tar -C "$T/old" -xf "$T/d.tar"
layer=$(jq -r '.[0].Layers[0]' "$T/old/manifest.json")
rm "$T/old/index.json" "$T/old/oci-layout"
mkdir "$T/old/a" "$T/old/b"
mv "$T/old/$layer" "$T/old/a/layer.tar"
ln -s ../a/layer.tar "$T/old/b/layer.tar"
ln "$T/old/a/layer.tar" "$T/old/z.tar"
retar() { tar -C "$T/old" -cf "$T/old.tar" --sort=name .; }
point() { jq -c --arg l "$1" '.[0].Layers[0] = $l' "$T/old/manifest.json" >"$T/m" && cp "$T/m" "$T/old/manifest.json" && retar; }
for l in b/layer.tar z.tar ./a//layer.tar; do
	point "$l"
	load "layer by the name $l" "$said" -i "$T/old.tar"
done
rm "$T/old/z.tar" "$T/old/b/layer.tar"
for z in gzip zstd xz; do
	$z -c -q "$T/tree.tar" >"$T/old/b/layer.tar"
	point b/layer.tar
	load "layer in $z" "$said" -i "$T/old.tar"
	cleave save -o "$T/again.tar" test/tree:1
	like "podman reads a layer of $z" "$(pod load -i "$T/again.tar" 2>&1)" 'Loaded image: docker.io/test/tree:1'
done
umount "$T/pod/vfs" "$T/pod" 2>/dev/null
true
