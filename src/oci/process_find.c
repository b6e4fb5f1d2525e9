/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/process.h"
#include "oci/spec.h"

/* Engines match these texts of the errno, which are lower case, unlike strerror(). */
static const char *reason(int code)
{
	switch (code) {
	case -ENOENT:
		return "no such file or directory";
	case -EACCES:
		return "permission denied";
	case -ENOTDIR:
		return "not a directory";
	case -EISDIR:
		return "is a directory: permission denied"; /* engines look for the words of execve(2) */
	default:
		return strerror(-code);
	}
}

/*
 * The access check comes first: in a PATH most candidates are simply not there.
 * Return: 0 when @path is a file that the caller may execute; -errno.
 */
static int check(const char *path)
{
	struct stat st;

	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? -EISDIR : 0;
}

static int find_path(const char *name, char **ret, struct err *err)
{
	struct stat st;
	int r = check(name);

	if (r < 0 && r != -EISDIR && stat(name, &st) < 0) {
		r = -errno;
		return err_msg(err, r, "exec: \"%s\": stat %s: %s", name, name, reason(r));
	}
	if (r == -EACCES && S_ISDIR(st.st_mode))
		r = -EISDIR;
	if (r < 0)
		return err_msg(err, r, "exec: \"%s\": %s", name, reason(r));
	*ret = strdup(name);
	return *ret != NULL ? 0 : -ENOMEM;
}

static const char *path_of(const struct oci_process *process)
{
	const char *path = "";

	for (size_t i = 0; i < process->env.n; i++) /* the last one counts */
		if (str_starts(process->env.v[i], "PATH="))
			path = process->env.v[i] + strlen("PATH=");
	return path;
}

int oci_process_find(const struct oci_process *process, char **ret, struct err *err)
{
	const char *name = process->args.n > 0 ? process->args.v[0] : "", *p = path_of(process);
	size_t n;

	if (strchr(name, '/') != NULL)
		return find_path(name, ret, err);
	for (; *name != '\0' && *p != '\0'; p += n + (p[n] == ':')) {
		_cleanup_(str_fini) struct str file = { 0 };

		n = strcspn(p, ":");
		str_add(&file, p, n);
		if (n > 0)
			str_puts(&file, "/");
		str_puts(&file, name);
		if (file.failed)
			return -ENOMEM;
		if (check(file.p) < 0)
			continue;
		if (*file.p != '/')
			return err_msg(err, -EACCES, "exec: \"%s\": cannot run executable found "
						     "relative to current directory", name);
		*ret = str_steal(&file);
		return *ret != NULL ? 0 : -ENOMEM;
	}
	return err_msg(err, -ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}
