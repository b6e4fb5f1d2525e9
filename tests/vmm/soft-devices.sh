#!/bin/bash
# SPDX-License-Identifier: MIT
# Consoles, sockets and the balloon, with processors in software.
. "$(dirname "$0")/lib.sh"
soft devices.sh
