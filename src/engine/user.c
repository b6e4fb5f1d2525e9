/* SPDX-License-Identifier: MIT */
#include "engine/user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "image/config.h"
#include "sys/path.h"

#define FILE_SIZE_MAX (4u << 20) /* bytes of /etc/passwd or /etc/group */
#define FIELDS_MAX 7

/* A file that is missing or no file counts as empty. */
static int read_table(int rootfs, const char *path, struct str *ret, struct err *err)
{
	_cleanup_close_ int fd = path_open(rootfs, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	int r = fd < 0 ? fd : fd_read_str(fd, FILE_SIZE_MAX, ret);

	if (r == -ENOENT || r == -ENOTDIR || r == -EISDIR || r == -ELOOP)
		r = 0;
	return r < 0 ? err_set(err, r, "read %s of the image", path) : 0;
}

/* Next line of "a:b:c"; fields that are missing are "".  Return: false at the end. */
static bool next_row(char **text, char *fields[FIELDS_MAX])
{
	char *line = *text, *end;

	if (line == NULL || *line == '\0')
		return false;
	end = line + strcspn(line, "\n");
	*text = *end != '\0' ? end + 1 : end;
	*end = '\0';
	for (size_t i = 0; i < FIELDS_MAX; i++) {
		fields[i] = line;
		line += strcspn(line, ":");
		if (*line == ':')
			*line++ = '\0';
	}
	return true;
}

static bool to_id(const char *text, uint32_t *ret)
{
	uint64_t v;

	if (str_to_u64(text, &v) < 0 || v >= UINT32_MAX)
		return false;
	*ret = (uint32_t) v;
	return true;
}

static bool lists(const char *members, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = members; *p != '\0'; p += strcspn(p, ","), p += *p == ',')
		if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

static int find_passwd(int rootfs, const char *user, struct eng_user *u, char name[256],
		       struct err *err)
{
	_cleanup_(str_fini) struct str table = { 0 };
	char *fields[FIELDS_MAX], *p;
	bool number = to_id(user, &u->uid);
	uint32_t uid, gid;
	int r = read_table(rootfs, "etc/passwd", &table, err);

	if (r < 0)
		return r;
	p = table.p;
	while (next_row(&p, fields))
		if (to_id(fields[2], &uid) && to_id(fields[3], &gid) &&
		    (strcmp(fields[0], user) == 0 || (number && uid == u->uid))) {
			u->uid = uid;
			u->gid = gid;
			(void) snprintf(name, 256, "%s",
					fields[0]); /* one over that is in no group */
			return 0;
		}
	return number ? 0
		      : err_msg(err, -ENOENT,
				"unable to find user %s: no matching entries in passwd file", user);
}

/* @group NULL: all groups that list @name; else the one of that name or number. */
static int find_groups(int rootfs, const char *group, const char *name, struct eng_user *u,
		       struct err *err)
{
	_cleanup_(str_fini) struct str table = { 0 };
	char *fields[FIELDS_MAX], *p;
	uint32_t gid;
	int r;

	if (group != NULL && to_id(group, &u->gid))
		return 0;
	r = read_table(rootfs, "etc/group", &table, err);
	if (r < 0)
		return r;
	p = table.p;
	while (next_row(&p, fields)) {
		if (!to_id(fields[2], &gid))
			continue;
		if (group != NULL && strcmp(fields[0], group) == 0) {
			u->gid = gid;
			return 0;
		}
		if (group == NULL && *name != '\0' && gid != u->gid && lists(fields[3], name) &&
		    u->nr_groups < ENG_GROUPS_MAX)
			u->groups[u->nr_groups++] = gid;
	}
	return group == NULL ? 0
			     : err_msg(err, -ENOENT,
				       "unable to find group %s: no matching entries in group file",
				       group);
}

int eng_user_find(int rootfs, const char *text, struct eng_user *ret, struct err *err)
{
	char user[256], name[256] = "", *group;
	int r;

	ret->uid = ret->gid = 0;
	ret->nr_groups = 0;
	if (snprintf(user, sizeof(user), "%s", text != NULL && *text != '\0' ? text : "0") >=
	    (int) sizeof(user))
		return err_msg(err, -EINVAL, "user '%.40s...' is over %zu bytes", text,
			       sizeof(user) - 1);
	group = strchr(user, ':');
	if (group != NULL)
		*group++ = '\0';
	if (group != NULL && *group == '\0')
		group = NULL;
	if ((user[0] >= '0' && user[0] <= '9' && strspn(user, "0123456789") == strlen(user) &&
	     !to_id(user, &ret->uid)) ||
	    (group != NULL && strspn(group, "0123456789") == strlen(group) &&
	     !to_id(group, &ret->gid)))
		return err_msg(err, -EINVAL, "user '%s': ids must be from 0 to %u", text,
			       UINT32_MAX - 1);
	r = find_passwd(rootfs, user[0] != '\0' ? user : "0", ret, name, err);
	if (r == 0)
		r = find_groups(rootfs, group, name, ret, err);
	if (r == 0 && ret->nr_groups < ENG_GROUPS_MAX) {
		memmove(ret->groups + 1, ret->groups, ret->nr_groups * sizeof(ret->groups[0]));
		ret->groups[0] = ret->gid;
		ret->nr_groups++;
	}
	return r;
}

static int add_group(struct eng_user *u, uint32_t gid, struct err *err)
{
	for (size_t i = 0; i < u->nr_groups; i++)
		if (u->groups[i] == gid)
			return 0;
	if (u->nr_groups == ENG_GROUPS_MAX)
		return err_msg(err, -E2BIG, "--group-add: over %d groups", ENG_GROUPS_MAX);
	u->groups[u->nr_groups++] = gid;
	return 0;
}

static int keep_groups(struct eng_user *u, struct err *err)
{
	gid_t own[ENG_GROUPS_MAX];
	int n = getgroups(ENG_GROUPS_MAX, own), r = 0;

	if (n < 0)
		return err_set(err, -errno, "--group-add keep-groups");
	for (int i = 0; r == 0 && i < n; i++)
		r = add_group(u, own[i], err);
	return r;
}

int eng_user_add_groups(int rootfs, const struct img_words *groups, struct eng_user *user,
			struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < groups->n; i++) {
		struct eng_user one = { 0 };

		if (strcmp(groups->v[i], "keep-groups") == 0) {
			r = groups->n > 1 ? err_msg(err, -EINVAL,
						    "--group-add keep-groups excludes other groups")
					  : keep_groups(user, err);
			continue;
		}
		r = find_groups(rootfs, groups->v[i], NULL, &one, err);
		if (r == 0)
			r = add_group(user, one.gid, err);
	}
	return r;
}
