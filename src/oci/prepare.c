/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/child.h"
#include "oci/container.h"
#include "oci/env.h"
#include "oci/seccomp.h"
#include "sys/msg.h"
#include "sys/path.h"

#define SECCOMP_CACHE ".seccomp" /* below the runtime's root */
#define PRESERVE_FDS_MAX 4096

void oci_child_init(struct oci_child *child, const struct oci_container *c)
{
	*child = (struct oci_child){
		.init = { .id = c->id, .proc_fd = -EBADF, .rootfs_fd = -EBADF },
		.sync = -EBADF,
		.listen = -EBADF,
		.console = -EBADF,
		.seccomp_agent = -EBADF,
		.target_pidfd = -EBADF,
		.keep_fds = 3,
	};
	child->init.spec = c->spec;
	child->init.process = &child->process;
	for (int ns = 0; ns < OCI_NS_N_; ns++)
		child->ns_fds[ns] = -EBADF;
}

static int open_proc(struct err *err)
{
	_cleanup_close_ int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(err, -errno, "open /proc");
	r = path_verify_fs(fd, PROC_SUPER_MAGIC);
	return r < 0 ? err_set(err, r, "/proc of the host is not procfs") : take_fd(fd);
}

static int prepare_console(struct oci_child *child, const char *socket, int *ret, struct err *err)
{
	int pair[2], r;

	if (!child->process.terminal) {
		if (socket != NULL)
			return err_msg(err, -EINVAL, "cannot use console socket if runc will not detach or "
						     "allocate tty");
		return 0;
	}
	if (socket != NULL) {
		r = msg_connect(socket);
		if (r < 0)
			return err_set(err, r, "connect to the console socket '%s'", socket);
		child->console = r;
		return 0;
	}
	r = msg_pair(pair);
	if (r < 0)
		return err_set(err, r, "create a socket pair");
	*ret = pair[0];
	child->console = pair[1];
	return 0;
}

/* By default a name that only a newer kernel knows is skipped, as profiles are written for all. */
static bool wants_known_names(const struct oci_spec *spec)
{
	const char *value = oci_spec_annotation(spec, "run.oci.seccomp_fail_unknown_syscall");

	return value != NULL && strcmp(value, "0") != 0;
}

static int prepare_seccomp(struct oci_child *child, const struct oci_container *c, struct err *err)
{
	const struct oci_seccomp *seccomp = child->init.spec->linux.seccomp;
	_cleanup_close_ int cache = -EBADF;
	int r;

	if (seccomp == NULL)
		return 0;
	if (wants_known_names(child->init.spec)) {
		r = oci_seccomp_check_names(seccomp, err);
		if (r < 0)
			return r;
	}
	_cleanup_close_ int root = open(c->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		cache = openat(root, SECCOMP_CACHE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (cache < 0 && root >= 0 && mkdirat(root, SECCOMP_CACHE, 0700) == 0)
		cache = openat(root, SECCOMP_CACHE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = oci_seccomp_compile(seccomp, cache, &child->filter, err);
	if (r < 0 || (child->filter.flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0)
		return r;
	child->seccomp_agent = oci_seccomp_connect(seccomp, err);
	return child->seccomp_agent < 0 ? child->seccomp_agent : 0;
}

/* A variable that was meant for an ancestor tells nothing about our descriptors. */
static bool listen_fds_are_ours(void)
{
	const char *pid = getenv("LISTEN_PID");
	uint64_t n;

	return pid == NULL || (str_to_u64(pid, &n) == 0 && n == (uint64_t) getpid());
}

/* sd_listen_fds(3): the descriptors go on to the container, whose first process is pid 1 */
static int prepare_fds(struct oci_child *child, unsigned preserve, struct err *err)
{
	const char *listen_fds = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
	uint64_t n = 0;
	int r = 0;

	if (listen_fds != NULL && listen_fds_are_ours() && str_to_u64(listen_fds, &n) == 0 && n <= PRESERVE_FDS_MAX) {
		preserve += (unsigned) n;
		r = oci_env_add(&child->process, "LISTEN_FDS", listen_fds, err);
		if (r == 0)
			r = oci_env_add(&child->process, "LISTEN_PID", "1", err);
		if (r == 0 && names != NULL)
			r = oci_env_add(&child->process, "LISTEN_FDNAMES", names, err);
	}
	if (preserve > PRESERVE_FDS_MAX)
		return err_msg(err, -EINVAL, "--preserve-fds %u is over the limit %d", preserve,
			       PRESERVE_FDS_MAX);
	for (unsigned i = 0; r == 0 && i < preserve; i++)
		if (fcntl((int) (3 + i), F_GETFD) != 0) /* closed, or one of our own: those are CLOEXEC */
			return err_msg(err, -EBADF, "unable to preserve fd %u: it is not open", 3 + i);
	child->keep_fds = 3 + preserve;
	return r;
}

int oci_child_prepare(struct oci_child *child, const struct oci_container *c,
		      const char *console_socket, unsigned preserve_fds, int *ret_console, struct err *err)
{
	int r = prepare_fds(child, preserve_fds, err);

	if (r < 0)
		return r;
	child->init.proc_fd = open_proc(err);
	if (child->init.proc_fd < 0)
		return child->init.proc_fd;
	r = prepare_console(child, console_socket, ret_console, err);
	return r == 0 ? prepare_seccomp(child, c, err) : r;
}

void oci_child_fini(struct oci_child *child)
{
	int fds[] = { child->sync, child->listen, child->console, child->seccomp_agent,
		      child->target_pidfd, child->init.proc_fd, child->init.rootfs_fd };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			(void) close(fds[i]);
	for (int ns = 0; ns < OCI_NS_N_; ns++)
		if (child->ns_fds[ns] >= 0)
			(void) close(child->ns_fds[ns]);
	for (size_t i = 0; i < child->nr_task_fds; i++)
		(void) close(child->task_fds[i]);
	oci_filter_fini(&child->filter);
}
