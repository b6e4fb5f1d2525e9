#!/bin/bash
# SPDX-License-Identifier: MIT
# Machines that write above an image which is their memory: what the host's tools see of it is what they see of a container.
. "$(dirname "$0")/lib.sh"
in_machines layer.test
