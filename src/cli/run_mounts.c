/* SPDX-License-Identifier: MIT */
/**
 * DOC: mounts and volumes
 *
 * Later sources do not replace earlier ones: what the user mounts, then what --volumes-from brings, then
 * the volumes of the image.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/mount_parse.h"

static bool taken(const struct eng_config *c, const char *destination)
{
	for (size_t i = 0; i < c->nr_mounts; i++)
		if (strcmp(c->mounts[i].destination, destination) == 0)
			return true;
	return false;
}

/* Grown at powers of two */
static int append(struct eng_config *c, const struct eng_mount *m, struct err *err)
{
	size_t n = c->nr_mounts;

	if (n >= ENG_MOUNTS_MAX)
		return err_msg(err, -E2BIG, "over %d mounts", ENG_MOUNTS_MAX);
	if ((n & (n + 1)) == 0) {
		struct eng_mount *v = arena_alloc(&c->arena, 2 * (n + 1), sizeof(*v));

		if (v == NULL)
			return run_nomem(err);
		if (n > 0)
			memcpy(v, c->mounts, n * sizeof(*v));
		c->mounts = v;
	}
	c->mounts[c->nr_mounts++] = *m;
	return 0;
}

static int read_own(struct eng_config *c, const struct opt_strings *list,
		    int (*parse)(struct arena *a, const char *text, struct eng_mount *ret,
				 struct err *err),
		    struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		struct eng_mount m;
		int r = parse(&c->arena, list->v[i], &m, err);

		if (r == 0 && taken(c, m.destination))
			r = err_msg(err, -EINVAL, "Duplicate mount point: %s", m.destination);
		if (r == 0)
			r = append(c, &m, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_mount(struct eng_config *c, const struct eng_mount *from, bool read_only,
		      struct err *err)
{
	struct eng_mount m = *from;
	int r;

	if (m.kind == ENG_MOUNT_TMPFS || taken(c, m.destination))
		return 0;
	m.read_only = m.read_only || read_only;
	m.options = NULL;
	r = run_text(c, from->source, &m.source, err);
	if (r == 0)
		r = run_text(c, from->destination, &m.destination, err);
	if (r == 0)
		r = run_text(c, from->propagation, &m.propagation, err);
	return r == 0 ? append(c, &m, err) : r;
}

/* INSTANCE[:ro|:rw] */
static int read_from(struct engine *e, struct eng_config *c, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	char *name = arena_strndup(&c->arena, text, strcspn(text, ":"));
	bool read_only = colon != NULL && strcmp(colon, ":ro") == 0;
	struct eng_instance i;
	struct eng_config other;
	int r;

	if (name == NULL)
		return run_nomem(err);
	if (colon != NULL && !read_only && strcmp(colon, ":rw") != 0 && strcmp(colon, ":z") != 0 &&
	    strcmp(colon, ":Z") != 0)
		return err_msg(err, -EINVAL,
			       "--volumes-from '%s': invalid mode '%s': ro and rw are known", text,
			       colon + 1);
	r = eng_instance_find(e, name, &c->arena, &i, err);
	if (r == 0)
		r = eng_instance_config(e, &i, &other, err);
	if (r < 0)
		return r;
	for (size_t n = 0; r == 0 && n < other.nr_mounts; n++)
		r = copy_mount(c, &other.mounts[n], read_only, err);
	eng_config_fini(&other);
	if (r == 0 && eng_words_add(&c->arena, &c->volumes_from, text) < 0)
		r = run_nomem(err);
	return r;
}

/* What Podman puts there by itself */
static int add_writable(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	static const char *const dirs[] = { "/run", "/tmp", "/var/tmp" };
	int r = 0;

	for (size_t i = 0; r == 0 && o->read_only && o->read_only_tmpfs && i < ARRAY_LEN(dirs); i++) {
		struct eng_mount m = { .kind = ENG_MOUNT_TMPFS,
				       .destination = dirs[i],
				       .options = "nosuid,nodev,tmpcopyup" };

		if (!taken(c, m.destination))
			r = append(c, &m, err);
	}
	return r;
}

#define ZONES "/usr/share/zoneinfo/"
#define LOCAL_TIME "/etc/localtime"

/* A file of this machine's, so that the image needs none */
static int add_zone(struct eng_config *c, const char *zone, struct err *err)
{
	struct eng_mount m = { .kind = ENG_MOUNT_BIND, .destination = LOCAL_TIME, .read_only = true };
	char path[PATH_MAX];
	struct stat st;

	if (zone == NULL || *zone == '\0' || taken(c, m.destination))
		return 0;
	if (snprintf(path, sizeof(path), ZONES "%s", zone) >= (int) sizeof(path) || zone[0] == '/' ||
	    strstr(zone, "..") != NULL)
		return err_msg(err, -EINVAL, "--tz '%.64s': no such time zone", zone);
	if (strcmp(zone, "local") == 0 && realpath(LOCAL_TIME, path) == NULL)
		return err_set(err, -errno, "--tz local: find '" LOCAL_TIME "'");
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return err_msg(err, -EINVAL, "--tz '%.64s': no such time zone below " ZONES, zone);
	if (run_text(c, path, &m.source, err) < 0)
		return run_nomem(err);
	return append(c, &m, err);
}

static int read_image(struct eng_config *c, const struct run_opts *o,
		      const struct img_config *image, struct err *err)
{
	const char *kind = o->image_volume != NULL ? o->image_volume : "bind";
	int r = 0;

	if (strcmp(kind, "ignore") == 0)
		return 0;
	if (strcmp(kind, "bind") != 0 && strcmp(kind, "anonymous") != 0 && strcmp(kind, "tmpfs") != 0)
		return err_msg(err, -EINVAL,
			       "--image-volume '%.32s': bind, tmpfs and ignore are known", kind);
	for (size_t i = 0; r == 0 && i < image->volumes.n; i++) {
		struct eng_mount m = { 0 };

		r = eng_mount_destination(&c->arena, "volume of the image", image->volumes.v[i],
					  &m.destination, err);
		if (r < 0 || taken(c, m.destination))
			continue;
		if (strcmp(kind, "tmpfs") == 0)
			m.kind = ENG_MOUNT_TMPFS;
		else
			r = eng_mount_random(&c->arena, &m, err);
		if (r == 0)
			r = append(c, &m, err);
	}
	return r;
}

/* As Docker does for -v, not for --mount */
static int make_sources(const struct eng_config *c, struct err *err)
{
	for (size_t i = 0; i < c->nr_mounts; i++) {
		const struct eng_mount *m = &c->mounts[i];
		int r = 0;

		if (m->kind == ENG_MOUNT_BIND && access(m->source, F_OK) < 0)
			r = errno == ENOENT ? dir_make_all(m->source, 0755) : -errno;
		if (r < 0)
			return err_set(err, r, "-v: create directory '%s'", m->source);
	}
	return 0;
}

int run_mounts(struct engine *e, struct eng_config *c, const struct run_opts *o,
	       const struct img_config *image, struct err *err)
{
	int r = read_own(c, &o->volume, eng_mount_parse, err);

	if (r == 0)
		r = make_sources(c, err);
	if (r == 0)
		r = read_own(c, &o->mount, eng_mount_parse_long, err);
	if (r == 0)
		r = read_own(c, &o->tmpfs, eng_mount_parse_tmpfs, err);
	for (size_t i = 0; r == 0 && i < o->volumes_from.n; i++)
		r = read_from(e, c, o->volumes_from.v[i], err);
	if (r == 0)
		r = add_zone(c, o->tz, err);
	if (r == 0)
		r = add_writable(c, o, err);
	return r == 0 ? read_image(c, o, image, err) : r;
}
