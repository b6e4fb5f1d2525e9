/* SPDX-License-Identifier: MIT */
/**
 * DOC: networks of an instance
 *
 * --network may be given several times.  Options of one network (--ip, --mac-address, ...) are for the first; the form
 * name=NAME,ip=...,alias=... has them for any.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "engine/net/network.h"
#include "engine/net/pasta.h"

#define JOINED "container:"

static bool is_mac(const char *text)
{
	for (int i = 0; i < 6; i++) {
		const char *p = text + 3 * i;

		if (!isxdigit((unsigned char) p[0]) || !isxdigit((unsigned char) p[1]) || p[2] != (i < 5 ? ':' : '\0'))
			return false;
	}
	return true;
}

static bool is_word(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (!isgraph((unsigned char) *p) || *p == ',')
			return false;
	return *text != '\0';
}

int run_network_check(const struct eng_net_want *w, struct err *err)
{
	unsigned char raw[sizeof(struct in6_addr)];
	bool fixed = strcmp(w->name, "none") == 0 || strcmp(w->name, "host") == 0 || strcmp(w->name, ENG_NETWORK_DEFAULT) == 0;

	if (w->mac != NULL && !is_mac(w->mac))
		return err_msg(err, -EINVAL, "%.100s is not a valid mac address", w->mac);
	if (w->ip != NULL && inet_pton(AF_INET, w->ip, raw) != 1)
		return err_msg(err, -EINVAL, "invalid IPv4 address: %.100s", w->ip);
	if (w->ip6 != NULL && inet_pton(AF_INET6, w->ip6, raw) != 1)
		return err_msg(err, -EINVAL, "invalid IPv6 address: %.100s", w->ip6);
	if ((fixed || strcmp(w->name, ENG_NETWORK_PASTA) == 0) && (w->ip != NULL || w->ip6 != NULL))
		return err_msg(
			err, -EINVAL,
			"invalid config for network %s: user specified IP address is supported on user defined networks only",
			w->name);
	for (size_t i = 0; i < w->aliases.n; i++)
		if (!is_word(w->aliases.v[i]))
			return err_msg(err, -EINVAL, "--network-alias '%.100s' is not a name", w->aliases.v[i]);
	return 0;
}

/* "10mbit", "1g", "500kbit", "9600": bits per second */
static int read_rate(const char *text, uint64_t *ret, struct err *err)
{
	static const char units[] = "kmgt";
	char *end = (char *) text;
	double number = isdigit((unsigned char) *text) ? strtod(text, &end) : 0;
	const char *unit;
	int64_t factor = 1;

	if (number <= 0)
		return err_msg(err, -EINVAL, "--network-opt rate=%.64s: expected bits per second, e.g. 10mbit", text);
	unit = *end != '\0' ? strchr(units, tolower((unsigned char) *end)) : NULL;
	for (const char *u = units; unit != NULL && u <= unit; u++)
		factor *= 1000;
	end += unit != NULL;
	if ((*end != '\0' && strcmp(end, "bit") != 0) || number * (double) factor < 8000 || number * (double) factor > 1e13)
		return err_msg(err, -EINVAL, "--network-opt rate=%.64s: expected bits per second from 8kbit on, e.g. 10mbit", text);
	*ret = (uint64_t) (number * (double) factor);
	return 0;
}

static int read_option(const char *text, struct eng_net_want *w, struct err *err)
{
	if (!str_starts(text, "rate="))
		return err_msg(err, -EINVAL, "--network-opt '%.100s': only rate= is known", text);
	return read_rate(text + strlen("rate="), &w->rate, err);
}

static int read_field(struct arena *a, const char *field, struct eng_net_want *w, struct err *err)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = { { "name=", &w->name },		   { "ip=", &w->ip },	{ "ip6=", &w->ip6 },
		      { "mac-address=", &w->mac }, { "mac=", &w->mac } };

	if (str_starts(field, "ip=") && strchr(field, ':') != NULL) { /* Podman knows one word for both */
		w->ip6 = field + strlen("ip=");
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_starts(field, texts[i].key)) {
			*texts[i].to = field + strlen(texts[i].key);
			return 0;
		}
	if (str_starts(field, "alias="))
		return eng_words_add(a, &w->aliases, field + strlen("alias=")) < 0 ? run_nomem(err) : 0;
	if (str_starts(field, "rate="))
		return read_option(field, w, err);
	return err_msg(err, -EINVAL, "invalid field %.100s: name, alias, ip, ip6, mac-address and rate are known", field);
}

/* "NAME", "name=NAME,KEY=VALUE..." as Docker has it, or "NAME:KEY=VALUE,..." as Podman does */
static int read_want(struct eng_config *c, const char *text, struct eng_net_want *w, struct err *err)
{
	char *copy = arena_strdup(&c->arena, text), *save = NULL;
	int r = 0;

	if (copy == NULL)
		return run_nomem(err);
	w->name = copy;
	if (strchr(text, '=') == NULL)
		return 0;
	w->name = NULL;
	if (strcspn(text, ":") < strcspn(text, "=,")) {
		w->name = strtok_r(copy, ":", &save);
		copy = save;
		save = NULL;
	}
	for (char *field = strtok_r(copy, ",", &save); r == 0 && field != NULL; field = strtok_r(NULL, ",", &save))
		r = read_field(&c->arena, field, w, err);
	if (r == 0 && (w->name == NULL || *w->name == '\0'))
		r = err_msg(err, -EINVAL, "--network '%.200s': name is missing", text);
	return r;
}

/* What belongs to the first by options of its own */
static int read_first(struct eng_config *c, const struct run_opts *o, struct eng_net_want *w, struct err *err)
{
	const struct {
		const char *value;
		const char **to;
	} texts[] = { { o->ip, &w->ip }, { o->ip6, &w->ip6 }, { o->mac_address, &w->mac } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		if (texts[i].value != NULL)
			r = run_text(c, texts[i].value, texts[i].to, err);
	if (r == 0)
		r = run_list(c, &o->network_alias, &w->aliases, err);
	for (size_t i = 0; r == 0 && i < o->network_opt.n; i++)
		r = read_option(o->network_opt.v[i], w, err);
	return r == 0 ? run_network_check(w, err) : r;
}

/* Names become those of the networks; one may be given by its id. */
static int find(struct engine *e, struct eng_config *c, struct eng_net_want *w, struct err *err)
{
	struct eng_network n;
	int r = eng_network_find(e, w->name, &c->arena, &n, err);

	if (r == 0)
		w->name = n.name;
	return r;
}

static int read_others(struct engine *e, struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int r = 0;

	for (size_t i = 1; r == 0 && i < o->network.n; i++) {
		struct eng_net_want w = { 0 };
		const char *text;

		if (i >= ENG_NETWORKS_MAX)
			return err_msg(err, -E2BIG, "--network: at most %d are possible", ENG_NETWORKS_MAX);
		r = read_want(c, o->network.v[i], &w, err);
		if (r == 0 && strcmp(w.name, "default") == 0)
			w.name = ENG_NETWORK_DEFAULT;
		if (r == 0)
			r = find(e, c, &w, err);
		if (r == 0 && (strcmp(w.name, "none") == 0 || strcmp(w.name, "host") == 0))
			r = err_msg(err, -EINVAL, "conflicting options: cannot attach both user-defined and non-user-defined network-modes");
		if (r == 0)
			r = run_network_check(&w, err);
		if (r < 0)
			return r;
		text = eng_net_want_text(&c->arena, &w);
		if (text == NULL || eng_words_add(&c->arena, &c->networks, text) < 0)
			return run_nomem(err);
	}
	return r;
}

/* Without root every container has pasta's, and a virtual machine, which pasta cannot serve, a bridge of the user's. */
static const char *default_network(const struct engine *e, const struct eng_config *c, const struct run_opts *o)
{
	if (!e->rootless)
		return ENG_NETWORK_DEFAULT;
	if (!eng_pasta_found())
		return "none";
	return strcmp(run_isolation(o, c), "vm") != 0 ? ENG_NETWORK_PASTA : e->keeper >= 0 ? ENG_NETWORK_DEFAULT : "none";
}

/* INSTANCE[:ALIAS], kept as ID:ALIAS:NAME */
static int read_link(struct engine *e, struct eng_config *c, const char *text, struct err *err)
{
	size_t n = strcspn(text, ":");
	const char *name = arena_strndup(&c->arena, text, n), *alias = text[n] != '\0' ? text + n + 1 : name, *kept;
	struct eng_instance i;
	int r;

	if (name == NULL)
		return run_nomem(err);
	name += name[0] == '/';
	alias = text[n] != '\0' ? alias : name;
	if (*name == '\0' || !is_word(alias) || strpbrk(alias, ":/") != NULL)
		return err_msg(err, -EINVAL, "bad format for links: %.200s: expected INSTANCE or INSTANCE:ALIAS", text);
	r = eng_instance_find(e, name, &c->arena, &i, err);
	if (r < 0)
		return r;
	kept = arena_printf(&c->arena, "%s:%s:%s", i.id, alias, i.name);
	return kept == NULL || eng_words_add(&c->arena, &c->links, kept) < 0 ? run_nomem(err) : 0;
}

/* In networks that both are in */
static int read_links(struct engine *e, struct eng_config *c, const struct run_opts *o, bool bridged, struct err *err)
{
	int r = 0;

	if (o->link.n > 0 && !bridged)
		return err_msg(err, -EINVAL, "--link needs a network on a bridge that both instances are in, not '%.100s'",
			       c->network != NULL ? c->network : "none");
	if (o->link.n > 0 && o->no_hosts)
		return err_msg(err, -EINVAL, "--link writes to /etc/hosts, which --no-hosts leaves alone");
	for (size_t i = 0; r == 0 && i < o->link.n; i++)
		r = read_link(e, c, o->link.v[i], err);
	return r;
}

int run_network(struct engine *e, struct eng_config *c, const struct run_opts *o, struct err *err)
{
	static const char *const modes[] = { "none", "host", ENG_NETWORK_PASTA, JOINED, NULL };
	const char *text = o->network.n > 0 ? o->network.v[0] : "default";
	struct eng_net_want w = { 0 };
	bool alone;
	int r;

	if (strcmp(text, "default") == 0 || strcmp(text, "private") == 0)
		text = default_network(e, c, o);
	alone = strcmp(text, "none") == 0 || strcmp(text, "host") == 0 || str_starts(text, JOINED) ||
		(e->rootless && strcmp(text, ENG_NETWORK_PASTA) == 0);
	if (e->rootless && strcmp(text, "none") == 0 && (o->publish.n > 0 || o->publish_all) && o->network.n == 0)
		return err_msg(err, -ENOENT, "to publish ports without root takes the program pasta (Debian: package passt) and a /dev/net/tun that the user may open");
	if (e->rootless && strcmp(text, ENG_NETWORK_PASTA) == 0 && strcmp(run_isolation(o, c), "vm") == 0)
		return err_msg(err, -EOPNOTSUPP, "network " ENG_NETWORK_PASTA " is for containers: a virtual machine can be in networks on a bridge");
	if (alone && o->network.n > 1)
		return err_msg(err, -EINVAL, "conflicting options: cannot attach both user-defined and non-user-defined network-modes");
	r = alone ? run_mode(e, c, "--network", text, modes, &c->network, err) : read_want(c, text, &w, err);
	if (alone)
		w.name = c->network;
	else if (r == 0)
		r = find(e, c, &w, err);
	if (r == 0)
		r = read_first(c, o, &w, err);
	if (r < 0)
		return r;
	c->network = alone && strcmp(text, "none") == 0 && o->network.n == 0 ? NULL : w.name;
	c->ip = w.ip;
	c->ip6 = w.ip6;
	c->mac_address = w.mac;
	c->network_aliases = w.aliases;
	c->network_rate = w.rate;
	r = read_links(e, c, o, !alone, err);
	return r == 0 ? read_others(e, c, o, err) : r;
}
