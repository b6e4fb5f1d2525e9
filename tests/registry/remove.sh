#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave registry rm, tags, referrers.
. "$(dirname "$0")/lib.sh"
registry_setup skopeo
registry plain
faults bad "$plain_port"
layers_image
R=127.0.0.1:$plain_port B=127.0.0.1:$bad_port
put() { skopeo copy -q --dest-tls-verify=false "oci:$T/img" "docker://$R/$1" || no "skopeo copy to $1"; }
tags() { curl -s "http://$R/v2/$1/tags/list" | jq -c '.tags | sort'; }
digest=sha256:$(sha256sum "$T/manifest.json" | cut -c -64)

for t in a:1 a:2 b:1; do put $t; done
is "tags" "$(cleave registry tags "$R/a" | sort | xargs)" '1 2'
refuse 1 "list the tags of '$R/none'" registry tags "$R/none"
# this registry cannot remove a tag alone
refuse 1 "'2' is for the same manifest: use --force" registry rm "$R/a:1"
is "nothing is gone" "$(tags a)" '["1","2"]'
is "the only tag" "$(cleave registry rm "$R/b:1")" "Deleted: $R/b@$digest"
refuse 1 "remove '$R/b:1': 1: manifest unknown" registry rm "$R/b:1"
is "all tags" "$(cleave registry rm -f "docker://$R/a:1")" "Deleted: $R/a@$digest"
refuse 1 'manifest unknown' pull -q "$R/a:2"
put a:3
is "by digest" "$(cleave registry rm "$R/a@$digest")" "Deleted: $R/a@$digest"
layer=sha256:$(sha256sum "$T/l1.gz" | cut -c -64)
is "a blob" "$(cleave registry rm "$R/a@$layer")" "Deleted: $R/a@$layer"
is "is gone" "$(curl -s -o /dev/null -w '%{http_code}' -I "http://$R/v2/a/blobs/$layer")" 404
refuse 1 'not found|unknown' registry rm "$R/a@$layer"
echo always=405 >"$T/bad.mode"
refuse 1 'does not remove anything' registry rm "$B/a@$digest"

# What belongs to an image: by the list of the registry, and by a tag where there is none
: >"$T/bad.mode"
put c:1
is "nothing belongs to it" "$(cleave registry referrers "$R/c:1" | tr -s ' ')" 'DIGEST TYPE SIZE'
put "c:${digest/:/-}" # a manifest under that tag, not a list
is "nor now" "$(cleave registry referrers --format '{{.Digest}}' "$R/c:1")" ''
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%s,"artifactType":"application/x-test"}]}' \
	"$digest" "$(stat -c %s "$T/manifest.json")" >"$T/list"
curl -s -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary "@$T/list" "http://$R/v2/c/manifests/${digest/:/-}" -o "$T/answer"
is "by a tag" "$(cleave registry referrers --format '{{.ArtifactType}} {{.Digest}}' "$R/c:1")" "application/x-test $digest"
is "of another type" "$(cleave registry referrers --artifact-type x --format '{{.Digest}}' "$R/c@$digest")" ''
echo referrers >"$T/bad.mode"
is "two pages" "$(cleave registry referrers --format '{{.ArtifactType}} {{.Size}}' "$B/c:1")" 'application/x-one 7
application/x-two 7'
is "those of a type" "$(cleave registry referrers --artifact-type application/x-two --format '{{.Size}}' "$B/c:1")" 7
true
