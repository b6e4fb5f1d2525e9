#!/bin/bash
# SPDX-License-Identifier: MIT
# Options of run that Podman has and Docker has not, and those of Docker that hardly anybody uses.
. "$(dirname "$0")/lib.sh"
setup
inside() { cleave run --rm "$@" 2>&1; }

# Names
is "a name may have a slash in front, as in Docker's API" "$(cleave create --name /slashed cleave/tiny true | wc -c)" 65
is "which is no part of it" "$(cleave ps -a --format '{{.Names}}' --filter 'name=^/slashed$')" slashed
id=$(cleave inspect -f '{{.Id}}' /slashed)
is "--replace takes it" "$(cleave create --name slashed --replace cleave/tiny true | wc -c)" 65
[ "$(cleave inspect -f '{{.Id}}' slashed)" != "$id" ] || no "it is another instance"
cleave run -d --name slashed --replace cleave/tiny sleep 1000 >/dev/null
is "--replace kills what runs" "$(inside --replace --name slashed cleave/tiny echo new)" new
is "only what has the name is replaced" "$(cleave create --name beginning cleave/tiny true | cut -c 1-12)" \
	"$(cleave create --replace --name other cleave/tiny true >/dev/null; cleave ps -aq --filter name=beginning)"
refuse 125 '--replace needs the name' run --replace cleave/tiny true
refuse 125 "invalid name 'a/b'" run --name a/b cleave/tiny true
refuse 125 "invalid name '/'|invalid name ''" run --name / cleave/tiny true

# Variables
is "--unsetenv" "$(inside --unsetenv PATH cleave/tiny /bin/env | grep -c PATH)" 0
is "--unsetenv of what is set as well" "$(inside --unsetenv PATH -e PATH=/bin cleave/tiny env | grep PATH)" PATH=/bin
is "--unsetenv-all" "$(inside --unsetenv-all -t=false -e A=1 cleave/tiny /bin/env | grep -v -e ^HOSTNAME= -e ^HOME=)" A=1
is "--env-host" "$(OWN=here inside --env-host cleave/tiny sh -c 'echo $OWN')" here
is "no variable by itself" "$(OWN=here inside cleave/tiny sh -c 'echo "$OWN"')" ''
is "--http-proxy" "$(HTTP_PROXY=a no_proxy=b OTHER=c inside --http-proxy cleave/tiny sh -c 'echo $HTTP_PROXY$no_proxy$OTHER')" ab
is "no proxy by itself" "$(HTTP_PROXY=a inside cleave/tiny sh -c 'echo $HTTP_PROXY')" ''

# Files and permissions
is "--umask" "$(inside --umask 0027 cleave/tiny sh -c 'umask; touch /x; stat -c %a /x' | xargs)" '0027 640'
cleave run -d --name masked --umask 077 cleave/tiny sleep 1000 >/dev/null
is "--umask is that of exec, too" "$(cleave exec masked sh -c umask)" 0077
refuse 125 "--umask '0999': expected an octal" run --umask 0999 cleave/tiny true
refuse 125 "--umask '1777': expected an octal" run --umask 1777 cleave/tiny true
is "--no-hosts: as the image has it" "$(inside --no-hosts cleave/tiny sh -c 'grep -c " /etc/hosts " /proc/self/mountinfo')" 0
is "--no-hostname" "$(inside --no-hostname cleave/tiny sh -c 'grep -c " /etc/hostname " /proc/self/mountinfo')" 0
is "the name itself stays" "$(inside --no-hostname -h box cleave/tiny hostname)" box
refuse 125 '--no-hosts and --add-host' run --no-hosts --add-host a:1.2.3.4 cleave/tiny true
is "--read-only-tmpfs" "$(inside --read-only --read-only-tmpfs cleave/tiny touch /tmp/a /var/tmp/b /dev/c /dev/shm/d /run/e)" ''
like "its root is read-only all the same" "$(inside --read-only --read-only-tmpfs cleave/tiny touch /a)" 'Read-only'
like "without it: as in Docker" "$(inside --read-only cleave/tiny touch /tmp/a)" 'Read-only'
is "--tz" "$(inside --tz Asia/Tokyo cleave/tiny date -d @0 +%H:%M:%Z)" 09:00:JST
is "--tz local" "$(inside --tz local cleave/tiny date -d @0 +%H:%M)" "$(date -d @0 +%H:%M)"
refuse 125 "no such time zone" run --tz ../../etc/passwd cleave/tiny true
refuse 125 "no such time zone" run --tz /etc/localtime cleave/tiny true
refuse 125 "no such time zone" run --tz Nowhere/Atall cleave/tiny true

# What is run
is "an entry point as a list" "$(inside --entrypoint '["echo","two words"]' cleave/tiny more)" 'two words more'
refuse 127 'not found' run --rm --entrypoint '["echo"' cleave/tiny x
is "--arch and --os" "$(inside --arch amd64 --os linux cleave/tiny echo here 2>&1)" here
refuse 125 'does not provide the specified platform \(linux/s390x\)' run --arch s390x cleave/tiny true
refuse 125 'only the system linux' run --os plan9 cleave/tiny true
refuse 125 'exclude each other' run --os linux --platform linux/amd64 cleave/tiny true
mkdir "$T/fs"
tar -C "$T/fs" -cf "$T/i.tar" .
cleave export masked >"$T/m.tar"
cleave import -c 'VOLUME /data' "$T/m.tar" local/volumes >/dev/null
type_of() { inside "$@" local/volumes sh -c 'stat -f -c %T /data 2>&1'; }
is "--image-volume tmpfs" "$(type_of --image-volume tmpfs)" tmpfs
like "--image-volume ignore" "$(type_of --image-volume ignore)" 'No such file'
is "bind, as without it, makes a volume" "$(cleave create --image-volume bind --name vols local/volumes true >/dev/null
	cleave inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}}{{end}}' vols)" 'volume /data'
refuse 125 "--image-volume 'x': bind, tmpfs and ignore" run --image-volume x local/volumes true

# Limits
hard=$(bash -c 'ulimit -n 1048576 2>/dev/null; ulimit -n')
[ "$hard" = 1048576 ] || hard=$(ulimit -Hn)
is "open files do not depend on who starts it" "$( (ulimit -Sn 100; inside cleave/tiny sh -c 'ulimit -Sn; ulimit -Hn') | xargs)" "$hard $hard"
is "unless asked" "$(inside --ulimit nofile=10:20 cleave/tiny sh -c 'ulimit -Sn; ulimit -Hn' | xargs)" '10 20'
like "--kernel-memory is history" "$(inside --kernel-memory 100m cleave/tiny echo ran)" 'ignored.*ran'
if [ -e /sys/fs/cgroup/memory/memory.swappiness ]; then
	is "--memory-swappiness" "$(inside --memory-swappiness 7 cleave/tiny cat /sys/fs/cgroup/memory/memory.swappiness)" 7
	is "0 is a value" "$(inside --memory-swappiness 0 cleave/tiny cat /sys/fs/cgroup/memory/memory.swappiness)" 0
fi
refuse 125 "the range is -1 to 100" run --memory-swappiness 101 cleave/tiny true
[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || like "--cpu-rt-runtime" "$(inside --cpu-rt-runtime 95000 cleave/tiny echo ran)" 'ignored.*ran'
refuse 125 "expected a number" run --cpu-rt-period x cleave/tiny true
is "groups with commas" "$(inside --group-add 7,8 --group-add 9 cleave/tiny id -G)" '0 7 8 9'
refuse 125 "keep-groups excludes other groups" run --rm --group-add keep-groups --group-add 7 cleave/tiny id
is "a warning is Docker's" "$(inside --network none -p 80:80 cleave/tiny true 2>&1)" 'WARNING: Published ports are discarded when using none network mode'
refuse 125 "--group-add '7,'" run --group-add 7, cleave/tiny true

is "-a stdin: nobody sees the output, so the id is shown" "$(cleave run --name silent -a stdin cleave/tiny echo hi)" \
	"$(cleave inspect -f '{{.Id}}' silent)"
is "the output is in the log" "$(cleave logs silent)" hi
