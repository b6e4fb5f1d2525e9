#!/bin/bash
# SPDX-License-Identifier: MIT
# Instances that a verb is for, other than by name: --all, --filter, --latest, --cidfile; those that are missing.
. "$(dirname "$0")/lib.sh"
setup
states() { cleave ps -a --sort names --format '{{.Names}}={{.State}}' | xargs; }
for n in one two; do
	cleave run -d --name $n --cidfile "$T/$n.id" -l kind=$n --stop-timeout 0 cleave/tiny sleep 1000 >/dev/null
done
cleave create --name never cleave/tiny true >/dev/null
never=$(cleave inspect -f '{{.Id}}' never)

# exists
for what in 'container exists one' 'container exists /one' 'image exists cleave/tiny'; do
	# shellcheck disable=SC2086 # words
	out=$(cleave $what 2>&1)
	is "status of: $what" "$?$out" 0
done
cleave volume create vol >/dev/null
is "status of: volume exists vol" "$(cleave volume exists vol; echo $?)" 0
for what in container image volume; do
	is "status of: $what exists nothing" "$(cleave $what exists nothing 2>&1; echo $?)" 1
done

# all, and only those it makes sense for
is "pause --all" "$(names_of pause --all)" 'one two'
is "pause -a, when all are" "$(cleave pause -a)" ''
is "unpause --filter" "$(names_of unpause --filter label=kind=one)" one
is "states" "$(states)" 'never=created one=running two=paused'
is "unpause -a" "$(names_of unpause -a)" two
is "kill -a -s" "$(names_of kill -a -s CONT)" 'one two'
is "restart --running" "$(names_of restart --running)" 'one two'
is "stop --filter" "$(names_of stop --filter label=kind=two)" two
is "restart --filter" "$(names_of restart --filter label=kind=two)" two
is "restart --cidfile" "$(cleave restart --cidfile "$T/two.id")" "$(cat "$T/two.id")"
is "stop --cidfile, twice" "$(cleave stop --cidfile "$T/one.id" --cidfile "$T/two.id" | wc -l)" 2
is "states" "$(states)" 'never=created one=exited two=exited'
is "kill -a leaves those that do not run alone" "$(cleave kill -a)" ''

# the latest
is "start --latest" "$(cleave start -l)" "$never"
is "wait --latest" "$(cleave wait -l)" 0
is "rm --latest" "$(cleave rm --latest)" "$never"

# those that are missing
is "stop --ignore" "$(cleave stop -i nothing && echo fine)" fine
is "stop --ignore --cidfile" "$(cleave stop -i --cidfile "$T/nothing" && echo fine)" fine
is "rm --ignore" "$(cleave rm -i nothing && echo fine)" fine
is "wait --ignore" "$(cleave wait --ignore nothing)" -1
refuse 1 'no such instance' stop nothing
refuse 1 "--cidfile: read '.*/nothing'" stop --cidfile "$T/nothing"
: >"$T/empty"
refuse 1 "--cidfile: no id is in" rm --cidfile "$T/empty"

# choices that exclude each other, and none
for verb in start stop restart kill pause unpause rm; do
	refuse 1 'give names of instances' $verb
	refuse 1 'give names of instances, or --all' $verb one --all
	refuse 1 '--latest excludes' $verb one --latest
done
refuse 1 "invalid filter 'restart-policy=sometimes'" start --filter restart-policy=sometimes
refuse 1 "invalid filter 'nonsense'" rm --filter nonsense=1

# wait for other things than the end
cleave start one >/dev/null
is "wait --condition running" "$(cleave wait --condition running one)" -1
(sleep 0.3; cleave pause one) >/dev/null &
is "wait --condition paused" "$(timeout 20 "$CLEAVE" wait --condition paused --interval 10ms one)" -1
wait
cleave unpause one >/dev/null
(sleep 0.3; cleave kill one) >/dev/null &
is "wait --condition exited" "$(timeout 20 "$CLEAVE" wait --condition exited one)" 137
wait
is "wait --condition of several" "$(cleave wait --condition running --condition stopped one two | xargs)" '137 137'
refuse 1 "--condition 'asleep': no such state" wait --condition asleep one
refuse 1 "--interval 'x'" wait --interval x one

# removing
cleave start two >/dev/null
refuse 1 "instance 'two' is running" rm two
refuse 1 '--time needs --force' rm -t 1 two
is "rm --filter" "$(names_of rm --filter status=stopped)" one
cleave run -d --name polite -v "$T:/v" cleave/tiny sh -c 'trap "echo bye >/v/bye; exit" TERM; echo up
	while :; do sleep 0.05; done' >/dev/null
until [ "$(cleave logs polite)" = up ]; do sleep 0.05; done
is "rm -f --time" "$(cleave rm -f -t 20 polite; cat "$T/bye")" $'polite\nbye'
is "rm --all --force" "$(names_of rm -fa)" two
is "rm --all of nothing" "$(cleave rm -a && echo fine)" fine
refuse 1 '--latest: there are no instances' rm -l
for i in 1 2 3 4 5; do # the clean-up may still be under way when wait returns
	cleave run -d --name quick$i cleave/tiny true >/dev/null
	is "wait and rm" "$(cleave wait quick$i; cleave rm quick$i 2>&1)" $'0\nquick'$i
done
