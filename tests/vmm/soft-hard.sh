#!/bin/bash
# SPDX-License-Identifier: MIT
# Processors in software that lack something are slower, not wrong: hardly any room for translated code; signals all the time,
# from the guest's exceptions and timer, and from outside; no mapping more.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${CLEAVE_BIN:-$here/../../build/bin}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
gcc -c -o long.o "$here/bare/long.S" || exit 1
for name in hard levels; do
	gcc -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none -mno-red-zone -mgeneral-regs-only \
		-fno-asynchronous-unwind-tables -c -o $name.o "$here/bare/$name.c" &&
		ld -m elf_x86_64 -static -nostdlib -z noexecstack --no-warn-rwx-segments -Ttext=0x200000 -e start -o $name long.o $name.o || exit 1
done
failed=0

fail() {
	failed=1
	echo "FAIL $*"
	cat out err
}

# right GUEST SOFT: that guest finds nothing wrong.
right() {
	local status=0
	timeout 100 "$bin/cleave-vmm" --accel soft --soft "$2" --kernel "$1" --append a --memory 32M --stats >out 2>err </dev/null || status=$?
	if [ $status != 0 ] || ! grep -q '^DONE' out || grep -q wrong out err; then
		fail "$1 $2: exit status $status"
	fi
}

# stat NAME: how often that was.
stat() {
	grep -o " $1 [0-9]*" err | cut -d ' ' -f 3
}

right hard tlb
right hard interp
right hard tlb,cache=512K
[ "$(stat regions-emptied)" -ge 20 ] || fail "the room for translated code was never exhausted"
right levels tlb,cache=512K
right levels verify,cache=512K

# A processor's process that gets signals all the time; one that, like the machine's, gets no mapping any more once the guest runs.
python3 - "$bin/cleave-vmm" <<'PY' || failed=1
import os, resource, signal, subprocess, sys, time


def command_line(pid):
    try:
        return open(f"/proc/{pid}/cmdline").read()
    except OSError:
        return ""


def processor_of(vmm):
    todo = [vmm]
    while todo:
        pid = todo.pop()
        if command_line(pid).startswith("cleave-vmm:soft"):
            return pid
        todo += map(int, open(f"/proc/{pid}/task/{pid}/children").read().split())
    return None


def signals(vmm, pid):
    """Return: how many were sent."""
    sent = 0
    for _ in range(50):
        try:
            os.kill(pid, signal.SIGRTMIN)
            sent += 1
        except (BlockingIOError, ProcessLookupError):  # as many as may wait; it ends
            pass
    return sent


def no_mappings(vmm, pid):
    """What mmap() says then is what it says at vm.max_map_count, which is the whole system's.  Return: how many are limited."""
    try:
        for p in (vmm, pid):
            resource.prlimit(p, resource.RLIMIT_AS, (1, 1))
    except ProcessLookupError:
        return 0
    return 2


def disturbed(name, soft, disturb, least, *options):
    vmm = subprocess.Popen([sys.argv[1], "--accel", "soft", "--soft", soft, "--kernel", "hard", "--append", "a", "--memory", "32M",
                            *options],
                           stdin=subprocess.DEVNULL, stdout=open("out", "w"))
    begun, done, pid = time.monotonic(), 0, None
    while vmm.poll() is None and time.monotonic() < begun + 100:
        if pid is None and "right" in open("out").read():  # it has begun
            pid = processor_of(vmm.pid)
        if pid is not None:
            done += disturb(vmm.pid, pid)
        time.sleep(0.0005)
    if vmm.poll() is None:
        vmm.kill()
    out = open("out").read()
    if vmm.wait() != 0 or "DONE" not in out or "wrong" in out or done < least:
        print(f"FAIL: {name}: {done}: exit status {vmm.returncode}\n{out}")
        return False
    return True


good = disturbed("signals", "tlb", signals, 1000)
good &= disturbed("no more mappings", "tlb,cache=512K", no_mappings, 2, "--sandbox", "off")
good &= disturbed("no more mappings, interpreted", "interp", no_mappings, 2, "--sandbox", "off")
sys.exit(0 if good else 1)
PY
exit $failed
