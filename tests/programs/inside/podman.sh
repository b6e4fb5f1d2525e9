#!/bin/bash
# SPDX-License-Identifier: MIT
# machines only
# options: --privileged --sysctl net.ipv4.ip_forward=1
# Containers inside of the machine: layers, control groups, a network of their own.
export HOME=/root
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup /sys/fs/cgroup
stat -f -c 'cgroup: %T' /sys/fs/cgroup
uname -r
ls /lib/modules
for m in overlay veth bridge nf_tables br_netfilter; do modprobe $m || echo "no $m"; done
lsmod | head -30
mount -t tmpfs tmpfs /var/lib/containers
mkdir root && cp -a --parents /bin/bash /bin/sh /bin/cat /bin/ls /bin/id root 2>/dev/null
ldd /bin/bash /bin/ls /bin/cat /usr/bin/id | grep -o '/[^ ]*\.so[^ ]*' | sort -u | while read -r f; do cp --parents "$f" root; done
tar -C root -c . | podman import - local/small || exit 1
podman info | grep -E 'graphDriverName|cgroupVersion|cgroupManager|networkBackend'
podman --cgroup-manager cgroupfs run --rm --network none local/small /bin/bash -c 'echo inside $$; id -u; cat /proc/self/cgroup' || exit 1
podman --cgroup-manager cgroupfs run --rm --network none --memory 64m --pids-limit 20 local/small /bin/bash -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max' || exit 1
podman --cgroup-manager cgroupfs run -d --name web -p 8080:80 local/small /bin/bash -c 'while :; do read -t 1 x; done </dev/tcp/127.0.0.1/1 2>/dev/null; while :; do read -t 5 x <> <(:); done' || exit 1
podman exec web /bin/bash -c 'echo exec' || exit 1
podman ps
podman rm -f -t 0 web
