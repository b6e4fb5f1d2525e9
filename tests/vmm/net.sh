#!/bin/bash
# SPDX-License-Identifier: MIT
# Network by a tap device: both kinds of rings, one and two pairs, data both ways with checksums.
. "$(dirname "$0")/lib.sh"
nested net.sh
