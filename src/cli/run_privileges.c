/* SPDX-License-Identifier: MIT */
/**
 * DOC: capabilities, security options, devices, groups, sysctls
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/caps.h"
#include "engine/config.h"
#include "engine/seccomp_file.h"
#include "sys/path.h"

#define GROUP_MAX 255 /* bytes of a name */

#define PROFILE_MAX (1u << 20) /* bytes of a seccomp profile */
#define SYSCTL_MAX 4096 /* bytes */

static int read_caps(struct eng_config *c, const char *option, const struct opt_strings *list,
		     struct img_words *ret, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		/* also "A,B", as Podman */
		for (const char *p = list->v[i]; p != NULL; p = strchr(p, ',')) {
			p += *p == ',';
			char *one = arena_strndup(&c->arena, p, strcspn(p, ","));
			const char *name = NULL;
			int r = one != NULL ? eng_cap_parse(&c->arena, option, one, &name, err)
					    : run_nomem(err);

			if (r < 0)
				return r;
			if (eng_words_add(&c->arena, ret, name) < 0)
				return run_nomem(err);
		}
	}
	return 0;
}

/* The profile itself is kept: the file may change or go. */
static int read_seccomp(struct eng_config *c, const char *path, const char **ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 }, spec = { 0 };
	int r = file_read(AT_FDCWD, path, PROFILE_MAX, &text);

	if (r < 0)
		return err_set(err, r, "opening seccomp profile (%.200s) failed", path);
	str_puts(&spec, "seccomp=");
	r = eng_seccomp_file(path, text.p != NULL ? text.p : "", text.len, eng_caps(c, false), &spec, err);
	if (r < 0)
		return r;
	*ret = spec.failed ? NULL : arena_strdup(&c->arena, spec.p);
	return *ret != NULL ? 0 : run_nomem(err);
}

static bool is_paths(const char *text)
{
	for (const char *p = text; *p != '\0'; p += *p == ':') {
		size_t n = strcspn(p, ":");

		if (*p != '/' && !(n == 3 && strncmp(p, "ALL", n) == 0))
			return false;
		p += n;
	}
	return *text != '\0';
}

/* NAME[=VALUE] or NAME:VALUE to NAME=VALUE */
static int read_security(struct eng_config *c, const char *text, struct err *err)
{
	size_t n = strcspn(text, "=:");
	char *name = arena_strndup(&c->arena, text, n);
	const char *value = text[n] != '\0' ? text + n + 1 : NULL, *entry = NULL;
	bool boolean;
	int r = 0;

	if (name == NULL)
		return run_nomem(err);
	boolean = value == NULL || strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
	if (strcmp(name, "no-new-privileges") == 0 && boolean)
		entry = arena_printf(&c->arena, "no-new-privileges=%s", value != NULL ? value : "true");
	else if (value == NULL || *value == '\0')
		return err_msg(err, -EINVAL, "invalid --security-opt: \"%.200s\"", text);
	else if (strcmp(name, "seccomp") == 0 && strcmp(value, "unconfined") != 0 &&
		 strcmp(value, "builtin") != 0)
		r = read_seccomp(c, value, &entry, err);
	else if (strcmp(name, "seccomp") == 0 || strcmp(name, "apparmor") == 0 ||
		 strcmp(name, "label") == 0 ||
		 (strcmp(name, "systempaths") == 0 && strcmp(value, "unconfined") == 0) ||
		 ((strcmp(name, "mask") == 0 || strcmp(name, "unmask") == 0) && is_paths(value)))
		entry = arena_printf(&c->arena, "%s=%s", name, value);
	else
		return err_msg(err, -EINVAL, "invalid --security-opt: \"%.200s\"", text);
	if (r < 0)
		return r;
	return entry == NULL || eng_words_add(&c->arena, &c->security_opts, entry) < 0
		       ? run_nomem(err)
		       : 0;
}

static bool is_access(const char *text)
{
	return *text != '\0' && strlen(text) <= 3 && strspn(text, "rwm") == strlen(text);
}

/* HOST[:INSIDE][:rwm] */
static int read_device(struct eng_config *c, const char *text, struct err *err)
{
	char *host = arena_strdup(&c->arena, text), *inside, *access_text = NULL, clean[PATH_MAX];
	const char *entry;

	if (host == NULL)
		return run_nomem(err);
	inside = strchr(host, ':');
	if (inside != NULL) {
		*inside++ = '\0';
		access_text = strchr(inside, ':');
		if (access_text != NULL)
			*access_text++ = '\0';
		else if (is_access(inside)) {
			access_text = inside;
			inside = host;
		}
	} else
		inside = host;
	if (access_text != NULL && !is_access(access_text))
		return err_msg(err, -EINVAL, "--device '%.200s': invalid device mode: %.20s", text,
			       access_text);
	if (host[0] != '/' || inside[0] != '/' || strlen(inside) >= sizeof(clean) ||
	    path_clean(inside, clean, sizeof(clean)) < 0)
		return err_msg(err, -EINVAL,
			       "--device '%.200s': '%.100s' is not an absolute path", text,
			       host[0] != '/' ? host : inside);
	if (access(host, F_OK) < 0)
		return err_set(
			err, -errno,
			"error gathering device information while adding custom device \"%s\"",
			host);
	entry = arena_printf(&c->arena, "%s:%s:%s", host, clean,
			     access_text != NULL ? access_text : "rwm");
	return entry == NULL || eng_words_add(&c->arena, &c->devices, entry) < 0 ? run_nomem(err)
										 : 0;
}

static const char *rule_number(const char *p)
{
	size_t n = *p == '*' ? 1 : strspn(p, "0123456789");

	return n > 0 && n <= 7 ? p + n : NULL;
}

/* "c 1:3 rwm", "a *:* rwm" */
static int check_rule(const char *text, struct err *err)
{
	const char *p = *text == 'a' || *text == 'b' || *text == 'c' ? text + 1 : NULL;

	if (p != NULL)
		p = *p == ' ' ? rule_number(p + 1) : NULL;
	if (p != NULL)
		p = *p == ':' ? rule_number(p + 1) : NULL;
	if (p != NULL)
		p = *p == ' ' && is_access(p + 1) ? p : NULL;
	return p != NULL ? 0
			 : err_msg(err, -EINVAL, "invalid device cgroup format '%.200s'", text);
}

static int read_devices(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->device.n; i++)
		r = read_device(c, o->device.v[i], err);
	for (size_t i = 0; r == 0 && i < o->device_rule.n; i++)
		r = check_rule(o->device_rule.v[i], err);
	return r == 0 ? run_list(c, &o->device_rule, &c->device_rules, err) : r;
}

static bool shares(const char *mode)
{
	return mode != NULL && strcmp(mode, "host") == 0;
}

/* Only what belongs to a namespace of the instance's own */
static int check_sysctl(const struct eng_config *c, const char *text, struct err *err)
{
	static const char *const ipc[] = {
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",  "kernel.sem",
		"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
	};
	size_t n = strcspn(text, "=");
	bool of_ipc = str_starts(text, "fs.mqueue.");

	if (text[n] != '=' || n == 0 || strlen(text) > SYSCTL_MAX)
		return err_msg(err, -EINVAL, "--sysctl '%.200s': expected NAME=VALUE", text);
	for (size_t i = 0; i < ARRAY_LEN(ipc); i++)
		of_ipc = of_ipc || (strlen(ipc[i]) == n && strncmp(ipc[i], text, n) == 0);
	if (of_ipc && shares(c->ipc))
		return err_msg(err, -EINVAL,
			       "sysctl '%.*s' not allowed in host ipc namespace", (int) n, text);
	if (str_starts(text, "net.") && shares(c->network))
		return err_msg(err, -EINVAL,
			       "sysctl '%.*s' not allowed in host network namespace", (int) n, text);
	if (of_ipc || (str_starts(text, "net.") && strcspn(text, "/=") == n) ||
	    (n == 17 && strncmp(text, "kernel.domainname", n) == 0))
		return 0;
	return err_msg(err, -EINVAL, "sysctl '%.200s' is not allowed", text);
}

/* "GROUP" or, as in Podman, "GROUP,GROUP" */
static int add_groups(struct eng_config *c, const char *text, struct err *err)
{
	for (const char *p = text;; p++) {
		size_t n = strcspn(p, ",");
		char *name = arena_strndup(&c->arena, p, n);

		if (n == 0 || n > GROUP_MAX)
			return err_msg(err, -EINVAL, "--group-add '%.40s': 1 to %d bytes", text,
				       GROUP_MAX);
		if (name == NULL || eng_words_add(&c->arena, &c->groups, name) < 0)
			return run_nomem(err);
		p += n;
		if (*p == '\0')
			return 0;
	}
}

int run_privileges(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int r = read_caps(c, "--cap-add", &o->cap_add, &c->cap_add, err);

	if (r == 0)
		r = read_caps(c, "--cap-drop", &o->cap_drop, &c->cap_drop, err);
	for (size_t i = 0; r == 0 && i < o->security_opt.n; i++)
		r = read_security(c, o->security_opt.v[i], err);
	if (r == 0)
		r = read_devices(c, o, err);
	for (size_t i = 0; r == 0 && i < o->sysctl.n; i++) {
		r = check_sysctl(c, o->sysctl.v[i], err);
		if (r == 0 && eng_env_set(&c->arena, &c->sysctls, o->sysctl.v[i]) < 0)
			r = run_nomem(err);
	}
	for (size_t i = 0; r == 0 && i < o->group_add.n; i++)
		r = add_groups(c, o->group_add.v[i], err);
	return r;
}
