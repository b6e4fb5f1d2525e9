#!/bin/bash
# SPDX-License-Identifier: MIT
# A terminal: size, controlling terminal, end, exit status.
. "$(dirname "$0")/lib.sh"
setup script
tty_run() { script -qec "stty rows 33 cols 77; $CLEAVE run $*" /dev/null </dev/null; }
out=$(tty_run "--rm -t cleave/tiny sh -c 'stty size; tty; echo \$TERM; exit 4'")
is "status" $? 4
like "it is a terminal" "$out" '/dev/pts/0'
like "it has the size of ours" "$out" '33 77'
like "TERM is set" "$out" 'xterm'
out=$(printf 'echo a$((1+1))b\nexit 3\n' | script -qec "$CLEAVE run --rm -it cleave/tiny sh" /dev/null)
is "status of an interactive shell" $? 3
like "it gets input" "$out" 'a2b'
refuse 125 'not a terminal' run --rm -it cleave/tiny true
# as systemd does with /dev/console
cleave run -dt --name reopened cleave/tiny sh -c 'exec <&- >&- 2>&-; sleep 0.3
	for i in 1 2 3; do echo opened $i >/dev/console; sleep 0.2; done; exit 7' >/dev/null
is "a terminal that everybody closed for a while: status" "$(cleave wait reopened)" 7
is "what was written later is there" "$(cleave logs reopened | tr -d '\r\n')" \
	'opened 1opened 2opened 3'
cleave run -d --name host cleave/tiny sleep 1000 >/dev/null
is "of exec, from its beginning" "$(script -qec "stty rows 34 cols 78; $CLEAVE exec -t host stty size" /dev/null </dev/null | tr -d '\r')" '34 78'
