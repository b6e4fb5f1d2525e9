#!/bin/bash
# SPDX-License-Identifier: MIT
# Files of an instance in a virtual machine: written, seen from outside, kept, mounted.
. "$(dirname "$0")/lib.sh"
in_machines files.test
