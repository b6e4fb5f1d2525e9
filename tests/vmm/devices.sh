#!/bin/bash
# SPDX-License-Identifier: MIT
# Consoles and named ports, sockets between guest and host, and the memory balloon.
. "$(dirname "$0")/lib.sh"
add=(--add "$here/nested/qmp.pl:/opt/vmm/qmp.pl" --add "$here/nested/vsock.pl:/opt/vmm/vsock.pl")
nested devices.sh
