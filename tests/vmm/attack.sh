#!/bin/bash
# SPDX-License-Identifier: MIT
# The attack on all devices' rings on this host's KVM, also where it does nothing but emulate.
[ -w /dev/kvm ] || { echo "skip: no /dev/kvm that may be used"; exit 77; }
RINGS=500 exec "$(dirname "$0")/bare.sh" kvm
