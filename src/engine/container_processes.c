/* SPDX-License-Identifier: MIT */
/**
 * DOC: processes of a container
 *
 * Its cgroup tells them.  Where the host gave it none, as to most users that are not root, those are taken that
 * are in the same process namespace as its first one; such as made namespaces of their own are missing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/container.h"
#include "oci/cgroup.h"
#include "oci/container.h"
#include "oci/usage.h"

#define STAT_MAX 4096 /* bytes */
#define NS_PER_S 1000000000u

/* Return: number of the process namespace; 0 when it cannot be told. */
static ino_t namespace_of(const char *pid)
{
	char path[300];
	struct stat st;

	(void) snprintf(path, sizeof(path), "/proc/%s/ns/pid", pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static int compare(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Return: number of them, ascending; -ENOENT its namespace is ours; -errno. */
static ssize_t find(pid_t first, pid_t **ret)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	_cleanup_free_ pid_t *pids = NULL;
	size_t n = 0, room = 0;
	struct dirent *d;
	char name[16];
	ino_t inside;

	(void) snprintf(name, sizeof(name), "%d", (int) first);
	inside = namespace_of(name);
	if (dir == NULL || inside == 0 || inside == namespace_of("self"))
		return dir == NULL ? -errno : -ENOENT;
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9' || namespace_of(d->d_name) != inside)
			continue;
		if (n == room) {
			pid_t *more = reallocarray(pids, room + 64, sizeof(*pids));

			if (more == NULL)
				return -ENOMEM;
			pids = more;
			room += 64;
		}
		pids[n++] = (pid_t) strtol(d->d_name, NULL, 10);
	}
	if (n > 0)
		qsort(pids, n, sizeof(*pids), compare);
	*ret = take_ptr(pids);
	return (ssize_t) n;
}

ssize_t container_pids(struct engine *e, const char *id, pid_t **ret, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	struct err why = { 0 };
	int r = container_open(e, id, &c, err);
	ssize_t n;

	if (r == 0)
		r = oci_container_cgroup(c, err);
	if (r < 0)
		return r;
	n = c->cgroup != NULL ? oci_cgroup_pids(c->cgroup, ret, &why) : -ENOENT;
	if (n == -ENOENT)
		n = find(c->state.pid, ret);
	if (n == -ENOENT)
		return err_msg(err, -EOPNOTSUPP,
			       "the container has neither a cgroup nor a process namespace that tells its processes");
	return n < 0 ? err_set(err, (int) n, "find the processes of the container") : n;
}

/* Processor time, threads and memory that is in use.  Spec: proc(5). */
static void add(pid_t pid, struct oci_usage *u)
{
	_cleanup_(str_fini) struct str text = { 0 };
	unsigned long long user, system, threads, pages;
	char path[32];
	const char *p;

	(void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
	if (file_read(AT_FDCWD, path, STAT_MAX, &text) < 0 || text.p == NULL)
		return; /* it has ended */
	p = strrchr(text.p, ')'); /* the name before it may hold anything */
	if (p == NULL ||
	    sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %llu %*d %*u %*u %llu",
		   &user, &system, &threads, &pages) != 4)
		return;
	u->cpu_ns += (user + system) * (NS_PER_S / (unsigned long) sysconf(_SC_CLK_TCK));
	u->memory += pages * (unsigned long) sysconf(_SC_PAGESIZE);
	u->pids += threads;
}

void container_processes_usage(pid_t first, struct oci_usage *ret)
{
	_cleanup_free_ pid_t *pids = NULL;
	ssize_t n = find(first, &pids);

	for (ssize_t i = 0; i < n; i++)
		add(pids[i], ret);
}
