#!/bin/bash
# SPDX-License-Identifier: MIT
# Guests that panic, hang, exhaust their memory or do not listen: right states and exit codes, and nothing is left.
. "$(dirname "$0")/lib.sh"
in_machines ends.test
