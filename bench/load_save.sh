#!/bin/bash
# SPDX-License-Identifier: MIT
#
# load_save.sh [--rounds N] [--only SUBJECT]... [--format table|json]
#
# Compares load, save and commit of images with podman and skopeo: a Debian image of about 300 MB, which
# mmdebstrap builds once, and a change of 100 MB.  All write to the same disk; it is idle when a measurement begins.
# Subjects: load, load-gzip, save, commit.  cleave has its image on disk when it is done; the others leave that to the
# kernel.
# lib.sh says which environment it reads.
set -euo pipefail

. "$(dirname "$0")/lib.sh"
clean_up() { podman "${pod[@]}" rm -af >/dev/null 2>&1 || true; }
begin "$@"
need podman skopeo mmdebstrap cc
make_debian
make_work
storage="containers-storage:[overlay@$work/pod+$work/prun]localhost/debian:1"

# podman's own archive is what all of them load
podman "${pod[@]}" import -q "$root" localhost/debian:1 >/dev/null
podman "${pod[@]}" save -q -o "$work/plain.tar" localhost/debian:1
skopeo copy -q "docker-archive:$work/plain.tar" "oci-archive:$work/gzip.tar:localhost/debian:1"

run_load() { # SUBJECT TRANSPORT FILE
	podman "${pod[@]}" rmi -f localhost/debian:1 >/dev/null 2>&1 || true
	pairs --subject "$1" --goal cleave:podman:0.5 --goal cleave:skopeo:0.5 \
		@cmd cleave @untimed /bin/sync @run "$cleave" load -q -i "$3" @untimed "$cleave" rmi localhost/debian:1 \
		@cmd podman @untimed /bin/sync @run /usr/bin/podman "${pod[@]}" load -q -i "$3" @untimed /usr/bin/podman "${pod[@]}" rmi localhost/debian:1 \
		@cmd skopeo @untimed /bin/sync @run /usr/bin/skopeo copy -q "$2:$3" "$storage" @untimed /usr/bin/podman "${pod[@]}" rmi localhost/debian:1
}
subject_load() { run_load load docker-archive "$work/plain.tar"; }
subject_load-gzip() { run_load load-gzip oci-archive "$work/gzip.tar"; }
have_images() {
	podman "${pod[@]}" load -q -i "$work/plain.tar" >/dev/null
	"$cleave" load -q -i "$work/plain.tar" >/dev/null
}
subject_save() {
	have_images
	pairs --subject save --goal cleave:podman:0.5 --goal cleave:skopeo:0.5 \
		@cmd cleave @untimed /bin/sync @run "$cleave" save -o "$work/out" localhost/debian:1 @untimed /bin/rm "$work/out" \
		@cmd podman @untimed /bin/sync @run /usr/bin/podman "${pod[@]}" save -q -o "$work/out" localhost/debian:1 @untimed /bin/rm "$work/out" \
		@cmd skopeo @untimed /bin/sync @run /usr/bin/skopeo copy -q "$storage" "docker-archive:$work/out:localhost/debian:1" @untimed /bin/rm "$work/out"
}
subject_commit() {
	local from=/usr/lib/x86_64-linux-gnu
	have_images
	mkdir "$work/big"
	tar -xf "$root" -C "$work/big" --wildcards ".$from" ./usr/share/perl
	"$cleave" create --name changed --network none localhost/debian:1 true >/dev/null
	"$cleave" cp "$work/big" changed:/big
	podman "${pod[@]}" create --name changed --network none localhost/debian:1 true >/dev/null # crun cannot run on every host
	podman "${pod[@]}" cp "$work/big" changed:/big
	pairs --subject commit --goal cleave:podman:0.5 \
		@cmd cleave @untimed /bin/sync @run "$cleave" commit changed localhost/made:1 @untimed "$cleave" rmi localhost/made:1 \
		@cmd podman @untimed /bin/sync @run /usr/bin/podman "${pod[@]}" commit -q changed localhost/made:1 @untimed /usr/bin/podman "${pod[@]}" rmi localhost/made:1
	"$cleave" rm changed >/dev/null
	podman "${pod[@]}" rm changed >/dev/null
}
subjects load load-gzip save commit
