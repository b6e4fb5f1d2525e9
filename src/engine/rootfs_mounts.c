/* SPDX-License-Identifier: MIT */
/**
 * DOC: volumes of an instance that does not run
 *
 * In a mount namespace of its own (eng_rootfs_unshare()) the process covers "/" with the root file system,
 * which changes nothing for itself, since its root directory lies below, and attaches in it what the
 * instance would have mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/rootfs.h"
#include "engine/rootfs_parts.h"
#include "engine/volume.h"
#include "sys/mnt.h"
#include "sys/path.h"

/* Shortest destination first: what is mounted in what is mounted comes later. */
static int compare(const void *a, const void *b)
{
	const struct eng_mount *const *x = a, *const *y = b;
	size_t n = strlen((*x)->destination), m = strlen((*y)->destination);

	return n < m ? -1 : n > m;
}

/* Return: what to bind; NULL for what has no files while the instance does not run, or no memory. */
static const char *source_of(struct engine *e, const struct eng_mount *m, struct arena *a)
{
	struct eng_volume_source v;

	if (m->kind == ENG_MOUNT_BIND)
		return m->source;
	if (m->kind != ENG_MOUNT_VOLUME || eng_volume_source(e, m->source, a, &v, NULL) < 0)
		return NULL;
	if (v.type != NULL && strcmp(v.type, "tmpfs") != 0)
		log_warning("volume '%s' is mounted only while the instance runs", m->source);
	return v.type == NULL ? v.path : NULL;
}

static int attach(struct engine *e, const struct eng_mount *m, int root, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	const char *source = source_of(e, m, &a);
	struct stat st;
	int r;

	if (source == NULL)
		return 0;
	_cleanup_close_ int tree = mnt_clone(AT_FDCWD, source,
					     m->recursive_off ? 0 : AT_RECURSIVE);
	if (tree == -ENOENT)
		return 0; /* a start would complain; who copies may not need it */
	if (tree < 0 || fstat(tree, &st) < 0)
		return err_set(err, tree < 0 ? tree : -errno, "open '%s'", source);
	_cleanup_close_ int at = path_make(root, m->destination,
					   S_ISDIR(st.st_mode) ? S_IFDIR : S_IFREG);
	r = at < 0 ? at : 0;
	if (r == 0 && m->read_only)
		r = mnt_attr(tree, !m->recursive_off && !m->writable_below, MOUNT_ATTR_RDONLY, 0, 0);
	if (r == 0)
		r = mnt_move(tree, at);
	return r < 0 ? err_set(err, r, "mount '%s' at '%s'", source, m->destination) : 0;
}

static int attach_all(struct engine *e, const struct eng_config *c, int root, struct err *err)
{
	_cleanup_free_ const struct eng_mount **list = calloc(c->nr_mounts + 1, sizeof(*list));
	int r = list != NULL ? 0 : err_set(err, -ENOMEM, "mount the volumes");

	for (size_t i = 0; r == 0 && i < c->nr_mounts; i++)
		list[i] = &c->mounts[i];
	if (r == 0)
		qsort(list, c->nr_mounts, sizeof(*list), compare);
	for (size_t i = 0; r == 0 && i < c->nr_mounts; i++)
		r = attach(e, list[i], root, err);
	return r;
}

int eng_rootfs_unshare(struct err *err)
{
	if (geteuid() != 0)
		return 0; /* eng_open() makes one, in the user's namespace */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(err, -errno, "make a mount namespace");
	return 0;
}

int eng_rootfs_attach(struct engine *e, const struct eng_config *c, int root, struct err *err)
{
	int r = eng_volumes_fill(e, c, root, err);

	if (r < 0)
		return r;
	_cleanup_close_ int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = top < 0 ? -errno : mnt_move(root, top);
	if (r == 0)
		r = attach_all(e, c, root, err);
	if (r == 0 && c->read_only)
		r = mnt_attr(root, false, MOUNT_ATTR_RDONLY, 0, 0);
	return r < 0 && (err == NULL || err->code == 0)
		       ? err_set(err, r, "mount the root file system where nobody sees it")
		       : r;
}

void eng_rootfs_detach(int root)
{
	char path[64];

	(void) snprintf(path, sizeof(path), "/proc/self/fd/%d", root);
	(void) umount2(path, MNT_DETACH); /* else it goes with the process */
}
