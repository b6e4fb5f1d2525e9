#!/bin/bash
# SPDX-License-Identifier: MIT
# cp: Docker's rules, instances that run and that do not, volumes, what is kept, what a hostile instance cannot do.
. "$(dirname "$0")/lib.sh"
setup
cd "$T" || exit 1
mkdir -p d/sub hostdir
echo one >d/f
echo two >d/sub/g
ln -s f d/l
ln d/f d/h
mkfifo d/pipe
chown 12:34 d/f
chmod 4750 d/f
chmod 1711 d/sub
touch -d 2001-02-03T04:05:06Z d/f d/sub
setfattr -n user.x -v y d/f && xattr=yes
echo bound >hostdir/b
ln -s d/f tof
ln -s d tod

# list DIR - what is in a tree, and its attributes
list() { (cd "$1" && find . -printf '%p %y %m %U:%G %s %n %l %Ts\n' | grep -v '^\./\?pipe\|^\. ' | sed 's/ 4096 [0-9]* / /' | sort); }
run 0 -d --name runs -v data:/vol -v "$T/hostdir:/bind" -v "$T/hostdir:/ro:ro" cleave/tiny sleep 1000
cleave create --name stopped -v data2:/vol -v "$T/hostdir:/bind" -v "$T/hostdir:/ro:ro" cleave/tiny sleep 1000 >/dev/null

# A destination here that is neither a file nor a directory
for to in /dev/null /dev/stdout; do
	is "to $to" "$(cleave cp runs:/etc/passwd $to 2>&1 | cat)" "cleave: invalid output path: \"$to\" must be a directory or a regular file"
done

for n in runs stopped; do
	# Names
	is "$n: directory to a directory" "$(cleave cp d $n:/tmp; cleave cp $n:/tmp/d/sub/g - | tar xO)" two
	is "$n: directory to a new name" "$(cleave cp d $n:/new; cleave cp $n:/new/sub/g - | tar xO)" two
	is "$n: content of a directory" "$(mkdir x; cleave cp d/. $n:/new/sub; cleave cp $n:/new/sub/. x; cat x/sub/g; rm -r x)" two
	is "$n: file to a directory" "$(cleave cp d/f $n:/tmp; cleave cp $n:/tmp/f - | tar xO)" one
	is "$n: file to a new name" "$(cleave cp d/f $n:/tmp/name; cleave cp $n:/tmp/name - | tar xO)" one
	is "$n: file to a file" "$(cleave cp d/sub/g $n:/tmp/name; cleave cp $n:/tmp/name - | tar xO)" two
	is "$n: no slash in front" "$(cleave cp $n:tmp/name - | tar xO)" two
	is "$n: names in the archive" "$(cleave cp $n:/tmp/d - | tar t | sort | xargs)" 'd/ d/f d/h d/l d/pipe d/sub/ d/sub/g'
	is "$n: names with /." "$(cleave cp $n:/tmp/d/. - | tar t | sort | head -n 2 | xargs)" './ ./f'
	is "$n: from standard input" "$(tar c d/sub | cleave cp - $n:/tmp/d; cleave cp $n:/tmp/d/d/sub/g - | tar xO)" two
	is "$n: compressed" "$(tar cz d/sub | cleave cp - $n:/opt/ 2>/dev/null || tar cz d/sub | cleave cp - $n:/; cleave cp $n:/d/sub/g - | tar xO)" two

	# What is kept
	cleave cp d $n:/kept
	cleave cp -a $n:/kept out
	is "$n: attributes" "$(list out)" "$(list d)"
	[ -z "${xattr:-}" ] || is "$n: extended attributes" "$(getfattr --only-values -n user.x out/f)" y
	is "$n: hard links" "$(stat -c %i out/f)" "$(stat -c %i out/h)"
	rm -r out
	cleave cp $n:/new out
	is "$n: owner without -a" "$(stat -c '%u:%g %a' out/f)" '0:0 4750'
	rm -r out
	is "$n: a link" "$(cleave cp $n:/new/l - | tar tv | sed 's/.* l -> //')" f
	is "$n: -L" "$(cleave cp -L $n:/new/l - | tar tv | grep -c ' l$')" 1
	is "$n: -L here" "$(cleave cp -L tof $n:/tmp/fromlink; cleave cp $n:/tmp/fromlink - | tar xO)" one
	is "$n: a link as destination" "$(cleave cp tof $n:/tmp/alink; cleave cp tod $n:/tmp/dirlink; cleave cp $n:/tmp/dirlink - | tar tv | sed 's/.* -> //')" d

	# Volumes and binds
	is "$n: volume" "$(cleave cp d/f $n:/vol/; cleave cp $n:/vol/f - | tar xO)" one
	is "$n: bind" "$(cleave cp $n:/bind/b - | tar xO)" bound
	is "$n: bind, in a directory above" "$(cleave cp $n:/ - | tar t | grep -c '^\(\./\)\?bind/b$')" 1
	is "$n: to a bind" "$(cleave cp d/sub/g $n:/bind/from-$n; cat "hostdir/from-$n")" two
	refuse 1 'ead-only file system' cp d/f $n:/ro/x
	is "$n: nothing of the kernel" "$(cleave cp $n:/ - | tar t | grep -c '^\(\./\)\?\(proc\|sys\|dev\)/.')" 0

	# Errors
	refuse 1 "Could not find the file /nope in container $n" cp $n:/nope .
	refuse 1 "Could not find the file /no in container $n" cp d $n:/no/such
	refuse 1 'no such directory' cp d/f $n:/nodir/
	refuse 1 'cannot copy directory' cp d $n:/etc/passwd
	refuse 1 'ot a directory' cp d/f $n:/etc/passwd/
	mkdir -p clash/f clash2
	echo file >clash2/sub
	refuse 1 "f/' exists and is no directory" cp clash/. $n:/new
	refuse 1 "sub' exists and is a directory" cp clash2/. $n:/new
	refuse 1 "sub' exists and is a directory" cp clash2/sub $n:/new
	refuse 1 'directory "'"$T/no"'" does not exist' cp $n:/new "$T/no/such"
	refuse 1 'lstat nothing: no such file' cp nothing $n:/
	refuse 1 'the path is empty' cp d $n:
	refuse 1 'into itself' cp $n:/new $n:/new/sub
	tar c d/f >t.tar
	out=$(cleave cp - $n:/etc/passwd <t.tar 2>&1)
	like "$n: an archive to a file" "$out" 'must be a directory'
	out=$(head -c 700 t.tar | cleave cp - $n:/tmp 2>&1)
	is "$n: status of half an archive" $? 1
	like "$n: half an archive" "$out" 'ends|end'
	tar cP --transform 's,^d/f$,/abs,' d/f | cleave cp - $n:/tmp
	is "$n: a name that begins with a slash is one below" "$(cleave cp $n:/tmp/abs - | tar xO)" "$(cat d/f)"
	for bad in ../x a/../../x; do
		out=$(tar cP --transform "s,^d/f$,$bad," d/f | cleave cp - $n:/tmp 2>&1)
		is "$n: status of the name $bad" $? 1
		like "$n: the name $bad" "$out" "the archive has the"
	done
	is "$n: within" "$(cleave cp $n:/new $n:/again; cleave cp $n:/again/sub/g - | tar xO)" two
done
refuse 1 'no such instance' cp nobody:/x .
refuse 1 'at least one container source' cp d/f d/x
is "a path with a colon" "$(echo colon >./a:b; cleave cp ./a:b runs:/tmp/colon; cleave cp runs:/tmp/colon - | tar xO)" colon
is "from one to another" "$(cleave cp runs:/new stopped:/other; cleave cp stopped:/other/sub/g - | tar xO)" two
cleave create --name third -v data3:/vol cleave/tiny true >/dev/null
is "two that do not run, with volumes" "$(cleave cp stopped:/vol third:/vol/v; cleave cp third:/vol/v/f - | tar xO)" one
is "the program sees it" "$(cleave exec runs sh -c 'cat /new/sub/g; stat -c "%u:%g %a" /new/f' | xargs)" 'two 12:34 4750'
is "also after a start" "$(cleave start stopped >/dev/null; cleave exec stopped cat /new/sub/g /vol/f | xargs)" 'two one'
cleave pause runs >/dev/null
is "paused" "$(cleave cp runs:/new/f - | tar xO)" one
cleave unpause runs >/dev/null
cleave create --name fresh -v fresh:/etc cleave/tiny true >/dev/null
is "a volume that was never used" "$(cleave cp fresh:/etc/passwd - | tar xO | grep -c ^root)" 1
cleave create --name readonly --read-only -v rw:/rw cleave/tiny true >/dev/null
refuse 1 'ead-only file system' cp d/f readonly:/
is "a volume of one that is read-only" "$(cleave cp d/f readonly:/rw; cleave cp readonly:/rw/f - | tar xO)" one
# those of a machine's kernel are seen inside only
[ "${ISOLATION:-container}" = vm ] || is "a file of the kernel" "$(cleave cp runs:/proc/version - | tar xO)" "$(cat /proc/version)"
is "quiet" "$(cleave cp d/f runs:/ 2>&1)" ''
like "with a terminal" "$(script -qec "'$CLEAVE' cp d/f runs:/" /dev/null)" 'Successfully copied [0-9.]+kB to runs:/'
is "-q with a terminal" "$(script -qec "'$CLEAVE' cp -q d/f runs:/" /dev/null)" ''
is "nothing mounted is left" "$(grep -c "$T" /proc/self/mountinfo)" 0

# Users
run 0 -d --name user -u 1000:1001 cleave/tiny sleep 1000
cleave cp d/f user:/tmp/kept
cleave cp -a d/f user:/tmp/own
is "owners" "$(cleave exec user stat -c '%u:%g' /tmp/kept /tmp/own | xargs)" '12:34 1000:1001'
if cleave run --rm --userns auto cleave/tiny true 2>/dev/null; then
	run 0 -d --name mapped --userns auto -v mapped:/vol cleave/tiny sleep 1000
	cleave cp d mapped:/tmp
	cleave cp d mapped:/vol
	is "owners in a user namespace" "$(cleave exec mapped stat -c '%u:%g' /tmp/d/f /tmp/d/sub/g /vol/d/f | xargs)" '12:34 0:0 12:34'
	cleave cp -a mapped:/tmp/d back
	is "and back" "$(stat -c '%u:%g' back/f)" 12:34
	chown 70000 d/sub/g
	refuse 1 'none of the 65536 ids' cp d/sub/g mapped:/tmp/g
	chown 0 d/sub/g
	cleave stop -t 0 mapped >/dev/null
	cleave cp d/f mapped:/tmp/s
	cleave start mapped >/dev/null
	is "owner, stopped" "$(cleave exec mapped stat -c '%u:%g' /tmp/s)" 12:34
fi

# Links of the instance lead nowhere else.
echo secret >secret
chmod 600 secret
cleave exec runs sh -c "mkdir -p '$T' /trap && ln -s '$T/secret' /trap/abs && ln -s ../../../../../..$T/secret /trap/rel && ln -s '$T' /trap/dir && ln -s /proc/self/root /trap/magic && ln -s '$T/new' /trap/new && ln -s / /trap/top"
for path in abs rel dir/secret top/$T/secret; do
	out=$(cleave cp -L "runs:/trap/$path" - 2>&1 | tar xO 2>&1)
	like "/trap/$path" "$out" 'Could not find|not look like a tar|o such'
	cleave cp d/f "runs:/trap/$path"
	is "to /trap/$path" "$(cat secret; stat -c %a secret)" $'secret\n600'
	is "it is inside" "$(cleave exec runs cat "$T/secret")" one
	cleave exec runs rm "$T/secret"
done
refuse 1 '.' cp runs:/trap/magic/etc/passwd .
cleave cp d/f runs:/trap/new
is "a link to what does not exist" "$(test -e new; echo $?; cleave exec runs cat "$T/new")" $'1\none'

# What was made is replaced by a link while its content is still on its way.
echo untouched >outside
chmod 600 outside
head -c 300000 /dev/urandom >slow
chown 77:77 slow
chmod 4777 slow
setfattr -n user.bad -v y slow 2>/dev/null
tar --xattrs -cf slow.tar slow
mkfifo feed
timeout 60 "$CLEAVE" cp - runs:/tmp <feed >slow.log 2>&1 &
pid=$!
exec 5>feed
head -c 200000 slow.tar >&5
until_true "$CLEAVE" exec runs test -s /tmp/slow
cleave exec runs ln -sfn "$T/outside" /tmp/slow
tail -c +200001 slow.tar >&5
exec 5>&-
wait $pid
is "it fails" $? 1
is "the link was not followed" "$(stat -c '%a %u' outside; cat outside; getfattr -d outside 2>/dev/null | grep -c bad)" $'600 0\nuntouched\n0'

# One that swaps a directory for a link all the time, and what was just made for a link
mkdir race
for i in $(seq 60); do echo "$i" >"race/$i"; done
chmod 4777 race/*
mkdir target
chmod 700 target
echo untouched >target/victim
chmod 600 target/victim
cleave exec -d runs sh -c "mkdir -p /a /b; while :; do ln -sfn '$T/target' /a/r 2>/dev/null; rm -rf /a/r; mkdir /a/r 2>/dev/null; rm -f /a/r/1; ln -s '$T/target/victim' /a/r/1; done"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	timeout 20 "$CLEAVE" cp race/. runs:/a/r >/dev/null 2>&1
	timeout 20 "$CLEAVE" cp race/1 runs:/a/r/1 >/dev/null 2>&1
	timeout 20 "$CLEAVE" cp runs:/a back$i >/dev/null 2>&1
done
is "no race led outside" "$(ls target; cat target/victim; stat -c %a target/victim target | xargs)" $'victim\nuntouched\n600 700'
is "nothing was read from outside" "$(grep -rl untouched back[0-9]* 2>/dev/null | wc -l)" 0
cleave exec -d runs sh -c "while :; do mv /b /c; mv /c /b; done"
for i in 1 2 3 4 5; do timeout 20 "$CLEAVE" cp race runs:/b/x$i >/dev/null 2>&1; done
yes
