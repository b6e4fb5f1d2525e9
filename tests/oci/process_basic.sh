#!/bin/bash
# SPDX-License-Identifier: MIT
# args, env, cwd, user, groups, umask, hostname, domainname.
. "$(dirname "$0")/lib.sh"
setup

conf '.process.args=["echo","a b","","c"]'
attempt run -b "$B" "$ID"
eq "args keep blanks and empty words" "$out" "a b  c"
gives "env is exactly what is configured" 'env | grep -v -e ^PWD= -e ^SHLVL= -e ^HOME= | sort | tr "\n" " "' 'A=1 PATH=/bin ' \
	'.process.env=["PATH=/bin","A=1"]'
gives "HOME comes from /etc/passwd" 'echo $HOME' /home/user '.process.user.uid=1000'
gives "HOME that is set stays" 'echo $HOME' /x '.process.env+=["HOME=/x"]'
gives "HOME of an unknown user is /" 'echo $HOME' / '.process.user.uid=4711'
conf '.process.env=["PATH=/nowhere:/bin"] | .process.args=["pwd"]'
attempt run -b "$B" "$ID"
eq "args[0] is looked up in PATH" "$out" /
gives "cwd" pwd /tmp '.process.cwd="/tmp"'
gives "cwd that is missing is made" pwd /new/dir '.process.cwd="/new/dir"'
gives "uid and gid" 'id -u; id -g' $'1000\n1001' '.process.user={uid:1000,gid:1001}'
gives "additionalGids" 'grep Groups: /proc/self/status' $'Groups:\t5 70 4242 ' \
	'.process.user={uid:1000,gid:1001,additionalGids:[5,4242,70,5]}'
gives "no supplementary groups of the caller" 'grep Groups: /proc/self/status' $'Groups:\t '
gives "umask" umask 0027 '.process.user.umask=23'
gives "default umask is 022" umask 0022
gives "hostname" 'hostname; cat /proc/sys/kernel/hostname' $'box\nbox' '.hostname="box"'
gives "domainname" 'cat /proc/sys/kernel/domainname' a.example '.domainname="a.example"'
eq "the host keeps its name" "$(hostname)" "$(cat /proc/sys/kernel/hostname)"
unlike "the host keeps its domain name" "$(cat /proc/sys/kernel/domainname)" a.example
gives "the first process is pid 1 and leads a session" 'echo $$; cut -d" " -f4-6 /proc/1/stat' $'1\n0 1 1'
conf '.process.args=["/etc/passwd"]'
fails "args[0] that is not executable" 'permission denied|Permission denied' run -b "$B" "$ID"
conf '.process.args=["/bin"]'
fails "args[0] that is a directory" '/bin' run -b "$B" "$ID"
eq "status of a program that cannot be run" "$status" 1
refuse "a cwd that is a file" '/etc/passwd' '.process.cwd="/etc/passwd"'
