#!/bin/bash
# SPDX-License-Identifier: MIT
# Virtual machines in the networks of containers: addresses, ports, what reaches what, and what is left behind.
. "$(dirname "$0")/lib.sh"
in_machines network.test
