#!/bin/bash
# SPDX-License-Identifier: MIT
# Registries that break off, stall, lie and redirect; kills; what was received is used again.
. "$(dirname "$0")/lib.sh"
registry_setup skopeo
registry plain
faults bad "$plain_port"
layers_image
skopeo copy -q --dest-tls-verify=false "oci:$T/img" "docker://127.0.0.1:$plain_port/test/tree:1"
N=127.0.0.1:$bad_port/test/tree:1
settings() { echo "{\"stall\": 1, \"attempts\": $1, \"wait\": 20}" >"$CLEAVE_REGISTRIES"; }
mode() { echo "$*" >"$T/bad.mode"; }
# passes WORDS... - the image comes in spite of these faults
passes() {
	fresh
	mode "$@"
	settings 4
	is "pull with $*" "$(timeout 60 "$CLEAVE" pull -q "$N" 2>&1)" "$N"
	is "run after $*" "$(cleave run --rm --pull never "$N" 2>&1)" works
	is "left after $*" "$(find "$CLEAVE_ROOT/partial" -type f)" ''
}
# fails REGEX WORDS... - refused in one line, and the store is as before
fails() {
	local regex=$1
	shift
	fresh
	mode "$@"
	settings 2
	out=$(timeout 60 "$CLEAVE" pull -q "$N" 2>&1)
	is "status with $*" "$?" 1
	like "message with $*" "$out" "$regex"
	is "lines with $*" "$(wc -l <<<"$out")" 1
	is "images with $*" "$(cleave images -q)" ''
	is "tmp with $*" "$(ls "$CLEAVE_ROOT/tmp")" ''
	is "the store is sound after $*" "$(cleave system check)" ''
}

passes none
passes fail=2
passes cut=200000
passes cut=200000 cuts=2 norange
passes token=4
passes token=2
passes token=100 leak
if [ -e "$T/bad.mode.leak" ]; then no "a password went to another host"; else yes; fi
fails 'bytes remaining|registry sent' cut=10
fails 'sent more than the [0-9]+ bytes' long
passes short # the last byte is asked for again
fails 'asked for bytes from' cut=200000 wrongrange
fails 'Operation too slow|timed out' stall=1000
fails 'has the digest|damaged|no valid tar' flip=100
fails 'Maximum \(10\) redirects' redirect
fails 'the registry says that the manifest is sha256:0+ and sent' digest
fails 'answer is over' endless
fails 'manifest: ' garbage
fails 'image and a list at once' both
fails 'was asked for sha256:[0-9a-f]* and sent' config
fails 'status 503' always=503
fails 'denied' always=403
fails 'not found' always=404
fails 'unauthorized|denied' token=0

# What a registry calls a tag stays one
for tag in 5/x a/b:c "x@sha256:$(printf 0%.0s {1..64})" ../x; do
	mode "tags=$tag"
	refuse 1 "is a tag|image name '" pull -q -a localhost:"$bad_port/x"
done
is "images of such tags" "$(cleave images -q)" ''

# A proxy; names are looked up by it
fresh
mode none
is "http_proxy" "$(http_proxy=http://127.0.0.1:$bad_port cleave pull -q --tls-verify=false registry.invalid/test/tree:1 2>&1)" registry.invalid/test/tree:1
is "HTTP_PROXY" "$(HTTP_PROXY=http://127.0.0.1:$bad_port cleave pull -q --tls-verify=false registry.invalid/test/tree:1 2>&1)" registry.invalid/test/tree:1
like "no_proxy" "$(http_proxy=http://127.0.0.1:$bad_port no_proxy=registry.invalid cleave pull -q --tls-verify=false registry.invalid/test/tree:1 2>&1)" 'resolve host'

# Killed at any moment: the next one goes on with what is there
fresh
mode slow=60000
settings 2
for wait in 0.4 0.7 1; do
	timeout -s KILL "$wait" "$CLEAVE" pull -q "$N" >/dev/null 2>&1
done
have=$(du -bc "$CLEAVE_ROOT"/partial/* 2>/dev/null | tail -n 1 | cut -f 1)
[ "${have:-0}" -gt 60000 ] && yes || no "parts are kept: $have"
is "no image yet" "$(cleave images -q)" ''
mode none
is "and on" "$(cleave pull -q "$N" 2>&1)" "$N"
is "it is whole" "$(cleave run --rm --pull never "$N")" works
is "nothing is left" "$(find "$CLEAVE_ROOT/partial" "$CLEAVE_ROOT/tmp" -mindepth 1)" ''
is "the store is sound after kills" "$(cleave system check)" ''

# A part that went bad on the disk is fetched anew
fresh
l=$(sha256sum "$T/l1.gz" | cut -c -64)
mkdir -p "$CLEAVE_ROOT/partial" && head -c 1000 /dev/zero >"$CLEAVE_ROOT/partial/$l"
is "damaged part" "$(cleave pull -q "$N" 2>&1)" "$N"

# Two at once share what they download, and never wait for each other
for turn in 1 2 3 4; do
	fresh
	mode slow=800000
	timeout 60 "$CLEAVE" pull -q "$N" >"$T/a" 2>&1 &
	timeout 60 "$CLEAVE" pull -q "$N" >"$T/b" 2>&1
	wait $!
	is "two at once, $turn" "$(sort -u "$T/a" "$T/b")" "$N"
	is "run after two at once, $turn" "$(cleave run --rm --pull never "$N")" works
	is "left after two at once, $turn" "$(ls "$CLEAVE_ROOT/partial")" ''
done

# A full disk
if as_root; then
	fresh
	mkdir -p "$CLEAVE_ROOT"
	mount -t tmpfs -o size=1m none "$CLEAVE_ROOT"
	mode none
	out=$(cleave pull -q "$N" 2>&1)
	is "full disk: status" "$?" 1
	like "full disk" "$out" 'no space left'
	is "full disk: lines" "$(wc -l <<<"$out")" 1
	umount "$CLEAVE_ROOT"
fi
