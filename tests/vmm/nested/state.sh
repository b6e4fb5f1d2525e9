#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck source=lib.sh
. /opt/vmm/lib.sh

LD_LIBRARY_PATH=/opt/vmm/lib timeout 200 ./state_test >$log 2>$log.err
status=$?
expect "soft to KVM and back" 0 'OK \] test_kvm'
! grep -E 'emulates|skip' $log || fail "not on a KVM that executes"
finish
