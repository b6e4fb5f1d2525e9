#!/bin/bash
# SPDX-License-Identifier: MIT
# What people do in a Debian system, with default options: packages, a build, other users, ping, cron, locales.
. "$(dirname "$0")/lib.sh"
setup_debian
in_debian() { timeout 120 "$CLEAVE" run --rm local/debian "$@" 2>&1; }

# Users
is "su" "$(in_debian su postgres -c 'id -un')" postgres
is "su with a login shell" "$(in_debian su - www-data -s /bin/sh -c 'id -un; pwd' | xargs)" 'www-data /var/www'
is "sudo" "$(in_debian sudo -u nobody id -un)" nobody
is "a user is made, has a password and becomes root by sudo" "$(in_debian sh -c '
	useradd -m -s /bin/bash joe && echo joe:pw | chpasswd && usermod -aG sudo joe
	su joe -c "echo pw | sudo -S -p \"\" id -un"')" root
is "setpriv" "$(in_debian setpriv --reuid 33 --regid 33 --clear-groups --no-new-privs --inh-caps=-all \
	sh -c 'id -u; grep NoNewPrivs /proc/self/status' | xargs)" '33 NoNewPrivs: 1'
is "runuser" "$(in_debian runuser -u nobody -- sh -c 'id -un; umask' | xargs)" 'nobody 0022'
is "a file of another user" "$(in_debian sh -c 'touch /tmp/f && chown 33:postgres /tmp/f && stat -c %U:%G /tmp/f')" \
	www-data:postgres
is "chroot" "$(in_debian chroot / id -u)" 0

# The network that it has by default
like "ping by root" "$(in_debian ping -c 1 127.0.0.1)" '1 received'
like "ping by somebody without any capability" "$(timeout 20 "$CLEAVE" run --rm -u nobody --cap-drop all local/debian \
	sh -c 'cp /usr/bin/ping /tmp/ping && /tmp/ping -c 1 127.0.0.1')" '1 received'
is "its host name has an address" "$(cleave run --rm -h box local/debian getent hosts box | wc -l)" 1
is "a low port for somebody" "$(cleave run --rm -u nobody local/debian perl -MIO::Socket::INET \
	-e 'print IO::Socket::INET->new(Listen => 1, LocalPort => 80) ? "bound" : "$!"')" bound

# A build
is "gcc, with threads and a shared object" "$(in_debian sh -c 'cd /tmp &&
	echo "int add(int a, int b) { return a + b; }" >add.c && gcc -O2 -g -shared -fPIC -o libadd.so add.c &&
	printf "%s\n" "#include <pthread.h>" "#include <stdio.h>" "int add(int, int);" \
		"static void *f(void *p) { *(int *) p = add(20, 22); return p; }" \
		"int main(void) { pthread_t t; int n; pthread_create(&t, 0, f, &n); pthread_join(t, 0);" \
		"printf(\"%d\\n\", n); }" >main.c && gcc -pthread -o main main.c -L. -ladd -Wl,-rpath,/tmp && ./main')" 42

# The system
cleave run -d --name daemons --init local/debian sh -c 'cron && exec sleep 1000' >/dev/null
cleave exec daemons sh -c 'echo "* * * * * root echo by cron >/tmp/told" >/etc/cron.d/tell' # looked at below
is "locales" "$(in_debian sh -c 'localedef -i de_DE -f UTF-8 de_DE.UTF-8 && LC_ALL=de_DE.UTF-8 date -d 2024-03-01 +%B')" März
is "a time zone" "$(cleave run --rm -e TZ=Asia/Tokyo local/debian date -d @0 +%H:%M)" 09:00
is "shared memory and semaphores" "$(in_debian sh -c 'ipcmk -Q >/dev/null && ipcmk -M 4096 >/dev/null && ipcs -q | grep -c 0x')" 1
is "/dev/shm" "$(in_debian sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=70 2>&1 | grep -c "No space"; stat -c %s /dev/shm/x' |
	xargs)" "1 $((64 << 20))"
is "special files" "$(in_debian sh -c 'mknod /tmp/n c 1 3 && mkfifo /tmp/f && echo x >/tmp/n && ls /tmp | xargs')" 'f n'
is "file capabilities" "$(in_debian sh -c 'cp /bin/sleep /tmp/s && setcap cap_net_raw+ep /tmp/s && getcap /tmp/s')" \
	'/tmp/s cap_net_raw=ep'
is "extended attributes and hard links" "$(in_debian sh -c 'touch /tmp/a && ln /tmp/a /tmp/b && stat -c %h /tmp/b')" 2
like "packages are as they were made" "$(in_debian sh -c 'dpkg --audit; dpkg -V coreutils passwd sudo iputils-ping libc6 |
	grep -v -e /usr/share/doc -e /usr/share/man; echo end')" '^end$'
is "a tarball with owners" "$(in_debian sh -c 'cd /tmp && install -o 33 -g 33 -m 4750 /bin/true t && tar cf a.tar t && rm t &&
	tar xpf a.tar && stat -c %u:%g:%a t')" 33:33:4750

# What it may not do
for refused in 'mount -t tmpfs none /mnt' 'date -s 2020-01-01' 'hostname other' 'dmesg' 'swapoff -a /dev/vda' \
	'unshare -m true' 'sysctl -w kernel.panic=1' 'mknod /tmp/d b 8 0 && head -c 1 /tmp/d' 'ip link add d0 type dummy' \
	'echo 1 >/proc/sysrq-trigger' 'nsenter -t 1 -n --net=/proc/1/ns/net true'; do
	if out=$(in_debian sh -c "$refused"); then no "refused: $refused" "$out"; else yes; fi
done

# Packages
out=$(timeout 200 "$CLEAVE" run --name apt --network host local/debian sh -c \
	'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y tree at >/tmp/log 2>&1 && tree --version' 2>&1)
like "apt-get install" "$out" '^tree v'
cleave commit apt local/with-tree >/dev/null
is "an image with it" "$(cleave run --rm local/with-tree sh -c 'dpkg -s tree at | grep ^Status; getent passwd daemon | cut -d: -f1' |
	sort | uniq -c | xargs)" '2 Status: install ok installed 1 daemon'
is "what it changed" "$(cleave diff apt | grep -x 'A /usr/bin/tree')" 'A /usr/bin/tree'

told() { cleave exec daemons cat /tmp/told 2>/dev/null | grep -q 'by cron'; }
for ((i = 0; i < 65; i++)); do
	told && break
	sleep 1
done
told || no "cron runs something every minute"
is "no process is left unreaped" "$(cleave exec daemons ps -eo stat | grep -c Z)" 0
