/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/registry/reach.h"
#include "cli/registry/show.h"
#include "cli/registry/verbs.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "image/reference.h"
#include "registry/place.h"
#include "registry/push.h"
#include "registry/settings.h"

static void tell(struct engine *e, const struct reg_settings *settings, const char *name, bool quiet)
{
	const char *const attributes[] = { "name", name, NULL };
	struct img_reference ref;
	struct reg_place place;

	eng_event(e, "image", "push", name, attributes);
	if (quiet && img_reference_parse(name, &ref, NULL) == 0 &&
	    reg_place_of(settings, ref.repository, &place, NULL) == 0)
		printf("%s/%s:%s\n", place.host, place.path, ref.tag);
}

int registry_push(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(reg_settings_fini) struct reg_settings settings = { 0 };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(eng_closep) struct engine *e = NULL;
	const struct push_opts *o = opts;
	const char *to = argc > 1 ? argv[1] : NULL;
	struct reg_access access;
	struct show show;
	struct reg_push p = { .settings = &settings, .access = &access, .watch = &show.watch,
			      .all_tags = o->all_tags };
	int r = reach_access(&o->reach, &arena, &access, err);

	if (o->all_tags && to != NULL)
		return err_msg(err, -EINVAL, "--all-tags pushes to the same name: no other can be given");
	if (r == 0)
		r = reg_settings_read(&settings, err);
	if (r == 0)
		r = cli_engine(cli, &e, err);
	if (r < 0)
		return r;
	(void) signal(SIGPIPE, SIG_IGN); /* a connection that is closed is an error like others */
	p.store = e->images;
	show_begin(&show, true, o->quiet);
	r = reg_push(&p, argv[0], to, err);
	show_end(&show);
	if (r == 0)
		tell(e, &settings, to != NULL ? to : argv[0], o->quiet);
	return r;
}
