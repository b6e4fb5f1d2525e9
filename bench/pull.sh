#!/bin/bash
# SPDX-License-Identifier: MIT
#
# pull.sh [--rounds N] [--only SUBJECT]... [--format table|json]
#
# Compares pull and push with podman and skopeo: a Debian image of about 300 MB in six layers (gzip), and Debian's
# docker-registry on 127.0.0.1.  All write to the same disk; it is idle when a measurement begins.
# Subjects: pull, push.  For push the registry has nothing, and every program has pulled the image before.
#
# Environment: CLEAVE (build/bin/cleave), BUILD (build), MIRROR (http://deb.debian.org/debian).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../build}
cleave=$(realpath "${CLEAVE:-$build/bin/cleave}")
rounds=5 format=table only=''
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=${2:?--rounds needs a number} && shift 2 ;;
	--only) only+=" ${2:?--only needs a subject}" && shift 2 ;;
	--format) format=${2:?--format needs table or json} && shift 2 ;;
	*)
		sed -n '4p' "$0" | cut -c 3- >&2
		exit 2
		;;
	esac
done
for p in podman skopeo docker-registry mmdebstrap curl jq cc; do
	command -v "$p" >/dev/null || { echo "pull.sh: no $p" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "pull.sh: must run as root" >&2; exit 1; }

mkdir -p "$build/bench"
root=$build/bench/debian.tar
if [ ! -f "$root" ]; then
	mmdebstrap --quiet --variant=important --include=python3,perl,git,ca-certificates,curl \
		bookworm "$build/bench/new.tar" "${MIRROR:-http://deb.debian.org/debian}" # by its name it becomes an archive
	mv "$build/bench/new.tar" "$root"
fi

work=$(mktemp -d "${TMPDIR:-/var/tmp}/cleave.XXXXXX") # podman takes no long names
server=''
clean_up() {
	[ -z "$server" ] || kill "$server"
	umount "$work/pod/overlay" "$work/pod" 2>/dev/null || true
	rm -rf "$work"
}
pod=(--root "$work/pod" --runroot "$work/prun" --storage-driver overlay)
export CLEAVE_ROOT=$work/root CLEAVE_RUNROOT=$work/run
trap clean_up EXIT
trap 'exit 130' INT TERM
cc -std=gnu17 -D_GNU_SOURCE -O2 -static -o "$work/pairs" "$here/pairs.c"

# Six layers: what is largest has one of its own
mkdir -p "$work/img/blobs/sha256" "$work/tree"
tar -C "$work/tree" -xf "$root" --exclude='./dev/*'
add() { # FILE TYPE - to the layout; its descriptor
	local hex
	hex=$(sha256sum "$1" | cut -c -64)
	mv "$1" "$work/img/blobs/sha256/$hex"
	printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s}' "$2" "$hex" \
		"$(stat -c %s "$work/img/blobs/sha256/$hex")"
}
layers='' diffs=''
large=(usr/lib/x86_64-linux-gnu usr/share usr/bin usr/lib/python3.11 var)
layer() { # ARG... - of tar
	tar -C "$work/tree" --sort=name -cf "$work/layer.tar" "$@"
	diffs+=${diffs:+,}\"sha256:$(sha256sum "$work/layer.tar" | cut -c -64)\"
	gzip -n "$work/layer.tar"
	layers+=${layers:+,}$(add "$work/layer.tar.gz" layer.v1.tar+gzip)
}
layer "${large[@]/#/--exclude=./}" .
for d in "${large[@]}"; do layer "$d"; done
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[%s]}}' "$diffs" >"$work/config"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
	"$(add "$work/config" config.v1+json)" "$layers" >"$work/manifest"
printf '{"schemaVersion":2,"manifests":[%s]}' "$(add "$work/manifest" manifest.v1+json)" >"$work/img/index.json"
echo '{"imageLayoutVersion":"1.0.0"}' >"$work/img/oci-layout"
rm -r "$work/tree"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/registry.yml" <<-END
	version: 0.1
	log: {level: error}
	storage: {filesystem: {rootdirectory: $work/registry}}
	http: {addr: 127.0.0.1:$port}
END
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
server=$!
for _ in $(seq 100); do curl -s -o "$work/answer" "http://127.0.0.1:$port/v2/" && break || sleep 0.1; done
image=127.0.0.1:$port/debian:1
skopeo copy -q --dest-tls-verify=false "oci:$work/img" "docker://$image"
storage="containers-storage:[overlay@$work/pod+$work/prun]$image"

pairs() {
	"$work/pairs" --rounds "$rounds" --format "$format" "$@"
	[ "$format" = json ] || echo
}
subject_pull() {
	pairs --subject pull --goal cleave:podman:0.5 --goal cleave:skopeo:0.5 \
		@cmd cleave @untimed /bin/sync @run "$cleave" pull -q "$image" @untimed "$cleave" rmi "$image" \
		@cmd podman @untimed /bin/sync @run /usr/bin/podman "${pod[@]}" pull -q --tls-verify=false "$image" @untimed /usr/bin/podman "${pod[@]}" rmi "$image" \
		@cmd skopeo @untimed /bin/sync @run /usr/bin/skopeo copy -q --src-tls-verify=false "docker://$image" "$storage" @untimed /usr/bin/podman "${pod[@]}" rmi "$image"
}
subject_push() {
	local empty=(@untimed /bin/rm -rf "$work/registry/docker" @untimed /bin/sync)
	"$cleave" pull -q "$image" >/dev/null
	podman "${pod[@]}" pull -q --tls-verify=false "$image" >/dev/null
	pairs --subject push --goal cleave:podman:0.7 --goal cleave:skopeo:0.7 \
		@cmd cleave "${empty[@]}" @run "$cleave" push -q "$image" \
		@cmd podman "${empty[@]}" @run /usr/bin/podman "${pod[@]}" push -q --tls-verify=false "$image" \
		@cmd skopeo "${empty[@]}" @run /usr/bin/skopeo copy -q --dest-tls-verify=false "$storage" "docker://$image"
}
for s in ${only:-pull push}; do
	declare -F "subject_$s" >/dev/null || { echo "pull.sh: no subject '$s'" >&2; exit 2; }
	"subject_$s"
done
