#!/bin/bash
# SPDX-License-Identifier: MIT
# Progress of load, save, import and commit: a line on a terminal that goes away, nothing anywhere else.
. "$(dirname "$0")/lib.sh"
setup python3 tar script
mkdir "$T/fs" && head -c 150M /dev/urandom >"$T/fs/data"
tar -C "$T/fs" -cf "$T/a.tar" .
terminal() { TERM=xterm script -qec "$*" /dev/null </dev/null | tr -d '\r'; }
slow() { python3 -c 'import shutil, sys, time
for i in range(8):
    d = sys.stdin.buffer.read(1 << 17)
    sys.stdout.buffer.write(d); sys.stdout.flush(); time.sleep(0.1)
shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)'; }
mkfifo "$T/in"
slow <"$T/a.tar" >"$T/in" &
out=$(terminal "'$CLEAVE' import - test/a:1 <'$T/in'")
like "import on a terminal" "$out" $'Importing.* [0-9.]+[kMG]?B'
like "and its result" "$out" 'sha256:[0-9a-f]{64}'
like "the line goes away" "$out" $'\033\\[Ksha256'
out=$(cleave import "$T/a.tar" test/a:1 2>&1)
like "not in a pipe" "$out" '^sha256:[0-9a-f]{64}$'
cleave save -o "$T/s.tar" test/a:1
mkfifo "$T/load"
slow <"$T/s.tar" >"$T/load" &
out=$(NO_COLOR=1 terminal "'$CLEAVE' load <'$T/load'")
like "load on a terminal" "$out" 'Loading.* [0-9.]+[kMG]?B'
like "load's result" "$out" 'Loaded image: test/a:1'
is "no colours" "$(grep -c $'\033\\[[0-9;]*m' <<<"$out")" 0
slow <"$T/s.tar" >"$T/load" &
is "load -q on a terminal" "$(terminal "'$CLEAVE' load -q <'$T/load'")" 'Loaded image: test/a:1'
slow <"$T/s.tar" >"$T/load" &
is "TERM=dumb" "$(TERM=dumb script -qec "'$CLEAVE' load <'$T/load'" /dev/null </dev/null | tr -d '\r')" 'Loaded image: test/a:1'
out=$(terminal "'$CLEAVE' save test/a:1 | python3 -c 'import sys, time; time.sleep(1); sys.stdin.buffer.read()'")
like "save on a terminal" "$out" 'Saving.*MB / [0-9.]+MB'
is "save in a pipe" "$(cleave save -o "$T/s.tar" test/a:1 2>&1)" ''
wait
true
