#!/bin/bash
# SPDX-License-Identifier: MIT
# The control socket: what it answers, stop and cont, the power button, reset, quit.
. "$(dirname "$0")/lib.sh"
add=(--add "$here/nested/qmp.pl:/opt/vmm/qmp.pl")
nested qmp.sh
