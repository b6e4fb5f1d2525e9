/* SPDX-License-Identifier: MIT */
#include "engine/config.h"

#include <errno.h>
#include <string.h>

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

bool eng_env_is_given(const struct eng_config *c, const char *entry)
{
	if (c->tty && strcmp(entry, "TERM=xterm") == 0)
		return false;
	return !str_starts(entry, "HOSTNAME=") || c->hostname == NULL ||
	       strcmp(entry + strlen("HOSTNAME="), c->hostname) != 0;
}
