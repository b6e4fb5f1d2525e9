/* SPDX-License-Identifier: MIT */
#include "cli/oci/runtime.h"
#include "oci/create.h"
#include "oci/exec.h"

const struct oci_runtime oci_runtime = { .name = "cleave-oci", .seal = true, .create = oci_create, .exec = oci_exec };
