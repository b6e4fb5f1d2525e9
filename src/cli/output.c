/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

/* A device, a pipe or a link is written to; anything else is replaced. */
static int open_file(struct cli_output *o, struct err *err)
{
	struct stat st;
	bool there = lstat(o->path, &st) == 0;

	if (there && !S_ISREG(st.st_mode)) {
		o->fd = open(o->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		return o->fd < 0 ? err_set(err, -errno, "open '%s'", o->path) : 0;
	}
	if (snprintf(o->temporary, sizeof(o->temporary), "%s.XXXXXX", o->path) >=
	    (int) sizeof(o->temporary)) {
		o->temporary[0] = '\0';
		return err_set(err, -ENAMETOOLONG, "create '%s'", o->path);
	}
	o->fd = mkostemp(o->temporary, O_CLOEXEC);
	if (o->fd >= 0)
		return 0;
	o->temporary[0] = '\0';
	return err_set(err, -errno, "create '%s'", o->path);
}

int cli_output_open(const char *path, struct cli_output *ret, struct err *err)
{
	int r = 0;

	*ret = (struct cli_output) { .path = path, .fd = STDOUT_FILENO };
	if (path != NULL)
		r = open_file(ret, err);
	if (r < 0 || !isatty(ret->fd))
		return r;
	if (path == NULL)
		return err_msg(err, -EINVAL, "standard output is a terminal: name a file with "
					     "--output or '>'");
	return cli_output_close(ret,
				err_msg(err, -EINVAL,
					"'%s' is a terminal: archives are not written there", path),
				err);
}

int cli_output_close(struct cli_output *o, int r, struct err *err)
{
	if (o->path == NULL)
		return r;
	if (close(o->fd) < 0 && r == 0)
		r = err_set(err, -errno, "write '%s'", o->path);
	if (o->temporary[0] == '\0')
		return r;
	if (r == 0 && rename(o->temporary, o->path) < 0)
		r = err_set(err, -errno, "create '%s'", o->path);
	if (r < 0)
		(void) unlink(o->temporary); /* the failure is told already */
	return r;
}
