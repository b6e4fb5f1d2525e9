#!/bin/bash
# SPDX-License-Identifier: MIT
# Tests of this folder and of others once more, run by an ordinary user: the same files, so that there is one source for both.
# The user has what a session of a desktop or a server gives him: cgroups of his own, terminals, /dev/net/tun.
# as_user.sh [test|soak|list|TEST...]: those of as_user.list that are for `make test` (the default), or for `make test-long`,
# or these; list: those that are for root, and why
if [ "${1:-}" = list ]; then
	sed -n 's/^\([a-z_/]*\) *no *\(.*\)/\1: \2/p' "$(dirname "$0")/as_user.list"
	exit
fi
[ "${AS_USER_INSIDE:-}" ] || AS_USER_INSIDE=1 exec unshare -m "$0" "$@" # what is mounted here is nobody else's
. "$(dirname "$0")/lib.sh"
setup newuidmap useradd setpriv pasta python3

case ${1:-test} in
test) when='^test$' ;;
soak) when='^soak$' ;;
*) when= ;;
esac
tests=("$@") limit=600
[ -z "$when" ] || mapfile -t tests < <(awk -v when="$when" '!/^#/ && $2 ~ when { print $1 }' "$here/as_user.list")

groups_end() {
	local group
	for group in /sys/fs/cgroup/"$user" /sys/fs/cgroup/*/"$user"; do
		[ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
	done
}

# his_groups - in each hierarchy one that belongs to the user, with this process in it
his_groups() {
	local root group file
	for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
		[ -e "$root/cgroup.procs" ] || continue
		group=$root/$user
		mkdir "$group" || continue
		for file in cpuset.cpus cpuset.mems; do
			[ ! -e "$root/$file" ] || cat "$root/$file" >"$group/$file" 2>/dev/null
		done
		chown "$user" "$group" "$group"/cgroup.procs "$group"/tasks "$group"/cgroup.subtree_control "$group"/cgroup.threads 2>/dev/null
	done
}

ordinary_user cleave-all-$$ 1400000-1465535
user_tun
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts /dev/pts || skip "cannot mount a devpts"
his_groups
mkdir -m 700 "$T/tmp" "$T/results"
chown "$user:" "$T/tmp"
mount --bind "$T/tmp" /mnt || skip "cannot mount" # a short path: podman insists
(cat /etc/hosts && echo 127.0.0.1 registry.test) >"$T/hosts" && mount --bind "$T/hosts" /etc/hosts
cp -a "$here/.." "$T/tests"
chmod -R a+rX "$T/tests"
cd / || exit 1

# one TEST - run it; its output and status are in $T/results
one() {
	local group file=engine/$1 result=$T/results/${1//\//_}
	[ "$1" = "${1#*/}" ] || file=$1
	for group in /sys/fs/cgroup/"$user" /sys/fs/cgroup/*/"$user"; do
		[ ! -d "$group" ] || echo "$BASHPID" >"$group/cgroup.procs"
	done
	setpriv --reuid="$user" --regid="$user" --init-groups env -i LANG=C.UTF-8 HOME="$T/home" XDG_RUNTIME_DIR="$T/xdg" TMPDIR=/mnt \
		PATH=/usr/bin:/bin:/usr/sbin:/sbin AS_USER=1 CLEAVE="$T/bin/cleave" timeout -k 5 "$limit" bash "$T/tests/$file.sh" \
		>"$result" 2>&1 </dev/null
	echo $? >"$result.status"
}
for ((i = 0; i < ${#tests[@]}; i += 1)); do
	[ "$(jobs -pr | wc -l)" -lt 2 ] || wait -n
	one "${tests[i]}" &
done
wait
for test in "${tests[@]}"; do
	status=$(cat "$T/results/${test//\//_}.status")
	is "$test, as a user" "$status" 0
	[ "$status" = 0 ] || sed 's/^/  /' "$T/results/${test//\//_}"
done
is "no process is left" "$(pgrep -u "$user" -r S,R,D -a | grep -v ' podman$')" '' # that one keeps podman's namespace
echo "for root only:"
"$here/as_user.sh" list | sed 's/^/  /'
groups_end
umount /dev/pts /dev/net/tun /mnt /etc/hosts
