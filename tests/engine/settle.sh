#!/bin/bash
# SPDX-License-Identifier: MIT
# Images are on disk a moment after load returns; if the machine stops before, they are restored or removed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/trees.sh"
setup python3 setfattr setfacl setcap tar
make_tree "$T/tree"
tree=$(describe "$T/tree")
tar -C "$T/tree" --format=pax --xattrs --xattrs-include='*' -cf "$T/a.tar" .
note() { find "$T/root/unsettled" -type f 2>/dev/null; }
settled() { [ ! -e "$T/root/unsettled" ]; }
# stopped IMAGE... - as if the machine had stopped right after these were made
stopped() {
	local image chain diff id
	mkdir -p "$T/root/unsettled"
	{
		echo 00000000-0000-0000-0000-000000000000
		for image; do
			id=$(cleave images -q --no-trunc "$image")
			diff=$(cleave image inspect -f '{{index .RootFS.Layers 0}}' "$image")
			chain=${diff#sha256:}
			echo "image ${id#sha256:}"
			echo "layer $chain $diff $(jq -r '.layers[0].digest' "$T/root/images/blobs/sha256/$(cleave image inspect -f '{{index .RepoDigests 0}}' "$image" | sed 's/.*sha256://')")"
		done
	} >"$T/note"
}

cleave import "$T/a.tar" test/a:1 >/dev/null
until_true settled
is "nothing is noted a moment later" "$(note)" ''
cleave save -o "$T/a.img" test/a:1
cleave rmi test/a:1 >/dev/null
cleave load -q -i "$T/a.img" | cat >/dev/null # returns although somebody waits for the disk
until_true settled
like "nobody stays" "$(pgrep -af "$T" | grep -v pgrep | grep -c 'cleave load')" '^0$'

# A note that nobody sees to, of this boot
stopped test/a:1
mkdir -p "$T/root/unsettled"
{ cat /proc/sys/kernel/random/boot_id && sed 1d "$T/note"; } >"$T/root/unsettled/0123456789abcdef"
cleave images >/dev/null
until_true settled
same "the image is as it was" "$(describe "$(layer_of test/a:1)")" "$tree"

# One of an earlier boot: the layer is damaged, its blob is not
stopped test/a:1
layer=$(layer_of test/a:1)
: >"$layer/bin/busybox"
rm -r "${layer:?}/etc"
mkdir -p "$T/root/unsettled" && cp "$T/note" "$T/root/unsettled/0123456789abcdef"
is "nothing is said" "$(cleave image ls --format '{{.Repository}}' 2>&1)" test/a
same "the layer is restored" "$(describe "$(layer_of test/a:1)")" "$tree"
is "the note is gone" "$(note)" ''
is "it runs" "$(cleave run --rm test/a:1 busybox echo yes)" yes

# The blob is damaged
mkdir "$T/other" && echo 1 >"$T/other/file" && tar -C "$T/other" -c . | cleave import - test/b:1 >/dev/null
until_true settled
stopped test/a:1 test/b:1
blob=$(sed -n '3s/.*sha256://p' "$T/note")
echo x >>"$T/root/images/blobs/sha256/$blob"
mkdir -p "$T/root/unsettled" && cp "$T/note" "$T/root/unsettled/0123456789abcdef"
out=$(cleave image ls --format '{{.Repository}}' 2>"$T/err")
is "only the other one is there" "$out" test/b
like "it is said once" "$(cat "$T/err")" "^cleave: image 'test/a:1' \([0-9a-f]{12}\) was not on disk when the machine stopped, and is gone$"
is "then no more" "$(cleave image ls 2>&1 >/dev/null)" ''
is "the other one is whole" "$(cleave export "$(cleave create test/b:1 x)" | tar -xO file)" 1
cleave load -q -i "$T/a.img" >/dev/null
same "it can be loaded again" "$(describe "$(layer_of test/a:1)")" "$tree"
until_true settled

# A note that is itself damaged
mkdir "$T/root/unsettled"
head -c 100 /dev/urandom >"$T/root/unsettled/0123456789abcdef"
is "is removed" "$(cleave image ls --format '{{.Repository}}' 2>&1 | tr '\n' ' ')$(note)" 'test/a test/b '
true
