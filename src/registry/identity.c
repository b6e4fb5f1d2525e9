/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "image/reference.h"
#include "registry/place.h"
#include "registry/policy.h"

#define FULL_MAX (2 * IMG_NAME_MAX + 16) /* bytes of "HOST/PATH", with the terminator */

/* "debian" is "docker.io/library/debian"; its mark is "" when it has neither tag nor digest; false: it is no name */
static bool read_full(const char *text, char ret[FULL_MAX], char ret_mark[256])
{
	struct img_reference ref;
	const char *slash;
	bool host;

	if (img_reference_parse(text, &ref, NULL) < 0)
		return false;
	slash = strchr(ref.repository, '/');
	host = slash != NULL && !ref.hub &&
	       (memchr(ref.repository, '.', (size_t) (slash - ref.repository)) != NULL ||
		memchr(ref.repository, ':', (size_t) (slash - ref.repository)) != NULL ||
		str_starts(ref.repository, "localhost/"));
	(void) snprintf(ret, FULL_MAX, "%s%s%s", host ? "" : REG_HUB "/", /* fits, as what follows */
			host || slash != NULL ? "" : "library/", ref.repository);
	*ret_mark = '\0';
	if (strpbrk(basename(text), ":@") != NULL)
		(void) snprintf(ret_mark, 256, "%s%s", ref.digest[0] != '\0' ? "@" : ":",
				ref.digest[0] != '\0' ? ref.digest : ref.tag);
	return true;
}

/* @prefix of @name becomes @with, where a component ends; @ret has FULL_MAX bytes */
static bool remap(const char *name, const char *prefix, const char *with, char *ret)
{
	size_t n = strlen(prefix);

	if (strncmp(name, prefix, n) != 0 || (name[n] != '\0' && name[n] != '/'))
		return snprintf(ret, FULL_MAX, "%s", name) < FULL_MAX;
	return snprintf(ret, FULL_MAX, "%s%s", with, name + n) < FULL_MAX;
}

bool reg_identity_fits(const struct reg_rule *rule, const char *name, const char *mark, const char *is)
{
	char signed_name[FULL_MAX], signed_mark[256], want[FULL_MAX], want_mark[256];

	if (!read_full(is, signed_name, signed_mark))
		return false;
	(void) snprintf(want, sizeof(want), "%s", name); /* fit */
	(void) snprintf(want_mark, sizeof(want_mark), "%s", mark);
	if (rule->identity == REG_IDENTITY_REFERENCE || rule->identity == REG_IDENTITY_EXACT_REPOSITORY) {
		if (!read_full(rule->name, want, want_mark))
			return false;
	} else if (rule->identity == REG_IDENTITY_REMAP && !remap(name, rule->name, rule->with, want)) {
		return false;
	}
	if (strcmp(signed_name, want) != 0)
		return false;
	switch (rule->identity) {
	case REG_IDENTITY_REPOSITORY:
	case REG_IDENTITY_EXACT_REPOSITORY:
		return true;
	case REG_IDENTITY_EXACT:
		return *mark == ':' && strcmp(signed_mark, mark) == 0;
	case REG_IDENTITY_REFERENCE:
		return *signed_mark != '\0' && strcmp(signed_mark, want_mark) == 0;
	case REG_IDENTITY_REMAP:
	case REG_IDENTITY_REPO_DIGEST_OR_EXACT:
		break;
	}
	return *mark == '@' || strcmp(signed_mark, mark) == 0; /* the digest is compared anyway */
}
