/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/registry/reach.h"
#include "cli/registry/show.h"
#include "cli/registry/verbs.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "image/reference.h"
#include "registry/push.h"
#include "registry/sign.h"
#include "registry/signature.h"

static int write_digest(const char *path, const char *digest, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : fd_write_full(fd, digest, strlen(digest));

	return r < 0 ? err_set(err, r, "write '%s'", path) : 0;
}

static int read_key(const struct push_opts *o, struct reg_key **ret, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 }, password = { 0 };
	int r;

	if (o->sign_key == NULL)
		return 0;
	r = file_read(AT_FDCWD, o->sign_key, REG_KEY_MAX, &text);
	if (r < 0)
		return err_set(err, r, "read key '%s'", o->sign_key);
	if (o->sign_password_file != NULL)
		r = file_read(AT_FDCWD, o->sign_password_file, REG_KEY_MAX, &password);
	if (r < 0)
		return err_set(err, r, "read '%s'", o->sign_password_file);
	if (password.p != NULL)
		password.p[strcspn(password.p, "\r\n")] = '\0';
	return reg_key_read_private(o->sign_key, text.p != NULL ? text.p : "", text.len,
				    o->sign_password_file != NULL ? password.p : getenv("COSIGN_PASSWORD"), ret, err);
}

static void tell(struct engine *e, const struct reg_push *p, const char *name, bool quiet)
{
	const char *const attributes[] = { "name", name, NULL };
	struct img_reference ref;

	eng_event(e, "image", "push", name, attributes);
	if (quiet && img_reference_parse(name, &ref, NULL) == 0)
		printf("%s/%s:%s\n", p->place.host, p->place.path, ref.tag);
}

int registry_push(struct cli *cli, void *opts, int argc, char **argv, struct err *err)
{
	_cleanup_(reg_key_freep) struct reg_key *key = NULL;
	_cleanup_(reach_end) struct reach reach = { 0 };
	const struct push_opts *o = opts;
	const char *name = reach_name(argv[0]), *to = argc > 1 ? reach_name(argv[1]) : NULL;
	struct show show;
	const struct reg_signer signer = { .key = o->sign_by, .passphrase_file = o->sign_password_file };
	struct reg_push p = { .settings = &reach.settings, .access = &reach.access, .watch = &show.watch,
			      .all_tags = o->all_tags };
	int r;

	if (o->all_tags && to != NULL)
		return err_msg(err, -EINVAL, "--all-tags pushes to the same name: no other can be given");
	if (o->sign_by != NULL && o->sign_key != NULL && o->sign_password_file != NULL)
		return err_msg(err, -EINVAL, "--sign-passphrase-file is for one key: give --sign-by or --sign-by-sigstore-private-key");
	r = read_key(o, &key, err);
	if (r == 0)
		r = reach_begin(&reach, &o->reach, cli, err);
	if (r < 0)
		return r;
	p.key = key;
	p.signer = o->sign_by != NULL ? &signer : NULL;
	p.store = reach.engine->images;
	show_begin(&show, true, o->quiet);
	r = reg_push(&p, name, to, err);
	show_end(&show);
	if (r == 0)
		tell(reach.engine, &p, to != NULL ? to : name, o->quiet);
	return r == 0 && o->digestfile != NULL ? write_digest(o->digestfile, p.digest, err) : r;
}
