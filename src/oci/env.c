/* SPDX-License-Identifier: MIT */
#include "oci/env.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/spec.h"
#include "sys/path.h"

#define PASSWD_MAX ((size_t) 1 << 20) /* bytes of an image's /etc/passwd that are looked at */

const char *oci_env_get(const struct oci_process *p, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < p->env.n; i++)
		if (strncmp(p->env.v[i], name, n) == 0 && p->env.v[i][n] == '=')
			return p->env.v[i] + n + 1;
	return NULL;
}

int oci_env_add(struct oci_process *p, const char *name, const char *value, struct err *err)
{
	_cleanup_free_ char **env = calloc(p->env.n + 2, sizeof(*env));

	if (env == NULL)
		return err_set(err, -ENOMEM, "set %s", name);
	if (p->env.n != 0)
		memcpy(env, p->env.v, p->env.n * sizeof(*env));
	if (asprintf(&env[p->env.n], "%s=%s", name, value) < 0)
		return err_set(err, -ENOMEM, "set %s", name);
	p->env.v = take_ptr(env);
	p->env.n++;
	return 0;
}

/* "name:x:uid:gid:gecos:home:shell" */
static const char *home_of(char *line, uint32_t uid)
{
	char *field[6], *save = line;
	uint64_t n;

	for (size_t i = 0; i < ARRAY_LEN(field); i++) {
		field[i] = strsep(&save, ":");
		if (field[i] == NULL)
			return NULL;
	}
	if (str_to_u64(field[2], &n) < 0 || n != uid || field[5][0] != '/')
		return NULL;
	return field[5];
}

static int read_passwd(struct str *ret)
{
	struct stat st;

	_cleanup_close_ int fd = path_open_own("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	return fd_read_str(fd, PASSWD_MAX, ret);
}

static char *make_home(uint32_t uid)
{
	_cleanup_(str_fini) struct str text = { 0 };
	const char *home = NULL;
	char *line, *save, *ret = NULL;

	if (read_passwd(&text) == 0) {
		save = text.p;
		while (home == NULL && (line = strsep(&save, "\n")) != NULL)
			home = home_of(line, uid);
	}
	return asprintf(&ret, "HOME=%s", home != NULL ? home : "/") < 0 ? NULL : ret;
}

/* Where the variable of @entry already stands among the first @n, else @n. */
static size_t find_same(char *const *env, size_t n, const char *entry)
{
	size_t len = strcspn(entry, "="), i;

	for (i = 0; i < n; i++)
		if (strncmp(env[i], entry, len) == 0 && (env[i][len] == '=' || env[i][len] == '\0'))
			break;
	return i;
}

int oci_env_finish(struct oci_process *p, struct err *err)
{
	char **env = calloc(p->env.n + 2, sizeof(*env));
	size_t n = 0, home;

	if (env == NULL)
		return err_set(err, -ENOMEM, "prepare the environment");
	for (size_t i = 0; i < p->env.n; i++) {
		size_t at = find_same(env, n, p->env.v[i]);

		env[at] = p->env.v[i];
		n += at == n;
	}
	home = find_same(env, n, "HOME=");
	if (home == n || strcmp(env[home], "HOME=") == 0) {
		env[home] = make_home(p->uid);
		n += home == n;
		if (env[home] == NULL) {
			free(env);
			return err_set(err, -ENOMEM, "set HOME");
		}
	}
	p->env = (struct oci_strv){ .v = env, .n = n };
	return 0;
}
