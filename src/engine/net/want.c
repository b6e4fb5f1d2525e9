/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/net/attach.h"
#include "engine/net/pasta.h"

static int read_pair(struct arena *a, char *pair, struct eng_net_want *w, struct err *err)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = { { "ip=", &w->ip }, { "ip6=", &w->ip6 }, { "mac=", &w->mac } };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_starts(pair, texts[i].key)) {
			*texts[i].to = pair + strlen(texts[i].key);
			return 0;
		}
	if (str_starts(pair, "alias="))
		return eng_words_add(a, &w->aliases, pair + strlen("alias=")) < 0 ? err_set(err, -ENOMEM, "read a network") : 0;
	if (str_starts(pair, "rate=") && str_to_u64(pair + strlen("rate="), &w->rate) == 0)
		return 0;
	return err_msg(err, -EINVAL, "network '%.200s': '%.100s' is not known", w->name, pair);
}

int eng_net_want_parse(struct arena *a, const char *text, struct eng_net_want *ret, struct err *err)
{
	char *copy = arena_strdup(a, text), *save = NULL, *word;
	struct eng_net_want w = { 0 };
	int r = 0;

	if (copy == NULL)
		return err_set(err, -ENOMEM, "read a network");
	w.name = strtok_r(copy, ",", &save);
	if (w.name == NULL)
		return err_msg(err, -EINVAL, "a network has no name");
	while (r == 0 && (word = strtok_r(NULL, ",", &save)) != NULL)
		r = read_pair(a, word, &w, err);
	if (r == 0)
		*ret = w;
	return r;
}

const char *eng_net_want_text(struct arena *a, const struct eng_net_want *w)
{
	_cleanup_(str_fini) struct str s = { 0 };
	const struct {
		const char *key, *value;
	} texts[] = { { "ip", w->ip }, { "ip6", w->ip6 }, { "mac", w->mac } };

	str_puts(&s, w->name);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].value != NULL)
			str_printf(&s, ",%s=%s", texts[i].key, texts[i].value);
	for (size_t i = 0; i < w->aliases.n; i++)
		str_printf(&s, ",alias=%s", w->aliases.v[i]);
	if (w->rate != 0)
		str_printf(&s, ",rate=%llu", (unsigned long long) w->rate);
	return s.failed ? NULL : arena_strdup(a, s.p);
}

int eng_net_wants(const struct eng_config *c, struct arena *a, struct eng_net_want *ret, struct err *err)
{
	size_t n = 0;
	int r = 0;

	if (c->network == NULL || strcmp(c->network, "none") == 0 || strcmp(c->network, "host") == 0 ||
	    strcmp(c->network, ENG_NETWORK_PASTA) == 0 ||
	    strchr(c->network, ':') != NULL) /* "container:ID" */
		return 0;
	if (c->networks.n >= ENG_NETWORKS_MAX)
		return err_msg(err, -E2BIG, "an instance can be in %d networks", ENG_NETWORKS_MAX);
	ret[n++] = (struct eng_net_want) { .name = c->network,
					   .ip = c->ip,
					   .ip6 = c->ip6,
					   .mac = c->mac_address,
					   .aliases = c->network_aliases,
					   .rate = c->network_rate };
	for (size_t i = 0; r == 0 && i < c->networks.n; i++)
		r = eng_net_want_parse(a, c->networks.v[i], &ret[n++], err);
	return r < 0 ? r : (int) n;
}
