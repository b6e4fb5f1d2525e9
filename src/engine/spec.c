/* SPDX-License-Identifier: MIT */
#include "engine/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/caps.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/overlay.h"
#include "engine/spec_parts.h"
#include "sys/cap.h"

/* Where the root file system is attached while the container is made: nothing else needs these. */
#define ROOTFS "../../layers/" ENG_OVERLAY_POINTS
#define ROOTFS_USERNS "/sys/class" /* everybody may go there */
#define INIT_PATH "/sbin/docker-init"
#define UMASK 022ul

void spec_words(struct spec *s, const struct img_words *list)
{
	for (size_t i = 0; i < list->n; i++) {
		str_puts(s->out, i > 0 ? "," : "");
		str_json(s->out, list->v[i]);
	}
}

const char *spec_security(const struct eng_config *c, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = c->security_opts.n; i > 0; i--) {
		const char *o = c->security_opts.v[i - 1];

		if (strncmp(o, name, n) == 0 && o[n] == '=')
			return o + n + 1;
	}
	return NULL;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

bool eng_spec_is_systemd(const struct eng_config *c)
{
	static const char *const inits[] = { "/sbin/init", "/usr/sbin/init",
					     "/usr/local/sbin/init" };
	const char *command = c->args.n > 0 ? c->args.v[0] : "";

	if (c->systemd != NULL && strcmp(c->systemd, "true") != 0)
		return strcmp(c->systemd, "always") == 0;
	if (c->init)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(inits); i++)
		if (strcmp(command, inits[i]) == 0)
			return true;
	return strcmp(command, "systemd") == 0 || ends_with(command, "/systemd");
}

bool eng_spec_needs_layer(const struct eng_config *c)
{
	return !c->read_only || c->nr_mounts > 0 || c->init || eng_spec_is_systemd(c) ||
	       strcmp(c->workdir, "/") != 0;
}

static void add_caps(struct spec *s)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };
	/* others than root get the bounding set only, as execve(2) would have it */
	size_t n = s->user.uid == 0 ? ARRAY_LEN(sets) : 1;

	str_puts(s->out, ",\"capabilities\":{");
	for (size_t i = 0; i < n; i++) {
		bool first = true;

		str_printf(s->out, "%s\"%s\":[", i > 0 ? "," : "", sets[i]);
		for (int cap = 0; cap <= cap_last(); cap++)
			if ((s->caps & 1ull << cap) != 0) {
				str_printf(s->out, "%s\"%s\"", first ? "" : ",", cap_name(cap));
				first = false;
			}
		str_puts(s->out, "]");
	}
	str_puts(s->out, "}");
}

static bool has_env(const struct eng_config *c, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < c->env.n; i++)
		if (strncmp(c->env.v[i], name, n) == 0 && c->env.v[i][n] == '=')
			return true;
	return false;
}

static void add_process(struct spec *s)
{
	const struct eng_config *c = s->c;
	const char *apparmor = spec_security(c, "apparmor");
	const char *nnp = spec_security(c, "no-new-privileges");

	str_printf(
		s->out,
		"\"process\":{\"terminal\":%s,\"user\":{\"uid\":%u,\"gid\":%u,\"umask\":%lu,\"additionalGids\":[",
		c->tty ? "true" : "false", s->user.uid, s->user.gid,
		c->umask != NULL ? strtoul(c->umask, NULL, 8) : UMASK);
	for (size_t i = 0; i < s->user.nr_groups; i++)
		str_printf(s->out, "%s%u", i > 0 ? "," : "", s->user.groups[i]);
	str_puts(s->out, "]},\"args\":[");
	if (c->init)
		str_puts(s->out, "\"" INIT_PATH "\",\"--\",");
	spec_words(s, &c->args);
	str_puts(s->out, "],\"env\":[");
	spec_words(s, &c->env);
	if (s->systemd && !has_env(c, "container"))
		str_printf(s->out, "%s\"container=cleave\"", c->env.n > 0 ? "," : "");
	if (s->systemd && !has_env(c, "container_uuid")) /* of an image without /etc/machine-id */
		str_printf(s->out, ",\"container_uuid=%.32s\"", s->id);
	str_puts(s->out, "]");
	if (c->tty && s->e->rows != 0 && s->e->columns != 0)
		str_printf(s->out, ",\"consoleSize\":{\"height\":%u,\"width\":%u}", s->e->rows,
			   s->e->columns);
	str_puts(s->out, ",\"cwd\":");
	str_json(s->out, c->workdir);
	add_caps(s);
	spec_add_rlimits(s);
	if (apparmor != NULL && strcmp(apparmor, "unconfined") != 0 && !c->privileged) {
		str_puts(s->out, ",\"apparmorProfile\":");
		str_json(s->out, apparmor);
	}
	str_printf(s->out, ",\"noNewPrivileges\":%s",
		   nnp != NULL && strcmp(nnp, "true") == 0 ? "true" : "false");
	if (!s->e->rootless || c->oom_score_adj != 0) /* a user's may be higher, and only root lowers it */
		str_printf(s->out, ",\"oomScoreAdj\":%lld", (long long) c->oom_score_adj);
	str_puts(s->out, "}");
}

static void add_annotations(struct spec *s)
{
	for (size_t i = 0; i < s->c->annotations.n; i++) {
		const char *entry = s->c->annotations.v[i], *value = strchr(entry, '=');
		char *key = arena_strndup(&s->arena, entry, strcspn(entry, "="));

		str_puts(s->out, i > 0 ? "," : ",\"annotations\":{");
		str_json(s->out, key != NULL ? key : "");
		str_puts(s->out, ":");
		str_json(s->out, value != NULL ? value + 1 : "");
		s->out->failed = s->out->failed || key == NULL;
	}
	str_puts(s->out, s->c->annotations.n > 0 ? "}" : "");
}

static int make(struct spec *s, struct err *err)
{
	const struct eng_config *c = s->c;
	const char *parent = c->cgroup_parent != NULL ? c->cgroup_parent : "/cleave";
	int r;

	str_puts(s->out, "{\"ociVersion\":\"1.0.2\",");
	add_process(s);
	str_printf(s->out, ",\"root\":{\"path\":\"%s\",\"readonly\":%s}",
		   c->userns_size != 0 ? ROOTFS_USERNS : ROOTFS, c->read_only ? "true" : "false");
	if (c->uts == NULL || strcmp(c->uts, "private") == 0) {
		str_puts(s->out, ",\"hostname\":");
		str_json(s->out, c->hostname);
		if (c->domainname != NULL) {
			str_puts(s->out, ",\"domainname\":");
			str_json(s->out, c->domainname);
		}
	}
	add_annotations(s);
	str_puts(s->out, ",\"linux\":{");
	if (!s->e->rootless || c->cgroup_parent != NULL) { /* else beside our own, if the host lets us */
		str_puts(s->out, "\"cgroupsPath\":");
		str_json(s->out, arena_printf(&s->arena, "%s%s/%s", parent[0] == '/' ? "" : "/",
					      parent, s->id));
		str_puts(s->out, ",");
	}
	r = spec_add_namespaces(s, err);
	str_puts(s->out, ",");
	if (r == 0)
		r = spec_add_devices(s, err);
	if (r == 0)
		r = spec_add_resources(s, err);
	spec_add_security(s);
	str_puts(s->out, "},");
	if (r == 0)
		r = spec_add_mounts(s, err);
	str_puts(s->out, "}");
	return r;
}

int eng_spec_make(struct engine *e, const char *id, const struct eng_config *c, bool machine, int rootfs,
		  const char *dir, struct str *ret, struct err *err)
{
	struct spec s = { .e = e,
			  .id = id,
			  .dir = dir,
			  .net_files = dir,
			  .c = c,
			  .caps = eng_caps(c),
			  .systemd = eng_spec_is_systemd(c),
			  .machine = machine,
			  .out = ret };
	int r = eng_user_find(rootfs, c->user, &s.user, err);

	if (r == 0)
		r = eng_user_add_groups(rootfs, &c->groups, &s.user, err);
	if (r == 0)
		r = make(&s, err);
	arena_fini(&s.arena);
	if (r == 0 && ret->failed)
		r = err_set(err, -ENOMEM, "make the container's configuration");
	return r;
}

int eng_spec_limits(const struct eng_config *old, const struct eng_config *c, struct str *ret,
		    struct err *err)
{
	struct spec s = { .c = c, .old = old, .out = ret };
	int r;

	str_puts(ret, "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"/\"},\"linux\":{");
	r = spec_add_resources(&s, err);
	str_puts(ret, "}}");
	arena_fini(&s.arena);
	if (r == 0 && ret->failed)
		r = err_set(err, -ENOMEM, "make the container's configuration");
	return r;
}
