/* SPDX-License-Identifier: MIT */
#include "image/config.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

static void decref(json_t **j)
{
	json_decref(*j);
}

static int read_string(const char *name, const json_t *object, const char *field, struct arena *arena,
		       const char **ret, struct err *err)
{
	const json_t *v = json_object_get(object, field);

	if (v == NULL || json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0))
		return 0;
	if (!json_is_string(v))
		return err_msg(err, -EINVAL, "%s: config.%s is not a string", name, field);
	*ret = arena_strdup(arena, json_string_value(v));
	return *ret != NULL ? 0 : err_set(err, -ENOMEM, "read %s", name);
}

static int read_words(const char *name, const json_t *object, const char *field, struct arena *arena,
		      struct img_words *ret, struct err *err)
{
	const json_t *v = json_object_get(object, field);
	size_t n = json_array_size(v);

	if (v == NULL || json_is_null(v))
		n = 0;
	else if (!json_is_array(v))
		return err_msg(err, -EINVAL, "%s: %s is not a list", name, field);
	ret->v = arena_alloc(arena, n + 1, sizeof(*ret->v));
	for (size_t i = 0; ret->v != NULL && i < n; i++) {
		const json_t *word = json_array_get(v, i);

		if (!json_is_string(word))
			return err_msg(err, -EINVAL, "%s: %s[%zu] is not a string", name, field, i);
		ret->v[i] = arena_strdup(arena, json_string_value(word));
		if (ret->v[i] == NULL)
			return err_set(err, -ENOMEM, "read %s", name);
	}
	ret->n = n;
	return ret->v != NULL ? 0 : err_set(err, -ENOMEM, "read %s", name);
}

static int read_all(const char *name, const json_t *root, struct img_config *c, struct err *err)
{
	const json_t *config = json_object_get(root, "config"), *fs = json_object_get(root, "rootfs");
	int r = read_words(name, config, "Env", &c->arena, &c->env, err);

	if (r == 0)
		r = read_words(name, config, "Entrypoint", &c->arena, &c->entrypoint, err);
	if (r == 0)
		r = read_words(name, config, "Cmd", &c->arena, &c->cmd, err);
	if (r == 0)
		r = read_words(name, fs, "diff_ids", &c->arena, &c->diff_ids, err);
	if (r == 0)
		r = read_string(name, config, "WorkingDir", &c->arena, &c->workdir, err);
	if (r == 0)
		r = read_string(name, config, "User", &c->arena, &c->user, err);
	return r == 0 ? read_string(name, config, "StopSignal", &c->arena, &c->stop_signal, err) : r;
}

int img_config_parse(const char *name, const char *text, size_t len, struct img_config *ret,
		     struct err *err)
{
	struct img_config c = { 0 };
	json_error_t why;
	int r;

	_cleanup_(decref) json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (root == NULL)
		return err_msg(err, -EINVAL, "%s: line %d: %s", name, why.line, why.text);
	if (!json_is_object(root))
		return err_msg(err, -EINVAL, "%s: not an object", name);
	r = read_all(name, root, &c, err);
	if (r < 0) {
		img_config_fini(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void img_config_fini(struct img_config *config)
{
	arena_fini(&config->arena);
	*config = (struct img_config){ 0 };
}

void img_config_format(int64_t created_ns, const char *diff_id, const char *cmd, const char *comment,
		       struct str *ret)
{
	char created[TIME_TEXT_MAX];

	time_rfc3339(created_ns, created);
	str_printf(ret, "{\"created\":\"%s\",\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{"
		   "\"Env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"]",
		   created);
	if (cmd != NULL) {
		str_puts(ret, ",\"Cmd\":[");
		str_json(ret, cmd);
		str_puts(ret, "]");
	}
	str_printf(ret, "},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]},\"history\":[{\"created\":\"%s\",\"comment\":",
		   diff_id, created);
	str_json(ret, comment);
	str_puts(ret, "}]}");
}

static void format_descriptor(const struct img_descriptor *d, struct str *ret)
{
	str_printf(ret, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}", d->media_type, d->digest,
		   (unsigned long long) d->size);
}

void img_manifest_format(const struct img_descriptor *config, const struct img_descriptor *layers,
			 size_t nr_layers, struct str *ret)
{
	str_puts(ret, "{\"schemaVersion\":2,\"mediaType\":\"" "application/vnd.oci.image.manifest.v1+json\",\"config\":");
	format_descriptor(config, ret);
	str_puts(ret, ",\"layers\":[");
	for (size_t i = 0; i < nr_layers; i++) {
		if (i > 0)
			str_puts(ret, ",");
		format_descriptor(&layers[i], ret);
	}
	str_puts(ret, "]}");
}
