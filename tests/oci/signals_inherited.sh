#!/bin/bash
# SPDX-License-Identifier: MIT
# What the caller ignores or blocks reaches neither the program nor a hook; the runtime does not depend on it.
. "$(dirname "$0")/lib.sh"
setup python3

# with_ignored ARGUMENT... - the runtime, started by somebody who ignores and blocks signals.
with_ignored() {
	out=$(timeout 20 python3 - "$OCI" --root "$ROOT" "$@" 2>&1 <<'END'
import ctypes, os, signal, sys
ignore = (ctypes.c_ulong * 4)(1)
for s in 32, 33:  # libc's own, which it does not let us change
    ctypes.CDLL(None).syscall(ctypes.c_long(13), ctypes.c_long(s), ignore, ctypes.c_long(0), ctypes.c_long(8))
for s in signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP, signal.SIGUSR1:
    signal.signal(s, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR2])
os.execv(sys.argv[1], sys.argv[1:])
END
	)
	status=$?
}

masks='grep -E "^Sig(Ign|Blk)" /proc/self/status | tr -d "\n\t"; exit 5'
none=SigBlk:0000000000000000SigIgn:0000000000000000
conf "$(script "$masks")" ".hooks.createRuntime=[{path:\"/bin/sh\",args:[\"sh\",\"-c\",\"grep -E '^Sig(Ign|Blk)' /proc/self/status | tr -d '\\\\n\\\\t' >$T/hook\"]}]" \
	'.hooks.startContainer=[{path:"/bin/sh",args:["sh","-c","grep -E \"^Sig(Ign|Blk)\" /proc/self/status | tr -d \"\\n\\t\" >/tmp/hook"]}]'
with_ignored run -b "$B" "$ID"
eq "run: the program has every signal, the runtime its child's status" "$status $out" "5 $none"
eq "a hook of the runtime has, too" "$(cat "$T/hook")" "$none"
eq "and one in the container" "$(cat "$B/rootfs/tmp/hook")" "$none"
up
with_ignored exec "$ID" sh -c "$masks"
eq "exec as well" "$status $out" "5 $none"
down
