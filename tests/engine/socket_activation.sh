#!/bin/bash
# SPDX-License-Identifier: MIT
# Descriptors that go on to the program: --preserve-fds, and those of socket activation (sd_listen_fds(3)).
. "$(dirname "$0")/lib.sh"
setup

show='ls -l /proc/self/fd | sed -n "s/.* \([0-9]*\) -> .*note\([0-9]\)$/\1 \2/p"; echo ${LISTEN_FDS-none} ${LISTEN_PID-none} $LISTEN_FDNAMES'
echo a >"$T/note1"
echo b >"$T/note2"
is "run --preserve-fds" "$(cleave run --rm --preserve-fds 2 cleave/tiny sh -c "$show" 3<"$T/note1" 4<"$T/note2")" $'3 1\n4 2\nnone none'
is "without: closed" "$(cleave run --rm cleave/tiny sh -c "$show" 3<"$T/note1")" 'none none'
refuse 125 'unable to preserve fd 4: it is not open' run --rm --preserve-fds 2 cleave/tiny true 3<"$T/note1"
refuse 125 '--preserve-fds 61 is over the limit 60' run --rm --preserve-fds 61 cleave/tiny true

run 0 -d --name keeper cleave/tiny sleep 1000
is "exec --preserve-fds" "$(cleave exec --preserve-fds 1 keeper sh -c "$show" 3<"$T/note2")" $'3 2\nnone none'
refuse 1 '--preserve-fds 61 is over the limit 60' exec --preserve-fds 61 keeper true

# activated COMMAND... - run it as a service manager does that listens for it
activated() { sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=web; export LISTEN_FDS LISTEN_PID LISTEN_FDNAMES; exec "$@"' x "$@" 3<"$T/note1"; }
is "activated run" "$(activated "$CLEAVE" run --rm cleave/tiny sh -c "$show")" $'3 1\n1 1 web'
cleave create --name later cleave/tiny sh -c "$show" >/dev/null
is "activated start" "$(activated "$CLEAVE" start -a later)" $'3 1\n1 1 web'
is "meant for another process" "$(LISTEN_FDS=1 LISTEN_PID=1 cleave run --rm cleave/tiny sh -c "$show" 3<"$T/note1")" 'none none'
out=$(LISTEN_FDS=1 LISTEN_PID=1 cleave exec keeper sh -c "$show" 3<"$T/note1")
is "exec: the same" "$out" 'none none'
