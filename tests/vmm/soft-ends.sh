#!/bin/bash
# SPDX-License-Identifier: MIT
# Every way to end, with processors in software.
. "$(dirname "$0")/lib.sh"
soft ends.sh
