/* SPDX-License-Identifier: MIT */
/**
 * DOC: namespaces in a config.json
 *
 * A namespace of another instance is joined by the pid of its first process, so that one must run.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/spec_parts.h"
#include "engine/stop.h"

#define JOINED "container:"

/* What an unprivileged program inside may expect of a network of its own, as Docker has it */
static const char *const network_sysctls[] = {
	"net.ipv4.ip_unprivileged_port_start=0",
	"net.ipv4.ping_group_range=0 2147483647",
};

/*
 * Path of a namespace of instance @id.  Asks the run root, not the database: this is a forked process.
 * Return: 0; -errno with a message.
 */
static int join(struct spec *s, const char *id, const char *kind, const char **ret,
		struct err *err)
{
	struct eng_instance other = { .id = id };
	int pid = eng_pid(s->e, &other);

	if (pid < 0)
		return err_msg(err, -ESRCH,
			       "cannot join the %s namespace of instance %.12s: it is not running",
			       kind, id);
	*ret = arena_printf(&s->arena, "/proc/%d/ns/%s", pid, kind);
	return *ret != NULL ? 0 : err_set(err, -ENOMEM, "make the container's configuration");
}

/* One element of the list, none for the host's. */
static int add(struct spec *s, const char *type, const char *kind, const char *mode,
	       struct err *err)
{
	const char *path = NULL;
	int r = 0;

	if (mode != NULL && strcmp(mode, "host") == 0)
		return 0;
	if (mode != NULL && str_starts(mode, JOINED)) {
		r = join(s, mode + strlen(JOINED), kind, &path, err);
		if (r == 0 && strcmp(kind, "net") == 0)
			s->net_files = arena_printf(&s->arena, "%s/instances/%s", s->e->root,
						    mode + strlen(JOINED));
		if (r == 0 && s->net_files == NULL)
			r = err_set(err, -ENOMEM, "make the container's configuration");
	}
	if (r < 0)
		return r;
	str_printf(s->out, ",{\"type\":\"%s\"", type);
	if (path != NULL)
		str_printf(s->out, ",\"path\":\"%s\"", path);
	str_puts(s->out, "}");
	return 0;
}

static void add_sysctl(struct spec *s, const char *entry, bool *first)
{
	const char *value = strchr(entry, '=');
	char *key = arena_strndup(&s->arena, entry, strcspn(entry, "="));

	str_puts(s->out, *first ? "" : ",");
	str_json(s->out, key != NULL ? key : "");
	str_puts(s->out, ":");
	str_json(s->out, value != NULL ? value + 1 : "");
	s->out->failed = s->out->failed || key == NULL;
	*first = false;
}

static bool given(const struct img_words *list, const char *entry)
{
	size_t n = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < list->n; i++)
		if (strncmp(list->v[i], entry, n) == 0)
			return true;
	return false;
}

static void add_sysctls(struct spec *s)
{
	const char *network = s->c->network;
	bool own_net = network == NULL ||
		       (strcmp(network, "host") != 0 && !str_starts(network, JOINED));
	bool first = true;
	/* the second names groups that a user namespace may lack */
	size_t n = s->c->userns_size != 0 || s->e->rootless ? 1 : ARRAY_LEN(network_sysctls);

	str_puts(s->out, ",\"sysctl\":{");
	for (size_t i = 0; own_net && i < n; i++)
		if (!given(&s->c->sysctls, network_sysctls[i]))
			add_sysctl(s, network_sysctls[i], &first);
	for (size_t i = 0; i < s->c->sysctls.n; i++)
		add_sysctl(s, s->c->sysctls.v[i], &first);
	str_puts(s->out, "}");
}

int spec_add_namespaces(struct spec *s, struct err *err)
{
	const struct eng_config *c = s->c;
	const struct {
		const char *type, *kind, *mode;
	} rows[] = {
		{ "network", "net", c->network }, { "uts", "uts", c->uts },
		{ "pid", "pid", c->pid },         { "ipc", "ipc", c->ipc },
		{ "cgroup", "cgroup", c->cgroupns },
	};
	static const char *const maps[] = { "uidMappings", "gidMappings" };
	int r = 0;

	str_puts(s->out, "\"namespaces\":[{\"type\":\"mount\"}");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++)
		r = add(s, rows[i].type, rows[i].kind, rows[i].mode, err);
	if (c->userns_size != 0)
		str_puts(s->out, ",{\"type\":\"user\"}");
	str_puts(s->out, "]");
	for (size_t i = 0; c->userns_size != 0 && i < ARRAY_LEN(maps); i++)
		str_printf(s->out, ",\"%s\":[{\"containerID\":0,\"hostID\":%llu,\"size\":%llu}]",
			   maps[i], (unsigned long long) c->userns_start,
			   (unsigned long long) c->userns_size);
	add_sysctls(s);
	return r;
}
