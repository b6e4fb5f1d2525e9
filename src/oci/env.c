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

	_cleanup_close_ int fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	return fd_read_str(fd, PASSWD_MAX, ret);
}

int oci_env_home(struct oci_process *p, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	const char *home = NULL, *old = oci_env_get(p, "HOME");
	char *line, *save;

	if (old != NULL && *old != '\0')
		return 0;
	if (read_passwd(&text) == 0) {
		save = text.p;
		while (home == NULL && (line = strsep(&save, "\n")) != NULL)
			home = home_of(line, p->uid);
	}
	return oci_env_add(p, "HOME", home != NULL ? home : "/", err);
}
