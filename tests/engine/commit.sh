#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave commit, diff and export: what an instance has changed, with everything that files can have.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/trees.sh"
setup podman skopeo python3 setfattr setfacl setcap tar
diff_of() { cleave diff "$1" | sort | tr '\n' ' '; }

# A base with things to change
mkdir -p "$T/base"/{bin,lower/sub/deep,gone/sub,opaque/old,links}
cp "$(command -v busybox)" "$T/base/bin/busybox"
for a in sh mkdir rm mv cp ln echo cat chmod touch mkfifo mknod sleep chown tar stat ls; do ln -s busybox "$T/base/bin/$a"; done
echo 1 >"$T/base/lower/file"
echo 2 >"$T/base/lower/sub/deep/file"
echo 3 >"$T/base/gone/sub/file"
echo 4 >"$T/base/opaque/old/file"
echo 5 >"$T/base/links/a"
ln "$T/base/links/a" "$T/base/links/b"
make_tree "$T/tree"
tar -C "$T/base" -c . | cleave import -c 'CMD ["/bin/sh"]' -c 'ENV OLD=1' - base:1 >/dev/null

cleave create --name c1 base:1 sleep 1000 >/dev/null
is "diff of one that never ran" "$(cleave diff c1)" ''
cleave start c1 >/dev/null
is "diff of one that changed nothing" "$(cleave diff c1)" ''
cleave exec c1 sh -c '
	set -e
	echo changed >/lower/file
	echo new >/lower/new
	mkdir -p /added/dir && echo x >/added/dir/x
	rm -r /gone
	rm -r /opaque && mkdir /opaque && echo y >/opaque/young
	rm /lower/sub/deep/file
	ln /links/a /links/c
	chmod 4711 /bin
	mkfifo /added/fifo
	ln -s nowhere /added/link
	mv /lower/sub/deep /lower/moved
'
want='A /added A /added/dir A /added/dir/x A /added/fifo A /added/link A /links/c A /lower/moved A /lower/new A /opaque/young C /bin C /links C /links/a C /lower C /lower/file C /lower/sub C /opaque D /gone D /lower/sub/deep D /opaque/old '
is "diff" "$(diff_of c1)" "$want"
like "ids" "$(cleave commit c1 made:1)" '^sha256:[0-9a-f]{64}$'
is "it goes on" "$(cleave inspect -f '{{.State.Status}}' c1)" running
cleave stop -t 0 c1 >/dev/null
is "diff of a stopped one" "$(diff_of c1)" "$want"
is "the same changes, the same layer" "$(cleave commit c1 >/dev/null; cleave commit c1 made:2 >/dev/null; find "$T/root/layers" -mindepth 1 -maxdepth 1 ! -name mount-points | wc -l)" 2
refuse 1 "no instance.*'nobody'|'nobody'" diff nobody
refuse 1 "'nobody'" commit nobody

# What it was made with, as Docker; not what the engine put into the environment
cleave run -t --name conf -e "Q=it's \"1\" \$x" -u 0:0 -w /tmp --label "l=a b" --expose 99/udp -v /anon --stop-signal INT \
	--health-cmd 'test -e /x y' --health-interval 5s --health-retries 4 --entrypoint sh base:1 -c 'true; true' >/dev/null
cleave commit conf conf:1 >/dev/null
is "configuration" "$(cleave image inspect -f '{{json .Config}}' conf:1 | jq -Sc 'del(.OnBuild)')" "$(jq -Sc . <<-'JSON'
	{"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "OLD=1", "Q=it's \"1\" $x"], "User": "0:0",
	 "WorkingDir": "/tmp", "Labels": {"l": "a b"}, "ExposedPorts": {"99/udp": {}}, "Volumes": {"/anon": {}}, "StopSignal": "INT",
	 "Healthcheck": {"Test": ["CMD-SHELL", "test -e /x y"], "Interval": 5000000000, "Retries": 4}, "Entrypoint": ["sh"], "Cmd": ["-c", "true; true"]}
JSON
)"
cleave commit -c 'ENTRYPOINT ["cat"]' -c 'ENV Q=2' conf conf:2 >/dev/null
is "--change comes last, ENTRYPOINT without the instance's command" "$(cleave image inspect -f '{{.Config.Entrypoint}} {{json .Config.Cmd}} {{index .Config.Env 2}}' conf:2)" '[cat] null Q=2'
cleave commit -c 'CMD ["-c", "exit 7"]' conf conf:3 >/dev/null
run 7 --rm conf:3
cleave run --name exec --health-cmd none --entrypoint '["echo","of the","entry point"]' base:1 >/dev/null
cleave commit -c 'HEALTHCHECK CMD ["a"]' exec conf:4 >/dev/null
is "an instance of it" "$(cleave run --rm conf:4)" 'of the entry point'
cleave create --name list conf:4 >/dev/null
is "a check that is a list" "$(cleave commit list conf:5 >/dev/null; cleave image inspect -f '{{.Config.Healthcheck.Test}}' conf:5)" '[CMD a]'
cleave rm conf exec list >/dev/null
for i in 1 2 3; do # it may be ending
	cleave run -d --name quick$i base:1 echo hi >/dev/null
	cleave commit quick$i >/dev/null || no "commit of one that is ending"
	cleave cp quick$i:/lower/file - >/dev/null || no "cp of one that is ending"
done
cleave rm -f quick1 quick2 quick3 >/dev/null

# What the new image shows is what the instance shows
cleave export c1 >"$T/c1.tar"
cleave create --name c2 made:1 true >/dev/null
cleave export -o "$T/c2.tar" c2
mkdir "$T/x1" "$T/x2" && tar -C "$T/x1" -xpf "$T/c1.tar" --xattrs --xattrs-include='*' && tar -C "$T/x2" -xpf "$T/c2.tar" --xattrs --xattrs-include='*'
# hosts and the like were made when c1 ran
keep() { describe "$1" | grep -v "^'etc\|^'dev\|^'proc\|^'sys"; }
same "an instance of the new image" "$(keep "$T/x2" | grep -v "'links/b'")" "$(keep "$T/x1" | grep -v "'links/b'")"
is "whiteouts in the layer" "$(cleave save made:1 | tar -xO "blobs/sha256/$(cleave save made:1 | tar -xO manifest.json | jq -r '.[0].Layers[1]' | cut -d/ -f3)" | zstd -dc | tar -t | grep '\.wh\.' | sort | tr '\n' ' ')" \
	'.wh.gone lower/sub/.wh.deep opaque/.wh..wh..opq '
# And to others
cleave save -o "$T/made.tar" made:1
like "podman load" "$(pod load -i "$T/made.tar" 2>&1)" 'Loaded image'
mnt=$(pod image mount docker.io/library/made:1)
same "podman's view of it" "$(keep "$mnt" | grep -v "'links/b'")" "$(keep "$T/x1" | grep -v "'links/b'")"
pod image umount -a >/dev/null

# Everything a file can be, through commit, export and import
cleave run --name c3 -v "$T/tree:/tree:ro" base:1 busybox true
tar -C "$T/tree" --format=pax --xattrs --xattrs-include='*' -cf "$T/tree.tar" .
mkdir "$T/upper-test"
cleave create --name c4 base:1 true >/dev/null
upper=$(echo "$T"/root/instances/"$(cleave inspect -f '{{.Id}}' c4)"/layer/upper)
[ -d "$upper" ] || no "the writable layer is a directory"
mkdir "$upper/all" && tar -C "$upper/all" --xattrs --xattrs-include='*' -xpf "$T/tree.tar"
tree=$(describe "$T/tree")
cleave commit c4 all:1 >/dev/null
same "commit keeps it all" "$(describe "$(layer_of all:1)/all")" "$tree"
is "sparse files stay sparse" "$([ "$(stat -c %b "$(layer_of all:1)/all/etc/sparse")" -lt 1000 ] && echo yes)" yes
cleave export c4 | cleave import - exported:1 >/dev/null
same "export and import keep it all" "$(describe "$(layer_of exported:1)/all")" "$tree"
is "GNU tar reads an export" "$(cleave export c4 | tar -t | grep -c '^all/')" "$(find "$T/tree" -mindepth 0 | sed 's/\n//' | python3 -c "import os,sys; print(sum(len(d)+len(f) for _,d,f in os.walk('$T/tree'))+1)")"

# Instructions
cleave commit -a 'Ada <ada@example.org>' -m 'a message' \
	-c 'CMD ["echo", "a b"]' -c 'ENTRYPOINT /bin/echo x' -c 'ENV A=1 B="two words"' -c 'ENV OLD 2 3' -c 'EXPOSE 80 53/udp' \
	-c 'LABEL l1=v1 "l 2"=v2' -c 'USER 12:34' -c 'VOLUME /v1 /v2' -c 'VOLUME ["/v 3"]' -c 'WORKDIR /desk' -c 'STOPSIGNAL SIGQUIT' \
	-c 'HEALTHCHECK --interval=5s --retries=2 CMD test -e /x' -c 'ONBUILD RUN true' c1 cfg:1 >/dev/null
config=$(cleave save cfg:1 | tar -xO "blobs/sha256/$(cleave images -q --no-trunc cfg:1 | cut -d: -f2)")
is "CMD" "$(jq -c .config.Cmd <<<"$config")" '["echo","a b"]'
is "ENTRYPOINT, shell form" "$(jq -c .config.Entrypoint <<<"$config")" '["/bin/sh","-c","/bin/echo x"]'
is "ENV" "$(jq -c '.config.Env[1:]' <<<"$config")" '["OLD=2 3","A=1","B=two words"]'
is "EXPOSE" "$(jq -c .config.ExposedPorts <<<"$config")" '{"80/tcp":{},"53/udp":{}}'
is "LABEL" "$(jq -c .config.Labels <<<"$config")" '{"l1":"v1","l 2":"v2"}'
is "USER, WORKDIR, STOPSIGNAL" "$(jq -rc '.config | .User, .WorkingDir, .StopSignal' <<<"$config" | tr '\n' ' ')" '12:34 /desk SIGQUIT '
is "VOLUME" "$(jq -c .config.Volumes <<<"$config")" '{"/v1":{},"/v2":{},"/v 3":{}}'
is "HEALTHCHECK" "$(jq -c .config.Healthcheck <<<"$config")" '{"Test":["CMD-SHELL","test -e /x"],"Interval":5000000000,"Retries":2}'
is "ONBUILD" "$(jq -c .config.OnBuild <<<"$config")" '["RUN true"]'
is "author and comment" "$(jq -r '.author, .history[-1].comment, .history[-1].author' <<<"$config" | tr '\n' '|')" 'Ada <ada@example.org>|a message|Ada <ada@example.org>|'
is "skopeo reads the configuration" "$(cleave save -o "$T/cfg.tar" cfg:1; skopeo inspect --config "docker-archive:$T/cfg.tar" | jq -r .config.StopSignal)" SIGQUIT
cleave commit -c 'HEALTHCHECK NONE' -c 'WORKDIR sub' -c 'CMD exec top' -c 'ENTRYPOINT []' -c 'ENV P=$A:${B}:${NONE}x Q=${NONE:-else}${A:+with} R='"'"'$A'"'"' S=\$A' -c 'EXPOSE 90-92' "$(cleave create cfg:1)" cfg:2 >/dev/null
config=$(cleave save cfg:2 | tar -xO "blobs/sha256/$(cleave images -q --no-trunc cfg:2 | cut -d: -f2)")
is "a second set of instructions" "$(jq -c '.config | [.Healthcheck.Test, .WorkingDir, .Cmd, .Entrypoint]' <<<"$config")" '[["NONE"],"/desk/sub",["/bin/sh","-c","exec top"],null]'
is "variables" "$(jq -c '.config.Env[-4:]' <<<"$config")" '["P=1:two words:x","Q=elsewith","R=$A","S=$A"]'
is "a range of ports" "$(jq -c '.config.ExposedPorts | keys' <<<"$config")" '["53/udp","80/tcp","90/tcp","91/tcp","92/tcp"]'
cleave commit -c 'ENTRYPOINT ["sh"]' "$(cleave create cfg:1)" cfg:3 >/dev/null
is "an entry point takes the command away" "$(cleave image inspect -f '{{json .Config.Cmd}}' cfg:3)" null
for bad in 'CMD' 'FROM x' 'ENV a' 'EXPOSE x' 'LABEL "x=1' 'STOPSIGNAL SIGNOTHING' 'HEALTHCHECK maybe' 'ONBUILD FROM x' 'SHELL sh' 'ENV a=${b' 'HEALTHCHECK --interval=x CMD y' 'EXPOSE 9-8' 'EXPOSE 99999' 'ENV =x'; do
	refuse 1 'change' commit -c "$bad" c1 bad:1
done
refuse 1 'must be lower case' commit c1 BAD
is "no image came of it" "$(cleave images -q bad | wc -l)" 0

# Paused meanwhile, unless told otherwise
cleave run -d --name c5 base:1 sh -c 'while :; do echo x >>/grow; busybox usleep 1000; done' >/dev/null
until_true cleave exec c5 ls /grow >/dev/null
events() { cleave events --since "$1" --until "$(($(date +%s) + 1))" --filter container=c5 --format '{{.Action}}' 2>/dev/null | tr '\n' ' '; }
since=$(date +%s)
cleave commit c5 paused:1 >/dev/null
like "pause and unpause" "$(events "$since")" 'pause .*unpause'
sleep 1
since=$(date +%s)
cleave commit --pause=false c5 paused:2 >/dev/null
is "no pause" "$(events "$since" | grep -c pause)" 0
cleave pause c5 >/dev/null
cleave commit c5 paused:3 >/dev/null
is "a paused one stays paused" "$(cleave inspect -f '{{.State.Status}}' c5)" paused
cleave unpause c5 >/dev/null
like "-q" "$(cleave commit -q c5)" '^sha256:[0-9a-f]{64}$'
cleave rm -f c5 >/dev/null
umount "$T/pod/vfs" "$T/pod" 2>/dev/null
true
