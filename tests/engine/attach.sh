#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave attach, and what a foreground `cleave run` attaches.
. "$(dirname "$0")/lib.sh"
setup python3
term() { python3 "$here/terminal.py" "$@"; }
gone() { [ -z "$(cleave ps -q)" ]; }

# Output and exit status
mkfifo "$T/go"
cleave run -d --name out -v "$T:/t" cleave/tiny sh -c 'echo early; read x </t/go; echo out; echo err >&2; exit 7' >/dev/null
logged() { [ "$(cleave logs out)" = early ]; }
until_true logged
"$CLEAVE" attach out >"$T/o" 2>"$T/e" &
pid=$!
"$CLEAVE" attach out >"$T/o2" 2>/dev/null &
pid2=$!
sleep 0.3
echo >"$T/go"
wait $pid
is "status is the instance's" $? 7
wait $pid2
is "of both clients" $? 7
is "standard output from now on" "$(cat "$T/o")" out
is "standard error" "$(cat "$T/e")" err
is "a second client gets the same" "$(cat "$T/o2")" out
refuse 1 'is not running: start it with' attach out
refuse 1 'no such instance' attach nobody

# Input
cleave run -di --name in cleave/tiny sh -c 'while read x; do echo "got $x"; [ "$x" = end ] && exit 3; done; echo eof' >/dev/null
echo one | timeout -s KILL 10 "$CLEAVE" attach in >"$T/o" &
pid=$!
logged() { cleave logs in | grep -q "got $1"; }
until_true logged one
is "the end of one client's input is not that of a detached instance" "$(cleave ps -q | wc -l)" 1
is "--no-stdin" "$(echo no | timeout -s KILL 1 "$CLEAVE" attach --no-stdin in)" ''
out=$(echo end | timeout -s KILL 10 "$CLEAVE" attach in)
is "status after input" $? 3
is "what it said" "$out" 'got end'
wait $pid
is "the first client saw all" "$(cat "$T/o")" "$(printf 'got one\ngot end')"
is "input of one in the foreground ends with its client's" "$(printf 'a\nb\n' | cleave run --rm -i cleave/tiny wc -l)" 2
mkfifo "$T/in"
"$CLEAVE" run --rm -i --name owner cleave/tiny cat <"$T/in" 2>/dev/null &
pid=$!
exec 7>"$T/in"
up() { cleave ps --format json | jq -r .Names | grep -q owner; }
until_true up
disown $pid
kill -KILL $pid
until_true gone
exec 7>&-

# Signals
cleave run -d --name sig cleave/tiny sh -c 'trap "echo usr1; exit 5" USR1; echo ready; while :; do sleep 0.05; done' >/dev/null
ready() { cleave logs "$1" | grep -q ready; }
until_true ready sig
"$CLEAVE" attach --sig-proxy=false sig >/dev/null &
pid=$!
sleep 0.2
kill -USR1 $pid
wait $pid 2>/dev/null
is "--sig-proxy=false: the signal ends the client" $? $((128 + $(kill -l USR1)))
is "and not the instance" "$(cleave ps --format json | jq -r .Names)" sig
"$CLEAVE" attach sig >"$T/o" &
pid=$!
sleep 0.2
kill -USR1 $pid
wait $pid
is "signals are forwarded" $? 5
is "it got it" "$(cat "$T/o")" usr1
"$CLEAVE" run --rm -i --name deaf cleave/tiny sh -c 'trap "exit 6" USR2; echo ready; while :; do sleep 0.05; done' </dev/zero >"$T/o" &
pid=$!
shown() { grep -q ready "$T/o"; }
until_true shown
sleep 0.2
kill -USR2 $pid
wait $pid
is "signals pass by input that nobody reads" $? 6

# Streams
both='echo out; echo err >&2; exit 4'
is "-a stdout" "$(cleave run --rm -a stdout cleave/tiny sh -c "$both" 2>&1)" out
is "-a stderr" "$(cleave run --rm -a stderr cleave/tiny sh -c "$both" 2>&1)" err
is "-a both" "$(cleave run --rm -a stdout -a STDERR cleave/tiny sh -c "$both" 2>&1 | sort)" "$(printf 'err\nout')"
is "-a stdin with -i" "$(echo x | cleave run --rm -i -a stdin -a stdout cleave/tiny cat)" x
is "-i without -a stdin" "$(echo x | timeout -s KILL 1 "$CLEAVE" run --rm -i --name nostdin -a stdout cleave/tiny cat)" ''
cleave rm -f nostdin >/dev/null 2>&1
refuse 125 "'--attach nothing'|--attach 'nothing'" run --rm -a nothing cleave/tiny true
refuse 125 'cannot specify both --attach and --detach' run -d -a stdout cleave/tiny true

# Too many
cleave run -d --name many cleave/tiny sleep 1000 >/dev/null
pids=()
for _ in 1 2 3 4 5 6 7 8; do
	"$CLEAVE" attach many &
	pids+=($!)
done
sleep 0.3
refuse 1 'as many clients as it can have' attach many
cleave rm -f many >/dev/null
for pid in "${pids[@]}"; do wait "$pid"; done
is "status when it is killed" $? 137

# A client that does not read: the instance stands still, is dropped after ten seconds
cleave run -d --name flood -v "$T:/t" cleave/tiny sh -c 'read x </t/go; head -c 3000000 /dev/zero; echo done >&2' >/dev/null
mkfifo "$T/pipe"
"$CLEAVE" attach flood >"$T/pipe" 2>"$T/e" &
exec 8<"$T/pipe"
sleep 0.3
echo >"$T/go"
start=$SECONDS
timeout 40 "$CLEAVE" wait flood >/dev/null
like "seconds the instance waited: $((SECONDS - start))" $((SECONDS - start)) '^(9|1[0-4])$'
is "the log has all" "$(cleave logs flood 2>/dev/null | wc -c)" 3000000
exec 8<&-
# In the foreground nothing is lost, however slow
is "a slow reader of run" "$(cleave run --rm cleave/tiny head -c 3000000 /dev/zero | (sleep 12; wc -c))" 3000000

# Terminal
term '# =echo o$((1+1))e\r' 'o2e=\x10\x11' -- "$CLEAVE" run -it --name tty cleave/tiny sh -c 'export PS1="# "; exec sh' >"$T/o"
is "status after detaching" $? 0
out=$(term 'o2e=stty size\r' '40 100=echo t$((1+1))o\r' 't2o=\x10\x11' -- "$CLEAVE" attach tty)
is "status after detaching again" $? 0
like "what the screen showed is shown again" "$out" 'o2e.*t2o'
is "but questions to the terminal are not" "$(grep -c $'\e\\[6n.*o2e' <<<"$out")" 0
out=$(cleave logs tty | tr -d '\r')
like "the log has it too" "$out" 't2o'
out=$(term 't2o=exit 9\r' -- "$CLEAVE" attach tty)
is "status of a terminal's instance" $? 9
like "line ends are complete" "$out" $'t2o\r\n'
cleave run -dt --name noin cleave/tiny sh -c 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done' >/dev/null
until_true ready noin
out=$(term -- "$CLEAVE" attach noin)
like "attaching gives it our size" "$out" '40 100|41 101'
cleave run -dit --name needs cleave/tiny cat >/dev/null
refuse 1 'not a terminal' attach needs
cleave run -dit --name hup cleave/tiny cat >/dev/null
term -- sh -c "{ sleep 0.5; pkill -TERM -f '^cleave a -tioesr'; } & \"$CLEAVE\" attach hup; echo status \$?; stty -a" >"$T/o"
like "a signal ends a client with a terminal" "$(cat "$T/o")" 'status 143'
like "whose terminal is as before" "$(cat "$T/o")" '[^-]icanon'
is "and not the instance" "$(cleave ps --format json | jq -r .Names | grep -c hup)" 1
