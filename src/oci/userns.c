/* SPDX-License-Identifier: MIT */
#include "oci/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "sys/proc.h"

#define HELPER_ARGS_MAX (3 * 340 + 3) /* the kernel takes 340 lines */

static int write_map(pid_t pid, const char *file, const struct oci_idmaps *maps)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[64];

	for (size_t i = 0; i < maps->n; i++)
		str_printf(&text, "%u %u %u\n", maps->v[i].container, maps->v[i].host, maps->v[i].size);
	if (text.failed)
		return -ENOMEM;
	(void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, file);
	return file_write(AT_FDCWD, path, text.p);
}

/* newuidmap PID CONTAINER HOST SIZE ... */
static int run_helper(const char *program, pid_t pid, const struct oci_idmaps *maps, struct err *err)
{
	_cleanup_free_ char(*numbers)[12] = calloc(HELPER_ARGS_MAX, sizeof(*numbers));
	_cleanup_free_ char **argv = calloc(HELPER_ARGS_MAX, sizeof(*argv));
	size_t n = 0;
	pid_t child;
	int status;

	if (numbers == NULL || argv == NULL)
		return err_set(err, -ENOMEM, "run %s", program);
	if (maps->n * 3 + 3 > HELPER_ARGS_MAX)
		return err_msg(err, -E2BIG, "run %s: %zu mappings, the limit is 340", program, maps->n);
	argv[n++] = (char *) program;
	(void) snprintf(numbers[n], sizeof(*numbers), "%d", (int) pid);
	n++;
	for (size_t i = 0; i < maps->n; i++) {
		const uint32_t v[] = { maps->v[i].container, maps->v[i].host, maps->v[i].size };

		for (size_t k = 0; k < ARRAY_LEN(v); k++, n++)
			(void) snprintf(numbers[n], sizeof(*numbers), "%u", v[k]);
	}
	for (size_t i = 1; i < n; i++)
		argv[i] = numbers[i];

	child = proc_clone(0, SIGCHLD, -EBADF, NULL);
	if (child < 0)
		return err_set(err, (int) child, "fork");
	if (child == 0) {
		(void) execvp(program, argv);
		_exit(127);
	}
	status = proc_wait(child);
	if (status < 0)
		return err_set(err, status, "wait for %s", program);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_msg(err, -ENOENT, "cannot run %s: install the package uidmap", program);
	if (status != 0)
		return err_msg(err, -EPERM, "%s refused the mapping: check /etc/subuid and /etc/subgid", program);
	return 0;
}

static bool maps_only_self(const struct oci_idmaps *maps, uint32_t id)
{
	return maps->n == 1 && maps->v[0].size == 1 && maps->v[0].host == id;
}

int oci_userns_map(pid_t pid, const struct oci_idmaps *uids, const struct oci_idmaps *gids,
		   struct err *err)
{
	bool self = maps_only_self(uids, geteuid()) && maps_only_self(gids, getegid());
	char path[64];
	int r;

	if (self && geteuid() != 0) { /* user_namespaces(7): else an unprivileged gid_map is refused */
		(void) snprintf(path, sizeof(path), "/proc/%d/setgroups", (int) pid);
		r = file_write(AT_FDCWD, path, "deny");
		if (r < 0 && r != -ENOENT)
			return err_set(err, r, "write %s", path);
	}
	r = write_map(pid, "uid_map", uids);
	if (r == -EPERM && !self)
		r = run_helper("newuidmap", pid, uids, err);
	else if (r < 0)
		err_set(err, r, "write uid_map of the container");
	if (r < 0)
		return r;
	r = write_map(pid, "gid_map", gids);
	if (r == -EPERM && !self)
		return run_helper("newgidmap", pid, gids, err);
	return r < 0 ? err_set(err, r, "write gid_map of the container") : 0;
}
