/* SPDX-License-Identifier: MIT */
/**
 * DOC: devices in a config.json
 *
 * Looked up at every start, since numbers of devices change.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/spec_parts.h"

#define DEPTH_MAX 16 /* directories below a device's directory */

/* Nodes that the runtime makes, terminals, and mknod for any; nothing else */
static const char default_rules[] =
	"{\"allow\":false,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"access\":\"m\"},{\"allow\":true,\"type\":\"b\",\"access\":\"m\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":5,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":7,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":8,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":9,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":0,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":1,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":5,\"minor\":2,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":136,\"access\":\"rwm\"}";

struct walk {
	struct spec *s;
	const char *access; /* NULL: list nodes; else list rules with it */
	bool all; /* every device of the host */
	bool first;
};

static void add_one(struct walk *w, const char *inside, const struct stat *st)
{
	struct str *out = w->s->out;
	char type = S_ISBLK(st->st_mode) ? 'b' : 'c';

	if (w->access != NULL) {
		str_printf(out,
			   ",{\"allow\":true,\"type\":\"%c\",\"major\":%u,\"minor\":%u,\"access\":\"%s\"}",
			   type, major(st->st_rdev), minor(st->st_rdev), w->access);
		return;
	}
	str_printf(out,
		   "%s{\"type\":\"%c\",\"major\":%u,\"minor\":%u,\"fileMode\":%u,\"uid\":%u,\"gid\":%u,\"path\":",
		   w->first ? "" : ",", type, major(st->st_rdev), minor(st->st_rdev),
		   st->st_mode & 07777, st->st_uid, st->st_gid);
	str_json(out, inside);
	str_puts(out, "}");
	w->first = false;
}

/* A terminal of the machine's screen: systemd would show its log-in there. */
static bool is_screen(const char *name)
{
	return str_starts(name, "tty") && name[3] != '\0' && name[3 + strspn(name + 3, "0123456789")] == '\0';
}

/* Not devices of the host, but a container's own */
static bool is_own(const char *name)
{
	static const char *const names[] = { "pts",   "shm",     "fd",    "mqueue", "console",
					     "core",  "stdin",   "stdout", "stderr", "ptmx",
					     "hugepages" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return name[0] == '.';
}

/* Also all below a directory.  Return: number of devices; -errno. */
static int walk(struct walk *w, const char *host, const char *inside, int depth)
{
	char below[PATH_MAX], below_inside[PATH_MAX];
	int n = 0, r;
	struct dirent *d;
	struct stat st;

	if ((depth == 0 ? stat(host, &st) : lstat(host, &st)) < 0)
		return -errno;
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		add_one(w, inside, &st);
		return 1;
	}
	if (!S_ISDIR(st.st_mode) || depth >= DEPTH_MAX)
		return 0;
	_cleanup_closedir_ DIR *dir = opendir(host);
	if (dir == NULL)
		return -errno;
	while ((d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
		    (w->all && depth == 0 &&
		     (is_own(d->d_name) || (w->s->systemd && is_screen(d->d_name)))))
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", host, d->d_name) >=
			    (int) sizeof(below) ||
		    snprintf(below_inside, sizeof(below_inside), "%s/%s", inside, d->d_name) >=
			    (int) sizeof(below_inside))
			return -ENAMETOOLONG;
		r = walk(w, below, below_inside, depth + 1);
		if (r < 0 && r != -ENOENT) /* it went away */
			return r;
		n += r > 0 ? r : 0;
	}
	return n;
}

/* HOST:INSIDE:rwm */
static int add_given(struct walk *w, const char *text, struct err *err)
{
	char *host = arena_strdup(&w->s->arena, text), *inside, *access;
	bool rules = w->access != NULL;
	int r;

	if (host == NULL)
		return err_set(err, -ENOMEM, "make the container's configuration");
	inside = strchr(host, ':');
	access = strrchr(host, ':');
	if (inside == NULL || access == inside)
		return err_msg(err, -EINVAL, "device '%s' is not HOST:INSIDE:ACCESS", text);
	*inside++ = *access++ = '\0';
	if (rules)
		w->access = access;
	r = walk(w, host, inside, 0);
	if (r == 0)
		r = err_msg(err, -ENODEV,
			    "error gathering device information while adding custom device \"%s\": not a device node",
			    host);
	else if (r < 0)
		(void) err_set(
			err, r,
			"error gathering device information while adding custom device \"%s\"",
			host);
	return r < 0 ? r : 0;
}

static int add_all_given(struct walk *w, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->s->c->devices.n; i++)
		r = add_given(w, w->s->c->devices.v[i], err);
	return r;
}

int spec_add_devices(struct spec *s, struct err *err)
{
	struct walk w = { .s = s, .first = true };
	int r;

	if (s->c->devices.n == 0 && !s->c->privileged)
		return 0;
	str_puts(s->out, "\"devices\":[");
	if (s->c->privileged) {
		w.all = true;
		r = walk(&w, "/dev", "/dev", 0);
		if (r < 0)
			return err_set(err, r, "list the devices of /dev");
		w.all = false;
	}
	r = add_all_given(&w, err);
	str_puts(s->out, "],");
	return r;
}

/* "c 1:3 rwm", "a *:* rwm"; checked when it was given */
static void add_rule(struct spec *s, const char *text)
{
	const char *number = text + 2, *colon = strchr(number, ':'), *access = strrchr(text, ' ');

	str_printf(s->out, ",{\"allow\":true,\"type\":\"%c\"", text[0]);
	if (*number != '*')
		str_printf(s->out, ",\"major\":%.*s", (int) strspn(number, "0123456789"), number);
	if (colon != NULL && colon[1] != '*')
		str_printf(s->out, ",\"minor\":%.*s", (int) strspn(colon + 1, "0123456789"),
			   colon + 1);
	str_printf(s->out, ",\"access\":\"%s\"}", access != NULL ? access + 1 : "rwm");
}

int spec_add_device_rules(struct spec *s, struct err *err)
{
	struct walk w = { .s = s, .access = "rwm" };

	if (s->c->privileged) {
		str_puts(s->out, "{\"allow\":true,\"access\":\"rwm\"}");
		return 0;
	}
	str_puts(s->out, default_rules);
	for (size_t i = 0; i < s->c->device_rules.n; i++)
		add_rule(s, s->c->device_rules.v[i]);
	return add_all_given(&w, err);
}
