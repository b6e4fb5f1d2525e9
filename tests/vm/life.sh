#!/bin/bash
# SPDX-License-Identifier: MIT
# The life of an instance in a virtual machine, as of one in a container.
. "$(dirname "$0")/lib.sh"
in_machines life.test
