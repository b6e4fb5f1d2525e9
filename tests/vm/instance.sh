#!/bin/bash
# SPDX-License-Identifier: MIT
# A program in a virtual machine: output, status, who it is, bytes in both directions.
. "$(dirname "$0")/lib.sh"
in_machines instance.test
