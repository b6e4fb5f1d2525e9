#!/bin/bash
# SPDX-License-Identifier: MIT
# mounts: flags of the mount, recursive attributes, flags of the file system, types, binds.
. "$(dirname "$0")/lib.sh"
setup

# flags of the mount point as mountinfo shows them
opts='awk -v m=/mnt "\$5 == m { print \$6 }" /proc/self/mountinfo'
tmp() { echo ".mounts+=[{destination:\"/mnt\",type:\"tmpfs\",source:\"tmpfs\",options:[$1]}]"; }
for o in nosuid nodev noexec noatime nodiratime relatime ro nosymfollow; do
	ct "$opts" "$(tmp "\"$o\"")"
	like "option $o" ",$out," ",$o,"
done
ct "$opts" "$(tmp '"strictatime"')"
unlike "option strictatime" ",$out," ',(rel|no)atime,'
ct "$opts" "$(tmp '"ro","noexec","nosuid","nodev","rw","exec","suid","dev"')"
eq "later options win" "$out" rw,relatime
ct "$opts" "$(tmp '"noatime","atime","nodiratime","diratime"')"
unlike "atime and diratime undo" ",$out," ',(noatime|nodiratime),'
gives "size, mode and uid go to the file system" 'df -k /mnt | awk "END { print \$2 }"; stat -c "%a %u" /mnt' $'64\n1750 7' "$(tmp '"size=64k","mode=1750","uid=7"')"
gives_like "sync and dirsync reach the file system" 'awk "\$5 == \"/mnt\"" /proc/self/mountinfo' 'rw,.*(dirsync|sync)' "$(tmp '"sync","dirsync"')"
ct 'cat /mnt/x' "$(tmp '"no_such_option=1"')"
like "an option that tmpfs does not know: refused by name" "$status $out" '^1 .*(no_such_option|/mnt)'
gives "several mounts on one place: the last is on top" 'cat /mnt/f; awk "\$5 == \"/mnt\"" /proc/self/mountinfo | wc -l' $'b\n2' \
	'.mounts+=[{destination:"/mnt",type:"tmpfs",source:"a"},{destination:"/mnt",type:"bind",source:"'$T'/b",options:["bind"]}]' \
	"$(mkdir -p "$T/b" "$T/a/sub"; echo b >"$T/b/f"; echo .)"

# binds
mount -t tmpfs sub "$T/a/sub"
echo 1 >"$T/a/f"
echo 2 >"$T/a/sub/f"
bind() { echo ".mounts+=[{destination:\"${2:-/mnt}\",type:\"${3:-bind}\",source:\"$T/a\",options:[$1]}]"; }
gives "bind does not take submounts" 'cat /mnt/f; ls /mnt/sub | wc -l' $'1\n0' "$(bind '"bind"')"
gives "rbind does" 'cat /mnt/f /mnt/sub/f' $'1\n2' "$(bind '"rbind"')"
gives "type none with bind, and no type" 'cat /mnt/f /m2/f' $'1\n1' "$(bind '"bind"' /mnt none)" ".mounts+=[{destination:\"/m2\",source:\"$T/a\",options:[\"bind\"]}]"
gives "a read-only bind leaves submounts" 'touch /mnt/x 2>/dev/null || echo ro; touch /mnt/sub/x && echo rw' $'ro\nrw' "$(bind '"rbind","ro"')"
eq "and the source" "$(touch "$T/a/y" && echo writable)" writable
gives "rro is for submounts too" 'touch /mnt/x 2>/dev/null || echo ro; touch /mnt/sub/x 2>/dev/null || echo ro' $'ro\nro' "$(bind '"rbind","rro"')"
for o in rnosuid rnodev rnoexec rnoatime rnosymfollow rnodiratime; do
	ct 'awk "\$5 == \"/mnt/sub\" { print \$6 }" /proc/self/mountinfo' "$(bind "\"rbind\",\"$o\"")"
	like "recursive $o" ",$out," ",${o#r},"
done
gives_like "rrw, rsuid, rdev, rexec, ratime, rrelatime undo" 'awk "\$5 == \"/mnt/sub\" { print \$6 }" /proc/self/mountinfo' '^rw,relatime$' \
	"$(bind '"rbind","rro","rnosuid","rnodev","rnoexec","rnoatime","rrw","rsuid","rdev","rexec","ratime","rrelatime"')"
gives_like "rstrictatime" 'awk "\$5 == \"/mnt/sub\" { print \$6 }" /proc/self/mountinfo' '^rw$' "$(bind '"rbind","rstrictatime"')"
mount -o remount,bind,nosuid,nodev,noexec "$T/a"  2>/dev/null || mount --bind "$T/a" "$T/a"
mkdir "$T/flags"
mount -t tmpfs -o nosuid,nodev,noexec flags "$T/flags"
gives "a bind keeps flags of its source" 'awk "\$5 == \"/mnt\" { print \$6 }" /proc/self/mountinfo' rw,nosuid,nodev,noexec,relatime \
	".mounts+=[{destination:\"/mnt\",type:\"bind\",source:\"$T/flags\",options:[\"bind\"]}]"
gives "a file onto a file that is missing" 'cat /x/y/file' 1 ".mounts+=[{destination:\"/x/y/file\",type:\"bind\",source:\"$T/a/f\",options:[\"bind\"]}]"
gives "a source relative to the bundle" 'cat /mnt/r' rel ".mounts+=[{destination:\"/mnt\",type:\"bind\",source:\"rel\",options:[\"bind\"]}]" "$(mkdir -p "$B/rel"; echo rel >"$B/rel/r"; echo .)"
refuse "a source that is missing" '/nowhere' '.mounts+=[{destination:"/mnt",type:"bind",source:"/nowhere",options:["bind"]}]'
refuse "a directory onto a file" '/etc/passwd' ".mounts+=[{destination:\"/etc/passwd\",type:\"bind\",source:\"$T/a\",options:[\"bind\"]}]"
refuse "an unknown type" 'nofs' '.mounts+=[{destination:"/mnt",type:"nofs",source:"x"}]'
ct 'echo mounted' '.mounts+=[{destination:"mnt",type:"tmpfs",source:"x"}]'
like "a relative destination is taken from the root or refused by name" "$status $out" '^(0 .*mounted|1 .*destination)'
