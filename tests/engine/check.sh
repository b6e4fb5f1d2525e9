#!/bin/bash
# SPDX-License-Identifier: MIT
# system check: damage of every kind, what is told, what is repaired, what is never removed.
. "$(dirname "$0")/lib.sh"
setup sqlite3
sql() { sqlite3 -cmd '.timeout 5000' "$T/root/state.db" "$@"; }
# check STATUS REGEX LINES [OPTION...] - system check tells this in so many lines
check() {
	local want=$1 regex=$2 lines=$3
	shift 3
	out=$(cleave system check "$@" 2>&1)
	status=$?
	is "status of check $* ($regex)" "$status" "$want"
	like "check $*" "$out" "$regex"
	is "lines of check $* ($regex)" "$(grep -c . <<<"$out")" "$lines"
	[ "$(grep -c . <<<"$out")" = "$lines" ] || echo "$out"
}
# good WHAT - nothing is wrong
good() { is "$1" "$(cleave system check 2>&1; echo $?)" 0; }

# Two images that share a layer
mkdir -p "$T/fs/bin" "$T/fs/sub"
cp "$(command -v busybox)" "$T/fs/bin/busybox"
ln -s busybox "$T/fs/bin/sh"
ln "$T/fs/bin/busybox" "$T/fs/bin/sleep"
ln -s sub "$T/fs/link"
echo content >"$T/fs/sub/file"
chown 5:6 "$T/fs/sub/file"
mkfifo "$T/fs/pipe"
truncate -s 100k "$T/fs/sparse"
tar -C "$T/fs" -Scf "$T/base.tar" .
cleave image import "$T/base.tar" test/base >/dev/null
cleave create --name maker test/base sh >/dev/null
cleave cp "$T/fs/sub/file" maker:/added
cleave commit maker test/more >/dev/null
cleave rm maker >/dev/null
cleave create --name stopped -v vol:/data cleave/tiny true >/dev/null
cleave cp "$T/fs/sub/file" stopped:/mine
run 0 -d --name runs cleave/tiny sleep 1000
good "a good store"
good "an image twice unpacked is the same"
is "--quick" "$(cleave system check --quick; echo $?)" 0

root=$T/root
digest() { cleave image inspect -f '{{.Id}}' "$1" | sed 's/^sha256://'; }
base=$(digest test/base)
more=$(digest test/more)
chain() { sql "SELECT chain FROM image WHERE id = '$1'" | tr ' ' '\n' | sed -n "$2p"; }
manifest() { sql "SELECT substr(manifest, 8) FROM image WHERE id = '$1'"; }
blob=$root/images/blobs/sha256
layer_blob() { jq -r ".layers[$2].digest" "$blob/$(manifest "$1")" | sed 's/^sha256://'; }
low=$root/layers/$(chain "$base" 1)/fs

# A layer's files
damage() {
	"${@:2}"
	check 1 "image .* layer $(chain "$base" 1) is damaged: '(\./)?$1" 2
	check 0 'unpacked again' 1 --repair
	good "after the repair of: ${*:2}"
}
damage 'sub/file. has another content' owner sh -c "printf CONTENT >'$T/c'; cat '$T/c' | dd of='$low/sub/file' conv=notrunc 2>/dev/null"
damage 'sub/file. has another size' owner sh -c "echo more >>'$low/sub/file'"
damage 'sub/file. has another mode' chmod 4777 "$low/sub/file"
damage 'sub/file. has another owner' chown 1 "$low/sub/file"
damage 'sub/file. is missing' rm "$low/sub/file"
damage 'link. has another target' ln -sfn /etc "$low/link"
damage 'pipe. is another kind of file' owner sh -c "rm '$low/pipe'; touch '$low/pipe'"
damage 'sparse. has another content' owner sh -c "echo x | dd of='$low/sparse' bs=1 seek=50000 conv=notrunc 2>/dev/null"
is "--quick does not see that" "$(owner sh -c "echo x >>'$low/sub/file'"; cleave system check --quick; echo $?)" 0
cleave system check --repair >/dev/null
rm -r "$root/layers/$(chain "$base" 1)"
check 1 'is missing' 2 --quick
check 0 'is missing: unpacked again' 1 --repair --quick
good "a layer that was gone"
is "it runs" "$(cleave run --rm test/base sh -c 'echo ok')" ok

# One that is in use is left alone.
tiny=$(digest cleave/tiny)
low=$root/layers/$(chain "$tiny" 1)/fs
chmod 4755 "$low/bin/busybox"
check 1 "layer $(chain "$tiny" 1) is damaged" 1 --repair
cleave rm -f runs >/dev/null
check 0 'unpacked again' 1 --repair
good "when nobody uses it"

# Blobs: an image that cannot be repaired goes by force only, and not while an instance has it.
b=$blob/$(layer_blob "$more" 1)
cp "$b" "$T/keep"
echo >>"$b"
check 1 'blob sha256:[0-9a-f]{64} is damaged' 1
check 1 'is damaged$' 1 --repair
is "it is still there" "$(cleave images -q test/more | wc -l)" 1
check 1 'is damaged$' 1 --force
check 0 'image removed$' 1 --repair --force
is "it is gone" "$(cleave images -q test/more | wc -l)" 0
good "and nothing else is wrong"
is "what it shared works" "$(cleave run --rm test/base sh -c 'echo ok')" ok
cleave create --name user test/base sh >/dev/null
m=$blob/$(manifest "$base")
cp "$m" "$T/keep"
rm "$m"
check 1 'its manifest sha256:[0-9a-f]{64} is missing' 1 --repair --force
is "an image with an instance stays" "$(cleave images -q test/base | wc -l)" 1
cp "$T/keep" "$m"
cp "$blob/$base" "$T/keep"
sed -i 's/linux/Linux/' "$blob/$base"
check 1 'its configuration sha256:[0-9a-f]{64} is damaged' 1 --quick
cp "$T/keep" "$blob/$base"
cleave rm user >/dev/null
good "put back"

# What belongs to nobody
mkdir -p "$root/layers/$(printf 'a%.0s' {1..64})/fs" "$root/tmp/0123456789abcdef"
echo x >"$blob/$(printf 'b%.0s' {1..64})"
check 1 'belongs to no image' 3
check 0 'tmp/0123456789abcdef was left behind: removed' 3 --repair
good "after the orphans"
echo '{}' >"$root/images/index.json"
check 1 'index.json does not say' 1
check 0 'written again' 1 --repair
like "the index" "$(cat "$root/images/index.json")" test/base
sql "INSERT INTO reference VALUES('no', 'such', 'image')"
check 1 "name 'no:such' is of no image" 1
check 0 'removed' 1 --repair
good "after the names"

# Instances
id=$(cleave inspect -f '{{.Id}}' stopped)
sql "DELETE FROM instance WHERE id = '$id'"
check 1 "directory instances/$id belongs to no instance" 1
check 0 "it is instance 'recovered-${id:0:12}' now" 1 --repair
is "its layer was not lost" "$(cleave cp "recovered-${id:0:12}:/mine" - | tar xO)" content
is "nor its volume" "$(cleave inspect "recovered-${id:0:12}" | jq -r '.[0].Mounts[0].Name')" vol
cleave rename "recovered-${id:0:12}" stopped
good "recovered"
sql "DELETE FROM instance WHERE id = '$id'"
mv "$root/instances/$id/config.json" "$T/keep"
check 1 'belongs to no instance$' 1 --repair --force
is "a writable layer is not removed" "$(cat "$root/instances/$id/layer/upper/mine")" content
mv "$T/keep" "$root/instances/$id/config.json"
cleave system check --repair >/dev/null
cleave rename "recovered-${id:0:12}" stopped
(cd "$root/instances/$id" && mv layer/upper layer/work . && rmdir layer) # as stores had it before
is "a layer that is where it was once" "$(cleave diff stopped | grep mine)" 'A /mine'
good "it has moved"
mkdir "$root/instances/.$(printf 'c%.0s' {1..64})"
check 0 'was left behind: removed' 1 --repair
mkdir "$root/instances/$(printf 'c%.0s' {1..64})"
check 0 'belongs to no instance: removed' 1 --repair
mv "$root/instances/$id/config.json" "$T/keep"
check 1 "instance 'stopped': its config.json is missing" 1 --repair
mkdir -p "$root/layers/$(printf 'a%.0s' {1..64})/fs"
check 1 'belongs to no image'$'\n' 2 --repair
is "layers stay while an instance cannot be asked" "$(find "$root/layers" -maxdepth 1 -name "aaaa*" | wc -l)" 1
mv "$T/keep" "$root/instances/$id/config.json"
check 0 'belongs to no image: removed' 1 --repair
rm -r "$root/instances/$id/layer/work"
check 0 "directory .layer/work. of its writable layer is missing: made" 1 --repair
mv "$root/instances/$id" "$T/keep"
check 1 "instance 'stopped': its directory .* is missing" 1
check 0 ': removed' 1 --repair
rm -r "$T/keep"
is "its row is gone" "$(cleave ps -aq | wc -l)" 0

# Monitors that are gone, and what they leave
run 0 -d --name lost cleave/tiny sleep 1000
id=$(cleave inspect -f '{{.Id}}' lost)
pkill -9 -f "^cleave --root $T" 2>/dev/null || pkill -9 -f "cleave-monitor.*${id:0:12}"
idle() { flock -n "$T/run/$id/lock" true 2>/dev/null; }
until_true idle
check 1 "instance 'lost': it is said to run, but its monitor is gone" 1
is "looking changes nothing" "$(sql "SELECT state FROM instance WHERE id = '$id'")" running
check 0 'cleaned up' 1 --repair
is "it has ended" "$(cleave inspect -f '{{.State.Status}}' lost)" exited
good "cleaned up"
mkdir -p "$T/run/$(printf 'd%.0s' {1..64})" "$T/run/oci/$(printf 'e%.0s' {1..64})"
check 1 'was left behind' 2
check 0 'removed' 2 --repair
for dir in /sys/fs/cgroup/pids /sys/fs/cgroup; do
	[ -f $dir/cgroup.procs ] && as_root || continue
	mkdir -p "$dir/cleave/$id"
	sleep 1000 &
	pid=$!
	echo $pid >"$dir/cleave/$id/cgroup.procs"
	check 1 "cgroup $dir/cleave/$id was left behind" 1
	check 0 'removed' 1 --repair
	is "no cgroup" "$(find /sys/fs/cgroup -maxdepth 3 -name "$id" 2>/dev/null)" ''
	{ wait $pid; } 2>/dev/null
	is "its process is gone" $? 137
	break
done
if as_root; then
	mount -t tmpfs none "$root/instances/$id/layer/upper"
	check 1 "mounted at $root/instances/$id/layer/upper" 1
	check 0 unmounted 1 --repair
fi

# Volumes
mkdir -p "$T/run"
echo data >"$root/volumes/vol/_data/f"
sql "DELETE FROM volume WHERE name = 'vol'"
check 1 'directory volumes/vol belongs to no volume' 1
check 0 'it is a volume again' 1 --repair
is "its data is there" "$(cleave volume inspect vol | jq -r '.[0].Name'; cat "$root/volumes/vol/_data/f")" $'vol\ndata'
rm -r "$root/volumes/vol"
mkdir "$root/volumes/.$(printf 'f%.0s' {1..64})"
check 1 'its directory is missing' 2
check 0 'made, empty' 2 --repair
good "in the end"

# Others go on meanwhile.
for i in {1..15}; do
	cleave run --rm -v "an$i:/x" -v /anonymous cleave/tiny true
	cleave volume rm "an$i" >/dev/null
done &
pid=$!
for ((i = 0; i < 40; i++)); do
	[ "$i" -lt 5 ] || kill -0 $pid 2>/dev/null || break
	cleave system check --quick
done >"$T/meanwhile" 2>&1
wait $pid
is "nothing is told of what goes on" "$(cat "$T/meanwhile")" ''
sql "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'manifest_size INTEGER', 'manifest_size INTEGER CHECK(manifest_size < 5)') WHERE name = 'image'"
check 1 '^database: CHECK constraint failed' 2 --repair
sql "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, ' CHECK(manifest_size < 5)', '') WHERE name = 'image'"
good "the database"
