#!/bin/bash
# SPDX-License-Identifier: MIT
# Id-mapped mounts: own mappings, options idmap and ridmap, those of the container.
. "$(dirname "$0")/lib.sh"
setup

mkdir -p "$T/src/sub"
touch "$T/src/f"
chown 1000:1001 "$T/src/f"
mount -t tmpfs sub "$T/src/sub"
touch "$T/src/sub/f"
chown 1000:1001 "$T/src/sub/f"
m() { echo ".mounts+=[{destination:\"/mnt\",type:\"bind\",source:\"$T/src\",options:[$1]$2}]"; }
maps=',uidMappings:[{containerID:1000,hostID:5000,size:10}],gidMappings:[{containerID:1000,hostID:6000,size:10}]'
ct 'stat -c %u:%g /mnt/f' "$(m '"bind"' "$maps")"
[[ $out == *"not support"* ]] && skip "no id-mapped mounts on tmpfs: $out"
eq "own mappings" "$out" 5000:6001
gives "with the option idmap" 'stat -c %u:%g /mnt/f' 5000:6001 "$(m '"bind","idmap"' "$maps")"
gives "several mappings" 'stat -c %u:%g /mnt/f' 7:4 \
	"$(m '"bind"' ',uidMappings:[{containerID:0,hostID:100,size:5},{containerID:1000,hostID:7,size:1}],gidMappings:[{containerID:0,hostID:50,size:1},{containerID:1001,hostID:4,size:1}]')"
gives "what is not mapped belongs to nobody" 'stat -c %u:%g /mnt/f' 65534:65534 \
	"$(m '"bind"' ',uidMappings:[{containerID:0,hostID:100,size:5}],gidMappings:[{containerID:0,hostID:50,size:1}]')"
gives "idmap leaves submounts" 'stat -c %u:%g /mnt/sub/f' 1000:1001 "$(m '"rbind","idmap"' "$maps")"
gives "ridmap takes them" 'stat -c %u:%g /mnt/f /mnt/sub/f' $'5000:6001\n5000:6001' "$(m '"rbind","ridmap"' "$maps")"

# in a user namespace
chown -hR 100000:100000 "$B/rootfs"
chmod 711 "$B"
chown 0:0 "$T/src/f" "$T/src"
user='.linux.namespaces+=[{type:"user"}] | .linux.uidMappings=[{containerID:0,hostID:100000,size:65536}] | .linux.gidMappings=.linux.uidMappings'
gives "idmap without mappings takes the container's" 'stat -c %u:%g /mnt/f; touch /mnt/new && echo made' $'0:0\nmade' "$user" "$(m '"bind","idmap"')"
eq "so that files on disk are root's" "$(stat -c %u:%g "$T/src/new")" 0:0
gives "a bind without it shows nobody" 'stat -c %u:%g /mnt/f' 65534:65534 "$user" "$(m '"bind"')"

refuse "mappings for one kind only" 'mounts\[7\].*mappings' "$(m '"bind"' ',uidMappings:[{containerID:1000,hostID:5000,size:10}]')"
refuse "idmap with nothing to map by" 'idmap|mapping' "$(m '"bind","idmap"')"
refuse "mappings of a mount that is no bind" 'Mappings|bind|id-mapped|idmap' ".mounts+=[{destination:\"/mnt\",type:\"proc\",source:\"proc\"$maps}]"
