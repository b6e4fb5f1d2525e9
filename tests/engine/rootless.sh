#!/bin/bash
# SPDX-License-Identifier: MIT
# Everything as an ordinary user: instances, images, volumes; what needs root says so; nothing is left.
. "$(dirname "$0")/lib.sh"
setup newuidmap useradd setpriv

ordinary_user cleave-test-$$ 1000000-1065535
cd / || exit 1

as() {
	setpriv --reuid="$user" --regid="$user" --init-groups env -i HOME="$T/home" XDG_RUNTIME_DIR="$T/xdg" \
		PATH=/usr/bin:/bin:/usr/sbin:/sbin timeout 120 "$@"
}

is "root inside, the user outside" "$(u run --rm cleave/tiny sh -c 'id -u; tail -n +1 /proc/self/uid_map | wc -l')" $'0\n2'
is "the store is the user's" "$(stat -c %U "$T/home/.local/share/cleave/state.db")" "$user"
is "what runs, too" "$(stat -c '%U %a' "$T/xdg/cleave")" "$user 700"
is "nobody stays when nothing runs" "$(pgrep -u "$user" -x cleave-monitor -r S)" ''
is "status" "$(u run --rm cleave/tiny sh -c 'exit 7'; echo $?)" 7

u run -d --name web --health-cmd true --health-interval 1s cleave/tiny \
	sh -c 'trap "echo bye; exit 3" TERM; echo hello; while :; do sleep 0.1; done' >/dev/null
is "ps" "$(u ps --format '{{.Names}} {{.State}}')" 'web running'
said() { [ "$(u logs web)" = hello ]; }
until_true said
healthy() { [ "$(u inspect -f '{{.State.Health.Status}}' web)" = healthy ]; }
until_true healthy
is "exec" "$(u exec web echo in)" in
is "exec as another user" "$(u exec -u 1000:1000 web id -u)" 1000
like "top, without a cgroup" "$(u top web)" 'sh -c'
is "stats, without a cgroup" "$(u stats --no-stream --format '{{.PIDs}}' | grep -c '^[1-9]')" 1
seq 200 >"$T/p"
chmod 644 "$T/p"
is "cp into it" "$(u cp "$T/p" web:/p && u exec web sh -c 'wc -c </p')" "$(wc -c <"$T/p")"
is "cp out of it" "$(u cp web:/p - | tar -t)" p
# several at once, of which one keeps on: they enter the same namespace
as sh -c "'$T/bin/cleave' logs -f web >'$T/xdg/follow' & '$T/bin/cleave' exec web true && '$T/bin/cleave' stop web; wait"
is "status after stop" "$(u inspect -f '{{.State.ExitCode}}' web)" 3
is "followed" "$(cat "$T/xdg/follow")" $'hello\nbye'
is "start after that" "$(u start web)" web
kill -KILL "$(cut -d ' ' -f 1 "$T/xdg/cleave/keeper")"
is "a keeper that somebody killed is missed by nobody" "$(u exec web echo in; u stop web)" $'in\nweb'
is "diff" "$(u diff web)" 'A /p'
is "commit" "$(u commit -q web mine >/dev/null; u run --rm mine sh -c 'wc -c </p')" "$(wc -c <"$T/p")"
is "start again" "$(u start web; u exec web echo again)" $'web\nagain'
is "a name space of networks" "$(u run --rm --network none cleave/tiny ls /sys/class/net)" lo
is "rm -f" "$(u rm -f web)" web
is "the host's network" "$(u run --rm --network host cleave/tiny readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)"

# Images: owners, whiteouts, directories that hide what is below, devices that only root could make
mkdir -p "$T/fs/dev" "$T/fs/home/u" "$T/fs/bin"
mknod "$T/fs/dev/zero" c 1 5
chown 1000:1001 "$T/fs/home/u"
tar -C "$T/fs" -c . >"$T/fs.tar" && chmod 644 "$T/fs.tar"
u image import "$T/fs.tar" fs >/dev/null
u create --name plain fs /x >/dev/null
is "owners of an image" "$(u export plain | tar -tv --numeric-owner | awk '/home\/u/ { print $2 }')" 1000/1001
u run --name change -v data:/data cleave/tiny sh -c 'rm -r /home && mkdir /home && echo new >/home/f && rm /etc/os-release && echo 1 >/data/f'
u commit -q change changed >/dev/null
u save -o "$T/xdg/images.tar" fs changed
u rm change plain >/dev/null
u rmi fs changed >/dev/null
u load -q -i "$T/xdg/images.tar" >/dev/null
is "what was removed is gone" "$(u run --rm changed sh -c 'ls /home /etc/os-release 2>/dev/null')" $'/home:\nf'
is "a volume" "$(u run --rm -v data:/data:ro cleave/tiny cat /data/f)" 1
is "volume rm" "$(u volume rm data)" data
is "a directory of the user" "$(u run --rm -v "$T/xdg:/h" cleave/tiny touch /h/made; stat -c %U "$T/xdg/made")" "$user"
is "the store is whole" "$(u system check; echo $?)" 0

# What only root can
fails "other user namespaces" 'needs root' run --rm --userns auto cleave/tiny true
fails "mounts that others see" 'needs root' image mount cleave/tiny
fails "an id that the user does not have" 'unmapped uid 2000000' run --rm -u 2000000 cleave/tiny true
mkdir -m 777 "$T/foreign"
fails "a run root of somebody else" "belongs to user 0 with mode 0777" --runroot "$T/foreign" ps

is "no instance is left" "$(u ps -aq)" ''
is "nor a process" "$(pgrep -u "$user" -r S,R,D)" ''
is "nor a mount" "$(grep -F "$T" /proc/self/mountinfo)" ''
