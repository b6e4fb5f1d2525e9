#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's kernel boots on processors in software.
. "$(dirname "$0")/lib.sh"
soft boot.sh
