#!/bin/bash
# SPDX-License-Identifier: MIT
# --help of every verb, and unknown words.
. "$(dirname "$0")/lib.sh"
setup
for verb in run ps rm 'image ls' 'image import' version; do
	# shellcheck disable=SC2086 # two words
	out=$(cleave $verb --help)
	is "status of $verb --help" $? 0
	like "$verb --help" "$out" "^Usage: cleave $verb"
done
like "--help" "$(cleave --help)" 'image import'
is "hidden verbs" "$(cleave --help | grep -c _ended)" 0
like "image --help" "$(cleave image --help)" 'image ls'
like "version" "$(cleave version)" '^cleave version [0-9]'
refuse 1 "'nonsense' is not a command" nonsense
refuse 1 "'image nonsense' is not a command" image nonsense
refuse 1 "unknown option" ps --nonsense
refuse 1 "table and json" ps --format '{{.ID}}'
