#!/bin/bash
# SPDX-License-Identifier: MIT
# Every way to end is told apart: resets by several means, triple fault, panic, signal.
. "$(dirname "$0")/lib.sh"
nested ends.sh
