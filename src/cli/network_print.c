/* SPDX-License-Identifier: MIT */
#include "cli/network_print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/sha256.h"
#include "base/str.h"
#include "cli/filter.h"
#include "cli/when.h"
#include "engine/config.h"
#include "engine/engine.h"

static void add_aux(struct str *s, const struct eng_network *n, const struct eng_subnet *v)
{
	bool any = false;

	for (size_t i = 0; i < n->aux.n; i++) {
		const char *is = strchr(n->aux.v[i], '=');
		struct net_address a;
		char name[256];

		if (is == NULL || net_address_parse(is + 1, &a) < 0 || !net_prefix_has(&v->net, &a))
			continue;
		if (!any)
			json_open(s, "AuxiliaryAddresses", '{');
		any = true;
		(void) snprintf(name, sizeof(name), "%.*s", (int) (is - n->aux.v[i]), n->aux.v[i]); /* long ones are cut */
		json_text(s, name, is + 1);
	}
	if (any)
		json_close(s, '}');
}

static void add_subnet(struct str *s, const struct eng_network *n, const struct eng_subnet *v)
{
	char net[NET_TEXT_MAX], gateway[NET_TEXT_MAX], range[NET_TEXT_MAX];

	if (v->net.base.family == 0)
		return;
	net_prefix_text(&v->net, net);
	net_address_text(&v->gateway, gateway);
	net_prefix_text(&v->range, range);
	json_open(s, NULL, '{');
	json_text(s, "Subnet", net);
	if (range[0] != '\0')
		json_text(s, "IPRange", range);
	json_text(s, "Gateway", gateway);
	add_aux(s, n, v);
	json_close(s, '}');
}

/* "172.17.0.2/16"; "" for none */
static const char *with_length(struct arena *a, const char *address, const struct eng_subnet *v)
{
	return address[0] != '\0' ? arena_printf(a, "%s/%u", address, v->net.length) : "";
}

static int add_members(struct engine *e, const struct eng_network *n, struct arena *a, struct str *s, struct err *err)
{
	struct eng_endpoint *list;
	int count = eng_endpoints(e, n->id, NULL, a, &list, err);

	json_open(s, "Containers", '{');
	for (int i = 0; i < count; i++) {
		char id[SHA256_HEX_LEN + 1];
		const char *both = arena_printf(a, "%s%s", list[i].instance, n->id);

		sha256_hex(both != NULL ? both : "", both != NULL ? strlen(both) : 0, id);
		json_open(s, list[i].instance, '{');
		json_text(s, "Name", list[i].name);
		json_text(s, "EndpointID", id);
		json_text(s, "MacAddress", list[i].mac);
		json_text(s, "IPv4Address", with_length(a, list[i].ip, &n->v4));
		json_text(s, "IPv6Address", with_length(a, list[i].ip6, &n->v6));
		json_close(s, '}');
	}
	json_close(s, '}');
	return count < 0 ? count : 0;
}

/* As its instances have it: on devices of the host by their files */
static bool names_of(const struct eng_network *n)
{
	return !n->nameless && n->device[0] != '\0' && strcmp(n->name, ENG_NETWORK_DEFAULT) != 0;
}

int network_json(struct engine *e, const struct eng_network *n, struct str *s, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	char created[TIME_TEXT_MAX];
	int r;

	time_rfc3339(n->created, created);
	json_open(s, NULL, '{');
	json_text(s, "Name", n->name);
	json_text(s, "Id", n->id);
	json_text(s, "Created", created);
	json_text(s, "Scope", "local");
	json_text(s, "Driver", n->driver);
	json_flag(s, "EnableIPv4", n->v4.net.base.family != 0);
	json_flag(s, "EnableIPv6", n->v6.net.base.family != 0);
	json_open(s, "IPAM", '{');
	json_text(s, "Driver", "default");
	json_raw(s, "Options", "null");
	json_open(s, "Config", '[');
	add_subnet(s, n, &n->v4);
	add_subnet(s, n, &n->v6);
	json_close(s, ']');
	json_close(s, '}');
	json_flag(s, "Internal", n->internal);
	json_flag(s, "Attachable", false);
	json_flag(s, "Ingress", false);
	json_text(s, "Device", n->device);
	json_text(s, "NetworkInterface", n->device); /* this and what follows as Podman has it */
	json_flag(s, "IPv6Enabled", n->v6.net.base.family != 0);
	json_flag(s, "DNSEnabled", names_of(n));
	json_texts(s, "NetworkDNSServers", n->servers.v, n->servers.n);
	r = add_members(e, n, &a, s, err);
	json_pairs(s, "Options", n->options.v, n->options.n);
	json_pairs(s, "Labels", n->labels.v, n->labels.n);
	json_close(s, '}');
	if (r == 0 && s->failed)
		r = err_set(err, -ENOMEM, "describe network '%s'", n->name);
	return r;
}

int network_users(struct engine *e, const struct eng_network *n, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_endpoint *list;

	return eng_endpoints(e, n->id, NULL, &a, &list, err);
}

static int test(const void *what, const char *name, const char *value, struct err *err)
{
	const struct network_match *m = what;
	const struct eng_network *n = m->n;
	bool yes, fixed = eng_network_is_fixed(n->name);
	int64_t when;
	int r;

	if (strcmp(name, "dangling") == 0) {
		r = filter_flag(name, value, &yes, err);
		return r < 0 ? r : (m->users == 0 && !fixed) == yes;
	}
	if (strcmp(name, "driver") == 0)
		return strcmp(n->driver, value) == 0;
	if (strcmp(name, "id") == 0)
		return str_starts(n->id, value);
	if (strcmp(name, "label") == 0 || strcmp(name, "label!") == 0)
		return filter_label(&n->labels, value) == (name[5] == '\0');
	if (strcmp(name, "name") == 0)
		return filter_regex(name, value, 0, n->name, n->name, err);
	if (strcmp(name, "scope") == 0)
		return strcmp(value, "local") == 0;
	if (strcmp(name, "type") == 0 && (strcmp(value, "builtin") == 0 || strcmp(value, "custom") == 0))
		return fixed == (strcmp(value, "builtin") == 0);
	if (strcmp(name, "until") == 0) {
		r = cli_when("--filter until", value, &when, err);
		return r < 0 ? r : n->created < when;
	}
	return err_msg(err, -EINVAL, "invalid filter '%s=%.64s': " NETWORK_FILTERS " are known", name, value);
}

int network_matches(const struct eng_network *n, int users, const struct opt_strings *filters, struct err *err)
{
	const struct network_match m = { n, users };

	return filter_match(filters, test, &m, err);
}
