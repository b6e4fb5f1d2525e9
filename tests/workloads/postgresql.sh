#!/bin/bash
# SPDX-License-Identifier: MIT
# A database: its files in a named volume, asked with exec, ended by the signal it wants, killed, recovered.
. "$(dirname "$0")/lib.sh"
setup_debian
bin=/usr/lib/postgresql/15/bin
data=/var/lib/postgresql/data

db_run() {
	cleave run -d --name db --user postgres -v dbfiles:/var/lib/postgresql --stop-signal SIGINT \
		--shm-size 128m --memory 1g --tmpfs /run/postgresql:mode=1777 "$@" local/debian $bin/postgres -D $data >/dev/null
	is "status of run" $? 0
	until_true ready
}
ready() { cleave exec db $bin/pg_isready -q 2>/dev/null; }
sql() { cleave exec -u postgres db psql -XAtqc "$1" 2>&1; }

run 0 --rm --user postgres -v dbfiles:/var/lib/postgresql local/debian \
	$bin/initdb -D $data -A trust -E UTF8 --locale C.UTF-8
like "the volume belongs to who the image says" "$out" 'Success\. You can now start'

db_run
is "a table is made" "$(sql 'create table t as select generate_series(1, 10000) as n')" ''
is "it answers" "$(sql 'select count(*), sum(n) from t')" '10000|50005000'
is "input of exec reaches psql" \
	"$(printf 'select n from t where n = 4711;\n' | cleave exec -i -u postgres db psql -XAtq)" 4711
is "a load of transactions" "$(cleave exec -u postgres db sh -c "$bin/pgbench -i -q -s 1 >/dev/null 2>&1 &&
	$bin/pgbench -n -c 4 -t 50 2>/dev/null | grep -o '200/200'")" '200/200'
like "its processes are those of an unprivileged user" "$(cleave top db -o pid,uid,args)" \
	" $(cleave exec db id -u postgres) +postgres: walwriter"

start=$SECONDS
is "stop" "$(cleave stop -t 60 db)" db
[ $((SECONDS - start)) -lt 30 ] || no "stop took $((SECONDS - start)) s"
is "exit status after stop" "$(cleave inspect -f '{{.State.ExitCode}}' db)" 0
logged db 'received fast shutdown request' || no "the stop signal was SIGINT" "$(cleave logs db)"
logged db 'database system is shut down' || no "it ended by itself" "$(cleave logs db)"

cleave rm db >/dev/null
db_run --read-only --tmpfs /tmp
is "the data outlives the instance" "$(sql 'select count(*), sum(n) from t')" '10000|50005000'

is "written last" "$(sql 'insert into t values (424242)')" ''
cleave kill -s KILL db >/dev/null
is "status after a kill" "$(cleave wait db)" 137
is "start" "$(cleave start db)" db
until_true ready
logged db 'automatic recovery in progress' || no "it recovered" "$(cleave logs db)"
is "nothing that was told is lost" "$(sql 'select count(*), sum(n) from t')" '10001|50429242'

refuse 1 'volume is in use' volume rm dbfiles
cleave rm -f db >/dev/null
is "the volume is removed" "$(cleave volume rm dbfiles)" dbfiles
