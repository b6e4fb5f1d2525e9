/* SPDX-License-Identifier: MIT */
#pragma once

/* The version of QEMU whose commands clients may expect, and who we are. */
#define QMP_VERSION                                                                                \
	"{\"qemu\": {\"major\": 7, \"minor\": 2, \"micro\": 0}, \"package\": \"cleave-vmm " CLEAVE_VERSION "\"}"
