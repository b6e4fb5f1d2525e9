#!/bin/bash
# SPDX-License-Identifier: MIT
# The life of an instance in a virtual machine, as of one in a container.
#
# Started by hand for now (bash tests/vm/instance.sh): 3 MB of standard input fail now and then, and once it did not end.
. "$(dirname "$0")/lib.sh"
in_machines instance.test
