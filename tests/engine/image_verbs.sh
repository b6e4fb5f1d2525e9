#!/bin/bash
# SPDX-License-Identifier: MIT
# image ls, tag, rm, inspect, history, prune and their short forms.
. "$(dirname "$0")/lib.sh"
setup
cleave run --rm cleave/tiny true
mkdir -p "$T/a/etc" && head -c 1000000 /dev/zero >"$T/a/big" && tar -C "$T/a" -cf "$T/a.tar" .
mkdir -p "$T/b" && echo b >"$T/b/b" && tar -C "$T/b" -cf "$T/b.tar" .
cleave image import "$T/a.tar" local/a:1 >/dev/null
cleave image import "$T/b.tar" local/b >/dev/null
id=$(cleave images -q --no-trunc local/a)
blobs() { find "$CLEAVE_ROOT/images/blobs" -type f | wc -l; }
layers() { find "$CLEAVE_ROOT/layers" -mindepth 1 -maxdepth 1 -name '[0-9a-f]*' | wc -l; }
names() { cleave images --format '{{.Repository}}:{{.Tag}}' "$@" | sort | xargs; }
is "images" "$(names)" 'cleave/tiny:latest local/a:1 local/b:latest'
is "image ls" "$(cleave image ls | awk 'NR == 1{print $1, $2, $3}')" 'REPOSITORY TAG IMAGE'
is "--filter reference" "$(names -f 'reference=local/*')" 'local/a:1 local/b:latest'
is "of a repository" "$(names local/b)" local/b:latest
is "since" "$(names -f since=local/a:1)" local/b:latest
is "json" "$(cleave images --format json | jq -r .Tag | sort | xargs)" '1 latest latest'
cleave tag local/a:1 other/name
is "tag" "$(names)" 'cleave/tiny:latest local/a:1 local/b:latest other/name:latest'
refuse 1 'no image' tag nothing x
refuse 1 'must be lower case' tag local/a:1 'Bad Name'
is "inspect" "$(cleave image inspect -f '{{join .RepoTags ","}} {{.Os}} {{len .RootFS.Layers}}' local/a:1)" 'local/a:1,other/name:latest linux 1'
is "inspect finds images" "$(cleave inspect -f '{{.Id}}' local/a:1)" "$id"
is "by id" "$(cleave inspect --type image -f '{{.Id}}' "${id:7:12}")" "$id"
is "inspect of one that is not there" "$(cleave image inspect nothing 2>/dev/null; echo $?)" $'[]\n1'
like "history" "$(cleave history local/a:1)" 'IMAGE +CREATED +CREATED BY +SIZE +COMMENT'
is "its size" "$(cleave history --format '{{.Size}}' local/a:1)" 1MB
# removing
refuse 1 'must be forced.*2 names' rmi "${id:7:12}"
is "a name of two" "$(cleave rmi other/name)" 'Untagged: other/name:latest'
before=$(blobs)
is "the last name" "$(cleave rmi local/a:1)" "$(printf 'Untagged: local/a:1\nDeleted: %s' "$id")"
is "its blobs are gone" "$((before - $(blobs)))" 3
is "and its layer" "$(layers)" 2
refuse 1 "no image 'local/a:1' here: see 'cleave image ls', or get it with 'cleave pull', 'cleave load' or" rmi local/a:1
is "rmi -f of one that is not there" "$(cleave rmi -f local/a:1)" ''
# used
cleave run -d --name box cleave/tiny sleep 1000 >/dev/null
refuse 1 'cannot be forced.*running instance box' rmi -f cleave/tiny
cleave stop -t 0 box >/dev/null
refuse 1 'must be forced.*stopped instance box' rmi cleave/tiny
cleave rmi -f cleave/tiny >/dev/null
is "the instance keeps its layers" "$(cleave start box >/dev/null && cleave exec box echo yes)" yes
cleave rm -f box >/dev/null
# prune
cleave tag local/b local/c
cleave image import "$T/a.tar" local/b >/dev/null
cleave image import "$T/b.tar" local/b >/dev/null
is "one has lost its name" "$(cleave images -q -f dangling=true | wc -l)" 1
like "prune" "$(cleave image prune -f)" 'deleted: sha256:.*Total reclaimed space: [1-9]'
is "what has a name stays" "$(names)" 'local/b:latest local/c:latest'
is "prune asks" "$(echo n | cleave image prune -a 2>/dev/null; names)" 'local/b:latest local/c:latest'
cleave image prune -a -f >/dev/null
is "prune -a" "$(names) $(blobs) $(layers)" ' 0 0'
is "index.json" "$(jq '.manifests | length' "$CLEAVE_ROOT/images/index.json")" 0

# Lists: order, headings, filters, fields
mkdir "$T/fs"
head -c 3000000 /dev/zero >"$T/fs/zero"
tar -C "$T/fs" -cf "$T/large.tar" .
SOURCE_DATE_EPOCH=1 cleave image import "$T/large.tar" local/large:2 >/dev/null
cleave image import -c 'LABEL colour=red' "$T/a.tar" local/small:1 >/dev/null
is "--sort size" "$(cleave images --sort size --format '{{.Repository}}' | xargs)" 'local/large local/small'
is "--sort tag" "$(cleave images --sort tag --format '{{.Tag}}' | xargs)" '1 2'
is "--sort created" "$(cleave images --sort created --format '{{.Repository}}' | xargs)" 'local/small local/large'
refuse 1 "--sort 'age': created, id, repository, size and tag" images --sort age
is "--noheading" "$(cleave images --noheading | grep -c .)" 2
is "label, and not" "$(cleave images -f label=colour --format '{{.Tag}}') $(cleave images -f label!=colour --format '{{.Tag}}')" '1 2'
is "until" "$(cleave images -qf until=1h)$(cleave images -qf until=0s | wc -l)" 2
refuse 1 "invalid filter 'name': known are before," images -f name=x
like "CreatedAt" "$(cleave images --format '{{.CreatedAt}}' local/small)" '^20[0-9]{2}-[01][0-9]-[0-3][0-9] [0-9:]{8} [+-][0-9]{4} '
refuse 1 "there is no field 'Name', but Containers," images --format '{{.Name}}'
is "headings of a table of one's own" "$(cleave images --format 'table {{.Tag}} {{.UniqueSize}}' | head -n 1)" 'TAG UNIQUE SIZE'
is "comment, author" "$(cleave image import -m hello "$T/a.tar" local/said >/dev/null; cleave image inspect -f '{{.Comment}},{{.Author}}' local/said)" hello,
is "its layer" "$(ls "$(cleave image inspect -f '{{.GraphDriver.Data.UpperDir}}' local/large:2)")" zero
like "history --human=false" "$(cleave history -H=false --format '{{.Size}} {{.CreatedSince}}' local/large:2)" '^3000000 20[0-9]{2}-[0-9T:.-]+Z$'
config=$(cleave image inspect -f '{{.Id}}' local/said)
rm "$CLEAVE_ROOT/images/blobs/sha256/${config#sha256:}"
refuse 125 "image '${config:7:12}' was removed meanwhile, or its configuration is damaged: see 'cleave system check'" run --rm local/said true
if [ "$(stat -f -c %T "$CLEAVE_ROOT")" = ext2/ext3 ]; then
	like "ext4 spreads new images over the disk" "$(lsattr -d "$CLEAVE_ROOT/tmp")" '^[-a-zA-Z]*T[-a-zA-Z]* '
fi
