#!/bin/bash
# SPDX-License-Identifier: MIT
# Devices that come and go under load, with processors in software.
. "$(dirname "$0")/lib.sh"
add=(--add "$here/nested/qmp.pl:/opt/vmm/qmp.pl")
soft hotplug.sh
