/* SPDX-License-Identifier: MIT */
/**
 * DOC: Debian packages with a kernel
 *
 * A package is an ar archive whose member data.tar, compressed, has the files: boot/vmlinuz-<release> and
 * lib/modules/<release>, or the same below usr/.
 * Spec: deb(5).
 */
#include "engine/kernel/package.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/kernel/kernel.h"
#include "engine/kernel/modules.h"
#include "image/stream.h"
#include "image/tar.h"

#define AR_MAGIC "!<arch>\n"
#define AR_MEMBERS_MAX 16
#define COPY_SIZE 65536 /* bytes */

struct ar_header { /* all texts, filled up with spaces */
	char name[16], time[12], uid[6], gid[6], mode[8], size[10], end[2];
};
_Static_assert(sizeof(struct ar_header) == 60, "as on disk");

bool kernel_package_matches(int fd)
{
	char magic[8];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) && memcmp(magic, AR_MAGIC, sizeof(magic)) == 0;
}

static bool ar_size(const struct ar_header *h, uint64_t *ret)
{
	char text[sizeof(h->size) + 1] = { 0 };

	memcpy(text, h->size, sizeof(h->size));
	text[strcspn(text, " ")] = '\0';
	return str_to_u64(text, ret) == 0;
}

static int find_data(int fd, const char *name, uint64_t *ret_at, uint64_t *ret_size, struct err *err)
{
	uint64_t at = strlen(AR_MAGIC), size;
	struct ar_header h;

	for (int i = 0; i < AR_MEMBERS_MAX; i++) {
		ssize_t n = pread(fd, &h, sizeof(h), (off_t) at);

		if (n < 0)
			return err_set(err, -errno, "read '%s'", name);
		if (n != sizeof(h) || memcmp(h.end, "`\n", 2) != 0 || !ar_size(&h, &size))
			break;
		at += sizeof(h);
		if (memcmp(h.name, "data.tar", 8) == 0) {
			*ret_at = at;
			*ret_size = size;
			return 0;
		}
		at += size + size % 2;
	}
	return err_msg(err, -EBADMSG, "'%s' is no Debian package: it has no data", name);
}

static int copy_content(struct img_tar *tar, int to, const char *path, struct err *err)
{
	char buf[COPY_SIZE];
	ssize_t n;

	while ((n = img_tar_read(tar, buf, sizeof(buf), NULL, err)) > 0) {
		int r = fd_write_full(to, buf, (size_t) n);

		if (r < 0)
			return err_set(err, r, "write '%s'", path);
	}
	return (int) n;
}

/* What follows "./usr/lib/modules/<release>/"; NULL for other paths */
static const char *below_modules(const char *path)
{
	const char *slash;

	if (!str_starts(path, "lib/modules/"))
		return NULL;
	slash = strchr(path + strlen("lib/modules/"), '/');
	return slash != NULL ? slash + 1 : NULL;
}

static int take(struct img_tar *tar, const struct img_tar_entry *e, int kernel, bool *found,
		struct kernel_modules *modules, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	const char *path = e->path, *below, *name;

	if (!S_ISREG(e->mode) || e->sparse)
		return 0;
	if (str_starts(path, "./"))
		path += 2;
	if (str_starts(path, "usr/"))
		path += 4;
	below = below_modules(path);
	if (below == NULL && !str_starts(path, "boot/vmlinuz-"))
		return 0;
	if (below == NULL) {
		if (*found)
			return err_msg(err, -ENOTUNIQ, "the package has more than one kernel");
		if (e->size > ENG_KERNEL_FILE_MAX)
			return err_msg(err, -EFBIG, "kernel '%.200s' has %llu bytes, limit %u", path,
				       (unsigned long long) e->size, ENG_KERNEL_FILE_MAX);
		*found = true;
		return copy_content(tar, kernel, path, err);
	}
	name = strrchr(below, '/');
	if (!kernel_modules_wants(name != NULL ? name + 1 : below))
		return 0;
	fd = kernel_modules_create(modules, below, e->size, err);
	return fd < 0 ? fd : copy_content(tar, fd, path, err);
}

int kernel_package_unpack(int fd, const char *name, int kernel, struct kernel_modules *modules, struct err *err)
{
	_cleanup_(img_stream_freep) struct img_stream *s = NULL;
	_cleanup_(img_tar_freep) struct img_tar *tar = NULL;
	struct img_tar_entry e;
	uint64_t at = 0, size = 0;
	bool found = false;
	int r = find_data(fd, name, &at, &size, err);

	if (r == 0)
		r = img_stream_open_range(fd, at, size, -EBADF, &s, err);
	if (r == 0) {
		img_stream_no_digests(s);
		r = img_tar_new(s, &tar, err);
	}
	while (r == 0 && (r = img_tar_next(tar, &e, err)) == 1)
		r = take(tar, &e, kernel, &found, modules, err);
	if (r < 0)
		return err_wrap(err, r, "package '%s'", name);
	return found ? 0
		     : err_msg(err, -ENOEXEC, "package '%s' has no kernel (boot/vmlinuz-...)", name);
}
