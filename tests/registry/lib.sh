# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by the tests of this folder: registries of their own.  See ../engine/lib.sh for the rest.
#
#   registry NAME [tls] [auth]   start one; ${NAME}_port is set; the user of auth is "u", the password "secret"
#   faults NAME PORT             start a proxy in front of one; ${NAME}_port; its faults are words in $T/NAME.mode
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../engine/lib.sh"

# shellcheck disable=SC2034 # of the tests
plain_port='' safe_port='' bad_port='' named_port=''
registry_setup() {
	setup docker-registry python3 openssl curl "$@"
	export DOCKER_CONFIG=$T/docker
	unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
	echo '{"stall": 5, "attempts": 4, "wait": 20}' >"$CLEAVE_REGISTRIES"
	servers=()
	trap 'kill "${servers[@]}" 2>/dev/null; finish' EXIT
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$T/tls.key" -out "$T/tls.crt" \
		-addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' 2>/dev/null
}

registry() {
	local name=$1 port file=$T/$1.yml scheme=http
	shift
	port=$(free_port)
	cat >"$file" <<-END
		version: 0.1
		log: {level: error}
		storage: {filesystem: {rootdirectory: $T/$name}, delete: {enabled: true}}
		http:
		  addr: 127.0.0.1:$port
	END
	for word; do
		case $word in
		tls)
			[ -f "$T/tls.crt" ] || certificate
			printf '  tls: {certificate: %s, key: %s}\n' "$T/tls.crt" "$T/tls.key" >>"$file"
			scheme=https
			;;
		auth)
			python3 -W ignore -c 'import crypt; print("u:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' >"$T/htpasswd"
			printf 'auth: {htpasswd: {realm: test, path: %s}}\n' "$T/htpasswd" >>"$file"
			;;
		esac
	done
	docker-registry serve "$file" >"$T/$name.log" 2>&1 &
	servers+=($!)
	until_true curl -sk -o /dev/null "$scheme://127.0.0.1:$port/v2/"
	printf -v "${name}_port" %s "$port"
}

faults() {
	local line
	: >"$T/$1.mode"
	exec {fd}< <(exec python3 "$(dirname "${BASH_SOURCE[0]}")/faults.py" "$2" "$T/$1.mode")
	servers+=($!)
	read -r -t 60 -u "$fd" line
	printf -v "${1}_port" %s "$line"
}

# layers_image - an image of three layers; skopeo puts it where a test wants it.  What skopeo makes of padding in a tar
# archive, when it packs it as zstd:chunked, has another digest: there is none.
layers_image() {
	local i layers=() diffs=()
	mkdir -p "$T/img/blobs/sha256"
	mkdir -p "$T/rootfs/bin"
	cp /bin/busybox "$T/rootfs/bin/busybox"
	ln -sf busybox "$T/rootfs/bin/sh"
	tar -b 1 -C "$T/rootfs" -cf "$T/l0.tar" .
	for i in 1 2; do
		mkdir -p "$T/d$i"
		head -c 300000 /dev/urandom >"$T/d$i/file$i"
		tar -b 1 -C "$T/d$i" -cf "$T/l$i.tar" .
	done
	for i in 0 1 2; do
		diffs+=("\"sha256:$(sha256sum "$T/l$i.tar" | cut -c -64)\"")
		gzip -n -c "$T/l$i.tar" >"$T/l$i.gz"
		layers+=("$(add_blob "$T/l$i.gz" application/vnd.oci.image.layer.v1.tar+gzip)")
	done
	printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["sh","-c","echo works"]},"rootfs":{"type":"layers","diff_ids":[%s]}}' \
		"$(IFS=,; echo "${diffs[*]}")" >"$T/config.json"
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
		"$(add_blob "$T/config.json" application/vnd.oci.image.config.v1+json)" "$(IFS=,; echo "${layers[*]}")" >"$T/manifest.json"
	printf '{"schemaVersion":2,"manifests":[%s]}' \
		"$(add_blob "$T/manifest.json" application/vnd.oci.image.manifest.v1+json)" >"$T/img/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$T/img/oci-layout"
}

# named_host ARG... - cleave where registry.test is another name of this machine: in a mount namespace of its own, or a user's test
# is in one
named_host() {
	as_root || { cleave "$@"; return; }
	echo 127.0.0.1 registry.test >"$T/hosts"
	unshare -m sh -c 'mount --bind "$1" /etc/hosts && shift && exec "$@"' sh "$T/hosts" "$CLEAVE" "$@"
}

# add_blob FILE TYPE - put it into the layout; prints its descriptor
add_blob() {
	local hex
	hex=$(sha256sum "$1" | cut -c -64)
	cp "$1" "$T/img/blobs/sha256/$hex"
	printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}' "$2" "$hex" "$(stat -c %s "$1")"
}

# use STORE - from here on; the bridges of the one before are taken down
use() {
	[ ! -e "$CLEAVE_ROOT/state.db" ] || cleave network prune -f >/dev/null
	export CLEAVE_ROOT=$1
}

# A new store is used from here on
fresh() { stores=$((${stores:-0} + 1)) && use "$T/root$stores"; }
