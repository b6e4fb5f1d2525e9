/* SPDX-License-Identifier: MIT */
#include "image/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/internal.h"
#include "image/restore.h"
#include "image/store.h"

#define DIRECTORY "unsettled"

static int read_boot(struct str *ret, struct err *err)
{
	int r = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, ret);

	return r < 0 ? err_set(err, r, "read the id of this boot") : 0;
}

static void note_path(const struct img_settle *note, char ret[40])
{
	(void) snprintf(ret, 40, DIRECTORY "/%s", note->name); /* 16 digits */
}

int img_settle_note(struct img_store *store, const struct img_work *work,
		    const struct img_new_layer *layers, size_t n, const char *const *ids,
		    size_t nr_ids, struct img_settle *ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	struct img_settle note = { .fd = -EBADF };
	char path[40];
	int r = read_boot(&text, err);

	for (size_t i = 0; i < nr_ids; i++)
		str_printf(&text, "image %s\n", ids[i]);
	for (size_t i = 0; i < n; i++)
		str_printf(&text, "layer %s %s %s\n", layers[i].chain, layers[i].diff_id,
			   layers[i].blob);
	if (r == 0 && text.failed)
		r = err_set(err, -ENOMEM, "write a note of the image");
	if (r < 0)
		return r;
	memcpy(note.name, work->name, sizeof(note.name));
	note_path(&note, path);
	if (mkdirat(store->root, DIRECTORY, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "create directory '" DIRECTORY "' of the store");
	_cleanup_close_ int fd = openat(store->root, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
					0600);
	if (fd < 0 && errno == ENOENT) /* the last one was just removed, and the directory with it */
		return img_settle_note(store, work, layers, n, ids, nr_ids, ret, err);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_set(err, -errno, "create '%s' of the store", path);
	r = fd_write_full(fd, text.p, text.len);
	if (r == 0 && (fsync(fd) < 0 || fsync(store->root) < 0))
		r = -errno;
	if (r < 0)
		return err_set(err, r, "write '%s' of the store", path);
	note.fd = take_fd(fd);
	*ret = note;
	return 0;
}

static void remove_note(int root, const struct img_settle *note)
{
	char path[40];

	note_path(note, path);
	if (unlinkat(root, path, 0) == 0)
		(void) unlinkat(root, DIRECTORY, AT_REMOVEDIR); /* others may be there */
}

/* Keep the store as 3 and the lock of the note as 4, and nothing else: no terminal, no pipe, no other lock. */
static void let_go(int root, int note)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void) dup2(null, fd); /* as well as it goes: nothing is printed */
	root = fcntl(root, F_DUPFD, 10); /* out of the way of what comes next */
	note = fcntl(note, F_DUPFD, 10);
	(void) dup2(root, 3);
	(void) dup2(note, 4);
	(void) close_range(5, ~0U, 0); /* else they stay open a little longer */
	(void) chdir("/");
}

/* The parent goes on when everything has been let go: its locks are its own again. */
void img_settle_later(struct img_store *store, struct img_settle *note)
{
	pid_t pid = note->fd >= 0 ? fork() : -1;

	if (pid == 0) {
		let_go(store->root, note->fd);
		if (setsid() >= 0 && fork() == 0 && syncfs(3) == 0)
			remove_note(3, note);
		_exit(0);
	}
	if (pid > 0)
		(void) waitpid(pid, NULL, 0); /* it ends at once; the note stays if it does not */
	cleanup_closep(&note->fd);
}

/* One note; who holds its lock sees to it. */
static int check_note(struct img_store *store, const char *name, const char *boot,
		      struct str *lost, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	struct img_settle note = { .fd = -EBADF };
	char path[40];
	int r;

	if (strlen(name) != sizeof(note.name) - 1)
		return 0; /* not ours */
	memcpy(note.name, name, sizeof(note.name));
	note_path(&note, path);
	_cleanup_close_ int fd = openat(store->root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0; /* somebody has seen to it, or does */
	r = fd_read_str(fd, IMG_NOTE_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read '%s' of the store", path);
	if (text.p != NULL && str_starts(text.p, boot)) {
		note.fd = take_fd(fd);
		img_settle_later(store, &note);
		return 0;
	}
	r = img_restore(store, text.p != NULL ? text.p : "", lost, err);
	if (r == 0)
		remove_note(store->root, &note);
	return r < 0 ? err_wrap(err, r, "restore what was not on disk when the machine stopped") : 0;
}

int img_settle_check(struct img_store *store, struct str *lost, struct err *err)
{
	_cleanup_(str_fini) struct str boot = { 0 };
	int fd = openat(store->root, DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	int r;

	if (d == NULL)
		return errno == ENOENT ? 0 : err_set(err, -errno, "read directory '" DIRECTORY "'");
	r = read_boot(&boot, err);
	while (r == 0 && (e = readdir(d)) != NULL)
		r = check_note(store, e->d_name, boot.p, lost, err);
	(void) unlinkat(store->root, DIRECTORY, AT_REMOVEDIR); /* its last user was killed before this */
	return r;
}
