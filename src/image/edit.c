/* SPDX-License-Identifier: MIT */
#include "image/edit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"
#include "image/change.h"
#include "image/config.h"

#define HISTORY_MAX 4096 /* entries */

static bool one_of(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

static void write_set(struct str *s, const char *key, const struct img_words *list)
{
	if (list->n == 0)
		return;
	json_open(s, key, '{');
	for (size_t i = 0; i < list->n; i++) {
		json_open(s, list->v[i], '{');
		json_close(s, '}');
	}
	json_close(s, '}');
}

static void write_words(struct str *s, const char *key, const struct img_words *list)
{
	if (list->n > 0)
		json_texts(s, key, list->v, list->n);
}

static void write_health(struct str *s, const struct img_config *c)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = { { "Interval", c->health_interval },
			{ "Timeout", c->health_timeout },
			{ "StartPeriod", c->health_start_period },
			{ "StartInterval", c->health_start_interval },
			{ "Retries", c->health_retries } };

	if (c->health.n == 0)
		return;
	json_open(s, "Healthcheck", '{');
	write_words(s, "Test", &c->health);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (numbers[i].value != 0)
			json_uint(s, numbers[i].name, numbers[i].value);
	json_close(s, '}');
}

static void write_config(struct json_in *in, const struct img_config *c, struct str *s)
{
	static const char *const own[] = { "User",	 "ExposedPorts", "Env",	   "Entrypoint",
					   "Cmd",	 "Volumes",	 "Labels", "WorkingDir",
					   "StopSignal", "OnBuild",	 "Healthcheck" };
	const struct json *old = json_get_object(in, in->root, "config");

	json_open(s, "config", '{');
	if (c->user != NULL)
		json_text(s, "User", c->user);
	write_set(s, "ExposedPorts", &c->ports);
	write_words(s, "Env", &c->env);
	write_words(s, "Entrypoint", &c->entrypoint);
	write_words(s, "Cmd", &c->cmd);
	write_set(s, "Volumes", &c->volumes);
	if (c->workdir != NULL)
		json_text(s, "WorkingDir", c->workdir);
	if (c->labels.n > 0)
		json_pairs(s, "Labels", c->labels.v, c->labels.n);
	if (c->stop_signal != NULL)
		json_text(s, "StopSignal", c->stop_signal);
	write_words(s, "OnBuild", &c->on_build);
	write_health(s, c);
	for (const struct json *it = old != NULL ? old->first : NULL; it != NULL; it = it->next)
		if (!one_of(it->key, own, ARRAY_LEN(own)))
			json_node(s, it->key, it);
	json_close(s, '}');
}

static void write_history(struct json_in *in, const struct img_edit *e, const char *created,
			  struct str *s)
{
	const struct json *old = json_get_array(in, in->root, "history", HISTORY_MAX);

	json_open(s, "history", '[');
	for (const struct json *it = old != NULL ? old->first : NULL; it != NULL; it = it->next)
		json_node(s, NULL, it);
	json_open(s, NULL, '{');
	json_text(s, "created", created);
	if (e->author != NULL)
		json_text(s, "author", e->author);
	if (e->created_by != NULL)
		json_text(s, "created_by", e->created_by);
	if (e->comment != NULL)
		json_text(s, "comment", e->comment);
	json_close(s, '}');
	json_close(s, ']');
}

/* "linux/ARCH[/VARIANT]" */
static void write_platform(const char *platform, struct str *s)
{
	const char *arch = strchr(platform, '/') + 1, *variant = strchr(arch, '/');
	_cleanup_free_ char *name = strndup(arch, strcspn(arch, "/"));

	json_text(s, "architecture", name != NULL ? name : "");
	s->failed = s->failed || name == NULL;
	if (variant != NULL)
		json_text(s, "variant", variant + 1);
}

/* What describes the container an old image was made from does not fit the new one. */
static void write_all(struct json_in *in, const struct img_config *c, const struct img_edit *e,
		      const char *diff_id, struct str *s)
{
	static const char *const own[] = { "created", "config",	   "rootfs",	       "history",
					   "id",      "parent",	   "container_config", "container",
					   "comment" };
	static const char *const platform[] = { "architecture", "variant" };
	char created[TIME_TEXT_MAX];

	time_rfc3339(e->created, created);
	json_open(s, NULL, '{');
	json_text(s, "created", created);
	if (e->author != NULL)
		json_text(s, "author", e->author);
	if (e->platform != NULL)
		write_platform(e->platform, s);
	for (const struct json *it = in->root->first; it != NULL; it = it->next)
		if (!one_of(it->key, own, ARRAY_LEN(own)) &&
		    !(e->author != NULL && strcmp(it->key, "author") == 0) &&
		    !(e->platform != NULL && one_of(it->key, platform, ARRAY_LEN(platform))))
			json_node(s, it->key, it);
	write_config(in, c, s);
	json_open(s, "rootfs", '{');
	json_text(s, "type", "layers");
	json_open(s, "diff_ids", '[');
	for (size_t i = 0; i < c->diff_ids.n; i++)
		json_text(s, NULL, c->diff_ids.v[i]);
	json_text(s, NULL, diff_id);
	json_close(s, ']');
	json_close(s, '}');
	write_history(in, e, created, s);
	json_close(s, '}');
}

int img_edit_config(const char *base, size_t len, const struct img_edit *edit, const char *diff_id,
		    struct str *ret, struct err *err)
{
	_cleanup_(img_config_fini) struct img_config c = { 0 };
	struct json_in in;
	int r = img_config_parse("image configuration", base, len, &c, err);

	if (r == 0)
		r = img_change_all(&c, edit->changes, edit->nr_changes, err);
	if (r < 0)
		return r;
	r = json_parse(&in, "image configuration", &c.arena, base, len, err);
	if (r == 0) {
		write_all(&in, &c, edit, diff_id, ret);
		r = in.code;
	}
	json_fini(&in);
	return r == 0 && ret->failed ? err_set(err, -ENOMEM, "change the image") : r;
}
