#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Instances on KVM, in an emulated guest that has it: a little of what the other tests try where they can.
. "$(dirname "$0")/lib.sh"
in_guest kvm.test
