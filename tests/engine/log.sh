#!/bin/bash
# SPDX-License-Identifier: MIT
# The log of an instance: one JSON object per line, complete, in order.
. "$(dirname "$0")/lib.sh"
setup
log() { cat "$T"/root/instances/*/log; }
text=$'plain\nquotes " and \\\ntab\there\nno newline at the end'
run 0 --name aa cleave/tiny printf '%s' "$text"
is "what was written" "$(log | jq -rj .log)" "$text"
is "stream" "$(log | jq -r .stream | sort -u)" stdout
like "time" "$(log | jq -r .time | head -n 1)" '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{9}Z$'
like "date" "$(log | jq -r .time | head -n 1)" "^$(date -u +%Y-%m-%d)"
cleave rm aa >/dev/null
run 0 --name bb cleave/tiny sh -c 'printf "\377\303\244\001x\n"'
is "invalid UTF-8 is replaced" "$(log)" "$(printf '{"log":"\\ufffd\303\244\\u0001x\\n","stream":"stdout","time":"%s"}' "$(log | jq -r .time)")"
cleave rm bb >/dev/null
run 0 --name cc cleave/tiny sh -c 'seq 1 20000; echo err >&2'
is "all lines in order" "$(log | jq -rj 'select(.stream=="stdout").log' | sha256sum)" "$(seq 1 20000 | sha256sum)"
is "standard error is told apart" "$(log | jq -rj 'select(.stream=="stderr").log')" err
cleave rm cc >/dev/null
run 0 --name dd cleave/tiny sh -c 'head -c 100000 /dev/zero | tr "\0" x'
is "a long line is split, nothing is lost" "$(log | jq -rj .log | wc -c)" 100000
