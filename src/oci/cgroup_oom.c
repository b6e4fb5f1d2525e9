/* SPDX-License-Identifier: MIT */
/**
 * DOC: hearing of the OOM killer
 *
 * v1: an eventfd is bound to memory.oom_control through cgroup.event_control; the kernel also signals
 * it when the cgroup is removed.
 * v2: inotify on memory.events, whose counters change, and on cgroup.events, which changes when the
 * last process is gone.  Either way the reader compares oci_cgroup_oom_kills() with before.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

static int oom_fd_v1(const struct cg_dir *d, struct err *err)
{
	char path[PATH_MAX], text[32];
	int r;

	(void) snprintf(path, sizeof(path), "%s/memory.oom_control", d->path);
	_cleanup_close_ int control = open(path, O_RDONLY | O_CLOEXEC);
	if (control < 0)
		return err_set(err, -errno, "open %s", path);
	_cleanup_close_ int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return err_set(err, -errno, "eventfd");
	(void) snprintf(text, sizeof(text), "%d %d", fd, control);
	r = cg_write(d->path, "cgroup.event_control", text);
	if (r < 0)
		return err_set(err, r, "write '%s' to %s/cgroup.event_control", text, d->path);
	return take_fd(fd);
}

static int oom_fd_v2(const struct cg_dir *d, struct err *err)
{
	static const char *const files[] = { "memory.events", "cgroup.events" };
	char path[PATH_MAX];

	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0)
		return err_set(err, -errno, "inotify_init1");
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		(void) snprintf(path, sizeof(path), "%s/%s", d->path, files[i]);
		if (inotify_add_watch(fd, path, IN_MODIFY) < 0)
			return err_set(err, -errno, "watch %s", path);
	}
	return take_fd(fd);
}

int oci_cgroup_oom_fd(const struct oci_cgroup *cg, struct err *err)
{
	const struct cg_dir *v1 = cg_v1(cg, "memory"), *v2 = cg_v2(cg);

	if (v1 != NULL)
		return oom_fd_v1(v1, err);
	if (v2 != NULL)
		return oom_fd_v2(v2, err);
	return err_msg(err, -ENOENT, "the container has no cgroup with a memory controller");
}

int64_t oci_cgroup_oom_kills(const struct oci_cgroup *cg)
{
	const struct cg_dir *v1 = cg_v1(cg, "memory"), *v2 = cg_v2(cg);
	uint64_t n = 0;
	int r;

	if (v1 != NULL)
		r = cg_read_key(v1->path, "memory.oom_control", "oom_kill", &n);
	else if (v2 != NULL)
		r = cg_read_key(v2->path, "memory.events", "oom_kill", &n);
	else
		r = -ENOENT;
	return r < 0 ? r : (int64_t) n;
}
