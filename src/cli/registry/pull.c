/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/registry/reach.h"
#include "cli/registry/show.h"
#include "cli/registry/verbs.h"
#include "engine/event.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "image/reference.h"
#include "registry/policy.h"
#include "registry/pull.h"

static void note(void *data, const char *name, const char *id)
{
	const char *const attributes[] = { "name", name, NULL };

	(void) id; /* Docker names the image here, too */
	eng_event(data, "image", "pull", name, attributes);
}

/* "docker.io/library/debian:12": what came from where */
static void print_name(const struct reg_pull *p, const char *name)
{
	struct img_reference ref;

	if (img_reference_parse(name, &ref, NULL) < 0)
		return;
	if (ref.digest[0] != '\0')
		printf("%s/%s@%s\n", p->place.host, p->place.path, ref.digest);
	else
		printf("%s/%s%s%s\n", p->place.host, p->place.path, p->all_tags ? "" : ":",
		       p->all_tags ? "" : ref.tag);
}

static const char *platform(const struct pull_opts *o, struct arena *arena)
{
	if (o->os == NULL && o->arch == NULL && o->variant == NULL)
		return o->platform;
	return arena_printf(arena, "%s%s%s%s%s", o->os != NULL ? o->os : "linux",
			    o->arch != NULL ? "/" : "", o->arch != NULL ? o->arch : "",
			    o->variant != NULL ? "/" : "", o->variant != NULL ? o->variant : "");
}

static int pull_all(struct reg_pull *p, bool quiet, int argc, char **argv, struct err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++) {
		const char *name = reach_name(argv[i]);
		struct show show;

		show_begin(&show, false, quiet);
		p->watch = &show.watch;
		r = reg_pull(p, name, err);
		show_end(&show);
		if (r == 0)
			print_name(p, name);
	}
	return r;
}

int registry_pull(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(reg_policy_fini) struct reg_policy policy = { 0 };
	_cleanup_(reach_end) struct reach reach = { 0 };
	const struct pull_opts *o = opts;
	struct reg_pull p = { .settings = &reach.settings, .access = &reach.access, .policy = &policy, .all_tags = o->all_tags,
			      .pulled = note };
	int r;

	if (o->platform != NULL && (o->os != NULL || o->arch != NULL || o->variant != NULL))
		return err_msg(err, -EINVAL, "--platform and --arch, --os or --variant exclude each other");
	r = reg_policy_read(o->signature_policy, &policy, err);
	if (r == 0)
		r = reach_begin(&reach, &o->reach, cli, err);
	if (r < 0)
		return r;
	p.store = reach.engine->images;
	p.data = reach.engine;
	p.platform = platform(o, &reach.arena);
	r = pull_all(&p, o->quiet, argc, argv, err);
	if (p.leftover)
		(void) eng_image_collect(reach.engine, NULL, NULL); /* or the next one that collects */
	return r;
}
