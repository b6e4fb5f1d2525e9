/* SPDX-License-Identifier: MIT */
/**
 * DOC: files of an instance from outside
 *
 * Of one that runs they are reached through /proc/PID/root.  One that does not run is locked, as if it
 * were started, and its overlay is mounted where nobody sees it: two mounts of one writable layer would
 * damage it.  For the same reason one that puts its files together itself is only looked at.
 */
#include "engine/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/internal.h"
#include "engine/overlay.h"
#include "engine/rootfs_parts.h"
#include "engine/spec.h"
#include "engine/stop.h"
#include "engine/userns.h"

#define STEP_MS 5
#define WAIT_MS 10000

void eng_rootfs_fini(struct eng_rootfs *fs)
{
	if (fs->attached)
		eng_rootfs_detach(fs->root);
	cleanup_closep(&fs->root);
	cleanup_closep(&fs->upper);
	cleanup_closep(&fs->lower);
	if (fs->lock >= 0)
		eng_run_remove(fs->e, fs->id);
	cleanup_closep(&fs->lock);
	*fs = (struct eng_rootfs) ENG_ROOTFS_NONE;
}

/* Return: descriptor; -ESRCH it does not run; -errno. */
static int open_running(struct engine *e, const struct eng_instance *i)
{
	int pid = eng_pid(e, i);
	char path[64];

	if (pid <= 0)
		return pid < 0 ? pid : -ESRCH;
	(void) snprintf(path, sizeof(path), "/proc/%d/root", pid);
	_cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return eng_pid(e, i) == pid ? take_fd(fd) : -ESRCH; /* else it may be of another process */
}

enum how { LOWER, WHOLE, VIEW };

/* eng_overlay_open() changes the working directory; this does not. */
static int mount_overlay(struct engine *e, int dir, const struct eng_config *c, enum how how,
			 struct err *err)
{
	_cleanup_close_ int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int userns = c->userns_size != 0 ? eng_userns_open(c, err) : -EBADF;
	bool layer = how != LOWER && eng_spec_needs_layer(c);
	int fd = c->userns_size != 0 && userns < 0 ? userns
		 : how == VIEW			   ? eng_overlay_view(e, dir, c->chain, layer, err)
						   : eng_overlay_open(e, dir, c->chain, layer, false, userns, err);

	if (cwd >= 0)
		(void) fchdir(cwd); /* it is where we were */
	return fd;
}

static int mount_all(struct engine *e, const struct eng_config *c, int dir, unsigned flags, enum how how,
		     struct eng_rootfs *fs, struct err *err)
{
	fs->root = mount_overlay(e, dir, c, how, err);
	if (fs->root < 0)
		return fs->root;
	fs->attached = (flags & ENG_ROOTFS_MOUNTS) != 0;
	return fs->attached ? eng_rootfs_attach(e, c, fs->root, err) : 0;
}

static int open_stopped(struct engine *e, const struct eng_config *c, int dir, unsigned flags,
			struct eng_rootfs *fs, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct eng_instance now;
	int r;

	fs->lock = eng_lock_try(e, fs->id, true);
	if (fs->lock < 0)
		return err_set(err, fs->lock, "lock the instance, which is starting or stopping");
	r = eng_instance_find(e, fs->id, &arena, &now, err); /* it may have been removed before */
	if (r < 0)
		return r;
	return mount_all(e, c, dir, flags, WHOLE, fs, err);
}

static bool has_own_files(struct engine *e, const struct eng_instance *i)
{
	const struct eng_backend *b = eng_backend_find(i->isolation);

	return b != NULL && b->own_files != NULL && b->own_files(e, i->id);
}

/* As it runs or as it is; waits while it begins or ends, or somebody else has its files. */
static int open_root(struct engine *e, const struct eng_config *c, int dir, unsigned flags, struct eng_rootfs *fs,
		     struct err *err)
{
	int r = 0;

	for (int ms = 0; ms == 0 || (fs->lock == -EBUSY && ms < WAIT_MS); ms += STEP_MS) {
		_cleanup_(arena_fini) struct arena arena = { 0 };
		struct eng_instance now;

		if (ms > 0)
			(void) poll(NULL, 0, STEP_MS);
		r = eng_instance_find(e, fs->id, &arena, &now, err);
		if (r < 0)
			return r;
		fs->root = now.state == ENG_STATE_RUNNING ? open_running(e, &now) : -ESRCH;
		fs->running = fs->root >= 0;
		fs->own = fs->running && has_own_files(e, &now);
		fs->lock = -EBADF;
		if (fs->root < 0 && fs->root != -ESRCH)
			return err_set(err, fs->root, "open the root directory of instance '%s'", now.name);
		if (fs->own)
			cleanup_closep(&fs->root);
		r = fs->own	  ? mount_all(e, c, dir, flags, VIEW, fs, err)
		    : fs->running ? 0
				  : open_stopped(e, c, dir, flags, fs, err);
	}
	return r;
}

int eng_rootfs_open(struct engine *e, const struct eng_instance *i, const struct eng_config *config,
		    unsigned flags, struct eng_rootfs *ret, struct err *err)
{
	_cleanup_(eng_rootfs_fini) struct eng_rootfs fs = ENG_ROOTFS_NONE;
	_cleanup_close_ int dir = eng_instance_dir(e, i, err);
	int r;

	if (dir < 0)
		return dir;
	fs.e = e;
	(void) snprintf(fs.id, sizeof(fs.id), "%s", i->id); /* 64 digits */
	eng_overlay_adopt(dir);
	r = open_root(e, config, dir, flags, &fs, err);
	if (r == 0 && (flags & ENG_ROOTFS_LOWER)) {
		fs.lower = mount_overlay(e, dir, config, LOWER, err);
		r = fs.lower < 0 ? fs.lower : 0;
	}
	if (r < 0)
		return r;
	fs.upper = openat(dir, ENG_OVERLAY_UPPER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret = fs;
	fs = (struct eng_rootfs) ENG_ROOTFS_NONE;
	return 0;
}

int eng_rootfs_path(const struct eng_rootfs *fs, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t) flags | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd = (int) syscall(SYS_openat2, fs->root, *path != '\0' ? path : "/", &how,
			       sizeof(how));

	return fd < 0 ? -errno : fd;
}
