/* SPDX-License-Identifier: MIT */
#include "image/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "base/json.h"
#include "base/json_write.h"

#define WORDS_MAX 4096 /* strings of one list */

bool img_words_have(const struct img_words *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->v[i], word) == 0)
			return true;
	return false;
}

static void read_words(struct json_in *in, const struct json *obj, const char *key,
		       struct img_words *ret)
{
	const struct json *list = json_get_array(in, obj, key, WORDS_MAX);
	size_t n = list != NULL ? list->len : 0;

	ret->v = arena_alloc(in->strings, n + 1, sizeof(*ret->v));
	if (ret->v == NULL) {
		(void) json_nomem(in); /* remembered in in->code */
		return;
	}
	for (const struct json *word = n > 0 ? list->first : NULL; word != NULL; word = word->next)
		ret->v[ret->n++] = json_to_str(in, word);
}

static const char *read_string(struct json_in *in, const struct json *obj, const char *key)
{
	const char *s = json_get_str(in, obj, key);

	return s != NULL && *s != '\0' ? s : NULL;
}

/* Names of an object's members, with "=" and their values if those are wanted */
static void read_keys(struct json_in *in, const struct json *obj, const char *key, bool values,
		      struct img_words *ret)
{
	const struct json *map = json_get_object(in, obj, key);
	size_t n = map != NULL ? map->len : 0;

	if (n > WORDS_MAX) {
		(void) json_fail(in, map, NULL, "%zu members are over the limit %d", n, WORDS_MAX);
		return;
	}
	ret->v = arena_alloc(in->strings, n + 1, sizeof(*ret->v));
	if (ret->v == NULL) {
		(void) json_nomem(in); /* remembered in in->code */
		return;
	}
	for (const struct json *it = n > 0 ? map->first : NULL; it != NULL; it = it->next) {
		bool empty = !values || it->kind == JSON_KIND_NULL; /* null is "" to what is written in Go */
		const char *name = json_to_key(in, it), *value = empty ? "" : json_to_str(in, it);

		if (name == NULL || value == NULL)
			return;
		ret->v[ret->n] = values ? arena_printf(in->strings, "%s=%s", name, value) : name;
		if (ret->v[ret->n++] == NULL) {
			(void) json_nomem(in); /* as above */
			return;
		}
	}
}

static void read_health(struct json_in *in, const struct json *config, struct img_config *c)
{
	const struct json *h = json_get_object(in, config, "Healthcheck");

	if (h == NULL)
		return;
	read_words(in, h, "Test", &c->health);
	(void) json_get_u64(in, h, "Interval", INT64_MAX, &c->health_interval);
	(void) json_get_u64(in, h, "Timeout", INT64_MAX, &c->health_timeout);
	(void) json_get_u64(in, h, "StartPeriod", INT64_MAX, &c->health_start_period);
	(void) json_get_u64(in, h, "StartInterval", INT64_MAX, &c->health_start_interval);
	(void) json_get_u64(in, h, "Retries", INT64_MAX, &c->health_retries);
}

/* RFC 3339; 0 when absent or no time, which is no reason to refuse an image */
static int64_t read_time(struct json_in *in, const struct json *obj, const char *key)
{
	const char *text = json_get_str(in, obj, key), *p;
	int64_t ns = 0, scale = 100000000;
	struct tm tm = { 0 };
	int hours = 0, minutes = 0;

	p = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	if (p == NULL || tm.tm_year < 70 || tm.tm_year > 300)
		return 0;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
			ns += (*p - '0') * scale;
	if ((*p == '+' || *p == '-') && sscanf(p + 1, "%2d:%2d", &hours, &minutes) == 2 &&
	    *p == '-')
		hours = -hours, minutes = -minutes;
	return (timegm(&tm) - hours * 3600 - minutes * 60) * 1000000000ll + ns;
}

static void read_all(struct json_in *in, struct img_config *c)
{
	const struct json *config, *fs;

	if (!json_to_object(in, in->root))
		return;
	config = json_get_object(in, in->root, "config");
	fs = json_get_object(in, in->root, "rootfs");
	c->arch = read_string(in, in->root, "architecture");
	c->created = read_time(in, in->root, "created");
	if (config != NULL) {
		read_words(in, config, "Env", &c->env);
		read_words(in, config, "Entrypoint", &c->entrypoint);
		read_words(in, config, "Cmd", &c->cmd);
		read_words(in, config, "Shell", &c->shell);
		read_words(in, config, "OnBuild", &c->on_build);
		c->workdir = read_string(in, config, "WorkingDir");
		c->user = read_string(in, config, "User");
		c->stop_signal = read_string(in, config, "StopSignal");
		read_keys(in, config, "Labels", true, &c->labels);
		read_keys(in, config, "Volumes", false, &c->volumes);
		read_keys(in, config, "ExposedPorts", false, &c->ports);
		read_health(in, config, c);
	}
	if (fs != NULL)
		read_words(in, fs, "diff_ids", &c->diff_ids);
}

int img_config_parse(const char *name, const char *text, size_t len, struct img_config *ret,
		     struct err *err)
{
	struct img_config c = { 0 };
	struct json_in in;
	int r = json_parse(&in, name, &c.arena, text, len, err);

	if (r == 0) {
		read_all(&in, &c);
		r = in.code;
	}
	json_fini(&in);
	if (r < 0) {
		arena_fini(&c.arena);
		return r;
	}
	*ret = c;
	return 0;
}

void img_config_fini(struct img_config *config)
{
	arena_fini(&config->arena);
	*config = (struct img_config) { 0 };
}

static void format_descriptor(const char *key, const struct img_descriptor *d, struct str *ret)
{
	json_open(ret, key, '{');
	json_text(ret, "mediaType", d->media_type);
	json_text(ret, "digest", d->digest);
	json_uint(ret, "size", d->size);
	json_close(ret, '}');
}

void img_manifest_format(const struct img_descriptor *config, const struct img_descriptor *layers,
			 size_t nr_layers, struct str *ret)
{
	json_open(ret, NULL, '{');
	json_uint(ret, "schemaVersion", 2);
	json_text(ret, "mediaType", "application/vnd.oci.image.manifest.v1+json");
	format_descriptor("config", config, ret);
	json_open(ret, "layers", '[');
	for (size_t i = 0; i < nr_layers; i++)
		format_descriptor(NULL, &layers[i], ret);
	json_close(ret, ']');
	json_close(ret, '}');
}
