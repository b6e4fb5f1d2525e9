#!/bin/bash
# SPDX-License-Identifier: MIT
#
# pull.sh [--rounds N] [--only SUBJECT]... [--format table|json]
#
# Compares pull and push with podman, skopeo, containerd's ctr and docker: a Debian image of about 300 MB in six layers
# (gzip), and Debian's docker-registry on 127.0.0.1.  All write to the same disk; it is idle when a measurement begins.
# Subjects: pull, push.  For push the registry has nothing, and every program has pulled the image before.
# lib.sh says which environment it reads.
set -euo pipefail

. "$(dirname "$0")/lib.sh"
servers=()
clean_up() {
	local pid
	for pid in "${servers[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" || true # it was killed
	done
	awk -v d="$work/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs -r umount
}
begin "$@"
need podman skopeo docker-registry mmdebstrap curl jq cc
make_debian
make_work

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
servers+=($!)
for _ in $(seq 100); do curl -s -o "$work/answer" "http://127.0.0.1:$port/v2/" && break || sleep 0.1; done
image=127.0.0.1:$port/debian:1
skopeo copy -q --dest-tls-verify=false "oci:$work/img" "docker://$image"
storage="containers-storage:[overlay@$work/pod+$work/prun]$image"

# Daemons of their own, where they are installed and start here; Docker's without networks
serve() { # NAME COMMAND... - true when `"${NAME[@]}" version` answers
	local -n client=$1
	"${@:2}" >"$work/$1.log" 2>&1 </dev/null &
	servers+=($!)
	for _ in {1..100}; do
		"${client[@]}" version >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "$1 is absent: $(tail -n 1 "$work/$1.log")"
	false
}
ctr=(/usr/bin/ctr --address "$work/ctr.sock") docker=(/usr/bin/docker --config "$work/client" -H "unix://$work/docker.sock")
have=' '
if [ -x "${ctr[0]}" ]; then
	printf 'version = 2\nroot = "%s"\nstate = "%s"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "%s"\n' \
		"$work/ctr" "$work/ctr-run" "$work/ctr.sock" >"$work/ctr.toml"
	! serve ctr /usr/bin/containerd --config "$work/ctr.toml" || have+='ctr '
fi
if [ -x "${docker[0]}" ] && [ -x /usr/sbin/dockerd ]; then
	cat >"$work/docker.json" <<-END
		{"data-root": "$work/docker", "exec-root": "$work/docker-run", "pidfile": "$work/docker.pid",
		"deprecated-key-path": "$work/docker-key.json", "hosts": ["unix://$work/docker.sock"], "bridge": "none",
		"iptables": false, "ip6tables": false, "ip-forward": false, "storage-driver": "overlay2"}
	END
	! serve docker /usr/sbin/dockerd --config-file "$work/docker.json" || have+='docker '
fi

subject_pull() {
	local more=() goals=(--goal cleave:podman:0.5 --goal cleave:skopeo:0.5) engine
	for engine in $have; do goals+=(--goal "cleave:$engine:0.5"); done
	[[ $have != *' ctr '* ]] || more+=(@cmd ctr @untimed /bin/sync @run "${ctr[@]}" image pull --plain-http "$image" @untimed "${ctr[@]}" image rm --sync "$image")
	[[ $have != *' docker '* ]] || more+=(@cmd docker @untimed /bin/sync @run "${docker[@]}" pull -q "$image" @untimed "${docker[@]}" rmi "$image")
	pairs --subject pull "${goals[@]}" \
		@cmd cleave @untimed /bin/sync @run "$cleave" pull -q "$image" @untimed "$cleave" rmi "$image" \
		@cmd podman @untimed /bin/sync @run /usr/bin/podman "${pod[@]}" pull -q --tls-verify=false "$image" @untimed /usr/bin/podman "${pod[@]}" rmi "$image" \
		@cmd skopeo @untimed /bin/sync @run /usr/bin/skopeo copy -q --src-tls-verify=false "docker://$image" "$storage" @untimed /usr/bin/podman "${pod[@]}" rmi "$image" \
		"${more[@]}"
}
subject_push() {
	local empty=(@untimed /bin/rm -rf "$work/registry/docker" @untimed /bin/sync) more=()
	local goals=(--goal cleave:podman:0.7 --goal cleave:skopeo:0.7)
	"$cleave" pull -q "$image" >/dev/null
	podman "${pod[@]}" pull -q --tls-verify=false "$image" >/dev/null
	if [[ $have == *' docker '* ]]; then
		"${docker[@]}" pull -q "$image" >/dev/null
		goals+=(--goal cleave:docker:0.7)
		more+=(@cmd docker "${empty[@]}" @run "${docker[@]}" push -q "$image")
	fi
	pairs --subject push "${goals[@]}" \
		@cmd cleave "${empty[@]}" @run "$cleave" push -q "$image" \
		@cmd podman "${empty[@]}" @run /usr/bin/podman "${pod[@]}" push -q --tls-verify=false "$image" \
		@cmd skopeo "${empty[@]}" @run /usr/bin/skopeo copy -q --dest-tls-verify=false "$storage" "docker://$image" \
		"${more[@]}"
}
subjects pull push
