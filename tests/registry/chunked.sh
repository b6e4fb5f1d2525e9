#!/bin/bash
# SPDX-License-Identifier: MIT
# zstd:chunked: of a layer only those files come that no layer of the store has; what is put together so is byte for byte the same.
. "$(dirname "$0")/lib.sh"
registry_setup skopeo
registry plain
faults bad "$plain_port"
R=127.0.0.1:$plain_port B=127.0.0.1:$bad_port

# An image of one layer, and a later one: a file is another one, one is new, one is gone
mkdir -p "$T/rootfs/bin" "$T/rootfs/data"
cp /bin/busybox "$T/rootfs/bin/busybox"
ln -sf busybox "$T/rootfs/bin/sh"
for i in 1 2 3 4 5 6 7 8; do head -c 200000 /dev/urandom >"$T/rootfs/data/f$i"; done
for i in 1 2 3 4 5 6 7 8 9; do echo "text $i" >"$T/rootfs/data/small$i"; done
image() { # NAME [ARG...] - from $T/rootfs; ARG of skopeo
	rm -rf "$T/img"
	mkdir -p "$T/img/blobs/sha256"
	tar -b 1 --sort=name -C "$T/rootfs" -cf "$T/l.tar" .
	gzip -n -1 -c "$T/l.tar" >"$T/l.gz"
	printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["sh","-c","cat /data/* | busybox sha256sum"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$(sha256sum "$T/l.tar" | cut -c -64)" >"$T/config.json"
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
		"$(add_blob "$T/config.json" application/vnd.oci.image.config.v1+json)" \
		"$(add_blob "$T/l.gz" application/vnd.oci.image.layer.v1.tar+gzip)" >"$T/manifest.json"
	printf '{"schemaVersion":2,"manifests":[%s]}' "$(add_blob "$T/manifest.json" application/vnd.oci.image.manifest.v1+json)" >"$T/img/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$T/img/oci-layout"
	skopeo copy -q --dest-tls-verify=false --dest-compress-format zstd:chunked "oci:$T/img" "docker://$R/$1" || no "skopeo copy to $1"
}
image test/app:1
sum1=$(cat "$T"/rootfs/data/* | sha256sum)
head -c 150000 /dev/urandom >"$T/rootfs/data/f3"
head -c 50000 /dev/urandom >"$T/rootfs/data/new"
rm "$T/rootfs/data/f5"
image test/app:2
sum2=$(cat "$T"/rootfs/data/* | sha256sum)
manifest() { curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$R/v2/$1"; }
size=$(manifest test/app/manifests/2 | jq '.layers[0].size')
layer=$(manifest test/app/manifests/2 | jq -r '.layers[0].digest')
like "it has a table of contents" "$(manifest test/app/manifests/2)" 'zstd-chunked.manifest-checksum'

mode() { echo "$*" >"$T/bad.mode"; rm -f "$T/bad.mode.log"; }
came() { awk '$1 == "blob" {n += $2} END {print n + 0}' "$T/bad.mode.log"; }
first() { # a new store that has the first image
	fresh
	mode
	is "the first one" "$(cleave pull -q "$B/test/app:1" 2>&1)" "$B/test/app:1"
}
# then_second WHAT MOST LEAST - the second one comes; of it between so many bytes
then_second() {
	local n
	is "$1" "$(timeout 60 "$CLEAVE" pull -q "$B/test/app:2" 2>&1)" "$B/test/app:2"
	n=$(came)
	is "$1: bytes that came ($n of $size)" "$((n <= $2 && n >= $3))" 1
	is "$1: it is whole" "$(cleave run --rm --network none --pull never "$B/test/app:2" 2>&1)" "${sum2%-}-"
	is "$1: the blob" "$(sha256sum <"$CLEAVE_ROOT/images/blobs/sha256/${layer#sha256:}")" "${layer#sha256:}  -"
	is "$1: the store is sound" "$(cleave system check; find "$CLEAVE_ROOT/partial" -type f)" ''
}

first
is "all of the first one came" "$(($(came) > size / 2))" 1
mode
then_second "what is new" 260000 200000
is "the first one is what it was" "$(cleave run --rm --network none --pull never "$B/test/app:1")" "${sum1%-}-"
is "it can be pushed" "$(cleave push -q "$B/test/app:2" "$R/test/copy:2")" "$R/test/copy:2"
is "as it was" "$(manifest test/copy/manifests/2)" "$(manifest test/app/manifests/2)"
cleave save --format oci-dir -o "$T/saved" "$B/test/app:2" >/dev/null 2>&1 || cleave save -o "$T/saved" "$B/test/app:2" >/dev/null
is "it can be saved" "$([ -s "$T/saved" ] || [ -d "$T/saved" ] && echo yes)" yes

# Another repository, and nothing changed: hardly more than what describes it
skopeo copy -q --dest-tls-verify=false "docker://$R/test/app:2" "docker://$R/test/other:1" --src-tls-verify=false
fresh
mode
cleave pull -q "$B/test/app:2" >/dev/null
cleave rmi "$B/test/app:2" >/dev/null
is "nothing is left to take from" "$(cleave pull -q "$B/test/other:1" >/dev/null; echo $(($(came) > size)))" 1

# What cannot be used is not: all of it comes
first
mode norange
then_second "no ranges" $((3 * size)) "$size"
first
mode cut=30000 cuts=1
then_second "connections break" 400000 200000
first
blob=$CLEAVE_ROOT/images/blobs/sha256/$(manifest test/app/manifests/1 | jq -r '.layers[0].digest' | cut -c 8-)
chmod u+w "$blob"
printf x | dd of="$blob" bs=1 seek=900000 conv=notrunc status=none
mode
out=$(timeout 60 "$CLEAVE" pull -q "$B/test/app:2" 2>&1)
is "a damaged layer gives nothing" "$out" "$B/test/app:2"
is "all of it came then" "$(($(came) > size))" 1
is "and it is whole" "$(cleave run --rm --network none --pull never "$B/test/app:2")" "${sum2%-}-"
put_manifest() { curl -s -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @- "http://$R/v2/test/app/manifests/$1"; }
prefix=$(manifest test/app/manifests/2 | jq -r '.layers[0].annotations | keys[]' | sed -n 's/manifest-position$//p') # versions of skopeo differ
lies() { # WHAT ANNOTATION VALUE
	manifest test/app/manifests/2 | jq -c --arg v "$3" '.layers[0].annotations["'"$prefix$2"'"] = $v' | put_manifest lie
	first
	mode
	is "$1" "$(timeout 60 "$CLEAVE" pull -q "$B/test/app:lie" 2>&1)" "$B/test/app:lie"
	is "$1: all of it came" "$(($(came) >= size))" 1
	is "$1: it is whole" "$(cleave run --rm --network none --pull never "$B/test/app:lie")" "${sum2%-}-"
}
position=$(manifest test/app/manifests/2 | jq -r '.layers[0].annotations["'"$prefix"'manifest-position"]')
lies "another digest" manifest-checksum "sha256:$(printf 0%.0s {1..64})"
lies "another place" manifest-position "1${position#?}"
lies "too large" manifest-position "${position%%:*}:99999999999:99999999999:1"
lies "no place" manifest-position x
true
