/* SPDX-License-Identifier: MIT */
#include "oci/notify.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/spec.h"

#define VARIABLE "NOTIFY_SOCKET="

/* The last of the mounts, so that nothing of the configuration hides it */
static int add_mount(struct oci_spec *spec, const char *socket)
{
	static const char *const options[] = { "bind", "nosuid", "nodev", "noexec" };
	struct arena *a = &spec->arena;
	struct oci_mount *mounts = arena_alloc(a, spec->nr_mounts + 1, sizeof(*mounts));
	struct oci_mount *m = mounts != NULL ? &mounts[spec->nr_mounts] : NULL;

	if (m == NULL)
		return -ENOMEM;
	if (spec->nr_mounts > 0)
		memcpy(mounts, spec->mounts, spec->nr_mounts * sizeof(*mounts));
	m->destination = arena_strdup(a, OCI_NOTIFY_PATH);
	m->type = arena_strdup(a, "bind");
	m->source = arena_strdup(a, socket);
	m->options.v = arena_alloc(a, ARRAY_LEN(options) + 1, sizeof(*m->options.v));
	if (m->destination == NULL || m->type == NULL || m->source == NULL || m->options.v == NULL)
		return -ENOMEM;
	for (; m->options.n < ARRAY_LEN(options); m->options.n++)
		m->options.v[m->options.n] = (char *) options[m->options.n];
	spec->mounts = mounts;
	spec->nr_mounts++;
	return 0;
}

static int set_variable(struct oci_spec *spec)
{
	struct oci_strv *env = &spec->process.env;
	char **v = arena_alloc(&spec->arena, env->n + 2, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < env->n; i++)
		if (!str_starts(env->v[i], VARIABLE))
			v[n++] = env->v[i];
	v[n] = arena_strdup(&spec->arena, VARIABLE OCI_NOTIFY_PATH);
	if (v[n++] == NULL)
		return -ENOMEM;
	*env = (struct oci_strv) { .v = v, .n = n };
	return 0;
}

int oci_notify_pass(struct oci_spec *spec, const char *socket, struct err *err)
{
	struct stat st;
	int r;

	if (socket == NULL || socket[0] != '/' || !spec->process_set)
		return 0;
	if (stat(socket, &st) < 0 || !S_ISSOCK(st.st_mode))
		return err_msg(err, -EINVAL, "NOTIFY_SOCKET '%s' is not a socket", socket);
	r = add_mount(spec, socket);
	if (r == 0)
		r = set_variable(spec);
	return r < 0 ? err_set(err, r, "pass NOTIFY_SOCKET on") : 0;
}
