/* SPDX-License-Identifier: MIT */
#include "cli/run_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/registry/get.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "image/reference.h"
#include "image/store.h"
#include "image/tiny.h"

int run_nomem(struct err *err)
{
	return err_set(err, -ENOMEM, "read the options");
}

int run_text(struct eng_config *c, const char *value, const char **ret, struct err *err)
{
	if (value == NULL)
		return 0;
	*ret = arena_strdup(&c->arena, value);
	return *ret != NULL ? 0 : run_nomem(err);
}

int run_list(struct eng_config *c, const struct opt_strings *values, struct img_words *ret,
	     struct err *err)
{
	for (size_t i = 0; i < values->n; i++)
		if (eng_words_add(&c->arena, ret, values->v[i]) < 0)
			return run_nomem(err);
	return 0;
}

static int check_pull(const struct run_opts *o, struct err *err)
{
	const char *pull = o->pull;

	if (pull == NULL || strcmp(pull, "missing") == 0 || strcmp(pull, "never") == 0 ||
	    strcmp(pull, "always") == 0 || strcmp(pull, "newer") == 0)
		return 0;
	return err_msg(
		err, -EINVAL,
		"invalid pull option: '%s': must be one of \"always\", \"missing\", \"newer\" or \"never\"",
		pull);
}

static int find_here(struct engine *e, const char *name, struct arena *a, struct img_image *ret,
		     struct err *err)
{
	struct img_reference ref;
	int r = img_store_find(e->images, name, a, ret, err);

	if (r != -ENOENT || img_reference_parse(name, &ref, NULL) < 0 ||
	    strcmp(ref.repository, IMG_TINY) != 0 || strcmp(ref.tag, "latest") != 0)
		return r;
	r = img_tiny_import(e->images, err);
	return r < 0 ? r : img_store_find(e->images, name, a, ret, err);
}

/* As --pull says.  The small image in the program itself needs no registry. */
static int find_image(struct engine *e, const struct run_opts *o, const char *name, struct arena *a,
		      struct img_image *ret, struct err *err)
{
	const char *pull = o->pull != NULL ? o->pull : "missing";
	const char *platform = o->platform;
	struct img_reference ref;
	int r = find_here(e, name, a, ret, err);

	if (strcmp(pull, "never") == 0 || (r == 0 && strcmp(pull, "missing") == 0) ||
	    (r < 0 && r != -ENOENT) || img_reference_parse(name, &ref, NULL) < 0)
		return r;
	if (r == -ENOENT && strcmp(pull, "missing") == 0)
		fprintf(stderr, "Unable to find image '%s%s%s' locally\n", ref.repository,
			ref.digest[0] != '\0' ? "@" : ":", ref.digest[0] != '\0' ? ref.digest : ref.tag);
	if (platform == NULL && (o->os != NULL || o->arch != NULL))
		platform = arena_printf(a, "%s%s%s", o->os != NULL ? o->os : "linux",
					o->arch != NULL ? "/" : "", o->arch != NULL ? o->arch : "");
	if (registry_get(e, name, platform, o->quiet, err) < 0 && (r < 0 || strcmp(pull, "newer") != 0))
		return -EREMOTE;
	return find_here(e, name, a, ret, err);
}

/* Docker's word for this machine's processor */
static const char *host_arch(struct utsname *u)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" },   { "aarch64", "arm64" },     { "armv7l", "arm" },
		{ "ppc64le", "ppc64le" }, { "riscv64", "riscv64" },   { "s390x", "s390x" },
	};

	if (uname(u) < 0)
		return "amd64";
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(u->machine, names[i][0]) == 0)
			return names[i][1];
	return u->machine;
}

/* OS, OS/ARCH[/VARIANT] or ARCH */
static int check_platform(struct eng_config *c, const struct run_opts *o,
			  const struct img_config *image, struct err *err)
{
	struct utsname u;
	const char *have = image->arch != NULL ? image->arch : host_arch(&u), *want = o->platform;
	const char *platform;
	char arch[64];
	size_t n;

	if (want != NULL && (o->os != NULL || o->arch != NULL || o->variant != NULL))
		return err_msg(err, -EINVAL,
			       "--platform and --arch, --os or --variant exclude each other");
	if (o->os != NULL || o->arch != NULL || o->variant != NULL) {
		want = arena_printf(&c->arena, "%s/%s%s%s", o->os != NULL ? o->os : "linux",
				    o->arch != NULL ? o->arch : have,
				    o->variant != NULL ? "/" : "",
				    o->variant != NULL ? o->variant : "");
		if (want == NULL)
			return run_nomem(err);
	}
	if (want == NULL)
		return 0;
	platform = want;
	if (strncmp(want, "linux", 5) == 0 && (want[5] == '\0' || want[5] == '/'))
		want += want[5] == '/' ? 6 : 5;
	else if (strchr(want, '/') != NULL)
		return err_msg(err, -EINVAL, "--platform '%s': only the system linux can be run",
			       platform);
	n = strcspn(want, "/");
	(void) snprintf(arch, sizeof(arch), "%.*s", (int) n, want);
	if (strcmp(arch, "x86_64") == 0)
		(void) snprintf(arch, sizeof(arch), "amd64");
	if (strcmp(arch, "aarch64") == 0)
		(void) snprintf(arch, sizeof(arch), "arm64");
	if (n > 0 && strcmp(arch, have) != 0)
		return err_msg(
			err, -EINVAL,
			"image '%s' was found but does not provide the specified platform (%s): it is for linux/%s",
			c->image, platform, have);
	return run_text(c, platform, &c->platform, err);
}

static int read_all(struct engine *e, struct eng_config *c, const struct run_opts *o,
		    const struct img_config *image, int argc, char **argv, struct err *err)
{
	int r = check_platform(c, o, image, err);

	if (r == 0)
		r = run_program(c, o, image, argc, argv, err);
	if (r == 0)
		r = run_namespaces(e, c, o, err);
	if (r == 0)
		r = run_names(c, o, image, err);
	if (r == 0)
		r = run_limits(c, o, err);
	if (r == 0)
		r = run_privileges(c, o, err);
	if (r == 0)
		r = run_life(c, o, image, err);
	if (r == 0)
		r = run_machine(c, o, err);
	return r == 0 ? run_mounts(e, c, o, image, err) : r;
}

static int check_cidfile(const struct run_opts *o, struct err *err)
{
	if (o->cidfile == NULL || access(o->cidfile, F_OK) < 0)
		return 0;
	return err_msg(
		err, -EEXIST,
		"container ID file found, make sure the other container isn't running or delete %s",
		o->cidfile);
}

int run_config(struct engine *e, const struct run_opts *o, int argc, char **argv,
	       struct eng_config *ret, struct err *err)
{
	struct eng_config c = {
		.tty = o->tty,
		.open_stdin = o->interactive,
		.read_only = o->read_only,
		.auto_remove = o->auto_remove,
		.privileged = o->privileged,
		.init = o->init,
		.publish_all = o->publish_all,
		.detached = o->detach,
		.stop_timeout = ENG_STOP_TIMEOUT,
	};
	struct img_config config = { 0 };
	struct img_image image;
	int r = check_pull(o, err);

	if (r == 0)
		r = check_cidfile(o, err);
	if (r == 0)
		r = find_image(e, o, argv[0], &c.arena, &image, err);
	if (r == 0)
		r = img_store_config(e->images, &image, &config, err);
	if (r == 0) {
		c.image = arena_strdup(&c.arena, argv[0]);
		c.image_id = image.id;
		c.chain = image.chain;
		r = c.image == NULL ? run_nomem(err)
				    : read_all(e, &c, o, &config, argc - 1, argv + 1, err);
	}
	img_config_fini(&config);
	if (r < 0)
		eng_config_fini(&c);
	else
		*ret = c;
	return r;
}

int run_cidfile(const struct run_opts *o, const char *id, struct err *err)
{
	int r;

	if (o->cidfile == NULL)
		return 0;
	_cleanup_close_ int fd = open(o->cidfile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : fd_write_full(fd, id, strlen(id));
	return r < 0 ? err_set(err, r, "write container ID file '%s'", o->cidfile) : 0;
}

const char *run_name(const struct run_opts *o)
{
	return o->name != NULL && o->name[0] == '/' ? o->name + 1 : o->name;
}

int run_replace(struct engine *e, const struct run_opts *o, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const char *name = run_name(o);
	struct eng_instance i;
	int r;

	if (!o->replace)
		return 0;
	if (name == NULL)
		return err_msg(err, -EINVAL, "--replace needs the name of an instance: --name");
	r = eng_instance_find(e, name, &arena, &i, err);
	if (r == -ENOENT || (r == 0 && strcmp(i.name, name) != 0)) /* another one's id */
		return 0;
	return r == 0 ? eng_instance_remove(e, &i, true, true, err) : r;
}

int run_created_by(struct eng_config *c, char *const *words, struct err *err)
{
	for (size_t i = 1; words[i] != NULL; i++) {
		const char *word = arena_strdup(&c->arena, words[i]);

		if (word == NULL || eng_words_add(&c->arena, &c->create_command, word) < 0)
			return run_nomem(err);
	}
	return 0;
}
