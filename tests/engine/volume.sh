#!/bin/bash
# SPDX-License-Identifier: MIT
# Volumes: the verbs, copy-up, use, anonymous ones.
. "$(dirname "$0")/lib.sh"
setup
inside() { cleave run --rm "$@"; }
names() { cleave volume ls -q | tr '\n' ' '; }

# An image with content and a volume of its own.
mkdir -p "$T/fs/bin" "$T/fs/data/sub" "$T/fs/empty"
cp "$(command -v busybox)" "$T/fs/bin/busybox"
for a in sh cat ls stat touch true rm mount grep id sleep; do ln -s busybox "$T/fs/bin/$a"; done
echo content >"$T/fs/data/file"
ln -s file "$T/fs/data/link"
echo below >"$T/fs/data/sub/f"
chown 12:34 "$T/fs/data/file" "$T/fs/data"
chmod 2750 "$T/fs/data"
chmod 600 "$T/fs/data/file"
chown 7:8 "$T/fs/empty"
setfattr -n user.mark -v seen "$T/fs/data/file" 2>/dev/null && xattr=yes
tar -C "$T/fs" --xattrs -cf "$T/i.tar" .
cleave image import "$T/i.tar" test/data >/dev/null

is "create" "$(cleave volume create one)" one
is "create again" "$(cleave volume create one)" one
like "create without a name" "$(cleave volume create)" '^[0-9a-f]{64}$'
is "ls" "$(cleave volume ls -q | grep -c .)" 2
like "ls, table" "$(cleave volume ls)" $'^DRIVER +VOLUME NAME\nlocal +'
is "labels" "$(cleave volume create --label a=1 --label b two; cleave volume inspect two | jq -c '.[0].Labels')" $'two\n{"a":"1","b":""}'
is "inspect" "$(cleave volume inspect one | jq -c '.[0]|[.Name,.Driver,.Scope,.Mountpoint,.Options,.Labels]')" "[\"one\",\"local\",\"local\",\"$T/root/volumes/one/_data\",null,null]"
like "created" "$(cleave volume inspect one | jq -r '.[0].CreatedAt')" '^20[0-9]{2}-'
is "ls --format json" "$(cleave volume ls --format json | jq -r 'select(.Name=="two")|.Labels')" 'a=1,b='
is "ls, template" "$(cleave volume ls --format '{{.Name}} {{.Driver}} {{.Label "a"}}' --filter label=a)" 'two local 1'
is "ls, table of a template" "$(cleave volume ls --format 'table {{.Name}}' --filter name=two | xargs)" 'VOLUME NAME two'
is "inspect --format" "$(cleave volume inspect -f '{{.Name}} {{.Mountpoint}}' one two)" "one $T/root/volumes/one/_data
two $T/root/volumes/two/_data"
is "inspect without a group" "$(cleave inspect -f '{{.Name}}' two; cleave inspect --type volume one | jq -r '.[0].Driver')" $'two\nlocal'
refuse 1 'no such volume' inspect --type volume nobody -f x
is "inspect, json" "$(cleave volume inspect --format json one | jq -r .Name)" one
is "--filter label" "$(cleave volume ls -q --filter label=a)" two
is "--filter label=value" "$(cleave volume ls -q --filter label=a=2)" ''
is "--filter name" "$(cleave volume ls -q --filter name=on)" one
is "prune takes the one without a name" "$(cleave volume prune -f | sed -n 2p | grep -c .)" 1
is "what is left" "$(names)" 'one two '

# Copy-up
is "copy-up" "$(inside -v one:/data test/data sh -c 'cat /data/file /data/link /data/sub/f' | tr '\n' ' ')" 'content content below '
is "owner and mode" "$(stat -c '%u %g %a' "$T/root/volumes/one/_data" "$T/root/volumes/one/_data/file" | tr '\n' ' ')" '12 34 2750 12 34 600 '
[ -z "${xattr:-}" ] || is "extended attributes" "$(getfattr --only-values -n user.mark "$T/root/volumes/one/_data/file" 2>/dev/null)" seen
inside -v one:/data test/data sh -c 'rm -rf /data/*; echo mine >/data/new'
is "content stays" "$(inside -v one:/other test/data cat /other/new)" mine
inside -v one:/data test/data rm /data/new
is "copied only once" "$(inside -v one:/data test/data ls /data)" ''
is ":nocopy" "$(inside -v none:/data:nocopy test/data ls /data)" ''
is "volume-nocopy" "$(inside --mount type=volume,src=none2,dst=/data,volume-nocopy test/data ls /data)" ''
inside -v own:/empty test/data true
is "owner of an empty directory" "$(stat -c '%u %g' "$T/root/volumes/own/_data")" '7 8'
run 1 --rm -v two:/data:ro test/data touch /data/x
like ":ro" "$out" 'Read-only'
is ":ro is filled nevertheless" "$(cat "$T/root/volumes/two/_data/file")" content
is "--mount type=volume is the default" "$(inside --mount src=two,dst=/v test/data cat /v/file)" content
is "a copy that was cut short is made again" "$(cleave volume create cut >/dev/null; mkdir "$T/root/volumes/cut/copy"; touch "$T/root/volumes/cut/copy/half"; inside -v cut:/data test/data ls /data | tr '\n' ' ')" 'file link sub '
is "two at once" "$(for i in 1 2 3 4; do inside -v many:/data test/data cat /data/file & done; wait)" $'content\ncontent\ncontent\ncontent'

# Use
id=$(cleave run -d --name user -v one:/data test/data sleep 1000)
refuse 1 "remove one: volume is in use - \[$id\]" volume rm one
is "--filter dangling" "$(cleave volume ls -q --filter dangling=false)" one
cleave stop -t 0 user >/dev/null
refuse 1 'volume is in use' volume rm one
cleave rm user >/dev/null
is "rm" "$(cleave volume rm one)" one
is "nothing is left of it" "$(find "$T/root/volumes" -maxdepth 1 -name '.*' -o -maxdepth 1 -name one | wc -l)" 0
refuse 1 "no such volume: 'one'" volume rm one
is "rm -f" "$(cleave volume rm -f one)" one
like "inspect of none" "$(cleave volume inspect one 2>&1 >/dev/null; echo $?)" "no such volume: 'one'.*1\$"
is "it prints an empty list" "$(cleave volume inspect one 2>/dev/null | jq -c .)" '[]'

# Anonymous volumes
before=$(cleave volume ls -q | wc -l)
inside -v /data test/data cat /data/file >/dev/null
is "--rm removes them" "$(cleave volume ls -q | wc -l)" "$before"
cleave create --name anon -v /data -v named:/n test/data true >/dev/null
is "two more" "$(cleave volume ls -q | wc -l)" $((before + 2))
is "--volumes-from" "$(cleave start -a anon; inside --volumes-from anon test/data cat /data/file)" content
is "another instance's are not removed" "$(cleave volume ls -q | wc -l)" $((before + 2))
run 1 --rm --volumes-from anon:ro test/data touch /data/x
like "--volumes-from :ro" "$out" 'Read-only'
cleave rm anon >/dev/null
is "rm leaves them" "$(cleave volume ls -q | wc -l)" $((before + 2))
cleave volume prune -f >/dev/null
is "prune leaves what has a name" "$(cleave volume ls -q | wc -l)" $((before + 1))
cleave create --name anon -v /data test/data true >/dev/null
cleave rm -v anon >/dev/null
is "rm -v" "$(cleave volume ls -q | wc -l)" $((before + 1))
refuse 125 'no such instance' run --rm --volumes-from nobody test/data true
refuse 125 "invalid mode 'x'" run --rm --volumes-from anon:x test/data true
refuse 125 'name .* already in use|no command|invalid' run --name '-x' -v /data test/data true
is "a refused start makes no volume" "$(cleave volume ls -q | wc -l)" $((before + 1))
refuse 127 'exec' run --rm -v /data test/data /no/such/program
is "nor one that failed" "$(cleave volume ls -q | wc -l)" $((before + 1))

# Killed at any time: the next one finds a whole volume or none, and can remove it.
for ms in 002 003 004 005 006 007 008 010 012 015; do
	{ timeout -s KILL "0.$ms" "$CLEAVE" run --rm -v "k$ms:/data" -v /data/sub test/data true; } >/dev/null 2>&1
	is "whole after a kill at 0.$ms s" "$(inside -v "k$ms:/data" test/data sh -c 'cat /data/file /data/link; ls /data' | tr '\n' ' ')" 'content content file link sub '
	until_true "$CLEAVE" volume rm "k$ms" >/dev/null 2>&1 # its monitor may be cleaning up
done
none_used() { [ -z "$(cleave volume ls -q --filter dangling=false)" ]; }
until_true none_used
cleave volume prune -f >/dev/null

# Driver options
cleave volume create -o type=tmpfs -o device=tmpfs -o o=size=1m,mode=700 mem >/dev/null
like "type=tmpfs" "$(inside -v mem:/m test/data grep ' /m ' /proc/self/mountinfo)" 'tmpfs tmpfs .*size=1024k,mode=700'
mkdir "$T/there"
echo bound >"$T/there/f"
cleave volume create --opt type=none --opt device="$T/there" --opt o=bind there >/dev/null
is "o=bind" "$(inside -v there:/m test/data cat /m/f)" bound
cleave volume rm there >/dev/null
is "its files stay" "$(cat "$T/there/f")" bound
is "options" "$(cleave volume inspect mem | jq -cS '.[0].Options')" '{"device":"tmpfs","o":"size=1m,mode=700","type":"tmpfs"}'
refuse 1 'exists with other options' volume create -o type=tmpfs mem
refuse 1 'invalid option' volume create -o colour=red x
refuse 1 "driver 'nfs' not found" volume create -d nfs x
refuse 1 'includes invalid characters' volume create a/b
refuse 1 'includes invalid characters' volume create ../x
refuse 1 'includes invalid characters' volume create "$(printf '%0300d' 0)"
refuse 1 'contains a newline' volume create --label 'a=1
2' x
refuse 1 'invalid filter' volume ls --filter colour=red
cleave volume prune -a -f >/dev/null
is "prune -a" "$(names)" ''

# what ls and inspect print
cleave volume create --label color=red --ignore painted >/dev/null
is "--ignore: one that is there is fine" "$(cleave volume create --ignore painted)" painted
is "volume ls with a template" "$(cleave volume ls -f name=painted --format '{{.Driver}} {{.Name}} {{.Labels}} {{.Label "color"}}')" \
	'local painted color=red red'
is "labels are text, as in Docker" "$(cleave volume ls -f name=painted --format '{{json .Labels}}')" '"color=red"'
is "a table of one's own" "$(cleave volume ls -f name=painted --format 'table {{.Name}}' | xargs)" 'VOLUME NAME painted'
is "json" "$(cleave volume ls -f name=painted --format json | jq -r .Name)" painted
is "volume inspect -f" "$(cleave volume inspect -f '{{.Name}} {{index .Labels "color"}}' painted)" 'painted red'
is "options after the name" "$(cleave volume inspect painted --format '{{.Scope}}')" local
is "volume inspect --all" "$(cleave volume inspect --all | jq length)" "$(cleave volume ls -q | wc -l)"
refuse 1 'give names of volumes, or --all' volume inspect
refuse 1 'give names of volumes, or --all' volume inspect -a painted
is "inspect finds volumes, too" "$(cleave inspect -f '{{.Mountpoint}}' painted)" "$T/root/volumes/painted/_data"
is "inspect --type volume" "$(cleave inspect --type volume painted | jq -r '.[0].Name')" painted
like "a name of nothing" "$(cleave inspect --type volume nothing 2>&1)" 'no such volume'
like "-v with options of the mount" "$(cleave run --rm -v painted:/v:noexec,nosuid cleave/tiny grep ' /v ' /proc/self/mountinfo)" \
	' /v [^ ]*nosuid,noexec'
refuse 125 'ro and rw exclude each other' run -v painted:/v:ro,rw cleave/tiny true
is "filter name is an expression" "$(cleave volume ls -qf 'name=^paint.d$'; cleave volume ls -qf 'name=^aint')" painted
refuse 1 "invalid filter 'name=.'" volume ls -f 'name=['
is "--noheading" "$(cleave volume ls --noheading -f name=painted)" 'local     painted'
cleave rm -fa >/dev/null
cleave create --name keeper -v kept:/v cleave/tiny >/dev/null
refuse 1 'give names of volumes, or --all' volume rm
refuse 1 'give names of volumes, or --all' volume rm -a kept
like "rm --all" "$(cleave volume rm --all | xargs)" 'painted'
is "it leaves those that an instance uses" "$(cleave volume ls -q)" kept

# A directory whose row was lost keeps its data, whatever is removed beside it
mkdir -p "$T/root/volumes/lost/_data" "$T/root/volumes/empty/_data"
echo precious >"$T/root/volumes/lost/_data/f"
cleave volume create other >/dev/null
cleave volume rm other >/dev/null
is "what is empty is removed" "$(cd "$T/root/volumes" && echo *)" 'kept lost'
refuse 1 "'$T/root/volumes/lost' has data of a volume that is not listed" volume create lost
refuse 125 "'cleave system check --repair' lists it again" run --rm -v lost:/v cleave/tiny true
cleave system check --repair >/dev/null
is "it is back" "$(cleave run --rm -v lost:/v cleave/tiny cat /v/f)" precious
cleave volume rm lost >/dev/null
is "and can be removed" "$(cd "$T/root/volumes" && echo *)" kept
