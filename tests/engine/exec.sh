#!/bin/bash
# SPDX-License-Identifier: MIT
# `cleave exec`: another program in an instance that runs.
. "$(dirname "$0")/lib.sh"
setup script
cleave run -d --name box -e A=1 -w /tmp cleave/tiny sleep 1000 >/dev/null
x() { cleave exec "$@"; }
is "standard output" "$(x box sh -c 'echo out; echo err >&2' 2>/dev/null)" out
is "standard error" "$(x box sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err
x box sh -c 'exit 7'
is "exit status" $? 7
x box sh -c 'kill -TERM $$'
is "exit status of one that was killed" $? 143
x box no-such-program 2>/dev/null
is "status when there is no such program" $? 127
x box /etc/passwd 2>/dev/null
is "status when it cannot be executed" $? 126
is "it is in the instance" "$(x box sh -c 'grep -c . /proc/1/cmdline; cat /proc/1/comm' | tail -n 1)" sleep
is "variables" "$(x -e B=2 box sh -c 'echo $A$B')" 12
is "a variable from here" "$(C=3 "$CLEAVE" exec -e C box sh -c 'echo $C')" 3
is "working directory of the instance" "$(x box pwd)" /tmp
is "-w" "$(x -w /etc box pwd)" /etc
is "-u" "$(x -u user box id -un)" user
is "-u with numbers" "$(x -u 7:8 box sh -c 'id -u; id -g' | xargs)" '7 8'
is "no input without -i" "$(echo in | x box cat)" ''
is "-i" "$(echo in | x -i box cat)" in
is "much of it" "$(head -c 20000000 /dev/zero | x -i box cat | wc -c)" 20000000
like "-t" "$(script -qec "'$CLEAVE' exec -it box tty" /dev/null)" /dev/pts/
x -d box sh -c 'sleep 0.1; echo done >/tmp/d'
is "status of -d" $? 0
finished() { [ "$(x box cat /tmp/d 2>/dev/null)" = "done" ]; }
until_true finished
like "--privileged" "$(x --privileged box grep CapEff /proc/self/status)" '000001ff'
# What has other names.
id=$(cleave ps -q)
is "by the beginning of the id" "$(x "${id:0:6}" echo yes)" yes
refuse 1 'no such instance' exec nobody true
refuse 1 "not an absolute path" exec -w tmp box true
refuse 126 'unable to find user' exec -u nobody-here box true
refuse 1 'not a terminal' exec -it box true
cleave pause box >/dev/null
refuse 1 'is paused' exec box true
cleave unpause box >/dev/null
# Signals go to the program; the instance goes on.
"$CLEAVE" exec box sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done' >"$T/out" &
pid=$!
ready() { grep -q ready "$T/out"; }
until_true ready
kill -TERM $pid
wait $pid
is "status after a signal" $? 9
is "the instance goes on" "$(cleave ps --format json | jq -r .State)" running
# The end of the instance is the end of what runs in it.
"$CLEAVE" exec box sleep 1001 &
pid=$!
until_true eval 'cleave top box | grep -q "sleep 1001"'
cleave kill box >/dev/null
wait $pid
is "status when the instance was killed" $? 137
gone() { [ -z "$(cleave ps -q)" ]; }
until_true gone
refuse 1 'is not running' exec box true
cleave rm box >/dev/null

# groups of --group-add stay, whoever runs the program
cleave run -d --name grouped --group-add 7 --group-add 8 cleave/tiny sleep 1000 >/dev/null
is "exec has the groups of the instance" "$(cleave exec grouped id -G)" '0 7 8'
is "exec -u root" "$(cleave exec -u root grouped id -G)" '0 7 8'
is "exec -u with a group" "$(cleave exec -u 5:6 grouped id -G)" '6 7 8'

# What cannot be run has the status of a shell; what is no instance, or does not run, has 1
cleave run -d --name there cleave/tiny sleep 1000 >/dev/null
cleave create --name made cleave/tiny true >/dev/null
refuse 126 'unable to find user nobody-here' exec -u nobody-here there true
refuse 126 'no such file or directory' exec -w /nowhere there true
refuse 127 'executable file not found' exec there nowhere
refuse 1 'is not running' exec made true
cleave pause there >/dev/null
refuse 1 'is paused' exec there true
cleave unpause there >/dev/null

# A program that ends before it reads what it was sent: its status is not lost
lost=0
for i in $(seq 40); do
	head -c 300000 /dev/zero | "$CLEAVE" exec -i there sh -c 'exit 7' 2>/dev/null
	[ $? = 7 ] || lost=$((lost + 1))
	printf '\n\n\n' | script -qec "'$CLEAVE' exec -it there true" /dev/null >/dev/null 2>&1 || lost=$((lost + 1))
done
is "statuses that were lost" "$lost" 0

# a terminal tells its kind, unless the instance or the caller does
cleave run -d --name term -e TERM=vt1 cleave/tiny sleep 1000 >/dev/null
is "TERM of the instance" "$(cleave exec -t term sh -c 'echo $TERM' | tr -d '\r')" vt1
is "TERM of the caller" "$(cleave exec -t -e TERM=vt2 term sh -c 'echo $TERM' | tr -d '\r')" vt2
cleave run -d --name plain cleave/tiny sleep 1000 >/dev/null
is "TERM" "$(cleave exec -t plain sh -c 'echo $TERM' | tr -d '\r') $(cleave exec plain sh -c 'echo $TERM')" 'xterm '
cleave rm -f term plain >/dev/null
