/* SPDX-License-Identifier: MIT */
#include "engine/image.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/image_mount.h"
#include "engine/instance.h"
#include "image/reference.h"
#include "image/remove.h"
#include "image/store.h"

/* Return: 0; -EBUSY with a message that names an instance. */
static int check_unused(struct engine *e, const struct img_image *image, bool force,
			struct err *err)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r = db_query(e->db, &rows, err,
			 "SELECT name, id, state FROM instance WHERE image_id = ?"
			 " ORDER BY state IN ('running', 'restarting') DESC LIMIT 1",
			 "s", image->id);
	bool runs;

	if (r == 0)
		r = db_next(rows, err);
	if (r <= 0)
		return r;
	runs = strcmp(db_text(rows, 2), "running") == 0 ||
	       strcmp(db_text(rows, 2), "restarting") == 0;
	if (!runs && force)
		return 0;
	return err_msg(err, -EBUSY,
		       "unable to delete image %.12s (%s be forced): it is used by %s instance %s %.12s",
		       image->id, runs ? "cannot" : "must",
		       runs ? "running" : "stopped", db_text(rows, 0), db_text(rows, 1));
}

struct removal {
	struct engine *e;
	const struct img_image *image;
	bool force;
};

static int may_go(void *data, struct err *err)
{
	const struct removal *removal = data;
	const struct img_image *image = removal->image;
	int r = check_unused(removal->e, image, removal->force, err);

	if (r < 0 || !eng_image_mounted(removal->e, image->id, NULL))
		return r;
	return removal->force ? eng_image_umount(removal->e, image->id, err)
			      : err_msg(err, -EBUSY,
					"unable to delete image %.12s (must be forced): it is mounted, see "
					"'cleave image mount'",
					image->id);
}

int eng_image_forget(struct engine *e, const struct img_image *image, bool force, struct err *err)
{
	struct removal removal = { e, image, force };

	return img_forget(e->images, image->id, may_go, &removal, err);
}

static int untag(struct engine *e, const char *name, struct str *ret, struct err *err)
{
	struct img_reference ref;
	int r = img_reference_parse(name, &ref, err);

	if (r == 0)
		r = img_untag(e->images, &ref, err);
	if (r < 0)
		return r;
	str_printf(ret, "Untagged: %s:%s\n", ref.repository, ref.tag);
	eng_event(e, "image", "untag", name, (const char *const[]) { "name", name, NULL });
	return 0;
}

static int forget(struct engine *e, const struct img_image *image, const struct img_words *names,
		  bool force, struct str *ret, struct err *err)
{
	int r = eng_image_forget(e, image, force, err);

	if (r == 0)
		r = eng_image_collect(e, NULL, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < names->n; i++)
		str_printf(ret, "Untagged: %s\n", names->v[i]);
	str_printf(ret, "Deleted: sha256:%s\n", image->id);
	eng_event(e, "image", "delete", image->id,
		  (const char *const[]) { "name", names->n > 0 ? names->v[0] : NULL, NULL });
	return 0;
}

/* It was named by its name, not by its id */
static bool is_name(const char *what, const struct img_words *names)
{
	_cleanup_(str_fini) struct str full = { 0 };
	struct img_reference ref;

	if (img_reference_parse(what, &ref, NULL) < 0)
		return false;
	str_printf(&full, "%s:%s", ref.repository, ref.tag);
	for (size_t i = 0; full.p != NULL && i < names->n; i++)
		if (strcmp(names->v[i], full.p) == 0)
			return true;
	return false;
}

int eng_image_remove(struct engine *e, const char *what, bool force, struct str *ret,
		     struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	struct img_words names;
	struct img_image image;
	int r = img_store_find(e->images, what, &arena, &image, err);

	if (r == 0)
		r = img_names(e->images, image.id, &arena, &names, err);
	if (r < 0)
		return r;
	if (names.n > 1 && is_name(what, &names))
		return untag(e, what, ret, err);
	if (names.n > 1 && !force)
		return err_msg(err, -EBUSY,
			       "unable to delete image %.12s (must be forced): it has %zu names, such as %s",
			       image.id, names.n, names.v[0]);
	return forget(e, &image, &names, force, ret, err);
}

int eng_image_users(void *data, struct arena *arena, struct img_words *chains, struct err *err)
{
	struct engine *e = data;
	struct eng_instance *list = NULL;
	int n = eng_instance_list(e, arena, &list, err), r = 0;

	for (int i = 0; r == 0 && i < n; i++) {
		struct eng_config config;

		r = eng_instance_config(e, &list[i], &config, err);
		if (r == 0) {
			r = eng_words_add(arena, chains, config.chain);
			if (r < 0)
				(void) err_set(err, r, "find the layers that instances use");
			eng_config_fini(&config);
		} else if (r == -ENOENT) /* it was removed meanwhile */
			r = 0;
	}
	return n < 0 ? n : r;
}

int eng_image_collect(struct engine *e, uint64_t *ret_bytes, struct err *err)
{
	return img_collect(e->images, eng_image_users, e, ret_bytes, err);
}

static void add_words(struct str *s, const char *key, const struct img_words *words)
{
	json_texts(s, key, words->v, words->n);
}

/* Its own, or that of its last step */
static const char *comment_of(struct json_in *in, const struct json *config)
{
	const struct json *steps = json_get_array(in, config, "history", UINT32_MAX);
	const char *text = json_get_str(in, config, "comment");

	for (const struct json *m = steps != NULL ? steps->first : NULL; text == NULL && m != NULL;
	     m = m->next)
		if (m->next == NULL && json_to_object(in, m))
			text = json_get_str(in, m, "comment");
	return text != NULL ? text : "";
}

/* Where its layers are: the top one, and those below from the top */
static void add_driver(struct engine *e, const char *chain, struct arena *arena, struct str *s)
{
	_cleanup_(str_fini) struct str lower = { 0 };
	const char *end = chain + strlen(chain), *top = NULL;

	while (end > chain) {
		const char *begin = memrchr(chain, ' ', (size_t) (end - chain));

		begin = begin != NULL ? begin + 1 : chain;
		if (top == NULL)
			top = arena_printf(arena, "%s/layers/%.*s/fs", e->root, (int) (end - begin), begin);
		else
			str_printf(&lower, "%s%s/layers/%.*s/fs", lower.len > 0 ? ":" : "", e->root,
				   (int) (end - begin), begin);
		end = begin > chain ? begin - 1 : chain;
	}
	json_open(s, "GraphDriver", '{');
	json_text(s, "Name", "overlay");
	json_open(s, "Data", '{');
	if (lower.len > 0)
		json_text(s, "LowerDir", lower.p);
	json_text(s, "UpperDir", top != NULL ? top : "");
	json_close(s, '}');
	json_close(s, '}');
}

/* What the image says, and what Docker's inspect shows in any case */
static void add_config(struct str *s, const struct json *config)
{
	static const char *const always[][2] = {
		{ "User", "\"\"" },  { "Env", "null" },     { "Cmd", "null" },    { "Volumes", "null" },
		{ "WorkingDir", "\"\"" }, { "Entrypoint", "null" }, { "OnBuild", "null" }, { "Labels", "null" },
	};
	const struct json *first = config != NULL ? config->first : NULL;

	json_open(s, "Config", '{');
	for (const struct json *m = first; m != NULL; m = m->next)
		json_node(s, m->key, m);
	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		const struct json *m = first;

		while (m != NULL && strcmp(m->key, always[i][0]) != 0)
			m = m->next;
		if (m == NULL)
			json_raw(s, always[i][0], always[i][1]);
	}
	json_close(s, '}');
}

static int add_parts(struct engine *e, const struct img_image *image, const struct json *config,
		     struct json_in *in, struct str *s, struct err *err)
{
	static const char *const copied[][2] = {
		{ "architecture", "Architecture" }, { "variant", "Variant" }, { "os", "Os" },
	};
	const char *author = json_get_str(in, config, "author");
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct json *rootfs = json_get_object(in, config, "rootfs");
	const struct json *diffs = rootfs != NULL ? json_get_array(in, rootfs, "diff_ids", UINT32_MAX)
						  : NULL;
	const char *own = image->repository[0] != '<' ? arena_printf(&arena, "%s@%s", image->repository,
								     image->manifest)
						      : NULL;
	struct img_words names, digests = { 0 };
	char created[TIME_TEXT_MAX];
	int r = img_names(e->images, image->id, &arena, &names, err);

	if (r >= 0)
		r = img_store_digests(e->images, image->id, &arena, &digests, err);
	if (r < 0)
		return r;
	time_rfc3339(image->created, created);
	json_open(s, NULL, '{');
	json_text(s, "Id", arena_printf(&arena, "sha256:%s", image->id));
	add_words(s, "RepoTags", &names);
	json_open(s, "RepoDigests", '[');
	if (own != NULL && !img_words_have(&digests, own))
		json_text(s, NULL, own);
	for (size_t i = 0; i < digests.n; i++)
		json_text(s, NULL, digests.v[i]);
	json_close(s, ']');
	json_text(s, "Parent", "");
	json_text(s, "Comment", comment_of(in, config));
	json_text(s, "Author", author != NULL ? author : "");
	json_text(s, "Created", created);
	for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
		const struct json *node = json_get(in, config, copied[i][0]);

		if (node != NULL)
			json_node(s, copied[i][1], node);
	}
	add_config(s, json_get_object(in, config, "config"));
	json_int(s, "Size", image->size);
	json_open(s, "RootFS", '{');
	json_text(s, "Type", "layers");
	if (diffs != NULL)
		json_node(s, "Layers", diffs);
	json_close(s, '}');
	add_driver(e, image->chain, &arena, s);
	json_close(s, '}');
	return in->code;
}

int eng_image_inspect(struct engine *e, const struct img_image *image, struct str *ret,
		      struct err *err)
{
	_cleanup_(arena_fini) struct arena strings = { 0 };
	_cleanup_(str_fini) struct str text = { 0 };
	struct json_in in;
	int r = img_store_config_text(e->images, image, &text, err);

	if (r < 0)
		return r;
	r = json_parse(&in, "image configuration", &strings, text.p, text.len, err);
	if (r == 0 && json_to_object(&in, in.root))
		r = add_parts(e, image, in.root, &in, ret, err);
	json_fini(&in);
	return r == 0 && ret->failed ? err_set(err, -ENOMEM, "describe the image") : r;
}
