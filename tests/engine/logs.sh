#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave logs: which entries, in which form, and how long it follows.
. "$(dirname "$0")/lib.sh"
setup
run 0 --name one cleave/tiny sh -c 'seq 1 5; echo err >&2; sleep 0.3; printf end'
is "standard output" "$(cleave logs one 2>/dev/null)" "$(printf '1\n2\n3\n4\n5\nend')"
is "standard error" "$(cleave logs one 2>&1 >/dev/null)" err
is "both at once are in order" "$(cleave logs one 2>&1 | tail -n 1)" end
is "--tail" "$(cleave logs --tail 3 one 2>&1)" "$(printf '5\nerr\nend')"
is "-n 0" "$(cleave logs -n 0 one 2>&1)" ''
is "-n more than there are" "$(cleave logs -n 100 one 2>&1 | wc -l)" 6
is "-n all" "$(cleave logs -n all one 2>&1 | wc -l)" 6
like "-t" "$(cleave logs -t --tail 1 one)" "^$(date -u +%Y-%m-%d)T[0-9:]{8}\.[0-9]{9}Z end$"
is "--details without any" "$(cleave logs --details --tail 1 one)" ' end'
when=$(cleave logs -t --tail 1 one | cut -d' ' -f1)
is "--since a time" "$(cleave logs --since "$when" one 2>&1)" end
is "--since one with an offset" "$(cleave logs --since "${when%Z}+00:00" one 2>&1)" end
is "--since seconds since 1970" "$(cleave logs --since "$(date -d "$when" +%s.%N)" one 2>&1)" end
is "--until" "$(cleave logs --until "$(cleave logs -t one 2>/dev/null | sed -n '5s/ .*//p')" one 2>/dev/null | tail -n 1)" 5
is "--since how long ago" "$(cleave logs --since 1h30m one 2>&1 | wc -l)" 6
is "--since the future" "$(cleave logs --since "$(date -d tomorrow +%s)" one 2>&1)" ''
is "--until the past" "$(cleave logs --until 1h one 2>&1)" ''
is "-f of one that ended" "$(timeout 10 "$CLEAVE" logs -f one 2>&1 | wc -l)" 6
refuse 1 "--since 'abc'" logs --since abc one
refuse 1 "no such instance: 'nobody'" logs nobody
refuse 1 'wrong number of arguments' logs
run 0 --name silent --log-driver none cleave/tiny echo shown
is "--log-driver none still shows" "$out" shown
refuse 1 'keeps no log' logs silent
is "and makes no file" "$(find "$T/root/instances" -name 'log*' | wc -l)" 1
run 0 --name long cleave/tiny sh -c 'head -c 50000 /dev/zero | tr "\0" x; echo; echo after'
is "a long line is one again" "$(cleave logs long | head -n 1 | wc -c)" 50001
is "and counts as several entries" "$(cleave logs --tail 2 long | wc -c)" $((50001 - 3 * 16384 + 6))
run 0 --name bytes cleave/tiny printf '\001\t"\\\303\244\360\237\230\200\r\n'
is "special characters" "$(cleave logs bytes | od -An -tx1 | tr -d '\n')" ' 01 09 22 5c c3 a4 f0 9f 98 80 0d 0a'

# Following
cleave run -d --name slow cleave/tiny sh -c 'for i in 1 2 3 4 5; do echo $i; sleep 0.2; done; echo last' >/dev/null
is "-f until the end" "$(timeout 20 "$CLEAVE" logs -f slow)" "$(printf '1\n2\n3\n4\n5\nlast')"
cleave run -d --rm --name fast cleave/tiny sh -c 'sleep 0.5; seq 1 100000' >/dev/null
is "-f of one that is removed when it ends" "$(timeout 20 "$CLEAVE" logs -f fast | sha256sum)" "$(seq 1 100000 | sha256sum)"
id=$(cleave run -d --name killed cleave/tiny sh -c 'echo ready; sleep 1000')
touch "$T/followed"
timeout 30 "$CLEAVE" logs -f killed >"$T/followed" &
follower=$!
seen() { grep -q ready "$T/followed"; }
until_true seen
pgrep -f "^cleave-monitor m .* $id\$" | xargs kill -KILL
wait $follower
is "-f ends when the monitor dies" $? 0
if cleave run --help | grep -q -e --restart; then
	cleave run -d --name twice --restart on-failure:1 cleave/tiny sh -c 'echo run; sleep 0.3; exit 1' >/dev/null
	is "-f goes on when it is started again by itself" "$(timeout 20 "$CLEAVE" logs -f twice)" "$(printf 'run\nrun')"
fi
cleave run -d --name tail cleave/tiny sh -c 'seq 1 10; until [ -e /go ]; do sleep 0.05; done; echo new' >/dev/null
seen() { [ "$(cleave logs tail | tail -n 1)" = 10 ]; }
until_true seen
timeout 20 "$CLEAVE" logs -f --tail 1 tail >"$T/followed" &
follower=$!
seen() { grep -q 10 "$T/followed"; }
until_true seen
cleave exec tail touch /go
wait $follower
is "-f --tail 1" "$(cat "$T/followed")" "$(printf '10\nnew')"
# A torn line at the end
printf '{"log":"torn' >>"$T/root/instances/$(cleave ps -a --no-trunc --format json | jq -r 'select(.Names=="one").ID')/log"
is "a torn line is passed over" "$(cleave logs one 2>/dev/null | tail -n 1)" end
cleave start -a one >/dev/null 2>&1
is "and is gone after the next start" "$(cleave logs one 2>/dev/null | tail -n 2)" "$(printf '5\nend')"
is "entries of the second start are whole" "$(cleave logs one 2>&1 | wc -l)" 12
