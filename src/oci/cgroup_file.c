/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

#define NUMBER_MAX 32 /* bytes */

int cg_write(const char *dir, const char *file, const char *text)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int) sizeof(path))
		return -ENAMETOOLONG;
	return file_write(AT_FDCWD, path, text);
}

int cg_read(const char *dir, const char *file, struct str *ret)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int) sizeof(path))
		return -ENAMETOOLONG;
	return file_read(AT_FDCWD, path, CGROUP_FILE_MAX, ret);
}

int cg_read_u64(const char *dir, const char *file, uint64_t *ret)
{
	_cleanup_(str_fini) struct str s = { 0 };
	int r = cg_read(dir, file, &s);

	if (r < 0)
		return r;
	s.p[strcspn(s.p, "\n")] = '\0';
	if (str_eq(s.p, "max")) {
		*ret = UINT64_MAX;
		return 0;
	}
	return str_to_u64(s.p, ret);
}

int cg_read_key(const char *dir, const char *file, const char *key, uint64_t *ret)
{
	_cleanup_(str_fini) struct str s = { 0 };
	size_t n = strlen(key);
	int r = cg_read(dir, file, &s);

	if (r < 0)
		return r;
	for (char *line = s.p; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		char *next = line + len + (line[len] == '\n');

		line[len] = '\0';
		if (strncmp(line, key, n) == 0 && line[n] == ' ')
			return str_to_u64(line + n + 1, ret);
		line = next;
	}
	return -ENODATA;
}

int cg_set_failed(const struct cg_dir *d, const char *field, const char *file, const char *value,
		  int r, struct err *err)
{
	if (r == -ENOENT)
		return err_msg(err, r, "linux.resources.%s: cannot set it to '%s': %s has no file %s (the kernel or the parent cgroup does not offer this controller)",
			       field, value, d->path, file);
	return err_set(err, r, "linux.resources.%s: write '%s' to %s/%s", field, value, d->path, file);
}

int cg_set(const struct cg_dir *d, const char *field, const char *file, const char *value,
	   struct err *err)
{
	int r = cg_write(d->path, file, value);

	return r < 0 ? cg_set_failed(d, field, file, value, r, err) : 0;
}

int cg_set_i64(const struct cg_dir *d, const char *field, const char *file, int64_t value,
	       struct err *err)
{
	char text[NUMBER_MAX];

	(void) snprintf(text, sizeof(text), "%lld", (long long) value);
	return cg_set(d, field, file, text, err);
}

int cg_set_u64(const struct cg_dir *d, const char *field, const char *file, uint64_t value,
	       struct err *err)
{
	char text[NUMBER_MAX];

	(void) snprintf(text, sizeof(text), "%llu", (unsigned long long) value);
	return cg_set(d, field, file, text, err);
}
