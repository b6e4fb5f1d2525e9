/* SPDX-License-Identifier: MIT */
#pragma once

struct utsname;

/** machine_arch() - Go's and OCI's name of this kind of machine: "amd64", "arm64"; else the kernel's */
const char *machine_arch(const struct utsname *u);
