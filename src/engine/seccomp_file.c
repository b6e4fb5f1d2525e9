/* SPDX-License-Identifier: MIT */
#include "engine/seccomp_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "oci/spec.h"
#include "sys/cap.h"

#define RULES_MAX 65536
#define NAMES_MAX 4096

#if defined(__x86_64__)
#define ARCH "amd64"
#define SCMP_ARCH "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#define SCMP_ARCH "SCMP_ARCH_AARCH64"
#endif

/* Copy a value as it was */
static void put(struct str *ret, const struct json *v)
{
	bool first = true;

	switch (v->kind) {
	case JSON_KIND_STRING:
		str_json(ret, v->text);
		return;
	case JSON_KIND_NUMBER:
		str_add(ret, v->text, v->len);
		return;
	case JSON_KIND_BOOL:
		str_puts(ret, v->flag ? "true" : "false");
		return;
	case JSON_KIND_NULL:
		str_puts(ret, "null");
		return;
	case JSON_KIND_ARRAY:
	case JSON_KIND_OBJECT:
		break;
	}
	str_puts(ret, v->kind == JSON_KIND_ARRAY ? "[" : "{");
	for (const struct json *it = v->first; it != NULL; it = it->next) {
		str_puts(ret, first ? "" : ",");
		first = false;
		if (v->kind == JSON_KIND_OBJECT) {
			str_json(ret, it->key);
			str_puts(ret, ":");
		}
		put(ret, it);
	}
	str_puts(ret, v->kind == JSON_KIND_ARRAY ? "]" : "}");
}

static void put_member(struct str *ret, struct json_in *in, const struct json *obj, const char *key,
		       bool *first)
{
	const struct json *v = json_get(in, obj, key);

	if (v == NULL)
		return;
	str_printf(ret, "%s\"%s\":", *first ? "" : ",", key);
	*first = false;
	put(ret, v);
}

/* "4.8" or newer runs */
static bool kernel_at_least(const char *text)
{
	unsigned want[2] = { 0 }, have[2] = { 0 };
	struct utsname u;

	return uname(&u) == 0 && sscanf(text, "%u.%u", &want[0], &want[1]) == 2 &&
	       sscanf(u.release, "%u.%u", &have[0], &have[1]) == 2 &&
	       (have[0] > want[0] || (have[0] == want[0] && have[1] >= want[1]));
}

/* How many strings of a list are this architecture (or capabilities that there are) */
static size_t matching(struct json_in *in, const struct json *obj, const char *key,
		       const uint64_t *caps, size_t *ret_all)
{
	const struct json *list = json_get_array(in, obj, key, NAMES_MAX);
	size_t n = 0;

	*ret_all = list != NULL ? list->len : 0;
	for (const struct json *it = list != NULL ? list->first : NULL; it != NULL; it = it->next) {
		const char *word = json_to_str(in, it);
		int cap = word != NULL && caps != NULL ? cap_from_name(word) : -1;

		if (word == NULL)
			return 0;
		n += caps != NULL ? cap >= 0 && (*caps & 1ull << cap) != 0
				  : strcmp(word, ARCH) == 0;
	}
	return n;
}

/* Whether "includes" and "excludes" let the rule hold */
static bool holds(struct json_in *in, const struct json *rule, uint64_t caps)
{
	const struct json *includes = json_get_object(in, rule, "includes");
	const struct json *excludes = json_get_object(in, rule, "excludes");
	const char *kernel;
	size_t all;

	if (includes != NULL) {
		if (matching(in, includes, "caps", &caps, &all) != all)
			return false;
		if (matching(in, includes, "arches", NULL, &all) == 0 && all > 0)
			return false;
		kernel = json_get_str(in, includes, "minKernel");
		if (kernel != NULL && !kernel_at_least(kernel))
			return false;
	}
	if (excludes == NULL)
		return true;
	if (matching(in, excludes, "caps", &caps, &all) > 0 ||
	    matching(in, excludes, "arches", NULL, &all) > 0)
		return false;
	kernel = json_get_str(in, excludes, "minKernel");
	return kernel == NULL || !kernel_at_least(kernel);
}

static void put_rules(struct json_in *in, uint64_t caps, struct str *ret)
{
	const struct json *rules = json_get_array(in, in->root, "syscalls", RULES_MAX);
	bool first_rule = true;

	str_puts(ret, ",\"syscalls\":[");
	for (const struct json *it = rules != NULL ? rules->first : NULL; it != NULL && in->code == 0;
	     it = it->next) {
		bool first = true;
		const char *name;

		if (!json_to_object(in, it) || !holds(in, it, caps))
			continue;
		str_puts(ret, first_rule ? "{" : ",{");
		first_rule = false;
		name = json_get_str(in, it, "name");
		if (name != NULL && *name != '\0') {
			str_puts(ret, "\"names\":[");
			str_json(ret, name);
			str_puts(ret, "]");
			first = false;
		} else
			put_member(ret, in, it, "names", &first);
		put_member(ret, in, it, "action", &first);
		put_member(ret, in, it, "errnoRet", &first);
		put_member(ret, in, it, "args", &first);
		str_puts(ret, "}");
	}
	str_puts(ret, "]");
}

/* archMap: this machine's entry and its sub-architectures */
static void put_arches(struct json_in *in, struct str *ret, bool *first)
{
	const struct json *map = json_get_array(in, in->root, "archMap", NAMES_MAX);

	if (map == NULL) {
		put_member(ret, in, in->root, "architectures", first);
		return;
	}
	for (const struct json *it = map->first; it != NULL && in->code == 0; it = it->next) {
		const struct json *subs;
		const char *name;

		if (!json_to_object(in, it))
			return;
		name = json_get_str(in, it, "architecture");
		if (name == NULL || strcmp(name, SCMP_ARCH) != 0)
			continue;
		str_printf(ret, "%s\"architectures\":[\"" SCMP_ARCH "\"", *first ? "" : ",");
		*first = false;
		subs = json_get_array(in, it, "subArchitectures", NAMES_MAX);
		for (const struct json *s = subs != NULL ? subs->first : NULL; s != NULL; s = s->next) {
			str_puts(ret, ",");
			put(ret, s);
		}
		str_puts(ret, "]");
	}
}

/* What was made has to be what the runtime takes. */
static int check(const char *file, const char *seccomp, struct err *err)
{
	_cleanup_(oci_spec_freep) struct oci_spec *spec = NULL;
	_cleanup_(str_fini) struct str text = { 0 };
	int r;

	str_printf(&text,
		   "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"/\"},\"linux\":{\"seccomp\":%s}}",
		   seccomp);
	r = text.failed ? err_set(err, -ENOMEM, "read '%s'", file)
			: oci_spec_parse(file, text.p, text.len, &spec, err);
	return r;
}

int eng_seccomp_file(const char *file, const char *text, size_t len, uint64_t caps, struct str *ret,
		     struct err *err)
{
	static const char *const plain[] = { "defaultAction", "defaultErrnoRet", "flags",
					     "listenerPath", "listenerMetadata" };
	_cleanup_(arena_fini) struct arena strings = { 0 };
	_cleanup_(str_fini) struct str out = { 0 };
	struct json_in in;
	bool first = true;
	int r = json_parse(&in, file, &strings, text, len, err);

	if (r == 0 && json_to_object(&in, in.root) && json_need(&in, in.root, "defaultAction")) {
		str_puts(&out, "{");
		for (size_t i = 0; i < ARRAY_LEN(plain); i++)
			put_member(&out, &in, in.root, plain[i], &first);
		put_arches(&in, &out, &first);
		put_rules(&in, caps, &out);
		str_puts(&out, "}");
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r == 0)
		r = out.failed ? err_set(err, -ENOMEM, "read '%s'", file) : check(file, out.p, err);
	if (r == 0)
		str_puts(ret, out.p);
	return r < 0 ? err_wrap(err, r, "seccomp profile") : 0;
}
