/* SPDX-License-Identifier: MIT */
/**
 * DOC: extended attributes
 *
 * There are no calls for them that take an O_PATH descriptor.  The serving thread's working directory is
 * /proc/self/fd, where the name of a descriptor leads to its file and, if that is a link, not further.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "vmm/dev/share/share_parts.h"

#define MARK "trusted.overlay."
#define SET_SIZE FUSE_COMPAT_SETXATTR_IN_SIZE

/* Marks that overlays need; none of them names other files. */
static bool is_mark(const char *name)
{
	static const char *const marks[] = { "opaque", "origin", "impure", "nlink" };

	for (size_t i = 0; strncmp(name, MARK, strlen(MARK)) == 0 && i < ARRAY_LEN(marks); i++)
		if (strcmp(name + strlen(MARK), marks[i]) == 0)
			return true;
	return false;
}

/* Attributes that mean something to the host alone. */
static bool is_ours(const struct share_call *c, const char *name)
{
	return strncmp(name, "trusted.", 8) == 0 && !(share_is_layer(c->share) && is_mark(name));
}

static int find(const struct share_call *c, char self[16])
{
	const struct share_inode *n = share_self(c);

	if (n == NULL)
		return -ESTALE;
	(void) snprintf(self, 16, "%d", n->fd);
	return 0;
}

static const char *attr_name(const struct share_call *c, size_t *at)
{
	const char *name = share_text(c, at);

	return name != NULL && *name != '\0' && strlen(name) <= XATTR_NAME_MAX ? name : NULL;
}

/* An answer of @n bytes, or only how many it would have. */
static int64_t answer(struct share_call *c, uint32_t asked, ssize_t n)
{
	struct fuse_getxattr_out out = { 0 };

	if (n < 0)
		return -errno;
	if (asked != 0)
		return n;
	out.size = (uint32_t) n;
	memcpy(c->out, &out, sizeof(out));
	return sizeof(out);
}

static int64_t get(struct share_call *c)
{
	const struct fuse_getxattr_in *in = (const struct fuse_getxattr_in *) c->args;
	size_t at = sizeof(*in), room = in->size < c->room ? in->size : c->room;
	const char *name = attr_name(c, &at);
	char self[16];
	int r = find(c, self);

	if (r < 0 || name == NULL)
		return r < 0 ? r : -EINVAL;
	if (is_ours(c, name))
		return -ENODATA;
	return answer(c, in->size, getxattr(self, name, in->size != 0 ? c->out : NULL, in->size != 0 ? room : 0));
}
SHARE_OP(getxattr, FUSE_GETXATTR, sizeof(struct fuse_getxattr_in), 0, get);

static int64_t list(struct share_call *c)
{
	const struct fuse_getxattr_in *in = (const struct fuse_getxattr_in *) c->args;
	size_t room = in->size < c->room ? in->size : c->room;
	char self[16];
	int r = find(c, self);

	if (r < 0)
		return r;
	return answer(c, in->size, listxattr(self, in->size != 0 ? (char *) c->out : NULL, in->size != 0 ? room : 0));
}
SHARE_OP(listxattr, FUSE_LISTXATTR, sizeof(struct fuse_getxattr_in), 0, list);

static int64_t set(struct share_call *c)
{
	struct fuse_setxattr_in in = { 0 };
	size_t at = SET_SIZE;
	const char *name = attr_name(c, &at);
	char self[16];
	int r = find(c, self);

	memcpy(&in, c->args, SET_SIZE);
	if (r < 0 || name == NULL || in.size > c->args_len - at)
		return r < 0 ? r : -EINVAL;
	if (strcmp(name, SHARE_ENDS) == 0) {
		c->share->ends = true;
		return 0;
	}
	if (is_ours(c, name))
		return -EPERM;
	return setxattr(self, name, c->args + at, in.size, (int) in.flags) < 0 ? -errno : 0;
}
SHARE_OP(setxattr, FUSE_SETXATTR, SET_SIZE, SHARE_CHANGES, set);

static int64_t drop(struct share_call *c)
{
	size_t at = 0;
	const char *name = attr_name(c, &at);
	char self[16];
	int r = find(c, self);

	if (r < 0 || name == NULL)
		return r < 0 ? r : -EINVAL;
	if (is_ours(c, name))
		return -EPERM;
	return removexattr(self, name) < 0 ? -errno : 0;
}
SHARE_OP(removexattr, FUSE_REMOVEXATTR, 1, SHARE_CHANGES, drop);
