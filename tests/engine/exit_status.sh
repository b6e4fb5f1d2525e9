#!/bin/bash
# SPDX-License-Identifier: MIT
# Exit statuses of `cleave run`, as Docker's.
. "$(dirname "$0")/lib.sh"
setup
run 0 --rm cleave/tiny true
run 1 --rm cleave/tiny false
run 42 --rm cleave/tiny sh -c 'exit 42'
run 255 --rm cleave/tiny sh -c 'exit 255'
run 143 --rm cleave/tiny sh -c 'sh -c "kill -TERM \$\$"; exit $?'
refuse 127 'executable file not found in \$PATH' run --rm cleave/tiny no-such-program
refuse 127 'no such file' run --rm cleave/tiny /no/such/program
refuse 126 'permission denied' run --rm cleave/tiny /etc/passwd
refuse 125 "no image 'no/such:image' here" run --rm --pull never no/such:image true
refuse 125 'unknown option --no-such' run --no-such cleave/tiny
refuse 125 'must be lower case' run --rm UPPER true
refuse 125 'wrong number of arguments' run
