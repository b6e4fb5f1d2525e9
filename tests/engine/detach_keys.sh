#!/bin/bash
# SPDX-License-Identifier: MIT
# --detach-keys: which sequences, and that everything else arrives.
. "$(dirname "$0")/lib.sh"
setup python3
term() { python3 "$here/terminal.py" "$@"; }
alive() { cleave ps --format json | jq -r .Names | grep -cx "$1"; }
n=0
# leaves KEYS TYPED - a terminal is left by what is typed, and what was typed before arrived
leaves() {
	n=$((n + 1))
	term 'ready=A' "~=$2" -- "$CLEAVE" run -it --name "key$n" --detach-keys "$1" cleave/tiny sh -c 'stty raw -echo; echo ready; cat' >/dev/null
	is "status of leaving with $1" $? 0
	is "the instance goes on after $1" "$(alive "key$n")" 1
	cleave rm -f "key$n" >/dev/null
}
leaves ctrl-a '\x01'
leaves ctrl-a,x '\x01x'
leaves a,b,c 'ababc'
leaves 'ctrl-@' '\x00'
leaves 'ctrl-\' '\x1c'
leaves 'ctrl-]' '\x1d'
leaves 'ctrl-[,ctrl-^,ctrl-_' '\x1b\x1e\x1f'
leaves DEL '\x7f'
leaves , ,
leaves ctrl-p,ctrl-p,ctrl-q '\x10\x10\x10\x11'
# stays KEYS TYPED WANT - these bytes arrive
stays() {
	n=$((n + 1))
	out=$(term "ready=$2" -- "$CLEAVE" run -it --rm --name "key$n" --detach-keys "$1" cleave/tiny \
		sh -c "stty raw -echo; echo ready; head -c ${#3} | od -An -c | tr -d ' \n'")
	is "status of $1 with $2" $? 0
	like "$2 arrives with $1" "$out" "$4"
}
stays ctrl-p,ctrl-q '\x10x' '12' '020x'
stays ctrl-p,ctrl-q '\x11\x10\x10z' '1234' '021020020z'
stays a,b,c 'abab!' '12345' 'abab!'
stays '' '\x10\x11' '12' '020021'
# The others
cleave run -dit --name att cleave/tiny cat >/dev/null
term '~=\x02' -- "$CLEAVE" attach --detach-keys ctrl-b att >/dev/null
is "attach" $? 0
cleave stop -t 0 att >/dev/null
term '~=\x02' -- "$CLEAVE" start -ai --detach-keys ctrl-b att >/dev/null
is "start" $? 0
is "it goes on" "$(alive att)" 1
term 'ready=\x02' -- "$CLEAVE" exec -it --detach-keys ctrl-b att sh -c 'stty raw -echo; echo ready; sleep 1000' >/dev/null
is "exec" $? 0
is "the program goes on" "$(cleave exec att ps | grep -c 'sleep 1000$')" 1
refuse 1 "invalid detach keys" start -a --detach-keys nope att
refuse 1 "invalid detach keys" exec --detach-keys nope att true
cleave rm -f att >/dev/null
for keys in ctrl-1 ctrl-A foo ctrl- 'a,' 'a,,b' ctrl-é; do
	refuse 125 "invalid detach keys '$keys'" run --rm --detach-keys "$keys" cleave/tiny true
done
refuse 125 'limit of 16 keys' run --rm --detach-keys a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a cleave/tiny true
is "keys do not matter without a terminal" "$(printf 'a\020\021b' | cleave run --rm -i cleave/tiny cat | od -An -c | tr -d ' ')" 'a020021b'
