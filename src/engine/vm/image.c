/* SPDX-License-Identifier: MIT */
/**
 * DOC: images as memory of guests
 *
 * Made below tmp/ of the store and renamed, so it is whole when it is there, and whoever is killed leaves what the next
 * maker removes.  The first machine of an image starts without it: to make it takes as long as to copy the image.
 */
#include "engine/vm/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/overlay.h"
#include "engine/spec.h"
#include "image/erofs.h"
#include "image/store.h"
#include "sys/proc.h"

#define IMAGE_MAX (64ull << 30) /* bytes; a quarter of what a machine has addresses for */
#define MEMORY_FACTOR 4 /* the guest's kernel takes a 64th of what it is shown: a sixteenth of its memory at most */

/* Of the layer that is on top */
static int open_layer(struct engine *e, const char *chain)
{
	const char *top = strrchr(chain, ' ');
	int fd = openat(img_store_layers_fd(e->images), top != NULL ? top + 1 : chain, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vm_image_open(struct engine *e, const char *chain, uint64_t memory)
{
	_cleanup_close_ int dir = open_layer(e, chain);
	_cleanup_close_ int fd = dir >= 0 ? openat(dir, IMG_EROFS_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -ENOENT;
	struct stat st;

	if (dir < 0 || fd < 0 || fstat(fd, &st) < 0)
		return dir < 0 ? dir : -errno;
	return st.st_size == 0 || (uint64_t) st.st_size > memory * MEMORY_FACTOR ? -EFBIG : take_fd(fd);
}

bool vm_image_is_for(const struct engine *e, const struct eng_config *config)
{
	return !e->rootless && eng_spec_needs_layer(config);
}

static int write_image(struct engine *e, const struct img_work *work, const char *chain)
{
	_cleanup_close_ int root = eng_overlay_open(e, work->dir, chain, false, false, -EBADF, NULL);
	_cleanup_close_ int fd = root >= 0 ? openat(work->dir, IMG_EROFS_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -EBADF;
	int r = root < 0 ? root : fd < 0 ? -errno : img_erofs_write(root, fd, IMAGE_MAX, NULL);

	if (r == -EFBIG || r == -E2BIG) /* nor will it be the next time */
		r = ftruncate(fd, 0) < 0 ? -errno : 0;
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	return r;
}

/* With the lock of the layer's directory, so that one makes it. */
static int make(struct engine *e, const char *chain)
{
	_cleanup_close_ int layer = open_layer(e, chain);
	struct img_work work;
	int r = layer;

	if (r >= 0)
		r = flock(layer, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	if (r == 0)
		r = faccessat(layer, IMG_EROFS_NAME, F_OK, 0) == 0 ? -EEXIST : img_work_begin(e->images, &work, NULL);
	if (r < 0)
		return r;
	r = write_image(e, &work, chain);
	if (r == 0 && renameat(work.dir, IMG_EROFS_NAME, layer, IMG_EROFS_NAME) < 0)
		r = -errno;
	img_work_end(&work);
	return r;
}

/* No terminal, no pipe, no lock of somebody else's, no control group of an instance's. */
static void let_go(struct engine *e)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int keep[] = { img_store_root_fd(e->images), img_store_layers_fd(e->images) };

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void) dup2(null, fd); /* as well as it goes: nothing is printed */
	(void) proc_close_except(3, keep, ARRAY_LEN(keep)); /* else they stay open a little longer */
	(void) setpriority(PRIO_PROCESS, 0, 19); /* nobody waits for it */
}

void vm_image_make_later(struct engine *e, const char *chain)
{
	_cleanup_close_ int layer = open_layer(e, chain);
	pid_t pid;

	if (layer < 0 || faccessat(layer, IMG_EROFS_NAME, F_OK, 0) == 0)
		return;
	pid = fork();
	if (pid == 0) {
		let_go(e);
		if (setsid() >= 0 && fork() == 0)
			(void) make(e, chain); /* else the next one tries */
		_exit(0);
	}
	if (pid > 0)
		(void) waitpid(pid, NULL, 0); /* it ends at once; our locks are our own again */
}
