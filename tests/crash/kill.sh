#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of any of our processes at any of its system calls: the next ordinary commands find a store
# that is whole, with all of an instance or image or nothing, and leave nothing behind.
#
# STEP='VERB LABEL N [-a]' repeats one case; see step.c.  STEP='VERB' takes every call of that verb, or each
# EVERYth.
. "$(dirname "$0")/verbs.sh"
crash_setup 25
make_verbs
. "$(dirname "$0")/kills.sh"
after_kill() { check_store "$1"; }
kills
