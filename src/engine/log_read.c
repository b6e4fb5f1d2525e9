/* SPDX-License-Identifier: MIT */
/**
 * DOC: reading a log
 *
 * The files are opened together, the one that is written first, because they are renamed towards higher
 * numbers: nothing is missed that way, and what is met twice is the same inode.  A follower that has read
 * its file to the end looks whether that is still the one that is written; if not, it reads the rest and
 * goes on with the file that is one younger, so it loses nothing unless it is slower than all
 * rotations.
 */
#include "engine/log_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/log.h"
#include "engine/log_entry.h"
#include "engine/log_internal.h"
#include "engine/log_lines.h"

#define TRIES 20 /* to look at the files while none is renamed */

struct reading {
	const struct eng_log_query *q;
	const struct eng_log_taker *taker;
	struct err *err;
	int dir;
	unsigned max_files;
	struct eng_log_lines lines; /* of the present file */
	ino_t inode; /* of it */
	struct eng_log_parser parser;
	bool done; /* all that follows is newer than asked for */
};

int eng_log_give(const struct eng_log_query *q, const struct eng_log_taker *taker,
		 const struct eng_log_entry *entry)
{
	if (q->until != 0 && entry->time > q->until)
		return 1;
	return entry->time < q->since ? 0 : taker->entry(taker->data, entry);
}

static const char *numbered(char name[16], unsigned n)
{
	(void) snprintf(name, 16, n == 0 ? "log" : "log.%u", n);
	return name;
}

static int open_log(struct reading *r, unsigned n, ino_t *ret_inode)
{
	char name[16];
	struct stat st;
	_cleanup_close_ int fd = openat(r->dir, numbered(name, n), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	*ret_inode = st.st_ino;
	return take_fd(fd);
}

/* Give what whole lines there are.  Return: 0; what the taker returned; -errno. */
static int give_lines(struct reading *r)
{
	struct eng_log_entry entry;
	const char *line;
	size_t n;
	int got = 0, given = 0;

	while (given == 0 && (got = eng_log_lines_next(&r->lines, &line, &n)) == 1)
		if (eng_log_entry_parse(&r->parser, line, n, &entry))
			given = eng_log_give(r->q, r->taker, &entry);
	r->done = given == 1;
	if (given != 0)
		return r->done ? 0 : given;
	return got < 0 ? err_set(r->err, got, "read the log") : 0;
}

static int use_file(struct reading *r, int fd, ino_t inode)
{
	eng_log_lines_fini(&r->lines);
	r->inode = inode;
	return eng_log_lines_init(&r->lines, fd) < 0 ? err_set(r->err, -ENOMEM, "read the log") : 0;
}

struct open_file {
	int fd;
	ino_t inode;
	off_t start;
};

/* Youngest first; the present file may be missing for a moment.  Return: number; -errno. */
static int open_all(struct reading *r, struct open_file *files)
{
	int n = 0;

	for (unsigned i = 0; i < r->max_files; i++) {
		ino_t inode;
		int fd = open_log(r, i, &inode);

		if (fd == -ENOENT || (fd >= 0 && n > 0 && files[n - 1].inode == inode)) {
			cleanup_closep(&fd);
			continue;
		}
		if (fd < 0)
			return err_set(r->err, fd, "open the log");
		files[n++] = (struct open_file) { .fd = fd, .inode = inode };
	}
	return n;
}

/* Find where reading begins.  Return: number of files to read; -errno. */
static int seek_tail(struct reading *r, struct open_file *files, int n)
{
	uint64_t left = r->q->tail;

	for (int i = 0; i < n && left != ENG_LOG_ALL; i++) {
		off_t at = eng_log_lines_tail(files[i].fd, &left);

		if (at < 0 || lseek(files[i].fd, at, SEEK_SET) < 0)
			return err_set(r->err, at < 0 ? (int) at : -errno, "read the log");
		if (left == 0)
			return i + 1;
	}
	return n;
}

/* Oldest first.  The youngest stays open for a follower. */
static int read_present(struct reading *r)
{
	struct open_file *files = calloc(r->max_files, sizeof(*files));
	int n = files != NULL ? open_all(r, files) : err_set(r->err, -ENOMEM, "read the log");
	int use = n < 0 ? n : seek_tail(r, files, n), result = use < 0 ? use : 0;

	for (int i = use - 1; i >= 0 && result == 0 && !r->done; i--) {
		result = use_file(r, take_fd(files[i].fd), files[i].inode);
		if (result == 0)
			result = give_lines(r);
	}
	for (int i = 0; i < n; i++)
		cleanup_closep(&files[i].fd);
	free(files);
	return result;
}

/* Inodes by number, 0 for none.  Return: where the present file is; @r->max_files when it is gone. */
static unsigned list(const struct reading *r, ino_t *inodes)
{
	unsigned at = r->max_files;
	char name[16];
	struct stat st;

	for (unsigned i = 0; i < r->max_files; i++) {
		inodes[i] = fstatat(r->dir, numbered(name, i), &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino
											      : 0;
		if (inodes[i] == r->inode && r->lines.fd >= 0)
			at = i;
	}
	return at;
}

static bool is_linked(const struct reading *r)
{
	struct stat st;

	return r->lines.fd >= 0 && fstat(r->lines.fd, &st) == 0 && st.st_nlink > 0;
}

/* Return: descriptor of the file one younger than the present one; -ENOENT there is none; -EAGAIN. */
static int open_next(struct reading *r, ino_t *inodes, ino_t *ret_inode)
{
	unsigned at = list(r, inodes);
	int fd;

	if (at == r->max_files && is_linked(r))
		return -EAGAIN; /* missed while it was renamed */
	while (at > 0 && inodes[at - 1] == 0)
		at--;
	if (at == 0)
		return -ENOENT;
	fd = open_log(r, at - 1, ret_inode);
	if (fd >= 0 && *ret_inode == inodes[at - 1])
		return fd;
	cleanup_closep(&fd);
	return -EAGAIN; /* renamed just now */
}

/* Go on with the next file if there is one.  Return: 1; 0; -errno. */
static int next_file(struct reading *r)
{
	ino_t *inodes = calloc(r->max_files, sizeof(*inodes)), inode = 0;
	int fd = -EAGAIN, result;

	if (inodes == NULL)
		return err_set(r->err, -ENOMEM, "read the log");
	for (int i = 0; i < TRIES && fd == -EAGAIN; i++)
		fd = open_next(r, inodes, &inode);
	free(inodes);
	if (fd < 0)
		return 0;
	/* what was written to the present one before it was renamed */
	result = r->lines.fd >= 0 ? give_lines(r) : 0;
	if (result != 0 || r->done) {
		(void) close(fd); /* read only */
		return result;
	}
	result = use_file(r, fd, inode);
	return result < 0 ? result : 1;
}

static int follow(struct reading *r, struct eng_log_watch *w)
{
	bool ended;
	int result;

	do {
		ended = w->ended || (r->q->until != 0 && time_now_ns() > r->q->until);
		do {
			result = r->lines.fd >= 0 ? give_lines(r) : 0;
			if (result == 0 && !r->done)
				result = next_file(r);
		} while (result == 1 && !r->done);
		if (result >= 0)
			result = r->taker->idle(r->taker->data);
		if (result == 0 && !ended && !r->done)
			result = eng_log_watch_wait(w, -EBADF, r->q->until, r->err);
	} while (result == 0 && !ended && !r->done);
	return result;
}

static int read_files(struct engine *e, const struct eng_instance *i, unsigned max_files,
		      const struct eng_log_query *q, const struct eng_log_taker *taker,
		      struct err *err)
{
	struct eng_log_watch watch = { .fd = -EBADF };
	struct reading r = {
		.q = q,
		.taker = taker,
		.err = err,
		.max_files = max_files,
		.lines = { .fd = -EBADF },
	};
	_cleanup_close_ int dir = eng_instance_dir(e, i, err);
	int result = dir < 0 ? dir : q->follow ? eng_log_watch_init(&watch, e, i, err) : 0;

	r.dir = dir;
	if (result == 0)
		result = read_present(&r);
	if (result == 0)
		result = q->follow && !r.done ? follow(&r, &watch) : taker->idle(taker->data);
	eng_log_watch_fini(&watch);
	eng_log_lines_fini(&r.lines);
	eng_log_parser_fini(&r.parser);
	return result;
}

int eng_log_read(struct engine *e, const struct eng_instance *i, const struct eng_log_query *q,
		 const struct eng_log_taker *taker, struct err *err)
{
	struct eng_config config;
	struct eng_log log = { 0 };
	int r = eng_instance_config(e, i, &config, err);

	if (r < 0)
		return r;
	r = eng_log_parse(config.log_driver, &config.log_opts, &log, err);
	eng_config_fini(&config);
	if (r < 0)
		return r;
	switch (log.driver) {
	case ENG_LOG_FILES:
		return read_files(e, i, log.max_files, q, taker, err);
	case ENG_LOG_JOURNAL:
		return eng_log_read_journal(e, i, q, taker, err);
	case ENG_LOG_NONE:
		break;
	}
	return err_msg(err, -EOPNOTSUPP,
		       "instance '%s' keeps no log: it was made with --log-driver none", i->name);
}
