#!/bin/bash
# SPDX-License-Identifier: MIT
# policy.json: signatures as cosign makes them, here by openssl; and those that push makes.
. "$(dirname "$0")/lib.sh"
registry_setup skopeo
registry plain
layers_image
export HOME=$T/home
mkdir -p "$HOME/.config/containers"
P=$HOME/.config/containers/policy.json
R=127.0.0.1:$plain_port
digest=sha256:$(sha256sum "$T/manifest.json" | cut -c -64)
for t in a:1 a:2 b:1; do skopeo copy -q --dest-tls-verify=false "oci:$T/img" "docker://$R/$t"; done
for k in one two; do
	openssl ecparam -genkey -name prime256v1 -noout -out "$T/$k.ec" && openssl pkcs8 -topk8 -nocrypt -in "$T/$k.ec" -out "$T/$k.key"
	openssl pkey -in "$T/$k.key" -pubout -out "$T/$k.pub"
done
openssl genpkey -algorithm ed25519 -out "$T/ed.key" && openssl pkey -in "$T/ed.key" -pubout -out "$T/ed.pub"
openssl genrsa -out "$T/rsa.key" 2048 2>/dev/null && openssl pkey -in "$T/rsa.key" -pubout -out "$T/rsa.pub"
openssl genrsa -out "$T/weak.key" 1024 2>/dev/null && openssl pkey -in "$T/weak.key" -pubout -out "$T/weak.pub"

blob() { # REPOSITORY FILE - send it; prints its descriptor, without the end
	local hex place
	hex=$(sha256sum "$2" | cut -c -64)
	place=$(curl -s -i -X POST "http://$R/v2/$1/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //p')
	curl -s -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$2" "$place&digest=sha256:$hex"
	printf '"digest":"sha256:%s","size":%s' "$hex" "$(stat -c %s "$2")"
}
# sign REPOSITORY KEY NAME [DIGEST] - as cosign does, in place of those that are there
sign() {
	local of=${4:-$digest}
	printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}' "$3" "$of" >"$T/payload"
	if [ "$2" = ed ]; then
		openssl pkeyutl -sign -inkey "$T/ed.key" -rawin -in "$T/payload" -out "$T/signature"
	else
		openssl dgst -sha256 -sign "$T/$2.key" -out "$T/signature" "$T/payload"
	fi
	echo '{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[]}}' >"$T/sig.config"
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json",%s},"layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json",%s,"annotations":{"dev.cosignproject.cosign/signature":"%s"}}]}' \
		"$(blob "$1" "$T/sig.config")" "$(blob "$1" "$T/payload")" "$(base64 -w 0 "$T/signature")" >"$T/sig.manifest"
	curl -s -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary "@$T/sig.manifest" "http://$R/v2/$1/manifests/${digest/:/-}.sig"
}
policy() { printf '{"default": [{"type": "reject"}], "transports": {"docker": {"%s": [%s]}}}' "$R" "$1" >"$P"; }
signed_by() { # KEY [IDENTITY]
	policy "{\"type\": \"sigstoreSigned\", \"keyPath\": \"$T/$1.pub\", \"signedIdentity\": {\"type\": \"${2:-matchRepoDigestOrExact}\"}}"
}
comes() { is "$1" "$(cleave pull -q "$2" 2>&1)" "$2"; }
refused() { refuse 1 "policy.json' forbids it .*$1" pull -q "$2"; }

is "without a policy" "$(cleave pull -q "$R/a:1" 2>&1)" "$R/a:1"
policy '{"type": "insecureAcceptAnything"}' && comes "anything" "$R/a:1"
policy '{"type": "reject"}' && refused "scope '$R'.: all images are rejected" "$R/a:1"
printf '{"default": [{"type": "reject"}], "transports": {"docker": {"%s/a": [{"type": "insecureAcceptAnything"}]}}}' "$R" >"$P"
comes "a repository" "$R/a:1"
refused "scope 'default'.: all images are rejected" "$R/b:1"
policy '{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/x"}' && refused "'signedBy' is not known here" "$R/a:1"
echo '{"default": []}' >"$P"
refuse 1 'default: expected a list of 1 to 64' pull -q "$R/a:1"

signed_by one && refused "it is not signed" "$R/a:1"
sign a one "$R/a:1"
comes "signed" "$R/a:1"
refused "its signature is for '$R/a:1'" "$R/a:2"
comes "by digest" "$R/a@$digest"
signed_by one matchExact && refused "its signature is for" "$R/a@$digest"
signed_by one matchRepository && comes "any tag" "$R/a:2"
signed_by two && refused "no signature was made with a key" "$R/a:1"
policy "{\"type\": \"sigstoreSigned\", \"keyPaths\": [\"$T/two.pub\", \"$T/one.pub\"]}" && comes "one of two keys" "$R/a:1"
policy "{\"type\": \"sigstoreSigned\", \"keyData\": \"$(base64 -w 0 "$T/one.pub")\"}" && comes "a key in the file" "$R/a:1"
policy "{\"type\": \"sigstoreSigned\", \"keyPath\": \"$T/one.pub\", \"rekorPublicKeyPath\": \"/x\"}" && refused "'rekorPublicKeyPath' is not known here" "$R/a:1"
policy "{\"type\": \"sigstoreSigned\", \"keyPath\": \"$T/one.pub\"}, {\"type\": \"sigstoreSigned\", \"keyPath\": \"$T/two.pub\"}" && refused "no signature" "$R/a:1"
signed_by weak && refused "weak.pub.: a key must be" "$R/a:1"
signed_by none && refused "read key" "$R/a:1"
signed_by one && is "the image that is here, too" "$(cleave run --rm --pull always "$R/a:1" 2>/dev/null)" works
refuse 1 'forbids it' pull -q --signature-policy <(echo '{"default": [{"type": "reject"}]}') "$R/a:1"
for k in ed rsa; do
	sign a $k "$R/a:1"
	signed_by $k && comes "a key of $k" "$R/a:1"
done
signed_by one
sign a one "$R/a:1" "sha256:$(printf 0%.0s {1..64})"
refused 'its signature is for sha256:0000' "$R/a:1"
sign a one "$R/b:1"
refused "its signature is for '$R/b:1'" "$R/a:1"
sed -i 's/simplesigning/other/' "$T/sig.manifest"
curl -s -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary "@$T/sig.manifest" "http://$R/v2/a/manifests/${digest/:/-}.sig"
refused 'it is not signed' "$R/a:1"

# We sign (Debian's skopeo and podman have no signatures of this kind)
count() { curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$R/v2/b/manifests/${digest/:/-}.sig" | jq '.layers | length'; }
rm "$P" && cleave pull -q "$R/b:1" >/dev/null
is "push and sign" "$(cleave push -q --sign-by-sigstore-private-key "$T/one.key" "$R/b:1")" "$R/b:1"
signed_by one && comes "what push signed" "$R/b:1"
signed_by two && refused 'no signature was made' "$R/b:1"
openssl pkcs8 -topk8 -v2 aes128 -in "$T/two.key" -passout pass:secret -out "$T/two.enc" && echo secret >"$T/password"
refuse 1 'has no key in PEM' push -q --sign-by-sigstore-private-key "$T/two.enc" "$R/b:1"
cleave push -q --sign-by-sigstore-private-key "$T/two.enc" --sign-passphrase-file "$T/password" "$R/b:1" >/dev/null
comes "a second signature" "$R/b:1"
signed_by one && comes "beside the first" "$R/b:1"
cleave push -q --sign-by-sigstore-private-key "$T/one.key" "$R/b:1" >/dev/null
is "one signature for each key" "$(count)" 2
true
