#!/bin/bash
# SPDX-License-Identifier: MIT
# What the program sees: environment, user, working directory, host name, isolation.
. "$(dirname "$0")/lib.sh"
setup
inside() { cleave run --rm "$@"; }
is "-e" "$(inside -e A=1 -e B='x y' cleave/tiny sh -c 'echo $A-$B')" '1-x y'
is "-e NAME" "$(FROM_HERE=yes inside -e FROM_HERE cleave/tiny sh -c 'echo $FROM_HERE')" yes
is "-e of a variable that is not set" "$(inside -e NOT_SET cleave/tiny sh -c 'echo ${NOT_SET-unset}')" unset
printf '# comment\nA=file\n\nB=b\n' >"$T/env"
is "--env-file, overridden by -e" "$(inside --env-file "$T/env" -e A=opt cleave/tiny sh -c 'echo $A$B')" optb
is "-w" "$(inside -w /var/tmp cleave/tiny pwd)" /var/tmp
is "-w makes the directory" "$(inside -w /new/dir cleave/tiny pwd)" /new/dir
is "--hostname" "$(inside --hostname box cleave/tiny sh -c 'hostname; echo $HOSTNAME; cat /etc/hostname')" "$(printf 'box\nbox\nbox')"
like "default host name" "$(inside cleave/tiny hostname)" '^[0-9a-f]{12}$'
is "user by name" "$(inside -u user cleave/tiny sh -c 'id -u; id -g; echo $HOME')" "$(printf '1000\n1000\n/home/user')"
is "user and group by number" "$(inside -u 7:8 cleave/tiny sh -c 'id -u; id -g')" "$(printf '7\n8')"
is "additional groups" "$(inside -u user cleave/tiny id -G)" '1000 100'
refuse 125 'unable to find user nobody-here' run --rm -u nobody-here cleave/tiny true
refuse 125 'unable to find group nogroup-here' run --rm -u user:nogroup-here cleave/tiny true
is "--entrypoint" "$(inside --entrypoint echo cleave/tiny a b)" 'a b'
is "first process" "$(inside cleave/tiny sh -c 'echo $$')" 1
is "its processes only" "$(inside cleave/tiny sh -c 'set -- /proc/[0-9]*; echo $#')" 1
is "own network" "$(inside cleave/tiny ls /sys/class/net | xargs)" "eth0 lo"
is "umask" "$(inside cleave/tiny sh -c umask)" 0022
is "no new mounts on the host" "$(inside cleave/tiny true; grep -c "$T" /proc/self/mountinfo)" 0
is "capabilities" "$(inside cleave/tiny grep CapEff /proc/self/status | cut -f2)" 00000000a80425fb
is "seccomp filter" "$(inside cleave/tiny grep '^Seccomp:' /proc/self/status | cut -f2)" 2
like "mount is refused" "$(inside cleave/tiny mount -t tmpfs x /tmp 2>&1)" 'permission denied'
like "unshare is refused" "$(inside cleave/tiny unshare -m true 2>&1)" 'Operation not permitted'
like "masked path" "$(inside cleave/tiny sh -c 'cat /proc/kcore | wc -c')" '^0$'
like "read-only path" "$(inside cleave/tiny sh -c 'echo x >/proc/sys/kernel/hostname' 2>&1)" 'Read-only'
