/* SPDX-License-Identifier: MIT */
/**
 * DOC: finding the cgroup hierarchies
 *
 * /proc/self/cgroup names the hierarchies, but only the mount table says where they are.  Nearly
 * every host has v2 at /sys/fs/cgroup, or v1 at /sys/fs/cgroup/<controllers> and v2 at
 * /sys/fs/cgroup/unified, so these places are checked first: the right file system type and inode 1
 * (kernfs numbers the root of a hierarchy 1, so a bind mount of a sub-tree has another number).
 * Anything else, a container without cgroup namespace for instance, takes the mount table.
 */
#include "sys/cg_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "sys/mnt.h"

#define FIELDS_MAX 64

bool cg_hier_has(const char *controllers, const char *controller)
{
	size_t n = strlen(controller);

	for (const char *p = controllers; *p != '\0';) {
		size_t len = strcspn(p, ",");

		if (len == n && memcmp(p, controller, n) == 0)
			return true;
		p += len;
		p += *p == ',';
	}
	return false;
}

const char *cg_hier_own(const struct cg_hier *h)
{
	const char *own = h->own;
	size_t n = strlen(h->root);

	if (str_starts(own, "/..")) /* outside of the cgroup namespace: its root is all there is */
		return "";
	if (n > 1) {
		if (strncmp(own, h->root, n) != 0 || (own[n] != '\0' && own[n] != '/'))
			return "";
		own += n;
	}
	return str_eq(own, "/") ? "" : own;
}

void cg_layout_fini(struct cg_layout *l)
{
	arena_fini(&l->arena);
	*l = (struct cg_layout){ 0 };
}

/*
 * Take every line "id:controllers:path" of /proc/self/cgroup into @ret, mount points still NULL.
 */
static int take_cgroup_lines(const char *text, struct cg_layout *ret)
{
	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		const char *next = line + len + (line[len] == '\n');
		const char *c = memchr(line, ':', len);
		const char *p = c != NULL ? memchr(c + 1, ':', len - (size_t) (c + 1 - line)) : NULL;
		struct cg_hier h = { 0 };

		if (p == NULL || p[1] != '/') {
			line = next;
			continue;
		}
		h.controllers = arena_strndup(&ret->arena, c + 1, (size_t) (p - c - 1));
		h.own = arena_strndup(&ret->arena, p + 1, len - (size_t) (p + 1 - line));
		h.root = "/";
		if (h.controllers == NULL || h.own == NULL)
			return -ENOMEM;
		if (*h.controllers == '\0')
			ret->v2 = h;
		else if (ret->nr_v1 < CG_V1_MAX)
			ret->v1[ret->nr_v1++] = h;
		line = next;
	}
	return 0;
}

/* Forget hierarchies without mount point.  Return: 0; -ENOENT nothing is left. */
static int drop_unmounted(struct cg_layout *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->nr_v1; i++)
		if (l->v1[i].mount != NULL)
			l->v1[n++] = l->v1[i];
	l->nr_v1 = str_eq(l->v2.mount, CG_TOP) ? 0 : n;
	return l->nr_v1 == 0 && l->v2.mount == NULL ? -ENOENT : 0;
}

static bool is_root_of(const char *path, long magic)
{
	struct statfs fs;
	struct stat st;

	return statfs(path, &fs) == 0 && fs.f_type == magic && stat(path, &st) == 0 && st.st_ino == 1;
}

/* Look at the usual places.  Return: true when all hierarchies were found there. */
static bool find_usual(struct cg_layout *l)
{
	if (is_root_of(CG_TOP, CGROUP2_SUPER_MAGIC)) {
		l->v2.mount = CG_TOP;
		l->v2.controllers = "";
		l->v2.root = "/";
		if (l->v2.own == NULL)
			l->v2.own = "/";
		return true;
	}
	for (size_t i = 0; i < l->nr_v1; i++) {
		const char *name = l->v1[i].controllers;

		if (str_starts(name, "name="))
			name += strlen("name=");
		l->v1[i].mount = arena_printf(&l->arena, CG_TOP "/%s", name);
		if (l->v1[i].mount == NULL || !is_root_of(l->v1[i].mount, CGROUP_SUPER_MAGIC))
			return false;
	}
	if (l->nr_v1 == 0 || l->v2.own == NULL)
		return l->nr_v1 != 0;
	if (!is_root_of(CG_TOP "/unified", CGROUP2_SUPER_MAGIC))
		return false;
	l->v2.mount = CG_TOP "/unified";
	return true;
}

/* The mount shows the caller's cgroup. */
static bool shows_own(const struct cg_hier *h, const char *root)
{
	size_t n = strlen(root);

	return n <= 1 || (strncmp(h->own, root, n) == 0 && (h->own[n] == '\0' || h->own[n] == '/'));
}

/* Use mount point @mount of the sub-tree @root for @h unless a better one is known. */
static void take_mount(struct cg_hier *h, const char *root, const char *mount)
{
	if (h->mount != NULL && (shows_own(h, h->root) || !shows_own(h, root)))
		return;
	h->mount = mount;
	h->root = root;
}

/* One line of mountinfo: "36 35 98:0 /root /mount opts optional... - type source superopts". */
static void take_mount_line(char *line, struct cg_layout *ret)
{
	char *f[FIELDS_MAX], *save = NULL, *p;
	size_t n = 0, dash = 0;

	for (p = strtok_r(line, " ", &save); p != NULL && n < FIELDS_MAX; p = strtok_r(NULL, " ", &save)) {
		if (dash == 0 && n > 5 && str_eq(p, "-"))
			dash = n;
		f[n++] = p;
	}
	if (dash == 0 || n < dash + 4)
		return;
	mnt_unescape(f[3]);
	mnt_unescape(f[4]);
	if (str_eq(f[dash + 1], "cgroup2")) {
		if (ret->v2.own != NULL)
			take_mount(&ret->v2, f[3], f[4]);
		return;
	}
	for (size_t i = 0; i < ret->nr_v1; i++) {
		const char *c = ret->v1[i].controllers;
		char first[64];
		int len = (int) strcspn(c, ",");

		if (snprintf(first, sizeof(first), "%.*s", len, c) < (int) sizeof(first) &&
		    cg_hier_has(f[dash + 3], first))
			take_mount(&ret->v1[i], f[3], f[4]);
	}
}

static int parse_mounts(const char *mountinfo, struct cg_layout *ret)
{
	for (const char *line = mountinfo; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (memmem(line, len, " - cgroup", strlen(" - cgroup")) != NULL) {
			char *copy = arena_strndup(&ret->arena, line, len);

			if (copy == NULL)
				return -ENOMEM;
			take_mount_line(copy, ret);
		}
		line += len;
		line += *line == '\n';
	}
	return drop_unmounted(ret);
}

int cg_layout_parse(const char *mountinfo, const char *cgroup, struct cg_layout *ret)
{
	int r = take_cgroup_lines(cgroup, ret);

	if (r == 0)
		r = parse_mounts(mountinfo, ret);
	if (r < 0)
		cg_layout_fini(ret);
	return r;
}

int cg_layout_read(struct cg_layout *ret)
{
	_cleanup_(str_fini) struct str own = { 0 }, mounts = { 0 };
	int r = file_read(AT_FDCWD, "/proc/self/cgroup", CG_TEXT_MAX, &own);

	if (r < 0)
		return r;
	r = take_cgroup_lines(own.p, ret);
	if (r == 0 && find_usual(ret)) {
		r = drop_unmounted(ret);
	} else if (r == 0) {
		cg_layout_fini(ret);
		r = file_read(AT_FDCWD, "/proc/self/mountinfo", MNT_INFO_MAX, &mounts);
		if (r == 0)
			return cg_layout_parse(mounts.p, own.p, ret);
	}
	if (r < 0)
		cg_layout_fini(ret);
	return r;
}
