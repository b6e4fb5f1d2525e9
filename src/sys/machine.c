/* SPDX-License-Identifier: MIT */
#include "sys/machine.h"

#include <string.h>
#include <sys/utsname.h>

const char *machine_arch(const struct utsname *u)
{
	if (strcmp(u->machine, "x86_64") == 0)
		return "amd64";
	return strcmp(u->machine, "aarch64") == 0 ? "arm64" : u->machine;
}
