/* SPDX-License-Identifier: MIT */
#include "cli/confirm.h"

#include <stdio.h>

bool cli_confirm(const char *what)
{
	int c;

	fprintf(stderr, "WARNING! %s\nAre you sure you want to continue? [y/N] ", what);
	c = getchar();
	return c == 'y' || c == 'Y';
}
