#!/bin/bash
# SPDX-License-Identifier: MIT
# cleave-oci-vm: an OCI bundle as a virtual machine, with the verbs and words of cleave-oci.
. "$(dirname "$0")/lib.sh"
in_machines bundle.test
