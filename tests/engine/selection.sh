#!/bin/bash
# SPDX-License-Identifier: MIT
# Which instances a verb is for: --all, --filter, --ignore, --running, beside names; rm --time.
. "$(dirname "$0")/lib.sh"
setup

names() { cleave ps -a --filter "status=$1" --format '{{.Names}}' | sort | xargs; }
for i in n1 n2 n3; do run 0 -d --name $i -l "who=$i" cleave/tiny sleep 1000; done
run 0 --name old cleave/tiny true

for verb in kill pause unpause restart start stop rm; do
	refuse 1 'give names of instances, or --all' $verb
	refuse 1 'give names of instances, or --all and --filter' $verb --all n1
	refuse 1 'give names of instances, or --all and --filter' $verb --filter name=n1 n1
	refuse 1 'nosuch' $verb --filter nosuch=x
done
is "pause --all" "$(names_of pause --all) $(names paused)" 'n1 n2 n3 n1 n2 n3'
is "pause --all again" "$(cleave pause -a)" ''
is "unpause --filter" "$(names_of unpause --filter label=who=n2) $(names running)" 'n2 n2'
is "unpause --all" "$(names_of unpause -a)" 'n1 n3'
is "restart --running" "$(names_of restart -t 0 --running) $(names exited)" 'n1 n2 n3 old'
is "kill --filter" "$(names_of kill --filter name=n1)" n1
until_true cleave wait n1 >/dev/null
is "kill --all" "$(names_of kill -a -s TERM)" 'n2 n3'
cleave kill -a >/dev/null
cleave wait n2 n3 >/dev/null
is "restart --all" "$(names_of restart -a -t 0)" 'n1 n2 n3 old'
is "stop --ignore" "$(cleave stop -t 0 --ignore nosuch n1)" n1
refuse 1 "no such instance: 'nosuch'" stop nosuch
is "rm --ignore" "$(cleave rm -i nosuch n1)" n1
refuse 1 "no such instance: 'nosuch'" rm nosuch
out=$(cleave rm -a 2>&1)
is "rm --all of what runs: status" $? 1
like "rm --all of what runs" "$out" 'n2.*n3|n3.*n2'
is "rm --all leaves those that run" "$(cleave ps -a --format '{{.Names}}' | sort | xargs)" 'n2 n3'

# rm --time asks first
run 0 -d --name kind --rm -v "$T:/out" cleave/tiny sh -c 'trap "echo asked >/out/asked; exit" TERM; touch /out/ready; while :; do sleep 0.1; done'
until_true test -e "$T/ready"
is "rm --force --time" "$(cleave rm -f -t 10 kind) $(cat "$T/asked")" 'kind asked'
is "rm --all --force" "$(names_of rm -af) $(cleave ps -aq)" 'n2 n3 '
refuse 1 '--time' rm -f -t soon n1
