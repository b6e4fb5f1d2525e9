#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave pull: names, digests, platforms, all tags, TLS, passwords, mirrors; run and create get what is missing.
. "$(dirname "$0")/lib.sh"
registry_setup skopeo
registry plain
registry safe tls auth
layers_image
put() { skopeo copy -q --dest-tls-verify=false "${@:3}" "$1" "docker://$2" || no "skopeo copy to $2"; }
R=127.0.0.1:$plain_port
S=127.0.0.1:$safe_port
put "oci:$T/img" "$R/test/zstd:1" --dest-compress-format zstd # skopeo takes blobs of other repositories: these are first
put "oci:$T/img" "$S/test/chunked:1" --dest-creds u:secret --dest-compress-format zstd:chunked
put "oci:$T/img" "$R/test/tree:1"
put "oci:$T/img" "$R/test/tree:two"
put "oci:$T/img" "$R/test/old:1" --format v2s2
digest=sha256:$(sha256sum "$T/manifest.json" | cut -c -64)
id=$(sha256sum "$T/config.json" | cut -c -12)

# What it says
out=$(cleave pull "$R/test/tree:1")
is "status of pull" "$?" 0
is "first and last lines" "$(sed -n '1p' <<<"$out"; tail -n 3 <<<"$out")" "1: Pulling from test/tree
Digest: $digest
Status: Downloaded newer image for $R/test/tree:1
$R/test/tree:1"
for i in 0 1 2; do
	l=$(sha256sum "$T/l$i.gz" | cut -c -12)
	is "lines of layer $i" "$(grep "^$l" <<<"$out")" "$l: Pulling fs layer
$l: Download complete
$l: Pull complete"
done
is "the image" "$(cleave images --format '{{.Repository}}:{{.Tag}} {{.ID}}')" "$R/test/tree:1 $id"
is "it runs" "$(cleave run --rm "$R/test/tree:1")" works
is "files of the last layer" "$(cleave run --rm "$R/test/tree:1" busybox sha256sum file2 | cut -c -64)" "$(sha256sum "$T/d2/file2" | cut -c -64)"
like "again" "$(cleave pull "$R/test/tree:1")" "Status: Image is up to date for $R/test/tree:1"
is "quiet" "$(cleave pull -q "$R/test/tree:1" 2>&1)" "$R/test/tree:1"
out=$(cleave pull "$R/test/tree:two")
is "another name of the same" "$(sed -n 2p <<<"$out")" "Digest: $digest"
out=$(cleave pull "$R/test/old:1")
like "layers that are here" "$out" "$(sha256sum "$T/l1.gz" | cut -c -12): Already exists"
is "nothing is left of downloads" "$(find "$CLEAVE_ROOT/partial" -type f)" ''
is "the store is sound" "$(cleave system check)" ''
like "event" "$(cleave events --since 1m --until 0s --filter event=pull)" "image pull $R/test/tree:1"

# On a terminal: lines that are drawn again, and stay when they are done
fresh
out=$(TERM=xterm NO_COLOR=1 script -qec "'$CLEAVE' pull $R/test/tree:1" /dev/null </dev/null | tr -d '\r')
like "drawn again" "$out" $'\033\\[[0-9]+A'
for i in 0 1 2; do like "bar of layer $i" "$out" "$(sha256sum "$T/l$i.gz" | cut -c -12): Pull complete"; done
is "last line of a terminal" "$(tail -n 1 <<<"$out")" "$R/test/tree:1"

# Digests, tags, platforms
fresh
is "by digest" "$(cleave pull -q "$R/test/tree@$digest")" "$R/test/tree@$digest"
is "run by digest" "$(cleave run --rm --pull never "$R/test/tree@$digest")" works
is "digests" "$(cleave inspect --format '{{json .RepoDigests}}' "$id")" "[\"$R/test/tree@$digest\"]"
is "all tags" "$(cleave pull -q -a "$R/test/tree"; cleave images --format '{{.Tag}}' | sort | xargs)" "$R/test/tree
1 two"
refuse 1 "tag can't be used with --all-tags" pull -a "$R/test/tree:1"
fresh
manifest() { curl -sk -u u:secret -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$1/manifests/1"; }
like "a registry has zstd" "$(manifest "http://$R/v2/test/zstd")" 'tar.zstd'
is "zstd" "$(cleave run --rm "$R/test/zstd:1" 2>/dev/null)" works
fresh
like "and zstd:chunked" "$(manifest "https://$S/v2/test/chunked")" 'zstd-chunked.manifest-position'
is "zstd:chunked" "$(cleave pull -q --creds u:secret "$S/test/chunked:1")" "$S/test/chunked:1"
is "it runs" "$(cleave run --rm "$S/test/chunked:1")" works
fresh
jq -c '.architecture = "arm64"' "$T/config.json" >"$T/arm.json"
arm=$(add_blob "$T/arm.json" application/vnd.oci.image.config.v1+json)
jq -c --argjson c "$arm" '.config = $c' "$T/manifest.json" >"$T/arm-manifest.json"
add_blob "$T/arm-manifest.json" x >/dev/null
entry() { jq -n -c --arg d "sha256:$(sha256sum "$1" | cut -c -64)" --argjson s "$(stat -c %s "$1")" --arg a "$2" \
	'{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s, platform: {os: "linux", architecture: $a}}'; }
jq -n -c --argjson a "$(entry "$T/arm-manifest.json" arm64)" --argjson b "$(entry "$T/manifest.json" amd64)" \
	'{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [$a, $b]}' >"$T/list.json"
printf '{"schemaVersion":2,"manifests":[%s]}' "$(add_blob "$T/list.json" application/vnd.oci.image.index.v1+json)" >"$T/img/index.json"
put "oci:$T/img" "$R/test/many:1" --all
list=sha256:$(sha256sum "$T/list.json" | cut -c -64)
like "the list's digest" "$(cleave pull "$R/test/many:1")" "Digest: $list"
is "found by the list's digest" "$(cleave inspect --format '{{.Architecture}}' "$R/test/many@$list")" amd64
cleave pull -q --platform linux/arm64 "$R/test/many:1" >/dev/null
is "another platform" "$(cleave inspect --format '{{.Architecture}}' "$R/test/many:1")" arm64
refuse 1 'no matching manifest for linux/s390x' pull -q --platform linux/s390x "$R/test/many:1"
refuse 1 "pull '$R/test/none:1': 1: " pull -q "$R/test/none:1"
refuse 1 "pull '$R/test/tree:none': none: manifest unknown" pull -q "$R/test/tree:none"

# Run and create
fresh
out=$(cleave run --rm "$R/test/tree:1" 2>"$T/err")
is "run gets what is missing; its output is its own" "$out" works
is "what it says first" "$(head -n 2 "$T/err")" "Unable to find image '$R/test/tree:1' locally
1: Pulling from test/tree"
is "run -q" "$(cleave run -q --rm --pull always "$R/test/tree:1" 2>&1)" works
fresh
refuse 125 "no image '$R/test/tree:1' here" run --pull never "$R/test/tree:1"
out=$(cleave create -q "$R/test/tree:two" 2>/dev/null)
like "create" "$out" '^[0-9a-f]{64}$'
cleave rm "$out" >/dev/null
out=$(cleave run --rm "$R/test/none:1" 2>&1)
is "run without an image" "$? $(wc -l <<<"$out")" '125 2'

# TLS and passwords
put "oci:$T/img" "$S/test/tree:1" --all --dest-creds u:secret
refuse 1 'denied|unauthorized' pull -q "$S/test/many:1"
refuse 1 'denied|unauthorized' pull -q --creds u:wrong "$S/test/tree:1"
is "a password" "$(cleave pull -q --creds u:secret "$S/test/tree:1")" "$S/test/tree:1"
mkdir -p "$DOCKER_CONFIG"
printf '{"auths": {"%s": {"auth": "%s"}}}' "$S" "$(printf u:secret | base64)" >"$DOCKER_CONFIG/config.json"
is "config.json" "$(cleave pull -q "$S/test/tree:1")" "$S/test/tree:1"
mkdir -p "$T/bin"
cat >"$T/bin/docker-credential-test" <<-'END'
	#!/bin/sh
	read -r server
	echo "{\"ServerURL\": \"$server\", \"Username\": \"u\", \"Secret\": \"secret\"}"
END
chmod +x "$T/bin/docker-credential-test"
printf '{"credHelpers": {"%s": "test"}}' "$S" >"$DOCKER_CONFIG/config.json"
is "a credential helper" "$(PATH=$T/bin:$PATH cleave pull -q "$S/test/tree:1")" "$S/test/tree:1"
rm "$DOCKER_CONFIG/config.json"

# Not this machine's address: certificates count
mkdir -p "$T/certs"
cp "$T/tls.crt" "$T/certs/ca.crt"
printf '{"stall": 5, "attempts": 2, "wait": 20, "aliases": {"tree": "%s/test/tree"}, "registries": {"docker.io": {"mirrors": ["http://%s"]}}}' "$S" "$R" >"$CLEAVE_REGISTRIES"
is "an alias" "$(cleave pull -q --creds u:secret tree:1)" "$S/test/tree:1"
is "it has the short name" "$(cleave run --rm --pull never tree:1)" works
is "a mirror" "$(cleave pull -q test/tree:1)" docker.io/test/tree:1
trusted() { named_host pull -q --creds u:secret "$@" 2>&1; }
like "an unknown certificate" "$(trusted "registry.test:$safe_port/test/tree:1")" 'certificate'
like "a certificate for another name" "$(trusted --cert-dir "$T/certs" "registry.test:$safe_port/test/tree:1")" 'registry.test|subject name'
is "--tls-verify=false" "$(trusted --tls-verify=false "registry.test:$safe_port/test/tree:1")" "registry.test:$safe_port/test/tree:1"
like "no plain HTTP to others" "$(trusted "registry.test:$plain_port/test/tree:1")" 'wrong version|SSL|TLS'
is "but with --tls-verify=false" "$(trusted --tls-verify=false "registry.test:$plain_port/test/tree:1")" "registry.test:$plain_port/test/tree:1"
