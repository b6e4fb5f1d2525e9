/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/registry/reach.h"
#include "cli/registry/show.h"
#include "cli/registry/verbs.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/image.h"
#include "image/reference.h"
#include "registry/place.h"
#include "registry/pull.h"
#include "registry/settings.h"

static void note(void *data, const char *name, const char *id)
{
	const char *const attributes[] = { "name", name, NULL };

	(void) id; /* Docker names the image here, too */
	eng_event(data, "image", "pull", name, attributes);
}

/* "docker.io/library/debian:12": what comes from where */
static void print_name(const struct reg_settings *settings, const char *name, bool all)
{
	struct img_reference ref;
	struct reg_place place;

	if (img_reference_parse(name, &ref, NULL) < 0 ||
	    reg_place_of(settings, ref.repository, &place, NULL) < 0)
		return;
	if (ref.digest[0] != '\0')
		printf("%s/%s@%s\n", place.host, place.path, ref.digest);
	else
		printf("%s/%s%s%s\n", place.host, place.path, all ? "" : ":", all ? "" : ref.tag);
}

static const char *platform(const struct pull_opts *o, struct arena *arena)
{
	if (o->os == NULL && o->arch == NULL && o->variant == NULL)
		return o->platform;
	return arena_printf(arena, "%s%s%s%s%s", o->os != NULL ? o->os : "linux",
			    o->arch != NULL ? "/" : "", o->arch != NULL ? o->arch : "",
			    o->variant != NULL ? "/" : "", o->variant != NULL ? o->variant : "");
}

static int pull_all(struct reg_pull *p, const struct pull_opts *o, int argc, char **argv, struct err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++) {
		struct show show;

		show_begin(&show, false, o->quiet);
		p->watch = &show.watch;
		r = reg_pull(p, argv[i], err);
		show_end(&show);
		if (r == 0)
			print_name(p->settings, argv[i], o->all_tags);
	}
	return r;
}

int registry_pull(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(reg_settings_fini) struct reg_settings settings = { 0 };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct pull_opts *o = opts;
	struct reg_access access;
	struct reg_pull p = { .settings = &settings, .access = &access, .all_tags = o->all_tags,
			      .pulled = note };
	int r = reach_access(&o->reach, &arena, &access, err);

	if (o->platform != NULL && (o->os != NULL || o->arch != NULL || o->variant != NULL))
		return err_msg(err, -EINVAL, "--platform and --arch, --os or --variant exclude each other");
	if (r == 0)
		r = reg_settings_read(&settings, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	(void) signal(SIGPIPE, SIG_IGN); /* a connection that is closed is an error like others */
	p.store = e->images;
	p.data = e;
	p.platform = platform(o, &arena);
	r = pull_all(&p, o, argc, argv, err);
	if (p.leftover)
		(void) eng_image_collect(e, NULL, NULL); /* or the next one that collects */
	return r;
}
