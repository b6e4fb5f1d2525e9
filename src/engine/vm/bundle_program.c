/* SPDX-License-Identifier: MIT */
/**
 * DOC: is there such a program?
 *
 * Engines want `create` to fail for a program that does not exist, before the guest can say so.  Only what is
 * certain is said: a program in a file system that the guest mounts is the guest's to find.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/vm/bundle_parts.h"
#include "oci/mount_option.h"
#include "oci/spec.h"
#include "sys/path.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Below something of the guest's, or relative to a directory that the image may not have yet. */
static bool is_uncertain(const struct oci_spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->nr_mounts; i++)
		if (str_starts(path, spec->mounts[i].destination))
			return true;
	return path[0] != '/';
}

static bool may_exist(const struct oci_spec *spec, int root, const char *path)
{
	_cleanup_close_ int fd = -EBADF;

	if (is_uncertain(spec, path))
		return true;
	fd = path_open(root, path, O_PATH | O_CLOEXEC);
	return fd >= 0 || (fd != -ENOENT && fd != -ENOTDIR);
}

static bool is_in_path(const struct oci_spec *spec, int root, const char *name)
{
	const char *dir = PATH_DEFAULT;

	for (size_t i = 0; i < spec->process.env.n; i++)
		if (str_starts(spec->process.env.v[i], "PATH="))
			dir = spec->process.env.v[i] + 5;
	for (; *dir != '\0'; dir += strcspn(dir, ":"), dir += *dir == ':') {
		char path[PATH_MAX];

		if (snprintf(path, sizeof(path), "%.*s/%s", (int) strcspn(dir, ":"), dir, name) >= (int) sizeof(path) ||
		    may_exist(spec, root, path))
			return true;
	}
	return false;
}

int vm_bundle_find_program(const struct oci_spec *spec, int root, struct err *err)
{
	static const char prefix[] = "error during virtual machine init: exec";
	const char *name = spec->process_set ? spec->process.args.v[0] : "/";

	if (strchr(name, '/') == NULL)
		return is_in_path(spec, root, name)
			       ? 0
			       : err_msg(err, -ENOENT, "%s: \"%s\": executable file not found in $PATH", prefix, name);
	return may_exist(spec, root, name)
		       ? 0
		       : err_msg(err, -ENOENT, "%s: \"%s\": stat %s: no such file or directory", prefix, name, name);
}
