/* SPDX-License-Identifier: MIT */
/**
 * DOC: mounts in a config.json
 *
 * A mount that was asked for replaces the usual one with its destination.  What is mounted in what is
 * mounted comes later: sorted by the number of directories.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/spec_parts.h"
#include "engine/volume.h"
#include "sys/cg_layout.h"

#define SHM_SIZE (64ull << 20)
#define INIT_PATH "/sbin/docker-init"

/* A mount to be; @order: where it was given, for those with equally many directories */
struct item {
	const char *destination, *text;
	unsigned depth;
	size_t order;
};

struct list {
	struct spec *s;
	struct item *v;
	size_t n, room;
};

static long fs_type(const char *path)
{
	struct statfs st;

	return statfs(path, &st) == 0 ? st.f_type : 0;
}

static bool is_v2(const struct spec *s)
{
	return s->machine || fs_type(CG_TOP) == CGROUP2_SUPER_MAGIC;
}

static unsigned depth_of(const char *path)
{
	unsigned n = 0;

	for (const char *p = path; *p != '\0'; p++)
		n += *p == '/' && p[1] != '\0' && p[1] != '/';
	return n;
}

/* Takes the text out of @text. */
static int add_item(struct list *l, const char *destination, struct str *text, struct err *err)
{
	struct item *i;

	if (l->n == l->room)
		return err_msg(err, -E2BIG, "over %zu mounts", l->room);
	i = &l->v[l->n];
	i->destination = destination;
	i->text = text->failed ? NULL : arena_strndup(&l->s->arena, text->p, text->len);
	i->depth = depth_of(destination);
	i->order = l->n++;
	return i->text != NULL ? 0 : err_set(err, -ENOMEM, "make the container's configuration");
}

static bool asked_for(const struct eng_config *c, const char *destination)
{
	for (size_t i = 0; i < c->nr_mounts; i++)
		if (strcmp(c->mounts[i].destination, destination) == 0)
			return true;
	return false;
}

/* @options: elements of the JSON list */
static int add_usual(struct list *l, const char *destination, const char *type, const char *source,
		     const char *options, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };

	if (asked_for(l->s->c, destination))
		return 0;
	str_puts(&text, "{\"destination\":");
	str_json(&text, destination);
	str_printf(&text, ",\"type\":\"%s\",\"source\":", type);
	str_json(&text, source);
	str_printf(&text, ",\"options\":[%s]}", options);
	return add_item(l, destination, &text, err);
}

/* /dev/shm: its own, the host's, or the directory that instances share */
static int add_shm(struct list *l, struct err *err)
{
	const struct eng_config *c = l->s->c;
	const char *mode = c->ipc != NULL ? c->ipc : "private", *path;
	char options[128];

	if (strcmp(mode, "none") == 0)
		return 0;
	if (strcmp(mode, "host") == 0)
		return add_usual(l, "/dev/shm", "bind", "/dev/shm",
				 "\"rbind\",\"nosuid\",\"noexec\",\"nodev\"", err);
	if (strcmp(mode, "private") != 0) {
		path = arena_printf(&l->s->arena, "%s/%s/shm", l->s->e->runroot,
				    str_starts(mode, "container:") ? mode + 10 : l->s->id);
		if (path == NULL)
			return err_set(err, -ENOMEM, "make the container's configuration");
		return add_usual(l, "/dev/shm", "bind", path,
				 "\"bind\",\"nosuid\",\"noexec\",\"nodev\"", err);
	}
	(void) snprintf(options, sizeof(options),
			"\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=%llu\"",
			(unsigned long long) (c->shm_size != 0 ? c->shm_size : SHM_SIZE));
	return add_usual(l, "/dev/shm", "tmpfs", "shm", options, err);
}

static int add_system(struct list *l, struct err *err)
{
	const struct eng_config *c = l->s->c;
	const char *cgroup = c->privileged || (l->s->systemd && is_v2(l->s))
				     ? "\"rw\",\"nosuid\",\"noexec\",\"nodev\""
				     : "\"ro\",\"nosuid\",\"noexec\",\"nodev\"";
	/* without root only processes of a namespace of one's own may be shown anew */
	bool proc_of_host = l->s->e->rootless && c->pid != NULL && strcmp(c->pid, "host") == 0;
	bool no_queues = l->s->e->rootless && c->ipc != NULL && strcmp(c->ipc, "host") == 0 && access("/dev/mqueue", F_OK) < 0;
	int r = proc_of_host ? add_usual(l, "/proc", "bind", "/proc", "\"rbind\",\"nosuid\",\"noexec\",\"nodev\"", err)
			     : add_usual(l, "/proc", "proc", "proc", "\"nosuid\",\"noexec\",\"nodev\"", err);

	if (r == 0 && !asked_for(c, "/dev")) {
		if (l->s->machine && c->privileged) /* all devices, as they come */
			r = add_usual(l, "/dev", "devtmpfs", "devtmpfs", "\"nosuid\"", err);
		else
			r = add_usual(l, "/dev", "tmpfs", "tmpfs",
				      "\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"", err);
		if (r == 0)
			r = add_usual(
				l, "/dev/pts", "devpts", "devpts",
				"\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"",
				err);
		if (r == 0 && !no_queues) /* likewise: those of the host */
			r = add_usual(l, "/dev/mqueue", "mqueue", "mqueue",
				      "\"nosuid\",\"noexec\",\"nodev\"", err);
		if (r == 0)
			r = add_shm(l, err);
	}
	if (r == 0)
		r = add_usual(l, "/sys", "sysfs", "sysfs",
			      c->privileged ? "\"nosuid\",\"noexec\",\"nodev\",\"rw\""
					    : "\"nosuid\",\"noexec\",\"nodev\",\"ro\"",
			      err);
	return r == 0 ? add_usual(l, CG_TOP, "cgroup", "cgroup", cgroup, err) : r;
}

/* hosts and resolv.conf are those of the network, so maybe another instance's. */
static int add_files(struct list *l, struct err *err)
{
	static const char options[] = "\"bind\",\"rprivate\"";
	const struct {
		const char *dir, *name, *destination;
		bool without;
	} files[] = {
		{ l->s->net_files, "hosts", "/etc/hosts", l->s->c->no_hosts },
		{ l->s->dir, "hostname", "/etc/hostname", l->s->c->no_hostname },
		{ l->s->net_files, "resolv.conf", "/etc/resolv.conf", false },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++) {
		if (files[i].without)
			continue;
		const char *path =
			arena_printf(&l->s->arena, "%s/%s", files[i].dir, files[i].name);

		r = path != NULL ? add_usual(l, files[i].destination, "bind", path, options, err)
				 : err_set(err, -ENOMEM, "make the container's configuration");
	}
	return r;
}

static int add_init(struct list *l, struct err *err)
{
	const char *slash = strrchr(l->s->e->monitor, '/');
	int n = slash != NULL ? (int) (slash - l->s->e->monitor) : 0;
	const char *path = arena_printf(&l->s->arena, "%.*s/cleave-init", n, l->s->e->monitor);

	if (path == NULL)
		return err_set(err, -ENOMEM, "make the container's configuration");
	if (access(path, X_OK) < 0)
		return err_set(err, -errno, "--init: find the program '%s'", path);
	return add_usual(l, INIT_PATH, "bind", path, "\"bind\",\"ro\",\"nosuid\",\"nodev\"", err);
}

/* The instance's cgroup in the hierarchy that is mounted at @root, writable */
static int add_own_cgroup(struct list *l, const char *root, struct err *err)
{
	const char *parent = l->s->c->cgroup_parent != NULL ? l->s->c->cgroup_parent : "/cleave";
	const char *path = arena_printf(&l->s->arena, "%s%s%s/%s", root,
					parent[0] == '/' ? "" : "/", parent, l->s->id);

	if (path == NULL)
		return err_set(err, -ENOMEM, "make the container's configuration");
	return add_usual(l, root, "bind", path, "\"bind\",\"rw\",\"nosuid\",\"noexec\",\"nodev\"",
			 err);
}

/*
 * What systemd expects to find empty and writable.  Of the cgroups it gets those without a controller to
 * write to, where each hierarchy is for itself.
 */
static int add_systemd(struct list *l, struct err *err)
{
	static const char *const dirs[] = { "/run", "/run/lock", "/tmp", "/var/log/journal" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(dirs); i++)
		r = add_usual(l, dirs[i], "tmpfs", "tmpfs",
			      strcmp(dirs[i], "/tmp") == 0
				      ? "\"nosuid\",\"nodev\",\"mode=1777\",\"tmpcopyup\""
				      : "\"nosuid\",\"nodev\",\"mode=755\",\"tmpcopyup\"",
			      err);
	if (is_v2(l->s))
		return r;
	if (r == 0 && fs_type(CG_TOP "/systemd") == CGROUP_SUPER_MAGIC)
		r = add_own_cgroup(l, CG_TOP "/systemd", err);
	/* hybrid: v1 alone does not tell systemd when the last process of a service has ended */
	if (r == 0 && fs_type(CG_TOP "/unified") == CGROUP2_SUPER_MAGIC)
		r = add_own_cgroup(l, CG_TOP "/unified", err);
	return r;
}

static void add_options(const char *text, struct str *ret)
{
	for (const char *p = text; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, ",");

		if (n > 0 && (n != 8 || strncmp(p, "defaults", n) != 0)) {
			_cleanup_free_ char *word = strndup(p, n);

			str_puts(ret, ",");
			str_json(ret, word != NULL ? word : "");
			ret->failed = ret->failed || word == NULL;
		}
		p += n + (p[n] == ',');
	}
}

static void bind_text(const struct eng_mount *m, const char *source, struct str *ret)
{
	str_puts(ret, ",\"type\":\"bind\",\"source\":");
	str_json(ret, source);
	str_printf(ret, ",\"options\":[\"%s\",\"%s\",\"%s\"",
		   m->recursive_off ? "bind" : "rbind",
		   !m->read_only                            ? "rw"
		   : m->recursive_off || m->writable_below ? "ro"
							    : "rro\",\"ro",
		   m->propagation != NULL ? m->propagation : "rprivate");
	add_options(m->options, ret);
	str_puts(ret, "]}");
}

static int add_asked(struct list *l, const struct eng_mount *m, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	struct eng_volume_source v = { 0 };
	int r = 0;

	str_puts(&text, "{\"destination\":");
	str_json(&text, m->destination);
	if (m->kind == ENG_MOUNT_VOLUME)
		r = eng_volume_source(l->s->e, m->source, &l->s->arena, &v, err);
	if (r < 0)
		return r;
	if (m->kind == ENG_MOUNT_BIND || (m->kind == ENG_MOUNT_VOLUME && v.type == NULL))
		bind_text(m, v.path != NULL ? v.path : m->source, &text);
	else {
		const char *type = v.type != NULL ? v.type : "tmpfs";

		str_puts(&text, ",\"type\":");
		str_json(&text, type);
		str_puts(&text, ",\"source\":");
		str_json(&text, v.path != NULL ? v.path : type);
		str_printf(&text, ",\"options\":[\"%s\"", m->read_only ? "ro" : "rw");
		add_options(v.type != NULL ? v.options : NULL, &text);
		add_options(m->options, &text);
		str_puts(&text, "]}");
	}
	return add_item(l, m->destination, &text, err);
}

static int compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

#define USUAL_MAX 24

int spec_add_mounts(struct spec *s, struct err *err)
{
	struct list l = { .s = s, .room = s->c->nr_mounts + USUAL_MAX };
	size_t first;
	int r;

	l.v = arena_alloc(&s->arena, l.room, sizeof(*l.v));
	if (l.v == NULL)
		return err_set(err, -ENOMEM, "make the container's configuration");
	r = add_system(&l, err);
	first = l.n; /* in the order they have; the runtime wants /proc and /dev early */
	if (r == 0 && s->systemd)
		r = add_systemd(&l, err);
	if (r == 0)
		r = add_files(&l, err);
	if (r == 0 && s->c->init)
		r = add_init(&l, err);
	for (size_t i = 0; r == 0 && i < s->c->nr_mounts; i++)
		r = add_asked(&l, &s->c->mounts[i], err);
	if (r < 0)
		return r;
	qsort(l.v + first, l.n - first, sizeof(*l.v), compare);
	str_puts(s->out, "\"mounts\":[");
	for (size_t i = 0; i < l.n; i++)
		str_printf(s->out, "%s%s", i > 0 ? "," : "", l.v[i].text);
	str_puts(s->out, "]");
	return 0;
}
