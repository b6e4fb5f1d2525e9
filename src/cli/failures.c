/* SPDX-License-Identifier: MIT */
#include "cli/failures.h"

#include <stdio.h>

#include "base/err.h"

void failures_note(struct failures *f, int r, const struct err *why)
{
	if (f->result < 0)
		fprintf(stderr, "cleave: %s\n", f->err->text);
	*f->err = *why;
	f->result = r;
}
