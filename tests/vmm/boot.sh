#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's kernel boots, with one and more processors, and every way to end is told apart.
. "$(dirname "$0")/lib.sh"
nested boot.sh
