/* SPDX-License-Identifier: MIT */
#include "engine/subid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#define FILE_SIZE_MAX (1u << 20) /* bytes */

/* "OWNER:START:SIZE".  Others' lines and such that make no sense are left out. */
static bool read_line(const char *line, const char *owner, struct eng_subid *ret)
{
	size_t n = owner != NULL ? strlen(owner) : 0;
	char *end;

	if (n == 0 || strncmp(line, owner, n) != 0 || line[n] != ':')
		return false;
	ret->start = strtoull(line + n + 1, &end, 10);
	if (*end != ':')
		return false;
	ret->size = strtoull(end + 1, &end, 10);
	return (*end == '\n' || *end == '\0') && ret->size > 0 && ret->start > 0 &&
	       ret->start < UINT32_MAX && ret->size < UINT32_MAX - ret->start;
}

int eng_subid_read(const char *path, const char *name, const char *number,
		   struct eng_subid ret[ENG_SUBID_MAX], struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r = file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text), n = 0;

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "read '%s'", path);
	for (const char *p = text.p; p != NULL && *p != '\0' && n < ENG_SUBID_MAX;
	     p += strcspn(p, "\n"), p += *p == '\n')
		if (read_line(p, name, &ret[n]) || read_line(p, number, &ret[n]))
			n++;
	return n;
}
