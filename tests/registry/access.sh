#!/bin/bash
# SPDX-License-Identifier: MIT
# Where names lead, and who asks: short names, other places, mirrors; files with passwords as Podman has them; certs.d.
. "$(dirname "$0")/lib.sh"
registry_setup skopeo podman
registry plain
registry safe tls auth
faults bad "$plain_port"
layers_image
export HOME=$T/home XDG_RUNTIME_DIR=$T/xdg XDG_CONFIG_HOME=$T/home/.config
mkdir -p "$HOME" "$XDG_RUNTIME_DIR/containers" "$XDG_CONFIG_HOME/containers"
R=127.0.0.1:$plain_port S=127.0.0.1:$safe_port B=127.0.0.1:$bad_port
skopeo copy -q --dest-tls-verify=false "oci:$T/img" "docker://$R/test/tree:1"
skopeo copy -q --dest-tls-verify=false --dest-creds u:secret "oci:$T/img" "docker://$S/test/tree:1"
settings() { printf '{"stall": 5, "attempts": 2, "wait": 20, %s}' "$1" >"$CLEAVE_REGISTRIES"; }

# Short names are looked for in several registries
settings "\"default\": [\"$R/none\", \"$R/test\"]"
is "the second one has it" "$(cleave pull -q tree:1)" "$R/test/tree:1"
is "by its short name" "$(cleave run --rm --pull never tree:1)" works
refuse 1 "pull 'other:1': $R: 1: " pull -q other:1
settings "\"registries\": {\"old.example/team\": {\"location\": \"$R/test\"}, \"old.example\": {\"blocked\": true}}"
is "another place" "$(cleave pull -q old.example/team/tree:1)" "$R/test/tree:1"
is "keeps its name" "$(cleave images -q old.example/team/tree:1)" "$(cleave images -q tree:1)"
refuse 1 "registry 'old.example' is blocked" pull -q old.example/tree:1
settings "\"registries\": {\"r.example/x\": {\"mirrors\": [\"$B/nothing\", \"http://$R/test\"]}}"
skopeo copy -q --dest-tls-verify=false "oci:$T/img" "docker://$R/test/x/tree:1"
is "a mirror with a path" "$(cleave pull -q r.example/x/tree:1)" r.example/x/tree:1
is "docker:// in front" "$(cleave pull -q "docker://$R/test/tree:1")" "$R/test/tree:1"
is "what the image is for" "$(cleave pull -q --platform linux/amd64 "$R/test/tree:1")" "$R/test/tree:1"
refuse 1 'the image is for linux/amd64, not for linux/arm64' pull -q --platform linux/arm64 "$R/test/tree:1"
is "a file with the digest" "$(cleave push -q --digestfile "$T/digest" "$R/test/tree:1" "docker://$R/test/tree:2"; cat "$T/digest")" "$R/test/tree:2
sha256:$(sha256sum "$T/manifest.json" | cut -c -64)"

# Files with passwords
settings '"registries": {}'
asks() { cleave pull -q "$S/test/tree:1" 2>&1; }
auth=$(printf u:secret | base64)
entry() { printf '{"auths": {"%s": {"auth": "%s"}}}' "$1" "${2:-$auth}"; }
like "nobody is known" "$(asks)" 'unauthorized|denied'
for file in "$XDG_RUNTIME_DIR/containers/auth.json" "$XDG_CONFIG_HOME/containers/auth.json"; do
	entry "$S" >"$file"
	is "$file" "$(asks)" "$S/test/tree:1"
	entry "$S/test" >"$file"
	is "a part of it in $file" "$(asks)" "$S/test/tree:1"
	entry "$S/other" >"$file"
	like "another part in $file" "$(asks)" 'unauthorized|denied'
	rm "$file"
done
entry "$S" >"$T/auth.json"
is "REGISTRY_AUTH_FILE" "$(REGISTRY_AUTH_FILE=$T/auth.json asks)" "$S/test/tree:1"
is "--authfile" "$(cleave pull -q --authfile "$T/auth.json" "$S/test/tree:1")" "$S/test/tree:1"
refuse 1 'read .*none.json.: no such file' pull -q --authfile "$T/none.json" "$S/test/tree:1"
mkdir -p "$DOCKER_CONFIG" && entry "$S" "$(printf u:wrong | base64)" >"$DOCKER_CONFIG/config.json"
like "Docker's file comes first" "$(entry "$S" >"$XDG_RUNTIME_DIR/containers/auth.json"; asks)" 'unauthorized|denied'
rm "$DOCKER_CONFIG/config.json" "$XDG_RUNTIME_DIR/containers/auth.json"
is "podman logs in, we use it" "$(timeout 60 podman login --tls-verify=false --authfile "$T/pod.json" -u u -p secret "$S" >/dev/null 2>&1; REGISTRY_AUTH_FILE=$T/pod.json asks)" "$S/test/tree:1"
is "we log in" "$(cd "$T" && echo secret | cleave login --authfile mine.json -u u --password-stdin "$S" 2>/dev/null)" 'Login Succeeded'
is "skopeo uses it" "$(skopeo inspect --authfile "$T/mine.json" --tls-verify=false "docker://$S/test/tree:1" | jq -r .Architecture)" amd64
is "we log out" "$(cleave logout --authfile "$T/mine.json" "$S"; jq -c . "$T/mine.json")" "Removing login credentials for $S
{\"auths\":{}}"
printf '{"auths": {"%s": {"auth": "%s", "identitytoken": "sesame"}}}' "$B" "$(printf u: | base64)" >"$T/token.json"
echo token=100 refresh=sesame >"$T/bad.mode"
is "identitytoken" "$(cleave pull -q --authfile "$T/token.json" "$B/test/tree:1" 2>&1)" "$B/test/tree:1"
sed -i s/sesame/else/ "$T/token.json"
refuse 1 'no such refresh token' pull -q --authfile "$T/token.json" "$B/test/tree:1"
echo esc >"$T/bad.mode"
refuse 1 "a.\[2Jb..2Jc.d$" pull -q "$B/test/tree:1"
if LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f\x80-\x9f]' <<<"$out"; then no "control characters"; else yes; fi
for url in ftp://x/y //127.0.0.1:1/z x:y file:///etc/passwd; do
	echo "location=$url" >"$T/bad.mode"
	like "uploads to $url" "$(timeout 60 "$CLEAVE" push -q "$R/test/tree:1" "$B/new/tree:1" 2>&1)" 'which is not safe|onnect'
done
: >"$T/bad.mode"

# certs.d, also those of a mirror
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=registry.test -keyout "$T/tls.key" -out "$T/tls.crt" \
	-addext 'subjectAltName=DNS:registry.test' 2>/dev/null
registry named tls
skopeo copy -q --dest-tls-verify=false "oci:$T/img" "docker://127.0.0.1:$named_port/test/tree:1"
N=registry.test:$named_port
trusted() { named_host pull -q "$@" 2>&1; }
like "not trusted" "$(trusted "$N/test/tree:1")" certificate
mkdir -p "$HOME/.config/containers/certs.d/$N" && cp "$T/tls.crt" "$HOME/.config/containers/certs.d/$N/ca.crt"
is "certs.d" "$(trusted "$N/test/tree:1")" "$N/test/tree:1"
settings "\"registries\": {\"r.example\": {\"mirrors\": [\"https://$N\"]}}"
is "certs.d of a mirror" "$(trusted r.example/test/tree:1)" r.example/test/tree:1
rm -r "$HOME/.config/containers/certs.d"
like "a mirror that is not trusted" "$(trusted r.example/test/tree:1)" 'r.example'
true
