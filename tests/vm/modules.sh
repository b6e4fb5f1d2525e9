#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Modules of the guest's kernel that are wanted after its start: by the kernel itself, for a program of the instance.
. "$(dirname "$0")/lib.sh"
in_machines modules.test
