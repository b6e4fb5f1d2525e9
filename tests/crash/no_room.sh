#!/bin/bash
# SPDX-License-Identifier: MIT
# A disk without a free block, whose blocks are smaller than a page: what needs none goes on, what needs some
# says so in one line, and removing helps.
. "$(dirname "$0")/../engine/lib.sh"
setup mkfs.ext4
mkdir "$T/disk"
truncate -s 16M "$T/image"
mkfs.ext4 -q -b 1024 "$T/image"
mount -o loop "$T/image" "$T/disk" 2>/dev/null || skip "no loop devices here"
trap 'umount "$T/disk"; finish' EXIT
export CLEAVE_ROOT=$T/disk/root
cleave run --rm --network none cleave/tiny true
cleave run -d --network none --name runs --cgroup-parent "/room$$" cleave/tiny sleep "97$$" >/dev/null
cleave create --network none --name rests cleave/tiny sleep "97$$" >/dev/null
cleave run -d --network none --name talks cleave/tiny sh -c 'while echo line; do sleep 0.1; done' >/dev/null
dd if=/dev/zero of="$T/disk/fill" bs=1k 2>/dev/null
for i in $(seq 1 12); do
	is "ps, number $i" "$(cleave ps -aq 2>&1 | wc -l)" 3
done
is exec "$(cleave exec runs echo inside 2>&1)" inside
refuse 125 'no space left on device' run --rm --network none cleave/tiny true
refuse 1 'no space left on device' create cleave/tiny
refuse 1 'no space left on device' tag cleave/tiny new
refuse 1 'no space left on device' volume create new
is "nothing came of it" "$(cleave ps -aq | wc -l) $(cleave image ls -q | wc -l) $(cleave volume ls -q | wc -l)" '3 1 0'
is stop "$(cleave stop -t 0 runs 2>&1)" runs
is "it is told" "$(cleave ps -a --filter name=runs --format '{{.State}}')" exited
is start "$(cleave start runs 2>&1)" runs
is "the one that talks goes on" "$(cleave ps --filter name=talks --format '{{.State}}')" running
is rm "$(cleave rm rests 2>&1)" rests
is "rm -f" "$(cleave rm -f runs 2>&1)" runs
rm "$T/disk/fill"
run 0 --rm cleave/tiny true
is "later lines appear" "$(timeout 10 "$CLEAVE" logs -f --tail 0 talks 2>&1 | head -n 1)" line
is "tag, with room" "$(cleave tag cleave/tiny new 2>&1)" ''
cleave rm -f talks >/dev/null
cleave rmi new >/dev/null
