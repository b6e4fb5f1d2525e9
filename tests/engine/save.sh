#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave save: what it writes is what Podman and skopeo read, with nothing lost.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/trees.sh"
setup podman skopeo python3 setfattr setfacl setcap tar

make_tree "$T/tree"
want=$(describe "$T/tree")
tar -C "$T/tree" --format=pax --xattrs --xattrs-include='*' -S -cf "$T/tree.tar" .
id=$(cleave import -c 'CMD ["/bin/sh"]' -c 'ENV A=b' -c 'LABEL one=two' -m message "$T/tree.tar" test/tree:1)
same "the layer that was imported" "$(describe "$(layer_of test/tree:1)")" "$want"

# Docker's format
cleave save -o "$T/d.tar" test/tree:1
is "save prints nothing" "$?$(cleave save -o "$T/d.tar" test/tree:1 2>&1)" 0
cleave save test/tree:1 >"$T/stdout.tar"
is "standard output gets the same bytes" "$(cmp "$T/d.tar" "$T/stdout.tar" && echo yes)" yes
cleave save test/tree:1 | cat >"$T/pipe.tar"
is "a pipe, too" "$(cmp "$T/d.tar" "$T/pipe.tar" && echo yes)" yes
is "mode of the file" "$(stat -c %a "$T/d.tar")" 600
is "manifest.json" "$(tar -xOf "$T/d.tar" manifest.json | jq -r '.[0].RepoTags[0], (.[0].Layers | length)' | tr '\n' ' ')" 'test/tree:1 1 '
is "it is an OCI layout at once" "$(tar -xOf "$T/d.tar" index.json | jq -r '.manifests[0].annotations["io.containerd.image.name"]')" docker.io/test/tree:1
is "skopeo inspects it" "$(skopeo inspect --config "docker-archive:$T/d.tar" | jq -r '.config.Env[1], .config.Labels.one, .history[0].comment' | tr '\n' ' ')" 'A=b two message '
is "skopeo sees the image id" "$(skopeo inspect --raw "docker-archive:$T/d.tar" | jq -r .config.digest)" "$id"
like "podman load" "$(pod load -i "$T/d.tar" 2>&1)" 'Loaded image: docker.io/test/tree:1'
is "podman has the same image" "$(pod image inspect -f '{{.Id}}' test/tree:1)" "${id#sha256:}"
mnt=$(pod image mount test/tree:1)
# Podman has no times before 1970, and lets files inherit access lists that they have not
known() { grep -v "before-1970\|^'acl/"; }
same "what podman unpacks" "$(describe "$mnt" | known)" "$(known <<<"$want")"
pod image umount -a >/dev/null

# OCI's
cleave save --format oci-archive -o "$T/o.tar" test/tree:1
is "no manifest.json" "$(tar -tf "$T/o.tar" | grep -c manifest.json)" 0
is "skopeo reads an oci-archive" "$(skopeo inspect --raw "oci-archive:$T/o.tar" | jq -r .config.digest)" "$id"
like "podman load of an oci-archive" "$(pod load -i "$T/o.tar" 2>&1)" 'Loaded image'
cleave save --format oci-dir -o "$T/layout" test/tree:1
is "skopeo reads a layout" "$(skopeo inspect --raw "oci:$T/layout" | jq -r .config.digest)" "$id"
is "and copies it" "$(skopeo copy -q "oci:$T/layout:docker.io/test/tree:1" "docker-archive:$T/copy.tar:x:1" 2>&1)" ''
refuse 1 'holds an image layout already' save --format oci-dir -o "$T/layout" test/tree:1
refuse 1 'name it with --output' save --format oci-dir test/tree:1
refuse 1 "docker-archive, oci-archive and oci-dir are known" save --format zip test/tree:1

# Several images and names
echo two >"$T/tree/etc/two"
tar -C "$T/tree" --xattrs -cf "$T/two.tar" etc/two
two=$(cleave import "$T/two.tar" test/two:1)
cleave tag test/two:1 other.example:5000/two:x
cleave save -o "$T/many.tar" test/tree:1 test/two:1 other.example:5000/two:x "${two:7:12}"
is "names of both" "$(tar -xOf "$T/many.tar" manifest.json | jq -c 'map(.RepoTags)')" '[["test/tree:1"],["test/two:1","other.example:5000/two:x"]]'
is "skopeo finds the second by name" "$(skopeo inspect --raw "docker-archive:$T/many.tar:other.example:5000/two:x" | jq -r .config.digest)" "$two"
cleave save -o "$T/id.tar" "${two:7:12}"
is "by id there is no name" "$(tar -xOf "$T/id.tar" manifest.json | jq -c 'map(.RepoTags)')" '[null]'
cleave tag test/two:1 test/two:2
cleave save -o "$T/all.tar" test/two
is "a name without a tag means all of its tags" "$(tar -xOf "$T/all.tar" manifest.json | jq -c 'map(.RepoTags)')" '[["test/two:1","test/two:2"]]'

# Refusals leave what is there
echo keep >"$T/there"
refuse 1 "no image 'nothing:9'" save -o "$T/there" nothing:9
is "a file that was there stays as it was" "$(cat "$T/there")" keep
refuse 1 "no image 'nothing:9'" save -o "$T/new" test/two:1 nothing:9
is "no file is left" "$(find "$T" -maxdepth 1 -name '*new*')" ''
refuse 1 'no such file or directory' save -o "$T/no/such/dir" test/two:1
refuse 1 'is a directory' save -o "$T/tree" test/two:1
out=$(script -qec "'$CLEAVE' save test/two:1" /dev/null | tr -d '\r')
like "a terminal gets no archive" "$out" '^cleave: standard output is a terminal'
cleave save -o /dev/null test/two:1
is "to a device" "$?$(stat -c %F /dev/null)" '0character special file'
out=$(cleave save test/tree:1 2>&1 >/dev/full)
is "a full disk" "$?" 1
like "is told" "$out" 'no space left on device'
umount "$T/pod/vfs" "$T/pod" 2>/dev/null
true
