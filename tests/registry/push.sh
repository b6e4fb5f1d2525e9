#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave push, login, logout, search; what others make of what was pushed.
. "$(dirname "$0")/lib.sh"
registry_setup skopeo podman
registry plain
registry safe tls auth
faults bad "$plain_port"
layers_image
R=127.0.0.1:$plain_port S=127.0.0.1:$safe_port B=127.0.0.1:$bad_port
tar -C "$T/img" -cf "$T/img.tar" .
cleave load -q -i "$T/img.tar" >/dev/null
id=$(sha256sum "$T/config.json" | cut -c -64)
digest=sha256:$(sha256sum "$T/manifest.json" | cut -c -64)
for name in "$R/a/tree:1" "$R/a/tree:2" "$R/b/tree:1" "$S/a/tree:1" "$B/c/tree:1" "$B/d/tree:1"; do cleave tag "$id" "$name"; done
short() { sha256sum "$T/l$1.gz" | cut -c -12; }

# What it says, and what is there
out=$(cleave push "$R/a/tree:1")
is "status of push" "$?" 0
is "first and last line" "$(sed -n '1p;$p' <<<"$out")" "The push refers to repository [$R/a/tree]
1: digest: $digest size: $(stat -c %s "$T/manifest.json")"
for i in 0 1 2; do like "layer $i" "$out" "$(short $i): Pushed"; done
is "the manifest is the same" "$(curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$R/v2/a/tree/manifests/1" | sha256sum)" "$(sha256sum <"$T/manifest.json")"
like "again" "$(cleave push "$R/a/tree:1")" "$(short 1): Layer already exists"
like "mounted" "$(cleave push "$R/b/tree:1")" "$(short 1): Mounted from a/tree"
is "quiet" "$(cleave push -q "$R/a/tree:1")" "$R/a/tree:1"
is "all names" "$(cleave push -a "$R/a/tree" | grep digest | cut -d : -f 1 | sort | xargs)" '1 2'
is "tags" "$(curl -s "http://$R/v2/a/tree/tags/list" | jq -c '.tags | sort')" '["1","2"]'
is "another name" "$(cleave push -q "$R/a/tree:1" "$R/other:x")" "$R/other:x"
refuse 1 'no image .nothing' push -q nothing "$R/x:1"
refuse 1 'no image .nothing' push -q nothing 127.0.0.1:1/x:1 # nobody is asked
refuse 1 'cannot push a digest' push -q "$R/a/tree@$digest"
like "digests" "$(cleave inspect --format '{{json .RepoDigests}}' "$id")" "$R/b/tree@$digest"

# Others read it
is "skopeo" "$(skopeo inspect --tls-verify=false "docker://$R/b/tree:1" | jq -r .Digest)" "$digest"
pod() { timeout 120 env -u DOCKER_CONFIG podman --root "$T/pod" --runroot "$T/pod-run" --storage-driver vfs "$@"; }
is "podman" "$(pod pull -q --tls-verify=false "$R/b/tree:1")" "$id"
umount "$T/pod/vfs" "$T/pod" 2>/dev/null
fresh
is "and we" "$(cleave run -q --rm "$R/other:x" 2>/dev/null)" works

# An image that was made here
fresh
cleave run --name made cleave/tiny sh -c 'echo more >/more' && cleave commit -q made "$R/made:1" >/dev/null && cleave rm made >/dev/null
cleave push -q "$R/made:1" >/dev/null
fresh
is "commit, push, run elsewhere" "$(cleave run -q --rm "$R/made:1" cat /more 2>/dev/null)" more

# Faults
use "$T/root"
echo upcut=100000 >"$T/bad.mode"
like "uploads that break" "$(cleave push "$B/c/tree:1" 2>&1)" "1: digest: $digest"
echo fail=2 token=3 >"$T/bad.mode"
like "a registry that is busy, tokens that expire" "$(cleave push "$B/d/tree:1" 2>&1)" "1: digest: $digest"
echo always=503 >"$T/bad.mode"
refuse 1 'status 503' push -q "$B/d/tree:1"
: >"$T/bad.mode"
fresh
is "what came through is whole" "$(cleave run -q --rm "$B/c/tree:1" 2>/dev/null; cleave run -q --rm "$B/d/tree:1" 2>/dev/null)" 'works
works'

# Login
use "$T/root"
refuse 1 'denied|unauthorized|authentication' push -q "$S/a/tree:1"
like "a wrong password" "$(echo wrong | cleave login -u u --password-stdin "$S" 2>&1)" "^cleave: log in to '$S': "
refuse 1 'needs --username' login --password-stdin "$S"
is "no file yet" "$(ls "$T/docker" 2>/dev/null)" ''
login() { echo secret | cleave login "$@" 2>"$T/err"; }
is "login" "$(login -u u --password-stdin "$S")" 'Login Succeeded'
like "a warning" "$(cat "$T/err")" 'stored unencrypted'
is "the file" "$(stat -c %a "$T/docker/config.json") $(jq -c . "$T/docker/config.json")" "600 {\"auths\":{\"$S\":{\"auth\":\"$(printf u:secret | base64)\"}}}"
is "login again" "$(cleave login "https://$S/v2/" 2>&1)" 'Authenticating with existing credentials...
Login Succeeded'
is "push with a password" "$(cleave push -q "$S/a/tree:1")" "$S/a/tree:1"
is "skopeo reads the same file" "$(skopeo inspect --authfile "$T/docker/config.json" --tls-verify=false "docker://$S/a/tree:1" | jq -r .Digest)" "$digest"
is "logout" "$(cleave logout "$S")" "Removing login credentials for $S"
is "logout again" "$(cleave logout "$S")" "Not logged in to $S"
is "nothing is kept" "$(jq -c . "$T/docker/config.json")" '{"auths":{}}'
mkdir "$T/bin"
cat >"$T/bin/docker-credential-file" <<-END
	#!/bin/sh
	case \$1 in
	store) cat >"$T/kept" ;;
	get) if [ -f "$T/kept" ]; then cat "$T/kept"; else echo "credentials not found in native keychain"; exit 1; fi ;;
	erase) rm "$T/kept" ;;
	esac
END
chmod +x "$T/bin/docker-credential-file"
PATH=$T/bin:$PATH
echo '{"credsStore": "file", "experimental": "x"}' >"$T/docker/config.json"
is "a helper: login" "$(login -u u --password-stdin "$S")$(cat "$T/err")" 'Login Succeeded'
is "a helper has it" "$(jq -c . "$T/kept")" "{\"ServerURL\":\"$S\",\"Username\":\"u\",\"Secret\":\"secret\"}"
is "and the file has not" "$(jq -c . "$T/docker/config.json")" '{"credsStore":"file","experimental":"x"}'
is "a helper: push" "$(cleave push -q "$S/a/tree:1")" "$S/a/tree:1"
is "a helper: logout" "$(cleave logout "$S"; [ -e "$T/kept" ] || echo gone)" "Removing login credentials for $S
gone"

# Search: a registry without one is asked for its list
is "search" "$(cleave search --format '{{.Name}}' "$R/tree" | sort | xargs)" 'a/tree b/tree c/tree d/tree'
is "search: columns" "$(cleave search "$R/made" | tr -s ' ')" 'NAME DESCRIPTION STARS OFFICIAL
made 0 '
refuse 1 'is over 100' search --limit 101 "$R/x"
refuse 1 'filters are stars=N' search -f x=y "$R/x"
refuse 1 'denied|unauthorized|authentication' search "$S/x"
true
