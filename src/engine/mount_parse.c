/* SPDX-License-Identifier: MIT */
/**
 * DOC: -v and --tmpfs; --mount is in mount_long.c
 */
#include "engine/mount_parse.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/instance.h"
#include "engine/name.h"
#include "engine/volume.h"
#include "sys/path.h"

#define TMPFS_DEFAULTS "noexec,nosuid,nodev"

static int nomem(struct err *err)
{
	return err_set(err, -ENOMEM, "read the mounts");
}

int eng_mount_propagation(const char *text, size_t n, const char **ret)
{
	static const char *const names[] = { "private", "rprivate", "shared",
					     "rshared", "slave",    "rslave" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i]) == n && strncmp(names[i], text, n) == 0) {
			*ret = names[i];
			return 0;
		}
	return -EINVAL;
}

int eng_mount_destination(struct arena *a, const char *option, const char *path, const char **ret,
			  struct err *err)
{
	char clean[PATH_MAX];

	if (path[0] != '/')
		return err_msg(err, -EINVAL,
			       "%s: invalid mount destination '%.200s': must be an absolute path",
			       option, path);
	if (strlen(path) >= sizeof(clean) || path_clean(path, clean, sizeof(clean)) < 0)
		return err_msg(err, -EINVAL, "%s: the destination is over %d bytes", option,
			       PATH_MAX - 1);
	if (strcmp(clean, "/") == 0)
		return err_msg(err, -EINVAL, "%s: invalid destination '%s': it can't be '/'",
			       option, path);
	*ret = arena_strdup(a, clean);
	return *ret != NULL ? 0 : nomem(err);
}

int eng_mount_random(struct arena *a, struct eng_mount *ret, struct err *err)
{
	char id[ENG_ID_LEN + 1];
	int r = eng_id_random(id, err);

	if (r < 0)
		return r;
	ret->kind = ENG_MOUNT_VOLUME;
	ret->anonymous = true;
	ret->source = arena_strdup(a, id);
	return ret->source != NULL ? 0 : nomem(err);
}

static bool is_one_of(const char *option, size_t n, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strlen(*names) == n && strncmp(option, *names, n) == 0)
			return true;
	return false;
}

/* One of ":ro,z,..."; what is for other systems is accepted. */
static int mount_option(struct arena *a, const char *option, size_t n, struct eng_mount *m)
{
	static const char *const ignored[] = { "rw",	     "z",      "Z",	    "rbind",
					       "consistent", "cached", "delegated", NULL };
	static const char *const flags[] = { "exec",   "noexec", "suid", "nosuid",
					     "dev",    "nodev",	 NULL };
	bool volume = m->kind == ENG_MOUNT_VOLUME;

	if (n == 2 && strncmp(option, "ro", 2) == 0)
		m->read_only = true;
	else if (n == 4 && strncmp(option, "bind", 4) == 0 && !volume)
		m->recursive_off = true;
	else if (n == 6 && strncmp(option, "nocopy", 6) == 0 && volume)
		m->no_copy = true;
	else if (is_one_of(option, n, flags)) {
		m->options = m->options == NULL
				     ? arena_strndup(a, option, n)
				     : arena_printf(a, "%s,%.*s", m->options, (int) n, option);
		return m->options != NULL ? 0 : -ENOMEM;
	} else if (eng_mount_propagation(option, n, &m->propagation) < 0)
		return is_one_of(option, n, ignored) ? 0 : -EINVAL;
	else
		return volume ? -EINVAL : 0;
	return 0;
}

/* "./x" and "." as in a shell */
static int host_path(struct arena *a, const char *source, const char *all, const char **ret,
		     struct err *err)
{
	char cwd[PATH_MAX], clean[PATH_MAX];
	const char *path = source;

	if (source[0] != '/') {
		if (getcwd(cwd, sizeof(cwd)) == NULL)
			return err_set(err, -errno, "find the working directory");
		path = arena_printf(a, "%s/%s", cwd, source);
		if (path == NULL)
			return nomem(err);
	}
	if (path_clean(path, clean, sizeof(clean)) < 0)
		return err_set(err, -ENAMETOOLONG, "-v '%.200s'", all);
	*ret = arena_strdup(a, clean);
	return *ret != NULL ? 0 : nomem(err);
}

static int set_source(struct arena *a, const char *source, const char *all, struct eng_mount *m,
		      struct err *err)
{
	if (source[0] == '/' || source[0] == '.') {
		m->kind = ENG_MOUNT_BIND;
		return host_path(a, source, all, &m->source, err);
	}
	m->kind = ENG_MOUNT_VOLUME;
	m->source = source;
	return eng_volume_name_check(source, err);
}

int eng_mount_parse(struct arena *a, const char *text, struct eng_mount *ret, struct err *err)
{
	struct eng_mount m = { 0 };
	char *source, *destination, *options = NULL;
	bool rw = false;
	int r;

	if (strlen(text) > ENG_MOUNT_TEXT_MAX)
		return err_msg(err, -E2BIG, "-v '%.40s...': over %d bytes", text,
			       ENG_MOUNT_TEXT_MAX);
	source = arena_strdup(a, text);
	if (source == NULL)
		return nomem(err);
	destination = strchr(source, ':');
	if (destination != NULL) {
		*destination++ = '\0';
		options = strchr(destination, ':');
		if (options != NULL)
			*options++ = '\0';
	}
	if (destination != NULL && (*source == '\0' || *destination == '\0'))
		return err_msg(err, -EINVAL,
			       "-v '%s': empty section between colons; expected [SOURCE:]TARGET[:OPTIONS]",
			       text);
	r = destination == NULL ? eng_mount_random(a, &m, err)
				: set_source(a, source, text, &m, err);
	if (r == 0)
		r = eng_mount_destination(a, "-v", destination != NULL ? destination : source,
					  &m.destination, err);
	for (const char *p = options; r == 0 && p != NULL && *p != '\0';) {
		size_t n = strcspn(p, ",");

		r = mount_option(a, p, n, &m);
		if (r == -ENOMEM)
			return nomem(err);
		if (r < 0)
			return err_msg(err, -EINVAL, "-v '%s': unknown option '%.*s'", text,
				       (int) n, p);
		rw = rw || (n == 2 && strncmp(p, "rw", n) == 0);
		p += n + (p[n] == ',');
	}
	if (r == 0 && rw && m.read_only)
		return err_msg(err, -EINVAL, "-v '%s': ro and rw exclude each other", text);
	if (r == 0)
		*ret = m;
	return r;
}

static bool tmpfs_option_known(const char *option, size_t n)
{
	static const char *const words[] = {
		"defaults",  "ro",          "rw",        "suid",       "nosuid",     "dev",
		"nodev",     "exec",        "noexec",    "sync",       "async",      "dirsync",
		"atime",     "noatime",     "diratime",  "nodiratime", "relatime",   "norelatime",
		"strictatime", "nostrictatime", "private", "rprivate", "slave",      "rslave",
		"shared",    "rshared",     "unbindable", "runbindable", "nosymfollow",
	};
	static const char *const prefixes[] = { "mode=",      "uid=",  "gid=", "size=", "nr_inodes=",
						"nr_blocks=", "mpol=", "huge=" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i]) == n && strncmp(words[i], option, n) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (n > strlen(prefixes[i]) && str_starts(option, prefixes[i]))
			return true;
	return false;
}

int eng_mount_parse_tmpfs(struct arena *a, const char *text, struct eng_mount *ret, struct err *err)
{
	struct eng_mount m = { .kind = ENG_MOUNT_TMPFS };
	const char *options = strchr(text, ':');
	char *path = arena_strndup(a, text, strcspn(text, ":"));
	int r;

	if (strlen(text) > ENG_MOUNT_TEXT_MAX)
		return err_msg(err, -E2BIG, "--tmpfs '%.40s...': over %d bytes", text,
			       ENG_MOUNT_TEXT_MAX);
	if (path == NULL)
		return nomem(err);
	for (const char *p = options; p != NULL && *p != '\0';) {
		size_t n = strcspn(++p, ",");

		if (!tmpfs_option_known(p, n))
			return err_msg(err, -EINVAL, "--tmpfs '%s': invalid tmpfs option '%.*s'",
				       text, (int) n, p);
		p += n;
	}
	r = eng_mount_destination(a, "--tmpfs", path, &m.destination, err);
	if (r < 0)
		return r;
	m.options = options != NULL && options[1] != '\0'
			    ? arena_printf(a, TMPFS_DEFAULTS ",%s", options + 1)
			    : TMPFS_DEFAULTS;
	if (m.options == NULL)
		return nomem(err);
	*ret = m;
	return 0;
}
