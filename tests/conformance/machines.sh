#!/bin/bash
# SPDX-License-Identifier: MIT
# Podman and containerd run virtual machines by choosing the runtime cleave-oci-vm. See README.md.
# shellcheck disable=SC2016,SC2086,SC2154,SC2317,SC2319 # $ is for the inner shell; functions run by t
# shellcheck source=tests/conformance/lib.sh
. "$(dirname "$0")/lib.sh"
STEP_TIMEOUT=120

cleanup_clients() {
	p rm -fa -t 0
	c tasks kill -s KILL life
	ip netns del cni
	c tasks rm -f life
	[ -z "${daemon:-}" ] || kill "$daemon"
	wait
}

p() { limited "$T/bin/p" "$@"; }
run() { p run --rm --cgroup-parent "/$PARENT" "$@"; }
c() { limited ctr --address "$T/sock" --namespace test "$@"; }

vmm=$(dirname "$OCI")/cleave-vmm
client_setup machines podman conmon containerd ctr containerd-shim-runc-v2 debugfs
"$vmm" --probe | grep -q ': yes' || skip_all "nothing here runs a virtual machine"
image=$("$top/tests/guest/setup.sh") || exit 1
CTR=(run --runc-binary "$T/bin/cleave-oci-vm" --snapshotter overlayfs)
mkdir -p "$T"/{root,runroot,tmp,c,modules}
# engines pass no environment on
cat >"$T/bin/cleave-oci-vm" <<SH
#!/bin/sh
CLEAVE_ROOT=$T/store CLEAVE_RUNROOT=$T/run exec "$(dirname "$OCI")/cleave-oci-vm" "\$@"
SH
cat >"$T/bin/p" <<SH
#!/bin/sh
unset CONTAINER_HOST NOTIFY_SOCKET
exec podman --root $T/root --runroot $T/runroot --tmpdir $T/tmp --cgroup-manager cgroupfs --events-backend file \\
	--runtime $T/bin/cleave-oci-vm "\$@"
SH
chmod +x "$T"/bin/*
debugfs -R "rdump /lib/modules $T/modules" "$image/root.img" 2>/dev/null
CLEAVE_ROOT=$T/store CLEAVE_RUNROOT=$T/run "$(dirname "$OCI")/cleave" kernel add --modules "$T"/modules/modules/* "$image/vmlinuz" >"$T/kernel"
release=$(basename "$T"/modules/modules/*)

# --- Podman

import_image() { p import --change CMD=/bin/sh --change ENV=PATH=/bin "$T/rootfs.tar" localhost/box; }
t "import makes an image from a root filesystem" import_image
own_kernel() { prints "$release" run --network none box sh -c 'uname -r'; }
t "the kernel is its own" own_kernel
t "exit codes" status 7 run --network none box sh -c 'exit 7'
program_missing() { status 127 run --network none box /nosuch; }
t "127 when the program does not exist" program_missing
streams() { prints $'in\nerr' eval 'echo in | run -i --network none box sh -c "cat; echo err >&2" 2>&1'; }
t "input, output and errors" streams
tty() { matches 'pts/0.*33 77' on_tty "$T/bin/p" run --rm -it --network none --cgroup-parent "/$PARENT" box sh -c 'echo $(tty) $(stty size)'; }
t "a terminal and its size" tty
volume() {
	echo host >"$T/share/note"
	prints host run --network none -v "$T/share:/mnt" -u 1000 -w /mnt box cat note
}
t "a volume, a user, a directory" volume
life() {
	p run -d --name life --network none --cgroup-parent "/$PARENT" box sh -c 'trap "exit 3" TERM; while :; do sleep 0.2; done' &&
		prints $'two\n/tmp' p exec -w /tmp -e ONE=two life sh -c 'echo $ONE; pwd' &&
		status 9 p exec life sh -c 'exit 9' &&
		prints piped eval 'echo piped | p exec -i life cat' &&
		p stop -t 60 life && prints 3 p container inspect -f '{{.State.ExitCode}}' life && p rm life
}
t "run -d, exec, stop, rm" life
killed() { p run -d --name killed --network none --cgroup-parent "/$PARENT" box sleep 99 && p kill killed && prints 137 p wait killed && p rm killed; }
t "kill" killed
updated() {
	p run -d --name updated --network none --cgroup-parent "/$PARENT" box sleep 99 && p update --cpus 0.5 updated &&
		fails 'memory of a virtual machine does not change' p update --memory 100m updated &&
		p pause updated && p unpause updated && prints on p exec updated echo on && p rm -f -t 0 updated
}
t "update, pause, unpause" updated
host_network() { fails "cannot have the host's network" run --network host box true; }
t "the host's network is refused" host_network

# in a network of Podman's own making, in a namespace that stands for the host's
inside_net() { limited nsenter --net=/run/netns/host "$@"; }
get_page() { printf 'GET / HTTP/1.0\r\n\r\n' | inside_net busybox nc -w 5 127.0.0.1 8080 | tail -n 1; }
published() {
	ip netns add host && inside_net ip link set lo up &&
		inside_net "$T/bin/p" run -d --name web --hostname web --cgroup-parent "/$PARENT" -p 8080:80 box \
			sh -c 'mkdir -p /tmp/www; hostname >/tmp/www/index.html; exec httpd -f -h /tmp/www -p 80' &&
		eventually prints web get_page &&
		address=$(p container inspect -f '{{.NetworkSettings.IPAddress}}' web) &&
		prints web inside_net "$T/bin/p" run --rm --cgroup-parent "/$PARENT" box wget -q -O- "http://$address/"
	local result=$?
	inside_net "$T/bin/p" rm -f -t 0 web
	return "$result"
}
if [ -x /usr/lib/podman/netavark ] || [ -x /usr/lib/cni/bridge ]; then
	t "a network, a published port, another machine" published
else
	skip "a network, a published port, another machine" "no netavark, no CNI plugins"
fi

# --- containerd

cat >"$T/config.toml" <<TOML
version = 2
root = "$T/c/root"
state = "$T/c/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs",
	"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
	"io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "$T/sock"
TOML
containerd --config "$T/config.toml" >"$T/containerd.log" 2>&1 &
daemon=$!
eventually c version
make_docker_archive docker.io/library/box:latest "$T/box.tar"
t "ctr imports the image" c images import "$T/box.tar"
BOX=docker.io/library/box:latest
t "ctr run" prints "$release" c "${CTR[@]}" --rm --cgroup "/$PARENT/first" $BOX first uname -r
t "ctr run: exit codes" status 5 c "${CTR[@]}" --rm --cgroup "/$PARENT/second" $BOX second sh -c 'exit 5'
ctr_tty() { matches 'pts/0' on_tty ctr --address "$T/sock" --namespace test "${CTR[@]}" --rm -t --cgroup "/$PARENT/tty" $BOX tty tty; }
t "ctr run: a terminal" ctr_tty
task_is() { matches "^life +[0-9]+ +$1" c tasks ls; }
ctr_life() {
	c "${CTR[@]}" -d --null-io --cgroup "/$PARENT/life" $BOX life sleep 99 && task_is RUNNING &&
		prints inside c tasks exec --exec-id one life echo inside &&
		status 9 c tasks exec --exec-id two life sh -c 'exit 9' &&
		c tasks kill -s KILL life && eventually task_is STOPPED && matches "exit code 137" c tasks rm life
}
t "ctr run -d, exec, kill" ctr_life

# CNI's plugins are called by ctr, between create and start; again in a namespace that stands for the host's
ctr_cni() {
	local result
	mkdir -p "$T/cni" && cat >"$T/cni/10-test.conflist" <<-'JSON' && ip netns add cni && ip -n cni link set lo up || return
		{"cniVersion": "0.4.0", "name": "test", "plugins": [{"type": "bridge", "bridge": "cni-test", "isGateway": true,
			"ipam": {"type": "host-local", "ranges": [[{"subnet": "10.213.11.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "/opt/state"}}]}
	JSON
	limited nsenter --net=/run/netns/cni unshare -m sh -c 'mount -t tmpfs none /opt && mkdir -p /opt/cni/bin && mount --bind /usr/lib/cni /opt/cni/bin &&
		mount -t tmpfs none /etc/cni && mkdir /etc/cni/net.d && cp "$0"/* /etc/cni/net.d && exec "$@"' "$T/cni" \
		ctr --address "$T/sock" --namespace test "${CTR[@]}" --cni -d --null-io --cgroup "/$PARENT/pod" $BOX pod \
		sh -c 'mkdir -p /tmp/www; echo up >/tmp/www/index.html; exec httpd -f -h /tmp/www -p 80' &&
		eventually prints up get_pod && matches '10.213.11.2/24' c tasks exec --exec-id pod pod ip addr show eth0
	result=$?
	c tasks kill -s KILL pod
	eventually c tasks rm -f pod
	ip netns del cni
	return "$result"
}
get_pod() { printf 'GET / HTTP/1.0\r\n\r\n' | limited nsenter --net=/run/netns/cni busybox nc -w 5 10.213.11.2 80 | tail -n 1; }
if [ -x /usr/lib/cni/bridge ]; then
	t "ctr run --cni" ctr_cni
else
	skip "ctr run --cni" "no CNI plugins"
fi

tap_end
