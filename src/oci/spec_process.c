/* SPDX-License-Identifier: MIT */
/**
 * DOC: the process object
 * Spec: runtime-spec 1.3, config.md "Process".
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/spec_internal.h"
#include "oci/spec_names.h"
#include "sys/cap.h"

#define UMASK_MAX 0777
#define OOM_SCORE_ADJ_MAX 1000

static int compare_gids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The kernel keeps what it gets, and programs print it; Docker names the groups of root twice. */
static size_t unique_gids(uint32_t *gids, size_t n)
{
	size_t kept = 0;

	if (n > 0)
		qsort(gids, n, sizeof(*gids), compare_gids);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || gids[kept - 1] != gids[i])
			gids[kept++] = gids[i];
	return kept;
}

static void parse_user(struct json_in *in, const struct json *obj, struct oci_process *ret)
{
	const struct json *user = json_get_object(in, obj, "user");
	const struct json *it;
	uint64_t gid = 0;

	if (user == NULL)
		return;
	(void) json_get_u32(in, user, "uid", &ret->uid);
	(void) json_get_u32(in, user, "gid", &ret->gid);
	ret->umask = spec_opt_u64(in, user, "umask", UMASK_MAX);
	ret->additional_gids = spec_array(in, user, "additionalGids", SPEC_GIDS_MAX, sizeof(gid_t),
					  &ret->nr_additional_gids, &it);
	for (size_t i = 0; i < ret->nr_additional_gids; i++, it = it->next) {
		if (!json_to_u64(in, it, UINT32_MAX, &gid))
			return;
		ret->additional_gids[i] = (uint32_t) gid;
	}
	ret->nr_additional_gids = unique_gids(ret->additional_gids, ret->nr_additional_gids);
}

static void parse_console(struct json_in *in, const struct json *obj, struct oci_process *ret)
{
	const struct json *size = json_get_object(in, obj, "consoleSize");
	uint64_t height = 0, width = 0;

	if (size == NULL)
		return;
	(void) json_get_u64(in, size, "height", UINT16_MAX, &height);
	(void) json_get_u64(in, size, "width", UINT16_MAX, &width);
	ret->console_height = (uint16_t) height;
	ret->console_width = (uint16_t) width;
}

static void parse_env(struct json_in *in, const struct json *obj, struct oci_process *ret)
{
	ret->env = spec_strv(in, obj, "env", SPEC_ENV_MAX);
	for (size_t i = 0; i < ret->env.n && in->code == 0; i++) {
		const char *equals = strchr(ret->env.v[i], '=');

		if (equals == NULL)
			(void) json_fail(in, obj, "env", "invalid environment variable: missing '='");
		else if (equals == ret->env.v[i])
			(void) json_fail(in, obj, "env",
					 "invalid environment variable: name cannot be empty");
	}
}

/* Add a word to a list of words that are separated by blanks, once */
static void note_word(struct str *words, const char *word)
{
	const size_t n = strlen(word);

	for (const char *p = words->p; p != NULL; p = strchr(p, ' ')) {
		p += strspn(p, " ");
		if (strncmp(p, word, n) == 0 && (p[n] == ' ' || p[n] == '\0'))
			return;
	}
	str_printf(words, "%s%s", words->len > 0 ? " " : "", word);
}

static uint64_t parse_cap_set(struct json_in *in, const struct json *caps, const char *key,
			      struct str *unknown)
{
	const struct json *array = json_get_array(in, caps, key, SPEC_CAPS_MAX);
	uint64_t set = 0;

	for (const struct json *it = array != NULL ? array->first : NULL; it != NULL; it = it->next) {
		const char *name = json_to_str(in, it);

		if (name == NULL)
			break;
		int cap = cap_from_name(name);
		if (cap >= 0)
			set |= 1ull << cap;
		else
			note_word(unknown, name);
	}
	return set;
}

static void parse_caps(struct json_in *in, const struct json *obj, struct oci_process *ret)
{
	_cleanup_(str_fini) struct str unknown = { 0 };
	const struct json *caps = json_get_object(in, obj, "capabilities");

	if (caps == NULL)
		return;
	ret->caps = arena_alloc(in->strings, 1, sizeof(*ret->caps));
	if (ret->caps == NULL) {
		(void) json_nomem(in); /* kept in in->code */
		return;
	}
	ret->caps->bounding = parse_cap_set(in, caps, "bounding", &unknown);
	ret->caps->effective = parse_cap_set(in, caps, "effective", &unknown);
	ret->caps->inheritable = parse_cap_set(in, caps, "inheritable", &unknown);
	ret->caps->permitted = parse_cap_set(in, caps, "permitted", &unknown);
	ret->caps->ambient = parse_cap_set(in, caps, "ambient", &unknown);
	if (in->code == 0 && unknown.len > 0)
		log_warning("ignoring unknown or unavailable capabilities: [%s]", unknown.p);
}

static void parse_rlimits(struct json_in *in, const struct json *obj, struct oci_process *ret)
{
	const struct json *it;
	uint64_t seen = 0;
	uint32_t type = 0;

	ret->rlimits = spec_array(in, obj, "rlimits", oci_rlimit_names.n * 2, sizeof(*ret->rlimits),
				  &ret->nr_rlimits, &it);
	for (size_t i = 0; i < ret->nr_rlimits; i++, it = it->next) {
		struct oci_rlimit *limit = &ret->rlimits[i];
		const char *name;

		if (!json_to_object(in, it) || !json_need(in, it, "type"))
			return;
		name = json_get_str(in, it, "type");
		(void) json_get_u64(in, it, "soft", UINT64_MAX, &limit->soft);
		(void) json_get_u64(in, it, "hard", UINT64_MAX, &limit->hard);
		if (in->code < 0)
			return;
		if (!oci_name_find(&oci_rlimit_names, name, &type))
			(void) json_fail(in, it, "type", "wrong rlimit value: %.64s", name);
		else if ((seen & 1ull << type) != 0)
			(void) json_fail(in, it, "type", "%s is given twice", name);
		else if (limit->soft > limit->hard)
			(void) json_fail(in, it, "soft", "%llu is over the hard limit %llu",
					 (unsigned long long) limit->soft,
					 (unsigned long long) limit->hard);
		limit->type = (int) type;
		seen |= 1ull << type;
	}
}

static void parse_command(struct json_in *in, const struct json *obj, struct oci_process *ret)
{
	ret->cwd = spec_str(in, obj, "cwd");
	if (in->code == 0 && ret->cwd == NULL)
		(void) json_fail(in, obj, "cwd", "Cwd property must not be empty");
	if (in->code == 0 && ret->cwd[0] != '/')
		(void) json_fail(in, obj, "cwd", "Cwd must be an absolute path");
	ret->args = spec_strv(in, obj, "args", SPEC_ARGS_MAX);
	if (in->code == 0 && ret->args.n == 0)
		(void) json_fail(in, obj, "args", "args must not be empty");
}

void spec_process(struct json_in *in, const struct json *obj, struct oci_process *ret)
{
	parse_command(in, obj, ret);
	parse_env(in, obj, ret);
	parse_user(in, obj, ret);
	ret->terminal = json_get_bool(in, obj, "terminal", false);
	if (ret->terminal)
		parse_console(in, obj, ret);
	parse_caps(in, obj, ret);
	parse_rlimits(in, obj, ret);
	ret->no_new_privileges = json_get_bool(in, obj, "noNewPrivileges", false);
	ret->apparmor_profile = spec_str(in, obj, "apparmorProfile");
	ret->selinux_label = spec_str(in, obj, "selinuxLabel");
	ret->oom_score_adj = spec_opt_i64(in, obj, "oomScoreAdj", -OOM_SCORE_ADJ_MAX,
					  OOM_SCORE_ADJ_MAX);
	spec_scheduler(in, obj, ret);
}
