#!/bin/bash
# SPDX-License-Identifier: MIT
# system df, system prune, info, version.
. "$(dirname "$0")/lib.sh"
setup
# df FORMAT TYPE - a field of the summary
df() { cleave system df --format "{{.Type}}:{{.$1}}" | sed -n "s/^$2://p"; }

is "an empty store" "$(df Size Images) $(df TotalCount Images) $(df Reclaimable Containers)" '0B 0 0B'
# Two images that share a layer of 3 MB
mkdir "$T/fs"
head -c 3000000 /dev/urandom >"$T/fs/big"
cp "$(command -v busybox)" "$T/fs/sh"
tar -C "$T/fs" -cf "$T/base.tar" .
cleave image import "$T/base.tar" test/base >/dev/null
base=$(df Size Images)
cleave create --name maker test/base /sh >/dev/null
head -c 1000000 /dev/urandom >"$T/more"
cleave cp "$T/more" maker:/more
is "what an instance wrote" "$(df Size Containers)" 1MB
is "it can be freed" "$(df Reclaimable Containers)" '1MB (100%)'
is "the image is used" "$(df Active Images) $(df Reclaimable Images)" '1 0B (0%)'
cleave commit maker test/more >/dev/null
image() { cleave system df -v --format json | jq -r ".Images[]|select(.Repository==\"$1\")|$2"; }
is "two images" "$(df TotalCount Images)" 2
is "what they share" "$(image test/more .SharedSize)" "$base"
is "both" "$(image test/base .SharedSize)" "$(image test/more .SharedSize)"
bytes() { numfmt --from=si --suffix=B "${1/kB/KB}" | tr -d B; }
sum=$(bytes "$(df Size Images)")
[ "$sum" -lt $(($(bytes "$base") + 2500000)) ] && yes || no "what is shared counts once" "$sum"
like "what the second has alone can be freed" "$(df Reclaimable Images)" '^2(\.[0-9]+)?MB \([0-9]+%\)$'
cleave image tag test/more test/again
is "two names, one image" "$(df TotalCount Images)" 2
run 0 -d --name runs -v vol:/data cleave/tiny sh -c 'dd if=/dev/zero of=/data/f bs=1000 count=500 2>/dev/null; sleep 1000'
until_true test -s "$T/root/volumes/vol/_data/f"
until_true eval '[ "$(df Size "Local Volumes")" = 500kB ]'
is "a volume in use" "$(df Active 'Local Volumes') $(df Reclaimable 'Local Volumes')" '1 0B (0%)'
cleave volume create free >/dev/null
is "volumes" "$(cleave system df -v --format '{{range .Volumes}}{{.Name}} {{.Links}} {{.Size}};{{end}}')" 'free 0 0B;vol 1 500kB;'
is "instances" "$(cleave system df -v --format json | jq -c '[.Containers[]|[.Names,.LocalVolumes,.State,.Size]]')" '[["runs","1","running","0B"],["maker","0","created","1MB"]]'
like "table" "$(cleave system df | xargs -d '\n')" '^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE Images +3 +2 .* Containers +2 +1 .* Local Volumes +2 +1 .* Build Cache +0'
like "-v" "$(cleave system df -v)" 'Images space usage:.*test/base.*Containers space usage:.*maker.*Local Volumes space usage:.*free.*Build cache usage: 0B'
is "json" "$(cleave system df --format json | jq -r .Type | xargs)" 'Images Containers Local Volumes Build Cache'
refuse 1 'template' system df --format '{{.Type'

# info
info() { cleave info --format "{{.$1}}"; }
is "counts" "$(info Containers) $(info ContainersRunning) $(info ContainersStopped) $(info Images)" '2 1 1 3'
cleave pause runs >/dev/null
is "paused" "$(info ContainersRunning) $(info ContainersPaused)" '0 1'
cleave unpause runs >/dev/null
is "host" "$(info NCPU) $(info KernelVersion) $(info Name) $(info OSType)" "$(getconf _NPROCESSORS_ONLN) $(uname -r) $(uname -n) linux"
is "cgroups" "$(info CgroupVersion)" "$([ -f /sys/fs/cgroup/cgroup.controllers ] && echo 2 || echo 1)"
is "memory" "$(($(info MemTotal) / 1048576))" "$(($(awk '/^MemTotal/{print $2}' /proc/meminfo) / 1024))"
is "json of info" "$(cleave system info -f json | jq -r '.DockerRootDir, .ServerVersion')" "$T/root
$(cleave version -f '{{.Server.Version}}')"
like "text" "$(cleave info)" "Containers: 2
 Running: 1.*Kernel Version: $(uname -r).*CPUs: $(getconf _NPROCESSORS_ONLN)"
like "info's limits" "$(info MemoryLimit) $(info PidsLimit) $(info CpuCfsQuota)" '^(true|false) (true|false) (true|false)$'

# version
is "version, template" "$(cleave version --format '{{.Client.Version}} {{.Client.Os}}')" "$(cleave version | sed -n '1s/cleave version //p') linux"
is "version, json" "$(cleave version --format json | jq -r '.Client.Version == .Server.Version')" true

# prune
run 0 --name gone --label x=1 cleave/tiny true
run 0 --name stays --label x=2 cleave/tiny true
run 0 --name anon -v /data cleave/tiny true
is "no" "$(cleave system prune 2>&1 </dev/null | grep -c 'stopped instances')" 1
is "label" "$(cleave system prune -f --filter label=x=1 | head -n 1; cleave ps -aq | wc -l)" $'Deleted Containers:\n4'
out=$(cleave system prune -f)
like "what it did" "$out" 'Deleted Containers:.*Total reclaimed space: 1MB$'
is "what is left" "$(cleave ps -a --format '{{.Names}}'; cleave volume ls -q | wc -l)" $'runs\n3'
like "images with names stay" "$(cleave images --format '{{.Repository}}' | xargs)" 'test/again test/base test/more'
like "--volumes" "$(cleave system prune -f --volumes)" 'Deleted Volumes:'
is "named volumes stay" "$(cleave volume ls -q | xargs)" 'free vol'
out=$(cleave system prune -f -a)
like "-a" "$out" 'untagged: test/again:latest.*Total reclaimed space: [0-9.]+MB$'
is "an image is deleted once" "$(grep ^deleted: <<<"$out" | sort | uniq -d)" ''
is "what is used stays" "$(cleave images --format '{{.Repository}}' | xargs)" cleave/tiny
refuse 1 'not supported with "--volumes"' system prune -f --volumes --filter until=1h
refuse 1 "invalid filter 'colour'" system prune -f --filter colour=red
refuse 1 'not a command' system nothing
