#!/bin/bash
# SPDX-License-Identifier: MIT
# demo.sh: run the embedded image and show what an instance is; what `make demo` runs
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cleave=$here/../build/bin/cleave
if [ "$(id -u)" != 0 ]; then
	echo "demo: containers need root for now: sudo make demo" >&2
	exit 1
fi
work=$(mktemp -d)
export CLEAVE_ROOT=$work/root CLEAVE_RUNROOT=$work/run
clean_up() {
	"$cleave" ps -aq | xargs -r "$cleave" rm -f >/dev/null
	"$cleave" network prune -f >/dev/null
	rm -rf "$work"
}
trap clean_up EXIT

show() {
	local word line=cleave
	for word in "$@"; do
		case $word in *[\ \;\$\|]*) word="'$word'" ;; esac
		line+=" $word"
	done
	printf '\n$ %s\n' "$line"
	"$cleave" "$@"
}

echo "This host: $(hostname), $(ls -d /proc/[0-9]* | wc -l) processes, kernel $(uname -r)"
show run --rm cleave/tiny echo 'Hello from an image that is part of the program'
echo
echo 'Own process ids and host name:'
show run --rm --hostname inside cleave/tiny sh -c 'hostname; ps'
echo
echo 'Own mounts (the first ten):'
show run --rm cleave/tiny sh -c 'cut -d" " -f2,3 /proc/mounts | head'
echo
echo 'Limits: 64 MB of memory, half a processor, 20 processes'
if [ -d /sys/fs/cgroup/memory ]; then
	files='memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max'
else
	files='memory.max cpu.max pids.max'
fi
show run --rm --memory 64m --cpus 0.5 --pids-limit 20 cleave/tiny sh -c "cd /sys/fs/cgroup; head -n 1 $files"
echo
echo 'A user of the image, a variable, a directory of this host, read-only root:'
mkdir "$work/share"
chmod 755 "$work"
echo 'from the host' >"$work/share/note"
show run --rm --read-only -u user -e GREETING=hi -v "$work/share:/mnt:ro" cleave/tiny sh -c 'id; echo $GREETING; cat /mnt/note; touch /x || true'
echo
echo 'In the background:'
show run -d --name background cleave/tiny sleep 100 | cut -c 1-64
show ps
show rm -f background
show image ls
echo
echo 'Time from the command to the end of the program, start of everything included:'
TIMEFORMAT='%R seconds'
time "$cleave" run --rm cleave/tiny true

# A stock kernel is fetched once; without a network, or with nothing that runs one, this part is left out.
if ! "$here/../build/bin/cleave-vmm" --probe | grep -q ': yes'; then
	printf '\nNo virtual machine: nothing on this host runs one (cleave-vmm --probe)\n'
elif ! "$cleave" kernel fetch >/dev/null 2>"$work/why"; then
	printf '\nNo virtual machine: %s\n' "$(tail -n 1 "$work/why")"
else
	printf '\nThe same image as a container and as a virtual machine: kernel, processes, time\n'
	for isolation in container vm; do
		time show run --rm --isolation "$isolation" cleave/tiny sh -c 'uname -rv; ps'
	done
fi
