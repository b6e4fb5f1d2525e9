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
policy '{"type": "signedBy", "keyType": "X509Certificates", "keyPath": "/x"}' && refused "'X509Certificates' is not known here" "$R/a:1"
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

# Keys as cosign encrypts them; a program that has nothing of ours made this one of the key of elliptic curves below
cat >"$T/sealed.key" <<-'END'
	-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
	eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjozMjc2OCwiciI6
	OCwicCI6MX0sInNhbHQiOiI5TUxiNlM5Sm4rM1U2emVRS2VmcHRYdTNqaWhJd2RN
	cU9MWlRycm9hc3p3PSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
	Iiwibm9uY2UiOiJxLzJrZ0I3VUpiQUo3R01rZXpCNVlJRzhBTmh0bWpmaCJ9LCJj
	aXBoZXJ0ZXh0IjoiUzBhUUtVbVhXUnpmdWM3aEtERVFHaHA1L2Zma0s3REE4T3pu
	cWphdlduNVgzU1kzSGVaU21WM2t2eE95dFlJNlUydGdxemQrNWE3UmtGekU0SDFv
	em5BTGY3aXZuck52L05uNjJUMUNVZHVzdFhpeWczWGU5OTRNOTl0TzNFU1RDVlNK
	c0FlU3cxWkFZM0N5bjNsRlZOM1JFd3NvTE5pWGlodnhQRy9IdzdsNFRVK0pYUHdU
	OU90OFhJZDJYYnlPSlhxRXJWTTV3TWUvMXc9PSJ9
	-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
END
echo wrong >"$T/wrong"
refuse 1 "key '.*sealed.key' is encrypted" push -q --sign-by-sigstore-private-key "$T/sealed.key" "$R/b:1"
refuse 1 "the password of key '.*sealed.key' is wrong" push -q --sign-by-sigstore-private-key "$T/sealed.key" --sign-passphrase-file "$T/wrong" "$R/b:1"
is "a key of cosign" "$(cleave push -q --sign-by-sigstore-private-key "$T/sealed.key" --sign-passphrase-file "$T/password" "$R/b:1")" "$R/b:1"
is "its password from the environment" "$(COSIGN_PASSWORD=secret cleave push -q --sign-by-sigstore-private-key "$T/sealed.key" "$R/b:1")" "$R/b:1"
is "signed once" "$(count)" 3
cat >"$T/sealed.pub" <<-'END'
	-----BEGIN PUBLIC KEY-----
	MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOFEFFCqxauO4LpLNdBLR6yN9tydJ
	bb3u1PF4/Ey88U9/y9YZsYNiIyX+ZWekOgIMXJ4eIVOuzlaMVmH27B9tpA==
	-----END PUBLIC KEY-----
END
signed_by sealed && comes "what it signed" "$R/b:1"

# Signatures of GPG, beside the registry: skopeo makes them
export GNUPGHOME=$T/gpg
mkdir -m 700 "$GNUPGHOME"
gpg_key() { # NAME
	timeout 120 gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key "$1@example.org" ed25519 sign never 2>/dev/null
	gpg --batch --armor --export "$1@example.org" >"$T/$1.asc"
	gpg --batch --export "$1@example.org" >"$T/$1.gpg"
}
if ! gpg_key first || ! [ -s "$T/first.asc" ]; then
	no "gpg makes a key"
fi
gpg_key second
mkdir -p "$HOME/.config/containers/registries.d"
beside() { printf 'default-docker:\n  lookaside: file:///nowhere\ndocker:\n  %s:\n    lookaside: %s\n    lookaside-staging: file://%s\n' "$R" "$1" "$T/beside" >"$HOME/.config/containers/registries.d/test.yaml"; }
beside "file://$T/beside"
gpg_signed() { policy "{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", $1}"; }
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$P"
gpg_sign() { # KEY IMAGE
	skopeo --policy "$P" --registries.d "$HOME/.config/containers/registries.d" copy -q --dest-tls-verify=false --sign-by "$1@example.org" "oci:$T/img" "docker://$R/$2"
}
skopeo copy -q --dest-tls-verify=false "oci:$T/img" "docker://$R/g:1"
gpg_signed "\"keyPath\": \"$T/first.asc\"" && refused 'it is not signed' "$R/g:1"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$P"
gpg_sign first g:1 || no "skopeo signs"
is "skopeo made a signature" "$(find "$T/beside" -name signature-1 | wc -l)" 1
gpg_signed "\"keyPath\": \"$T/first.asc\"" && comes "signed with GPG" "$R/g:1"
gpg_signed "\"keyPath\": \"$T/first.gpg\"" && comes "a key that is not in ASCII" "$R/g:1"
gpg_signed "\"keyData\": \"$(base64 -w 0 "$T/first.gpg")\"" && comes "a key in the file" "$R/g:1"
gpg_signed "\"keyPaths\": [\"$T/second.asc\", \"$T/first.asc\"]" && comes "one of two keys" "$R/g:1"
gpg_signed "\"keyPath\": \"$T/second.asc\"" && refused 'no signature was made with a key of the policy' "$R/g:1"
gpg_signed "\"keyPath\": \"$T/password\"" && refused 'has no public key of GPG' "$R/g:1"
gpg_signed "\"keyPath\": \"$T/first.asc\"" && refused 'it is not signed' "$R/a:1"
skopeo --policy <(echo '{"default": [{"type": "insecureAcceptAnything"}]}') copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$R/g:1" "docker://$R/g:2"
refused "its signature is for '$R/g:1'" "$R/g:2"
gpg_signed "\"keyPath\": \"$T/first.asc\", \"signedIdentity\": {\"type\": \"matchRepository\"}" && comes "any tag, of GPG" "$R/g:2"
is "skopeo takes and refuses the same" "$(for t in g:1 g:2 a:1; do
	timeout 60 skopeo --policy "$P" --registries.d "$HOME/.config/containers/registries.d" copy -q --src-tls-verify=false "docker://$R/$t" "dir:$T/dir" >/dev/null 2>&1
	echo $?
done | xargs)" "0 0 1"
gpg_signed "\"keyPath\": \"$T/first.asc\""
signature=$(find "$T/beside" -name signature-1)
cp "$signature" "$T/signature"
printf x | dd of="$signature" bs=1 seek=60 conv=notrunc status=none
refused 'no signature was made' "$R/g:1"
cp "$T/signature" "$signature"
printf '' >"$signature"
refused 'no signature was made' "$R/g:1"
mv "$signature" "$signature-" && refused 'it is not signed' "$R/g:1"
mv "$signature-" "$signature" && cp "$T/signature" "$signature"

# By a key that has expired since
old=(gpg --batch --quiet --pinentry-mode loopback --passphrase '' --faked-system-time)
"${old[@]}" 20200101T000000 --quick-generate-key late@example.org ed25519 sign 1d 2>/dev/null
gpg --batch --armor --export late@example.org >"$T/late.asc"
printf '{"critical":{"type":"atomic container signature","image":{"docker-manifest-digest":"%s"},"identity":{"docker-reference":"%s"}},"optional":{}}' \
	"$digest" "$R/g:1" >"$T/payload"
"${old[@]}" 20200101T010000 --yes --local-user late@example.org --sign --output "$signature" "$T/payload" 2>/dev/null
gpg_signed "\"keyPath\": \"$T/late.asc\"" && refused 'no signature was made' "$R/g:1"
gpg --batch --quiet --pinentry-mode loopback --passphrase '' --yes --local-user second@example.org --sign --output "$signature" "$T/payload" 2>/dev/null
gpg_signed "\"keyPath\": \"$T/second.asc\"" && comes "what gpg signs without skopeo" "$R/g:1"
cp "$T/signature" "$signature"
gpg_signed "\"keyPath\": \"$T/first.asc\""

# We sign with GPG, and skopeo believes it
gpg_policy=$(<"$P")
is "push and sign with GPG" "$(cleave push -q --sign-by first@example.org "$R/b:1")" "$R/b:1"
comes "what push signed with GPG" "$R/b:1"
skopeo --policy "$P" --registries.d "$HOME/.config/containers/registries.d" copy -q --src-tls-verify=false "docker://$R/b:1" "dir:$T/dir" || no "skopeo believes it"
of=("$T/beside"/b@*)
cleave push -q --sign-by first@example.org "$R/b:1" >/dev/null
is "one signature for each key" "$(ls "${of[@]}")" signature-1
cleave push -q --sign-by second@example.org "$R/b:1" >/dev/null
is "beside that of another" "$(cd "${of[0]}" && echo signature-*)" "signature-1 signature-2"
comes "the first one still" "$R/b:1"
gpg_signed "\"keyPath\": \"$T/second.asc\"" && comes "the second one, too" "$R/b:1"
cleave tag "$R/b:1" "$R/c:1"
refuse 1 "gpg has no secret key 'nobody@example.org'" push -q --sign-by nobody@example.org "$R/c:1"
refuse 1 'not found|unknown' pull -q "$R/c:1"
timeout 120 gpg --batch --quiet --pinentry-mode loopback --passphrase secret --quick-generate-key third@example.org ed25519 sign never 2>/dev/null
gpgconf --kill gpg-agent # it knows the passphrase
refuse 1 "the passphrase of key 'third@example.org' is wrong" push -q --sign-by third@example.org --sign-passphrase-file "$T/wrong" "$R/b:1"
is "a key with a passphrase" "$(cleave push -q --sign-by third@example.org --sign-passphrase-file "$T/password" "$R/b:1")" "$R/b:1"
gpgconf --kill gpg-agent
refuse 1 'is for one key' push -q --sign-by x --sign-by-sigstore-private-key y --sign-passphrase-file "$T/password" "$R/b:1"
echo "$gpg_policy" >"$P"

# Over HTTP
(cd "$T/beside" && exec python3 -u -m http.server --bind 127.0.0.1 0 >"$T/http.log" 2>&1) &
servers+=($!)
until_true grep -q 'port [0-9]' "$T/http.log"
beside "http://127.0.0.1:$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$T/http.log" | head -n 1)"
sed -i '/staging/d' "$HOME/.config/containers/registries.d/test.yaml"
refuse 1 "signatures cannot be put to 'http://" push -q --sign-by first@example.org "$R/b:1"
comes "a signature that a server has" "$R/g:1"
refused 'it is not signed' "$R/a:1"
echo nonsense >"$HOME/.config/containers/registries.d/test.yaml"
refuse 1 'test.yaml: line 1: not understood' pull -q "$R/g:1"
gpgconf --kill all
true
