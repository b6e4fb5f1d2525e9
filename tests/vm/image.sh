#!/bin/bash
# SPDX-License-Identifier: MIT
# Images as memory of virtual machines: as they are seen by others, made once, gone with the image.
. "$(dirname "$0")/lib.sh"
in_machines image.test
