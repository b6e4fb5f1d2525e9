/* SPDX-License-Identifier: MIT */
#include "engine/config.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

void eng_config_fini(struct eng_config *c)
{
	arena_fini(&c->arena);
}

int eng_words_add(struct arena *a, struct img_words *list, const char *word)
{
	/* grown at powers of two, so the list needs no capacity */
	if ((list->n & (list->n + 1)) == 0) {
		const char **v = arena_alloc(a, 2 * (list->n + 1), sizeof(*v));

		if (v == NULL)
			return -ENOMEM;
		if (list->n > 0)
			memcpy(v, list->v, list->n * sizeof(*v));
		list->v = v;
	}
	list->v[list->n] = arena_strdup(a, word);
	if (list->v[list->n] == NULL)
		return -ENOMEM;
	list->v[++list->n] = NULL;
	return 0;
}

int eng_env_set(struct arena *a, struct img_words *env, const char *entry)
{
	size_t n = strcspn(entry, "=");

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], entry, n) == 0 && env->v[i][n] == '=') {
			env->v[i] = arena_strdup(a, entry);
			return env->v[i] != NULL ? 0 : -ENOMEM;
		}
	return eng_words_add(a, env, entry);
}

int eng_size_parse(const char *text, uint64_t *ret)
{
	static const char units[] = "bkmgt";
	unsigned long long v;
	const char *unit;
	char *end;
	unsigned shift = 0;

	if (!isdigit((unsigned char) *text))
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno != 0)
		return -ERANGE;
	if (*end != '\0') {
		unit = strchr(units, tolower((unsigned char) *end));
		if (unit == NULL)
			return -EINVAL;
		shift = 10 * (unsigned) (unit - units);
		end++;
		if (shift > 0 && tolower((unsigned char) *end) == 'i')
			end++;
		if (shift > 0 && tolower((unsigned char) *end) == 'b')
			end++;
		if (*end != '\0')
			return -EINVAL;
	}
	if (v > (uint64_t) INT64_MAX >> shift)
		return -ERANGE;
	*ret = v << shift;
	return 0;
}

int eng_cpus_parse(const char *text, uint64_t *ret)
{
	uint64_t v = 0, scale = 1000000000;
	const char *p = text;

	if (!isdigit((unsigned char) *p) && !(*p == '.' && isdigit((unsigned char) p[1])))
		return -EINVAL;
	for (; isdigit((unsigned char) *p); p++) {
		v = v * 10 + (uint64_t) (*p - '0');
		if (v > 100000)
			return -ERANGE;
	}
	v *= scale;
	if (*p == '.')
		for (p++; isdigit((unsigned char) *p); p++) {
			scale /= 10;
			v += (uint64_t) (*p - '0') * scale;
		}
	if (*p != '\0')
		return -EINVAL;
	*ret = v;
	return 0;
}

static int mount_option(const char *option, size_t n, struct eng_mount *m)
{
	static const char *const propagations[] = { "private", "rprivate", "shared",
						    "rshared", "slave",    "rslave" };
	static const char *const ignored[] = { "rw",    "z",          "Z",      "nocopy",
					       "rbind", "consistent", "cached", "delegated" };

	if (n == 2 && strncmp(option, "ro", 2) == 0) {
		m->read_only = true;
		return 0;
	}
	if (n == 4 && strncmp(option, "bind", 4) == 0) {
		m->recursive_off = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(propagations); i++)
		if (strlen(propagations[i]) == n && strncmp(option, propagations[i], n) == 0) {
			m->propagation = propagations[i];
			return 0;
		}
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		if (strlen(ignored[i]) == n && strncmp(option, ignored[i], n) == 0)
			return 0;
	return -EINVAL;
}

/* "./x" and "." as in a shell; the source must exist */
static int resolve_source(struct arena *a, const char *text, size_t n, const char *all,
			  const char **ret, struct err *err)
{
	char *source = arena_strndup(a, text, n);

	if (source == NULL)
		return err_set(err, -ENOMEM, "read option -v");
	if (source[0] != '/' && source[0] != '.')
		return err_msg(err, -EINVAL,
			       "-v '%s': '%s' must be an absolute path or begin with './'", all,
			       source);
	_cleanup_free_ char *real = realpath(source, NULL);
	if (real == NULL)
		return err_set(err, -errno, "-v '%s': open '%s'", all, source);
	*ret = arena_strdup(a, real);
	return *ret != NULL ? 0 : err_set(err, -ENOMEM, "read option -v");
}

int eng_mount_parse(struct arena *a, const char *text, struct eng_mount *ret, struct err *err)
{
	size_t source = strcspn(text, ":"), destination;
	struct eng_mount m = { 0 };
	const char *p = text + source;
	int r;

	if (*p == '\0')
		return err_msg(err, -EINVAL, "-v '%s': expected SOURCE:DESTINATION[:OPTIONS]",
			       text);
	p++;
	destination = strcspn(p, ":");
	if (p[0] != '/' || destination < 2 || strstr(p, "/../") != NULL)
		return err_msg(err, -EINVAL,
			       "-v '%s': the destination must be an absolute path and not '/'",
			       text);
	m.destination = arena_strndup(a, p, destination);
	if (m.destination == NULL)
		return err_set(err, -ENOMEM, "read option -v");
	p += destination;
	while (*p != '\0') {
		size_t n = strcspn(p + 1, ",:");

		if (mount_option(p + 1, n, &m) < 0)
			return err_msg(err, -EINVAL, "-v '%s': unknown option '%.*s'", text,
				       (int) n, p + 1);
		p += 1 + n;
	}
	r = resolve_source(a, text, source, text, &m.source, err);
	if (r == 0)
		*ret = m;
	return r;
}
