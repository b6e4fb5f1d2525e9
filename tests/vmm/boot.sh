#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's kernel boots, with one and more processors; what is no kernel is refused.
. "$(dirname "$0")/lib.sh"
nested boot.sh
