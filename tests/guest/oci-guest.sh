#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The part of oci.sh that runs in the guest: the tests whose paths below /opt/tests are given.
cd /opt/tests || exit
export CLEAVE_OCI=/usr/local/bin/cleave-oci TEST_JOBS=1 TEST_TIMEOUT=120 TMPDIR=/tmp
exec ./run.sh "$@"
