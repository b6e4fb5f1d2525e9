#!/bin/bash
# SPDX-License-Identifier: MIT
# container prune, system prune, and the aliases of Docker's groups.
. "$(dirname "$0")/lib.sh"
setup
names() { cleave ps -a --format '{{.Names}}' | sort | xargs; }

run 0 --name old cleave/tiny sh -c 'dd if=/dev/zero of=/big bs=1000 count=2000 2>/dev/null'
run 0 --name keep --label keep=1 cleave/tiny true
cleave create --name made cleave/tiny true >/dev/null
run 0 -d --name runs cleave/tiny sleep 1000
is "no" "$(cleave container prune 2>"$T/asked" </dev/null)" ''
like "it asks" "$(cat "$T/asked")" 'WARNING! This will remove all stopped instances.*\[y/N\]'
is "nothing happened" "$(names)" 'keep made old runs'
id=$(cleave inspect -f '{{.Id}}' old)
is "until" "$(cleave container prune -f --filter until=1h)" 'Total reclaimed space: 0B'
is "label" "$(cleave container prune -f --filter label=nothing)" 'Total reclaimed space: 0B'
out=$(cleave container prune -f --filter label!=keep)
like "what it did" "$out" "^Deleted Containers:"
like "ids" "$out" "$id"
like "bytes" "$out" $'\n\nTotal reclaimed space: 2MB$'
is "what is left" "$(names)" 'keep runs'
is "yes" "$(echo y | cleave container prune 2>/dev/null | head -n 1)" 'Deleted Containers:'
is "what runs stays" "$(names)" runs
refuse 1 "invalid filter 'colour'" container prune -f --filter colour=red
refuse 1 'expected a time' container prune -f --filter until=never

# Aliases
cleave volume create vol >/dev/null
is "volume list" "$(cleave volume list -q)" vol
is "volume remove" "$(cleave volume remove vol)" vol
is "image list" "$(cleave image list -q)" "$(cleave images -q)"
is "container list" "$(cleave container list -q)" "$(cleave ps -q)"
cleave image tag cleave/tiny other/name
is "image remove" "$(cleave image remove other/name)" 'Untagged: other/name:latest'
is "container remove" "$(cleave container remove -f runs)" runs
