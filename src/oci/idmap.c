/* SPDX-License-Identifier: MIT */
/**
 * DOC: user namespaces for id-mapped mounts
 *
 * A child is cloned into a new user namespace, opens its own directory in procfs and its namespace
 * file (the descriptor table is shared) and exits.  While it is a zombie its map files can still be
 * written, by us, who have the privileges for any mapping.  Going through "self" works whatever PID
 * namespace the caller or the procfs is in.
 */
#include "oci/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/init.h"
#include "oci/mount_option.h"
#include "oci/spec.h"
#include "sys/mnt.h"
#include "sys/proc.h"

#define RANGES_MAX 340 /* lines of a map, user_namespaces(7) */

struct opened {
	int self, ns, error;
};

static int write_map(int self, const char *file, const struct oci_idmaps *maps, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r;

	for (size_t i = 0; i < maps->n; i++)
		str_printf(&text, "%u %u %u\n", maps->v[i].container, maps->v[i].host,
			   maps->v[i].size);
	if (text.failed)
		return err_set(err, -ENOMEM, "id mapping");
	r = file_write(self, file, text.p != NULL ? text.p : "");
	return r < 0 ? err_set(err, r, "write %s of an id-mapped mount", file) : 0;
}

static void open_own(int proc_fd, struct opened *o)
{
	o->self = openat(proc_fd, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	o->ns = openat(proc_fd, "self/ns/user", O_RDONLY | O_CLOEXEC);
	o->error = o->self < 0 || o->ns < 0 ? errno : 0;
}

/* @ret: in: what it is when the child fails */
static int clone_holder(int proc_fd, struct opened *ret, struct err *err)
{
	struct opened *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	siginfo_t info;
	pid_t pid;

	if (shared == MAP_FAILED)
		return err_set(err, -errno, "map memory");
	*shared = *ret;
	pid = proc_clone(CLONE_NEWUSER | CLONE_FILES, SIGCHLD, -EBADF, NULL);
	if (pid == 0) {
		open_own(proc_fd, shared);
		_exit(0);
	}
	while (pid > 0 && waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	*ret = *shared;
	(void) munmap(shared, sizeof(*shared));
	if (pid < 0)
		return err_set(err, pid, "clone a user namespace for an id-mapped mount");
	return pid;
}

int oci_idmap_userns(int proc_fd, const struct oci_idmaps *uids, const struct oci_idmaps *gids,
		     struct err *err)
{
	struct opened o = { -EBADF, -EBADF, ECHILD };
	pid_t pid = clone_holder(proc_fd, &o, err);
	int r;

	if (pid < 0)
		return pid;
	_cleanup_close_ int self = o.self;
	_cleanup_close_ int ns = o.ns;
	r = o.error != 0 ? err_set(err, -o.error, "open a user namespace for an id-mapped mount")
			 : 0;
	if (r == 0)
		r = write_map(self, "uid_map", uids, err);
	if (r == 0)
		r = write_map(self, "gid_map", gids, err);
	(void) proc_wait(pid);
	return r < 0 ? r : take_fd(ns);
}

/* "@": the second number is one of the container's user namespace */
static int to_host(const struct oci_idmaps *container, uint32_t id, uint32_t *ret)
{
	for (size_t i = 0; i < container->n; i++) {
		const struct oci_idmap *m = &container->v[i];

		if (id >= m->container && id - m->container < m->size) {
			*ret = m->host + (id - m->container);
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_u32(const char **p, char end, uint32_t *ret)
{
	unsigned long long v;
	char *stop;

	errno = 0;
	v = strtoull(*p, &stop, 10);
	if (stop == *p || **p < '0' || **p > '9' || errno != 0 || v > UINT32_MAX)
		return -EINVAL;
	if (end != '\0' && *stop != end)
		return -EINVAL;
	*ret = (uint32_t) v;
	*p = stop + (end != '\0');
	return 0;
}

/* "0-1-10#10-11-10", until ';' or the end */
static int parse_ranges(const char **p, const struct oci_idmaps *container, struct oci_idmaps *maps)
{
	for (;;) {
		struct oci_idmap m;
		bool relative = **p == '@';

		*p += relative;
		if (maps->n == RANGES_MAX || parse_u32(p, '-', &m.container) < 0 ||
		    parse_u32(p, '-', &m.host) < 0 || parse_u32(p, '\0', &m.size) < 0)
			return -EINVAL;
		if (relative && to_host(container, m.host, &m.host) < 0)
			return -EINVAL;
		maps->v[maps->n++] = m;
		if (**p != '#')
			return **p == ';' || **p == '\0' ? 0 : -EINVAL;
		(*p)++;
	}
}

static int parse_text(const struct oci_init *init, const char *text, struct oci_idmaps *uids,
		      struct oci_idmaps *gids, struct err *err)
{
	const char *p = text;
	int r = 0;

	while (*p != '\0' && r == 0) {
		if (str_starts(p, "uids=")) {
			p += strlen("uids=");
			r = parse_ranges(&p, &init->spec->linux.uid_mappings, uids);
		} else if (str_starts(p, "gids=")) {
			p += strlen("gids=");
			r = parse_ranges(&p, &init->spec->linux.gid_mappings, gids);
		} else {
			r = -EINVAL;
		}
		p += *p == ';';
	}
	if (r < 0 || uids->n == 0 || gids->n == 0)
		return err_msg(err, -EINVAL,
			       "mount option \"idmap=%s\": want uids=FROM-TO-SIZE[#...];"
			       "gids=FROM-TO-SIZE[#...]",
			       text);
	return 0;
}

int oci_idmap_for_mount(const struct oci_init *init, const struct oci_mount *m,
			const struct oci_mount_opts *o, struct err *err)
{
	struct oci_idmap uid_v[RANGES_MAX], gid_v[RANGES_MAX];
	struct oci_idmaps uids = { uid_v, 0 }, gids = { gid_v, 0 };
	int r;

	if (o->idmap_text != NULL) {
		r = parse_text(init, o->idmap_text, &uids, &gids, err);
		return r < 0 ? r : oci_idmap_userns(init->proc_fd, &uids, &gids, err);
	}
	if (m->uid_mappings.n > 0)
		return oci_idmap_userns(init->proc_fd, &m->uid_mappings, &m->gid_mappings, err);
	if (init->spec->linux.uid_mappings.n == 0 || init->spec->linux.gid_mappings.n == 0)
		return err_msg(err, -EINVAL,
			       "id-mapped mounts must have both uid and gid mappings specified");
	return oci_idmap_userns(init->proc_fd, &init->spec->linux.uid_mappings,
				&init->spec->linux.gid_mappings, err);
}

int oci_idmap_apply(int mnt, bool recursive, int userns_fd, struct err *err)
{
	int r = mnt_idmap(mnt, recursive, userns_fd);

	if (r == -EINVAL)
		return err_set(err, r, "id-map the mount (does its file system support that?)");
	return r < 0 ? err_set(err, r, "id-map the mount") : 0;
}
