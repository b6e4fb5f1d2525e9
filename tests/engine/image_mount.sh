#!/bin/bash
# SPDX-License-Identifier: MIT
# image mount, image umount and image diff.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/trees.sh"
setup python3 setfattr setfacl setcap tar
make_tree "$T/tree"
tree=$(describe "$T/tree" | grep -v "^'\(etc\|dev\)'")
tar -C "$T/tree" --format=pax --xattrs --xattrs-include='*' -cf "$T/a.tar" .
id=$(cleave import "$T/a.tar" test/a:1)

path=$(cleave image mount test/a:1)
is "below the run directory" "$path" "$T/run/images/${id#sha256:}"
same "what is mounted" "$(describe "$path" | grep -v "^'\(etc\|dev\|proc\|sys\)'\|^'etc/\(hosts\|hostname\|resolv.conf\)'")" "$tree"
is "again, by id" "$(cleave image mount "${id:7:12}")" "$path"
is "the list" "$(cleave image mount)" "test/a:1	$path"
is "read-only" "$(touch "$path/x" 2>&1 | grep -c 'Read-only')" 1
refuse 1 'it is mounted' rmi test/a:1
is "umount" "$(cleave image umount test/a:1)" "$id"
is "it is gone" "$(grep -c "$path" /proc/self/mountinfo)$(cleave image mount)" 0
refuse 1 'is not mounted' image umount test/a:1
refuse 1 "no image 'nothing'" image mount nothing
refuse 1 'either images or --all' image umount
cleave image mount test/a:1 >/dev/null
(cd "$path" && refuse 1 'busy' image umount test/a:1)
umount "$path"
is "unmounted by hand" "$(cleave image umount --all)" ""
cleave image mount test/a:1 >/dev/null
is "a forced removal unmounts" "$(cleave rmi -f test/a:1 | tail -n 1)$(ls "$T/run/images" 2>/dev/null)" "Deleted: $id"

# Differences
mkdir -p "$T/fs"/{same,gone/sub,etc,kind} && echo 1 >"$T/fs/same/file" && echo 2 >"$T/fs/gone/sub/file" && echo 3 >"$T/fs/etc/changed"
echo 4 >"$T/fs/etc/mode" && echo 5 >"$T/fs/etc/gone" && echo 6 >"$T/fs/kind/to-dir" && mkdir "$T/fs/kind/to-file" && ln -s aaa "$T/fs/etc/link"
echo 7 >"$T/fs/etc/capable"
find "$T/fs" -exec touch -h -d @1000000000 {} +
tar -C "$T/fs" -cf "$T/old.tar" . && cleave import "$T/old.tar" old:1 >/dev/null
rm -r "$T/fs/gone" "$T/fs/etc/gone" "$T/fs/kind/"* && echo 33 >"$T/fs/etc/changed" && chmod 600 "$T/fs/etc/mode"
mkdir -p "$T/fs/kind/to-dir" "$T/fs/new/sub" && echo >"$T/fs/kind/to-dir/x" && echo >"$T/fs/kind/to-file" && ln -sfn bbb "$T/fs/etc/link"
setcap cap_net_raw+ep "$T/fs/etc/capable"
echo >"$T/fs/new/"$'line\nD fake'
find "$T/fs" -exec touch -h -d @1000000000 {} +
tar -C "$T/fs" --xattrs --xattrs-include='*' -cf "$T/new.tar" . && cleave import "$T/new.tar" new:1 >/dev/null
is "image diff" "$(cleave image diff old:1 new:1 | tr '\n' ' ')" \
	'C /etc C /etc/capable C /etc/changed D /etc/gone C /etc/link C /etc/mode D /gone C /kind C /kind/to-dir A /kind/to-dir/x C /kind/to-file A /new A /new/line D fake A /new/sub '
is "of the same image" "$(cleave image diff old:1 old:1)" ''
cleave create --name c1 old:1 x >/dev/null
is "of a copy" "$(cleave commit c1 copy:1 >/dev/null && cleave image diff old:1 copy:1)" ''
refuse 1 "no image 'nothing'" image diff old:1 nothing
true
