#!/bin/bash
# SPDX-License-Identifier: MIT
# The control socket, with processors in software.
. "$(dirname "$0")/lib.sh"
soft qmp.sh
