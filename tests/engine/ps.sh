#!/bin/bash
# SPDX-License-Identifier: MIT
# ps, rm, names, ids.
. "$(dirname "$0")/lib.sh"
setup
json() { cleave ps -a --format json | jq -r "select(.Names==\"$1\").$2"; }
run 7 --name ended cleave/tiny sh -c 'exit 7'
is "state" "$(json ended State)" exited
is "exit status is kept" "$(json ended ExitCode)" 7
like "status text" "$(json ended Status)" '^Exited \(7\) '
id=$(cleave run -d --name runs cleave/tiny sleep 1000)
like "-d prints the id" "$id" '^[0-9a-f]{64}$'
like "a running one" "$(json runs Status)" '^Up '
is "ps shows what runs" "$(cleave ps -q)" "${id:0:12}"
is "ps -a shows all" "$(cleave ps -aq | wc -l)" 2
is "--no-trunc" "$(cleave ps -q --no-trunc)" "$id"
like "header" "$(cleave ps | head -n 1)" '^CONTAINER ID   IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$'
like "row" "$(cleave ps | tail -n 1)" "^${id:0:12}   cleave/tiny   \"sleep 1000\" .* ago +Up .* runs$"
refuse 125 "already in use by instance ${id:0:12}" run --name runs cleave/tiny true
refuse 125 "invalid name" run --name 'a b' cleave/tiny true
refuse 125 "invalid name" run --name ../x cleave/tiny true
refuse 1 "is running" rm runs
refuse 1 "no such instance" rm nothing
is "rm by the beginning of an id" "$(cleave rm -f "${id:0:6}")" "${id:0:6}"
is "rm" "$(cleave rm ended)" ended
is "nothing left" "$(cleave ps -aq)" ''
run 127 --name never cleave/tiny no-such-program
is "one that never started" "$(json never State),$(json never ExitCode)" created,127
like "and why" "$(json never Error)" 'executable file not found'
run 127 --rm --name never2 cleave/tiny no-such-program
is "--rm also removes one that never started" "$(json never2 State)" ''

# as Podman
cleave rm -fa >/dev/null
cleave run -d --name bb cleave/tiny sleep 1000 >/dev/null
cleave create --name aa cleave/tiny true >/dev/null
cleave run --name cc cleave/tiny false
is "--sort names" "$(cleave ps -a --sort names --format '{{.Names}}' | xargs)" 'aa bb cc'
is "--sort status" "$(cleave ps -a --sort status --format '{{.Names}}' | xargs)" 'aa cc bb'
refuse 1 "--sort 'x'" ps --sort x
is "--noheading" "$(cleave ps --noheading | wc -l)" 1
is "--noheading of a table of one's own" "$(cleave ps --noheading --format 'table {{.Names}}')" bb
is "status=stopped" "$(cleave ps --filter status=stopped --format '{{.Names}}')" cc
id=$(cleave inspect -f '{{.Id}}' bb)
is "an id in capitals" "$(cleave ps -q --no-trunc --filter "id=$(tr a-f A-F <<<"${id:0:20}")")" "$id"
is "an expression for ids" "$(cleave ps -aq --filter 'id=^[0-9a-f]{64}$' | wc -l)" 3
is "none matches" "$(cleave ps -aq --filter 'id=[^0-9a-f]' | wc -l)" 0
# as Docker
cleave exec bb dd if=/dev/zero of=/written bs=1000 count=64 2>/dev/null
like "--size" "$(cleave ps --size --format 'table {{.Names}}\t{{.Size}}' | tail -n 1)" '^bb +[1-9][0-9.]*kB \(virtual [0-9.]+MB\)$'
like "its column" "$(cleave ps -s | head -n 1)" 'NAMES +SIZE$'
is "no column without it" "$(cleave ps | head -n 1 | grep -c SIZE)" 0
is "inspect --size" "$(cleave inspect -s -f '{{.SizeRw}}' bb)" "$(cleave inspect -s bb | jq '.[0].SizeRw')"
[ "$(cleave inspect -s bb | jq '.[0] | .SizeRootFs > .SizeRw and .SizeRw >= 64000')" = true ] || no "sizes" "$(cleave inspect -s bb | grep Size)"
is "--sort created" "$(cleave ps -a --sort created --format '{{.Names}}' | xargs)" 'bb aa cc'
cleave create --name ports --expose 80 --expose 90-91/udp --network host cleave/tiny >/dev/null
for filter in expose=80 expose=80/tcp expose=79-81 expose=91/udp network=host; do
	is "--filter $filter" "$(cleave ps -a --filter $filter --format '{{.Names}}')" ports
done
is "--filter expose of others" "$(cleave ps -aq --filter expose=80/udp; cleave ps -aq --filter expose=92/udp)" ''
is "ports have a protocol" "$(cleave inspect -f '{{json .Config.ExposedPorts}}' ports)" '{"80/tcp":{},"90/udp":{},"91/udp":{}}'
cleave create --name published -p 127.0.0.1:8080:80 -p 5000-5002:6000-6002/udp --network host cleave/tiny >/dev/null 2>&1
for filter in publish=80 publish=80/tcp publish=6001/udp publish=70-90 is-task=false; do
	is "--filter $filter" "$(cleave ps -a --filter "$filter" --filter name=published --format '{{.Names}}')" published
done
is "--filter publish of others" "$(cleave ps -aq --filter publish=8080; cleave ps -aq --filter publish=6001; cleave ps -aq --filter is-task=true)" ''
cleave rm published >/dev/null
refuse 1 "'is-task=maybe'" ps --filter is-task=maybe
refuse 1 "'publish=web': 80, 80-90 or 80/udp" ps --filter publish=web
refuse 1 "'expose=web': 80, 80-90 or 80/udp" ps --filter expose=web
refuse 1 "there is no field 'Nmaes', but ID, Names," ps -a --format '{{.Nmaes}}'
is "headings of what is no column" "$(cleave ps -a --format 'table {{.ExitCode}} {{.Label "colour"}}' | head -n 1)" 'EXIT CODE colour'
is "json is for programs" "$(cleave ps --format '{{json .}}' | jq -r 'has("Label")')" false
like "CreatedAt" "$(cleave ps --format '{{.CreatedAt}}')" '^20[0-9]{2}-[01][0-9]-[0-3][0-9] [0-9:]{8} [+-][0-9]{4} [A-Z0-9+-]+$'
cleave rm -fa >/dev/null
refuse 1 "invalid filter 'colour': known are ancestor," ps --filter colour=red
cleave create --name quoted cleave/tiny sh -c 'a b' c >/dev/null
is "words with spaces are quoted" "$(cleave ps -a --format '{{.Command}}')" "\"sh -c 'a b' c\""
is "columns are as wide as Docker's" "$(cleave ps -a --format 'table {{.Names}}\t{{.State}}' | head -n 1)" 'NAMES     STATE'
