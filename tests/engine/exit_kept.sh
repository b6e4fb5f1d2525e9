#!/bin/bash
# SPDX-License-Identifier: MIT
# The exit status of an instance that is removed when it ends is kept for those who wait, but not for ever.
. "$(dirname "$0")/lib.sh"
setup python3
# exits SQL - what table instance_exit says
exits() { python3 -c 'import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); print(*[r[0] for r in d.execute(sys.argv[2])]); d.commit()' "$T/root/state.db" "$1"; }

id=$(cleave run -d --rm cleave/tiny sh -c 'sleep 0.3; exit 7')
is "wait for one that is removed when it ends" "$(cleave wait "$id")" 7
is "its status is kept" "$(exits "SELECT exit_code FROM instance_exit WHERE id = '$id'")" 7
exits "INSERT INTO instance_exit VALUES('old', 1, strftime('%s') * 1000000000 - 301000000000),
	('recent', 2, strftime('%s') * 1000000000 - 100000000000)" >/dev/null
# One removal in 16, by its random id, looks for what is old.
for ((i = 0; i < 300; i++)); do
	run 0 --rm cleave/tiny true
	[ -n "$(exits "SELECT id FROM instance_exit WHERE id = 'old'")" ] || break
done
is "what nobody can wait for any more is gone" "$(exits "SELECT id FROM instance_exit WHERE id IN ('old', 'recent')")" recent
