#!/bin/bash
# SPDX-License-Identifier: MIT
# Standard input, output and error of a foreground instance.
. "$(dirname "$0")/lib.sh"
setup
is "standard output" "$(cleave run --rm cleave/tiny sh -c 'echo out; echo err >&2' 2>/dev/null)" out
is "standard error" "$(cleave run --rm cleave/tiny sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err
is "input with -i" "$(echo hello | cleave run --rm -i cleave/tiny cat)" hello
is "no input without -i" "$(echo hello | cleave run --rm cleave/tiny cat)" ''
is "the end of input is passed on" "$(printf 'a\nb\n' | cleave run --rm -i cleave/tiny wc -l)" 2
want=$(seq 1 200000 | sha256sum)
is "nothing of 1.3 MB out is lost" "$(cleave run --rm cleave/tiny seq 1 200000 | sha256sum)" "$want"
is "nothing of 1.3 MB in and out is lost" "$(seq 1 200000 | cleave run --rm -i cleave/tiny cat | sha256sum)" "$want"
is "a slow reader gets all" "$(cleave run --rm cleave/tiny seq 1 200000 | (sleep 0.5; sha256sum))" "$want"
is "output after the end of the first process' input" \
	"$(echo x | cleave run --rm -i cleave/tiny sh -c 'cat; sleep 0.2; echo y')" "$(printf 'x\ny')"
head -c 1536000 /dev/zero >"$T/blocks"
is "who reads blocks gets whole ones" "$(cleave run --rm -i cleave/tiny dd of=/dev/null bs=512 <"$T/blocks" 2>&1 | head -n 1)" '3000+0 records in'
