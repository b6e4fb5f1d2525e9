#!/bin/bash
# SPDX-License-Identifier: MIT
# Docker, Podman, skopeo and containerd read what we push and save, and we what they do; Docker's networks and ours are beside each
# other. In a network namespace of its own, joined with another one that is the world.
[ -n "${CLIENTS_INSIDE:-}" ] || CLIENTS_INSIDE=1 exec unshare --net "$0"
. "$(dirname "$0")/lib.sh"
ip link set lo up
echo 0 >/proc/sys/net/ipv4/ip_forward # Docker closes a host that did not forward
DOCKER=${DOCKER:-/usr/bin/docker}
registry_setup skopeo podman ctr containerd dockerd "$DOCKER" iptables nsenter
registry plain
layers_image
R=127.0.0.1:$plain_port
world=world$$
mkdir -p "$T"/{d,c,client}
cat >"$T/d/daemon.json" <<-END
	{
		"data-root": "$T/d/root", "exec-root": "$T/d/exec", "pidfile": "$T/d/pid", "deprecated-key-path": "$T/d/key.json",
		"hosts": ["unix://$T/d/sock"], "exec-opts": ["native.cgroupdriver=cgroupfs"]
	}
END
cat >"$T/c/config.toml" <<-END
	version = 2
	root = "$T/c/root"
	state = "$T/c/state"
	disabled_plugins = ["io.containerd.grpc.v1.cri"]
	[grpc]
	  address = "$T/c/sock"
END
TMPDIR=$T dockerd --config-file "$T/d/daemon.json" >"$T/d/log" 2>&1 </dev/null &
dockerd=$!
containerd --config "$T/c/config.toml" >"$T/c/log" 2>&1 </dev/null &
containerd=$!
d() { timeout 120 "$DOCKER" --config "$T/client" -H "unix://$T/d/sock" "$@"; }
c() { timeout 120 ctr -a "$T/c/sock" -n test "$@"; }
pod() { timeout 120 env -u DOCKER_CONFIG podman --root "$T/pod" --runroot "$T/pod-run" --storage-driver vfs "$@"; }
end() {
	d ps -aq 2>/dev/null | xargs -r "$DOCKER" --config "$T/client" -H "unix://$T/d/sock" rm -f >/dev/null 2>&1
	kill "$dockerd" "$containerd" 2>/dev/null
	wait "$dockerd" "$containerd" 2>/dev/null
	kill "${servers[@]}" 2>/dev/null
	ip netns del "$world" 2>/dev/null
	grep -F " $T/d" /proc/self/mountinfo | cut -d ' ' -f 5 | sort -r | xargs -r umount -l 2>/dev/null
	finish
}
trap end EXIT
answers() { d version >/dev/null 2>&1 && c version >/dev/null 2>&1; }
until_true answers || { tail -n 5 "$T/d/log" "$T/c/log"; exit 1; }

# What we push
skopeo copy -q --dest-tls-verify=false "oci:$T/img" "docker://$R/from/skopeo:1"
is "of skopeo" "$(cleave run --rm --network none "$R/from/skopeo:1" 2>/dev/null)" works
id=$(cleave images -q --no-trunc "$R/from/skopeo:1")
cleave tag "$R/from/skopeo:1" "$R/from/us:1"
cleave push -q "$R/from/us:1" >/dev/null
is "docker pulls it" "$(d run --rm --network none "$R/from/us:1" 2>/dev/null)" works
is "it is the same" "$(d image inspect -f '{{.Id}}' "$R/from/us:1")" "$id"
is "podman" "sha256:$(pod pull -q --tls-verify=false "$R/from/us:1")" "$id"
is "skopeo" "$(skopeo inspect --raw --tls-verify=false "docker://$R/from/us:1" | jq -r .config.digest)" "$id"
c image pull --plain-http "$R/from/us:1" >/dev/null 2>&1
like "ctr" "$(c image ls)" "^.*$R/from/us:1 .*sha256:$(sha256sum "$T/manifest.json" | cut -c -64)"

# What they push
d tag "$R/from/us:1" "$R/from/docker:1" && d push -q "$R/from/docker:1" >/dev/null
pod tag "$R/from/us:1" "$R/from/podman:1" && pod push -q --tls-verify=false "$R/from/podman:1" 2>/dev/null
c image tag "$R/from/us:1" "$R/from/ctr:1" >/dev/null && c image push --plain-http "$R/from/ctr:1" >/dev/null 2>&1
for who in docker podman ctr; do
	fresh
	is "what $who pushed" "$(cleave run --rm --network none "$R/from/$who:1" 2>/dev/null)" works
	is "what $who pushed is the same" "$(cleave images -q --no-trunc)" "$id"
done

# What is saved
cleave save -o "$T/d.tar" "$R/from/ctr:1"
cleave save --format oci-archive -o "$T/o.tar" "$R/from/ctr:1"
d rmi -f "$id" >/dev/null
like "docker loads it" "$(d load -i "$T/d.tar" 2>&1; d images -q --no-trunc)" "$id"
c image rm "$R/from/ctr:1" >/dev/null
like "ctr imports it" "$(c image import "$T/o.tar" 2>&1; c image ls)" "$R/from/ctr:1"
d save -o "$T/ds.tar" "$R/from/ctr:1"
c image export "$T/cs.tar" "$R/from/us:1"
for who in ds cs; do
	fresh
	cleave load -q -i "$T/$who.tar" >/dev/null
	is "what was saved as $who" "$(cleave images -q --no-trunc)" "$id"
	is "it runs" "$(cleave run --rm --network none "$id")" works
done

# Both have networks
ip netns add "$world" || exit 1
ip link add up0 type veth peer name down0 netns "$world"
ip addr add 203.0.113.1/24 dev up0 && ip link set up0 up
ip -n "$world" addr add 203.0.113.2/24 dev down0 && ip -n "$world" link set down0 up
host_rules() { iptables-save | sed 's/^#.*//; s/\[[0-9:]*\]//'; }
serve='mkdir -p /www; echo $0 >/www/index.html; exec busybox httpd -f -h /www'
from_world() { nsenter "--net=/run/netns/$world" curl -s -m 10 "http://203.0.113.1:$1/"; }
to_world() { "$@" busybox ping -q -c 1 -W 5 203.0.113.2 >/dev/null 2>&1 && echo yes || echo no; }
image=$(cleave images -q)
is "Docker forwards nothing else" "$(iptables -S FORWARD | head -n 1)" '-P FORWARD DROP'
d run -d --name theirs -p 8081:80 "$R/from/ctr:1" sh -c "$serve" theirs >/dev/null
before=$(host_rules)
cleave network create mine >/dev/null
cleave run -d --name ours --network mine -p 8082:80 "$image" sh -c "$serve" ours >/dev/null
reached() { [ "$(from_world 8081) $(from_world 8082)" = "theirs ours" ]; }
until_true reached
is "both reach the world" "$(to_world d exec theirs) $(to_world cleave exec ours)" "yes yes"
is "a port that Docker has" "$(cleave run --rm -p 8081:80 "$image" true 2>&1 | grep -c 'in use by docker-proxy')" 1
is "a port that we have" "$(d run --rm -p 8082:80 "$R/from/ctr:1" true >/dev/null 2>&1; from_world 8082)" ours
is "networks do not overlap" "$(cleave network create --subnet "$(d network inspect -f '{{(index .IPAM.Config 0).Subnet}}' bridge)" other 2>&1 | grep -c overlaps)" 1
cleave rm -f ours >/dev/null
cleave network prune -f >/dev/null
is "Docker's rules are as before" "$(host_rules)" "$before"
is "and its container is reached" "$(from_world 8081) $(to_world d exec theirs)" "theirs yes"
cleave run -d --name ours -p 8082:80 "$image" sh -c "$serve" ours >/dev/null
d rm -f theirs >/dev/null
is "ours without theirs" "$(until_true eval '[ "$(from_world 8082)" = ours ]'; from_world 8082) $(to_world cleave exec ours)" "ours yes"
