/* SPDX-License-Identifier: MIT */
/**
 * DOC: config.json, top level
 *
 * The text becomes a tree (base/json.h), the tree becomes structs, the tree is released.  Strings are
 * decoded straight into the arena of the result and not copied again.  What is refused and with which
 * words follows runc where people or tests could know its messages.
 *
 * Only the text is looked at here, never the host: a container must stay readable after what it
 * refers to (a namespace file, a device) is gone.
 */
#include "oci/spec.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/spec_internal.h"
#include "oci/spec_names.h"

#define HOSTNAME_MAX 64 /* bytes; the kernel's limit for both names */

void *spec_array(struct json_in *in, const struct json *obj, const char *key, size_t max,
		 size_t size, size_t *ret_n, const struct json **ret_first)
{
	const struct json *array = json_get_array(in, obj, key, max);
	void *v;

	*ret_n = 0;
	*ret_first = NULL;
	if (array == NULL)
		return NULL;
	v = arena_alloc(in->strings, array->len, size);
	if (v == NULL) {
		(void) json_nomem(in); /* kept in in->code */
		return NULL;
	}
	*ret_n = array->len;
	*ret_first = array->first;
	return v;
}

struct oci_strv spec_strv(struct json_in *in, const struct json *obj, const char *key, size_t max)
{
	const struct json *array = json_get_array(in, obj, key, max);
	struct oci_strv ret = { 0 };

	ret.v = arena_alloc(in->strings, (array != NULL ? array->len : 0) + 1, sizeof(*ret.v));
	if (ret.v == NULL)
		(void) json_nomem(in); /* kept in in->code */
	if (ret.v == NULL || array == NULL)
		return ret;
	for (const struct json *it = array->first; it != NULL; it = it->next) {
		ret.v[ret.n] = json_to_str(in, it);
		if (ret.v[ret.n] == NULL)
			break;
		ret.n++;
	}
	return ret;
}

/* Names of an object are unique; json_get() sees to it for those that are asked for by name */
static bool check_unique(struct json_in *in, const struct json *obj)
{
	for (const struct json *it = obj->first; it != NULL; it = it->next)
		for (const struct json *before = obj->first; before != it; before = before->next)
			if (before->key_len == it->key_len &&
			    memcmp(before->key, it->key, it->key_len) == 0)
				return json_fail(in, it, NULL, "given twice");
	return true;
}

struct oci_pairs spec_pairs(struct json_in *in, const struct json *obj, const char *key)
{
	const struct json *map = json_get_object(in, obj, key);
	struct oci_pairs ret = { 0 };

	if (map == NULL || map->len == 0)
		return ret;
	if (map->len > SPEC_PAIRS_MAX) {
		(void) json_fail(in, map, NULL, "%u members are over the limit %d", map->len,
				 SPEC_PAIRS_MAX);
		return ret;
	}
	ret.v = arena_alloc(in->strings, map->len, sizeof(*ret.v));
	if (ret.v == NULL)
		(void) json_nomem(in); /* kept in in->code */
	if (ret.v == NULL || !check_unique(in, map))
		return ret;
	for (const struct json *it = map->first; it != NULL; it = it->next) {
		struct oci_pair pair = { json_to_key(in, it), json_to_str(in, it) };

		if (in->code < 0)
			break;
		ret.v[ret.n++] = pair;
	}
	return ret;
}

struct oci_idmaps spec_idmaps(struct json_in *in, const struct json *obj, const char *key)
{
	struct oci_idmaps ret = { 0 };
	const struct json *it;

	ret.v = spec_array(in, obj, key, SPEC_IDMAPS_MAX, sizeof(*ret.v), &ret.n, &it);
	for (size_t i = 0; i < ret.n; i++, it = it->next) {
		struct oci_idmap *map = &ret.v[i];

		if (!json_to_object(in, it) || !json_need(in, it, "size"))
			break;
		(void) json_get_u32(in, it, "containerID", &map->container);
		(void) json_get_u32(in, it, "hostID", &map->host);
		(void) json_get_u32(in, it, "size", &map->size);
		if (in->code == 0 && map->size == 0)
			(void) json_fail(in, it, "size", "0 is under the limit 1");
		if (in->code == 0 && ((uint64_t) map->container + map->size > 1ull << 32 ||
				      (uint64_t) map->host + map->size > 1ull << 32))
			(void) json_fail(in, it, "size", "%u ids end over the limit 4294967295",
					 map->size);
	}
	return ret;
}

struct opt_u64 spec_opt_u64(struct json_in *in, const struct json *obj, const char *key,
			    uint64_t max)
{
	struct opt_u64 ret = { 0 };

	ret.set = json_get_u64(in, obj, key, max, &ret.v);
	return ret;
}

struct opt_i64 spec_opt_i64(struct json_in *in, const struct json *obj, const char *key,
			    int64_t min, int64_t max)
{
	struct opt_i64 ret = { 0 };

	ret.set = json_get_i64(in, obj, key, min, max, &ret.v);
	return ret;
}

char *spec_str(struct json_in *in, const struct json *obj, const char *key)
{
	char *s = json_get_str(in, obj, key);

	return s != NULL && *s != '\0' ? s : NULL;
}

char *spec_path(struct json_in *in, const struct json *obj, const char *key)
{
	char *s = spec_str(in, obj, key);

	if (s != NULL && *s != '/')
		(void) json_fail(in, obj, key, "'%.200s' is not an absolute path", s);
	return s;
}

uint32_t spec_flags(struct json_in *in, const struct json *obj, const char *key,
		    const struct oci_names *names, const char *what)
{
	const struct json *array = json_get_array(in, obj, key, SPEC_FLAGS_MAX);
	uint32_t mask = 0, bit = 0;

	for (const struct json *it = array != NULL ? array->first : NULL; it != NULL; it = it->next) {
		const char *name = json_to_str(in, it);

		if (name == NULL)
			break;
		if (!oci_name_find(names, name, &bit))
			(void) json_fail(in, it, NULL, "%s: %.64s", what, name);
		mask |= bit;
	}
	return mask;
}

static bool version_number(const char **p, unsigned long *ret)
{
	char *end;

	if (**p < '0' || **p > '9' || (**p == '0' && (*p)[1] >= '0' && (*p)[1] <= '9'))
		return false;
	errno = 0;
	*ret = strtoul(*p, &end, 10);
	*p = end;
	return errno == 0;
}

/* "1.2.3", "1.2.3-rc.1", "1.2.3+build": the grammar of semver.org 2.0.0 */
static bool version_is_semver(const char *p, unsigned long *ret_major)
{
	static const char ids[] = "0123456789.-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	unsigned long minor, patch;

	if (!version_number(&p, ret_major) || *p++ != '.' || !version_number(&p, &minor) ||
	    *p++ != '.' || !version_number(&p, &patch))
		return false;
	for (const char *mark = "-+"; *mark != '\0'; mark++) {
		size_t n;

		if (*p != *mark)
			continue;
		n = strspn(++p, ids);
		if (n == 0 || p[0] == '.' || p[n - 1] == '.' || memmem(p, n, "..", 2) != NULL)
			return false;
		p += n;
	}
	return *p == '\0';
}

static void parse_version(struct json_in *in, const struct json *root, struct oci_spec *ret)
{
	unsigned long major = 0;

	if (!json_need(in, root, "ociVersion"))
		return;
	ret->version = json_get_str(in, root, "ociVersion");
	if (ret->version == NULL)
		return;
	if (!version_is_semver(ret->version, &major))
		(void) json_fail(in, root, "ociVersion", "'%.64s' is not a version like '%s'",
				 ret->version, OCI_SPEC_VERSION);
	else if (major != 1)
		(void) json_fail(in, root, "ociVersion",
				 "version '%.64s' is not supported, only 1.x is", ret->version);
}

static void parse_root(struct json_in *in, const struct json *root, struct oci_spec *ret)
{
	const struct json *obj = json_get_object(in, root, "root");

	if (in->code < 0)
		return;
	if (obj == NULL) {
		(void) json_fail(in, root, "root", "root must be specified");
		return;
	}
	ret->root_path = spec_str(in, obj, "path");
	ret->root_readonly = json_get_bool(in, obj, "readonly", false);
	if (in->code == 0 && ret->root_path == NULL)
		(void) json_fail(in, obj, "path", "missing or empty");
}

static char *parse_uts_name(struct json_in *in, const struct json *root, const char *key,
			    const struct oci_linux *linux)
{
	char *name = spec_str(in, root, key);

	if (name == NULL)
		return NULL;
	if (!linux->namespaces[OCI_NS_UTS].set)
		(void) json_fail(in, root, key, "unable to set %s without a private UTS namespace",
				 key);
	else if (strlen(name) > HOSTNAME_MAX)
		(void) json_fail(in, root, key, "%zu bytes are over the limit %d", strlen(name),
				 HOSTNAME_MAX);
	return name;
}

static void parse_top(struct json_in *in, struct oci_spec *ret)
{
	const struct json *root = in->root;
	const struct json *process;

	if (root->kind == JSON_KIND_NULL) {
		(void) json_fail(in, root, NULL, "config cannot be null");
		return;
	}
	if (!json_to_object(in, root))
		return;
	parse_version(in, root, ret);
	parse_root(in, root, ret);
	process = json_get_object(in, root, "process");
	if (process != NULL) {
		ret->process_set = true;
		spec_process(in, process, &ret->process);
	}
	spec_linux(in, root, ret);
	ret->hostname = parse_uts_name(in, root, "hostname", &ret->linux);
	ret->domainname = parse_uts_name(in, root, "domainname", &ret->linux);
	spec_sysctl_domainname(in, root, ret);
	spec_mounts(in, root, ret);
	spec_hooks(in, root, ret);
	ret->annotations = spec_pairs(in, root, "annotations");
}

static int open_text(struct json_in *in, const char *file, struct arena *arena, const char *text,
		     size_t len, struct err *err)
{
	*in = (struct json_in) { 0 };
	if (len > OCI_SPEC_SIZE_MAX)
		return err_msg(err, -EFBIG, "%s: %zu bytes are over the limit %u", file, len,
			       OCI_SPEC_SIZE_MAX);
	return json_parse(in, file, arena, text, len, err);
}

int oci_spec_parse(const char *file, const char *text, size_t len, struct oci_spec **ret,
		   struct err *err)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = calloc(1, sizeof(*spec));
	_cleanup_(json_fini) struct json_in in = { 0 };
	int r;

	if (spec == NULL)
		return err_set(err, -ENOMEM, "read %s", file);
	r = open_text(&in, file, &spec->arena, text, len, err);
	if (r < 0)
		return r;
	parse_top(&in, spec);
	if (in.code < 0)
		return in.code;
	*ret = take_ptr(spec);
	return 0;
}

int oci_process_parse(struct oci_spec *spec, const char *file, const char *text, size_t len,
		      struct oci_process *ret, struct err *err)
{
	_cleanup_(json_fini) struct json_in in = { 0 };
	struct oci_process process = { 0 };
	int r;

	r = open_text(&in, file, &spec->arena, text, len, err);
	if (r < 0)
		return r;
	if (json_to_object(&in, in.root))
		spec_process(&in, in.root, &process);
	if (in.code == 0)
		*ret = process;
	return in.code;
}

int oci_resources_parse(struct oci_spec *spec, const char *file, const char *text, size_t len,
			struct oci_resources *ret, struct err *err)
{
	_cleanup_(json_fini) struct json_in in = { 0 };
	struct oci_resources resources = { 0 };
	int r;

	r = open_text(&in, file, &spec->arena, text, len, err);
	if (r < 0)
		return r;
	if (json_to_object(&in, in.root))
		spec_resources(&in, in.root, &resources);
	if (in.code == 0)
		*ret = resources;
	return in.code;
}

const char *oci_spec_annotation(const struct oci_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->annotations.n; i++) {
		if (strcmp(spec->annotations.v[i].key, key) == 0)
			return spec->annotations.v[i].value;
	}
	return NULL;
}

void oci_spec_free(struct oci_spec *spec)
{
	if (spec == NULL)
		return;
	arena_fini(&spec->arena);
	free(spec);
}
