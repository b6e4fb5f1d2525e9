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
