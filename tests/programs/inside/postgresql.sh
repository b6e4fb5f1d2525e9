#!/bin/bash
# SPDX-License-Identifier: MIT
# A database under load, killed and recovered; its compiler of queries; its indexes checked.
bin=/usr/lib/postgresql/15/bin
install -d -o postgres /db
as() { su postgres -c "PATH=$bin:\$PATH; cd /db; $*"; }
sql() { as "psql -h /db -XAtqc \"$1\" postgres"; }
start() { as pg_ctl -D data -w -t 600 -l log -o "'-k /db -c listen_addresses='" start >/dev/null || { cat /db/log; exit 1; }; }
as initdb -D data -A trust -E UTF8 --locale C.UTF-8 >/dev/null || exit 1
start
as pgbench -h /db -i -q -s 2 postgres 2>/dev/null
as pgbench -h /db -n -c 4 -j 2 -t 500 postgres 2>/dev/null | grep -o '2000/2000' || exit 1
as pgbench -h /db -n -S -M prepared -c 4 -j 2 -t 2000 postgres 2>/dev/null | grep -o '8000/8000' || exit 1
balanced() { sql 'select (select sum(abalance) from pgbench_accounts) = (select sum(bbalance) from pgbench_branches)
	and (select sum(tbalance) from pgbench_tellers) = (select sum(delta) from pgbench_history)'; }
[ "$(balanced)" = t ] || { echo 'not balanced'; exit 1; }
sql "create table t as select i, md5(i::text) as m, (i * 7919 % 100003)::float8 / 7 as f, i::numeric / 3 as n from generate_series(1, 100000) i;
	create index on t (m); create index on t using hash (i); create index on t using brin (f); analyze t"
for jit in off on; do # each query is compiled
	how="set jit = $jit; set jit_above_cost = 0; set jit_inline_above_cost = 0; set jit_optimize_above_cost = 0; set work_mem = '1MB'"
	echo "same sums $jit $(sql "$how; select sum(f * i), sum(n), avg(length(m)), stddev(f) from t where i % 3 <> 1")"
	echo "same join $jit $(sql "$how; select count(*), max(a.m), sum(a.n - b.n) from t a join t b on a.i = b.i + 1 where a.f < b.f")"
	echo "same order $jit $(sql "$how; select md5(string_agg(m, ',' order by m desc)) from t")"
	echo "same window $jit $(sql "$how; select sum(r) from (select rank() over (partition by i % 100 order by f) r from t) x")"
	echo "same text $jit $(sql "$how; select count(*) from t where m ~ '^[0-9]+[a-f]{2}.*9\$'")"
done
as pgbench -h /db -n -c 4 -j 2 -T 5 postgres >/dev/null 2>&1 &
sleep 3
kill -KILL "$(head -n 1 /db/data/postmaster.pid)"
wait
sleep 1
rm -f /db/data/postmaster.pid /db/.s.*
start
grep -q 'automatic recovery in progress' /db/log || exit 1
[ "$(balanced)" = t ] || { echo 'not balanced after recovery'; exit 1; }
sql 'create extension amcheck'
sql "select bt_index_check(c.oid, true) from pg_class c join pg_am a on a.oid = relam where amname = 'btree' and relkind = 'i' and relpersistence = 'p'" |
	grep . && exit 1
as pg_ctl -D data -w -t 600 stop
