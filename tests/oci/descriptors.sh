#!/bin/bash
# SPDX-License-Identifier: MIT
# Descriptors: only 0 to 2 in the container, nothing of the host's in a created one, --preserve-fds, LISTEN_FDS.
. "$(dirname "$0")/lib.sh"
setup

exec 7</etc/passwd 8</ 9<"$T"
list='ls /proc/self/fd | tr "\n" " "'
gives "run: nothing but the three, and that of ls" "$list" '0 1 2 3 '
up
attempt exec "$ID" sh -c "$list"
eq "exec: the same" "$out" '0 1 2 3 '
eq "the process of a detached container" "$(ls "/proc/$(field pid)/fd" | tr '\n' ' ')" '0 1 2 '
down
conf '.process.args=["sleep","1000"]' '.linux.seccomp={defaultAction:"SCMP_ACT_ALLOW"}' '.linux.namespaces+=[{type:"cgroup"}]'
oci create -b "$B" "$ID" >/dev/null 2>&1 </dev/null
n=0
for fd in /proc/"$(field pid)"/fd/*; do
	target=$(readlink "$fd")
	case $target in
	socket:* | pipe:* | /dev/null | anon_inode:*) ;;
	/proc | /) # the host's procfs is allowed as O_PATH only
		flags=$(awk '/^flags/ { print $2 }' "/proc/$(field pid)/fdinfo/${fd##*/}")
		[ $((8#$flags & 8#10000000)) != 0 ] || no "descriptor ${fd##*/} of a created container: $target $flags" ;;
	*) no "descriptor ${fd##*/} of a created container: $target" ;;
	esac
	n=$((n + 1))
done
check "a created container was looked at" test "$n" -ge 3
oci delete "$ID"
exec 7<&- 8<&- 9<&-

echo three >"$T/three"
echo four >"$T/four"
conf "$(script 'cat <&3; cat <&4; [ -e /proc/self/fd/5 ] && echo five; ls /proc/$$/fd; true')" # no pipe: the shell has its ends open for a moment
out=$(oci run --preserve-fds 2 -b "$B" "$ID" 3<"$T/three" 4<"$T/four" 5</dev/null </dev/null 2>&1)
eq "--preserve-fds" "$out" $'three\nfour\n0\n1\n2\n3\n4'
fails "--preserve-fds of one that is not open" 'preserve' run --preserve-fds 20 -b "$B" "$ID"
fails "--preserve-fds with a wrong number" 'preserve-fds.*many' run --preserve-fds many -b "$B" "$ID"
fails "--preserve-fds over the limit" 'preserve' run --preserve-fds 4000000000 -b "$B" "$ID"
conf "$(script 'echo $LISTEN_FDS $LISTEN_PID; cat <&3')"
out=$(LISTEN_FDS=1 oci run -b "$B" "$ID" 3<"$T/three" </dev/null 2>&1)
eq "LISTEN_FDS" "$out" $'1 1\nthree'
up
out=$(oci exec --preserve-fds 1 "$ID" cat /proc/self/fd/3 3<"$T/three" </dev/null 2>&1)
eq "exec --preserve-fds" "$out" three
out=$(LISTEN_FDS=1 oci exec "$ID" sh -c 'echo $LISTEN_FDS; cat <&3' 3<"$T/three" </dev/null 2>&1)
eq "exec with LISTEN_FDS" "$out" $'1\nthree'
down
conf "$(script 'echo up')"
out=$(oci run -b "$B" "$ID" 2>&1 0<&-)
eq "a closed standard input does no harm" "$out" up
