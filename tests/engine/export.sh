#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave export of instances in every state, and commit, diff and export of ones with mapped users.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/trees.sh"
setup python3 setfattr setfacl setcap tar
mkdir -p "$T/base"/{bin,data,vol}
cp "$(command -v busybox)" "$T/base/bin/busybox"
for a in sh mkdir sleep echo cat ls mount; do ln -s busybox "$T/base/bin/$a"; done
echo 1 >"$T/base/data/one"
tar -C "$T/base" -c . | cleave import -c 'CMD ["/bin/sh"]' - base:1 >/dev/null
members() { tar -t | sed 's,/$,,' | grep "$1" | sort | tr '\n' ' '; }

# Running, paused, stopped, never started, read-only
mkdir "$T/vol" && echo inside >"$T/vol/file"
cleave run -d --name e1 -v "$T/vol:/vol" --tmpfs /tmp base:1 sh -c 'echo 2 >/data/two; echo x >/tmp/x; exec sleep 1000' >/dev/null
until_true cleave exec e1 cat /data/two >/dev/null 2>&1
want='data data/one data/two '
is "running" "$(cleave export e1 | members '^data')" "$want"
is "of mounts only the mount points" "$(cleave export e1 | members '^\(vol\|tmp\|proc\|sys\)')" 'proc sys tmp vol '
cleave pause e1 >/dev/null
is "paused" "$(cleave export e1 | members '^data')" "$want"
cleave unpause e1 >/dev/null
cleave stop -t 0 e1 >/dev/null
is "stopped" "$(cleave export e1 | members '^data')" "$want"
is "it starts afterwards" "$(cleave start e1)" e1
cleave rm -f e1 >/dev/null
cleave create --name e2 --read-only base:1 >/dev/null
is "never started, read-only" "$(cleave export e2 | members '^data')" 'data data/one '
is "commit of a read-only one" "$(cleave commit e2 2>&1 | grep -c 'no writable layer\|^sha256:')" 1

# Output
cleave export -o "$T/e2.tar" e2
is "mode of the file" "$(stat -c %a "$T/e2.tar")" 600
cleave export --output "$T/e2b.tar" e2
is "the same bytes" "$(cmp "$T/e2.tar" "$T/e2b.tar" && echo yes)" yes
echo keep >"$T/there"
refuse 1 "'nobody'" export -o "$T/there" nobody
is "a file that was there stays as it was" "$(cat "$T/there")" keep
refuse 1 'no such file or directory' export -o "$T/no/dir" e2
out=$(script -qec "'$CLEAVE' export e2" /dev/null | tr -d '\r')
like "a terminal gets no archive" "$out" '^cleave: standard output is a terminal'
cleave export e2 2>"$T/err" | head -c 10 >/dev/null
like "status after the reader went" "${PIPESTATUS[0]}" '^(1|141)$'

# Deep directories
cleave create --name e3 base:1 >/dev/null
upper=$T/root/instances/$(cleave inspect -f '{{.Id}}' e3)/layer/upper
python3 - "$upper" <<'END'
import os, sys
os.chdir(sys.argv[1])
for i in range(1500):
    os.mkdir("d")
    os.chdir("d")
open("bottom", "w").write("x")
END
ulimit -Sn 1024 # as usual
is "diff of a deep tree" "$(cleave diff e3 | wc -l)" 1501
is "export of a deep tree" "$(cleave export e3 | tar -t | grep -c bottom)" 1
like "commit of a deep tree" "$(cleave commit e3 deep:1 2>&1)" '^sha256:'
is "an instance of it" "$(cleave export "$(cleave create deep:1)" | tar -t | grep -c bottom)" 1
python3 - "$upper" <<'END'
import os, sys
os.chdir(sys.argv[1])
for i in range(1500):
    os.chdir("d")
for i in range(900):
    os.mkdir("dd")
    os.chdir("dd")
END
refuse 1 'over 4096 bytes' export -o /dev/null e3
refuse 1 'over 4096 bytes' commit e3
cleave rm -f e3 >/dev/null
is "and it can be removed" "$(find "$upper" -maxdepth 0 2>/dev/null)" ''

# Mapped users: what the instance sees is what the image has
make_tree "$T/tree"
rm -r "$T/tree/dev" # whose maker needs the host's privileges
chown 1000:1001 "$T/tree/etc/nothing"
if ! cleave run --rm --userns auto base:1 busybox true 2>"$T/err"; then
	echo "no mapped users here: $(cat "$T/err")"
else
	cleave run --name e4 --userns auto -v "$T/tree:/tree" base:1 sh -c 'busybox cp -a /tree /all; busybox chown 7:8 /data/one; echo x >/data/new' >/dev/null
	upper=$T/root/instances/$(cleave inspect -f '{{.Id}}' e4)/layer/upper
	start=$(stat -c %u "$upper/data/new")
	[ "$start" -gt 0 ] || no "users are mapped"
	# with what a process inside gives its files
	chown "$((start + 5)):$((start + 6))" "$upper/data/new"
	setfacl -m "u:$((start + 9)):rw" "$upper/data/new"
	python3 - "$upper/data/new" "$start" <<'END'
import os, struct, sys
os.setxattr(sys.argv[1], "security.capability", struct.pack("<IIIIII", 0x03000001, 1 << 13, 0, 0, 0, int(sys.argv[2])))
END
	cleave commit e4 mapped:1 >/dev/null
	layer=$(layer_of mapped:1)
	is "owners" "$(stat -c %u:%g "$layer/data/one" "$layer/data/new" | tr '\n' ' ')" '7:8 5:6 '
	like "users of access lists" "$(getfacl -nc "$layer/data/new")" 'user:9:rw-'
	like "capabilities" "$(getcap "$layer/data/new")" 'new cap_net_raw=ep$'
	is "they belong to no user namespace" "$(getfattr --absolute-names -n security.capability -e hex "$layer/data/new" | grep -o '0x01000002')" 0x01000002
	cleave export e4 >"$T/e4.tar"
	mkdir "$T/x4" && tar -C "$T/x4" --xattrs --xattrs-include='*' -xpf "$T/e4.tar" data
	is "export: owners" "$(stat -c %u:%g "$T/x4/data/one" "$T/x4/data/new" | tr '\n' ' ')" '7:8 5:6 '
	like "export: capabilities" "$(getcap "$T/x4/data/new")" 'new cap_net_raw=ep$'
fi
true
