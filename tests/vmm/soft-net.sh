#!/bin/bash
# SPDX-License-Identifier: MIT
# Network, with processors in software.
. "$(dirname "$0")/lib.sh"
soft net.sh
