/* SPDX-License-Identifier: MIT */
/**
 * DOC: what `inspect` prints of networks and ports, in the form of Docker's
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "base/sha256.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "engine/net/network.h"
#include "net/publish.h"

struct view {
	const char *endpoint, *network, *gateway, *ip, *gateway6, *ip6, *mac;
	unsigned length, length6;
};

/* "80/tcp": a list of what leads to it, or null */
static void add_ports(struct str *s, const struct eng_port *list, int n, const struct eng_config *c, struct arena *a)
{
	json_open(s, "Ports", '{');
	for (int i = 0; i < n;) {
		int k = i;

		json_open(s, arena_printf(a, "%d/%s", list[i].inside, net_protocol_name(list[i].protocol)), '[');
		for (; k < n && list[k].inside == list[i].inside && list[k].protocol == list[i].protocol; k++) {
			json_open(s, NULL, '{');
			json_text(s, "HostIp", list[k].address);
			json_text(s, "HostPort", arena_printf(a, "%d", list[k].port));
			json_close(s, '}');
		}
		json_close(s, ']');
		i = k;
	}
	for (size_t i = 0; i < c->expose.n; i++) {
		bool done = false;

		for (int k = 0; k < n && !done; k++) {
			const char *text = arena_printf(a, "%d/%s", list[k].inside, net_protocol_name(list[k].protocol));

			done = text != NULL && strcmp(text, c->expose.v[i]) == 0;
		}
		if (!done)
			json_raw(s, c->expose.v[i], "null");
	}
	json_close(s, '}');
}

static void add_view(struct str *s, const struct view *v)
{
	json_text(s, "EndpointID", v->endpoint);
	json_text(s, "Gateway", v->gateway);
	json_text(s, "GlobalIPv6Address", v->ip6);
	json_uint(s, "GlobalIPv6PrefixLen", v->length6);
	json_text(s, "IPAddress", v->ip);
	json_uint(s, "IPPrefixLen", v->length);
	json_text(s, "IPv6Gateway", v->gateway6);
	json_text(s, "MacAddress", v->mac);
}

static const char *address_text(struct arena *a, const struct net_address *address)
{
	char text[NET_TEXT_MAX];

	net_address_text(address, text);
	return arena_strdup(a, text);
}

/* What the instance has in a network now; empty when it does not run */
static struct view see(struct engine *e, const struct eng_instance *i, const char *name, const struct eng_endpoint *p,
		       struct arena *a)
{
	struct view v = { "", "", "", "", "", "", "", 0, 0 };
	struct eng_network n;
	char id[SHA256_HEX_LEN + 1];

	if (eng_network_find(e, name, a, &n, NULL) < 0)
		return v;
	v.network = n.id;
	if (p == NULL)
		return v;
	sha256_hex(arena_printf(a, "%s%s", i->id, n.id), 2 * ENG_ID_LEN, id);
	v.endpoint = arena_strdup(a, id);
	v.gateway = n.internal ? "" : address_text(a, &n.v4.gateway);
	v.gateway6 = n.internal ? "" : address_text(a, &n.v6.gateway);
	v.ip = p->ip;
	v.ip6 = p->ip6;
	v.mac = p->mac;
	v.length = p->ip[0] != '\0' ? n.v4.net.length : 0;
	v.length6 = p->ip6[0] != '\0' ? n.v6.net.length : 0;
	return v;
}

static const struct eng_endpoint *endpoint_in(const struct eng_endpoint *list, int n, const char *network)
{
	for (int i = 0; i < n; i++)
		if (strcmp(list[i].network, network) == 0)
			return &list[i];
	return NULL;
}

static void add_names(struct str *s, const struct eng_endpoint *p, struct arena *a)
{
	char *copy = p != NULL ? arena_strdup(a, p->names) : NULL, *save = NULL;

	if (copy == NULL) {
		json_raw(s, "DNSNames", "null");
		return;
	}
	json_open(s, "DNSNames", '[');
	for (char *name = strtok_r(copy, " ", &save); name != NULL; name = strtok_r(NULL, " ", &save))
		json_text(s, NULL, name);
	json_close(s, ']');
}

static void add_wanted(struct str *s, const struct eng_net_want *w)
{
	if (w->ip == NULL && w->ip6 == NULL) {
		json_raw(s, "IPAMConfig", "null");
	} else {
		json_open(s, "IPAMConfig", '{');
		if (w->ip != NULL)
			json_text(s, "IPv4Address", w->ip);
		if (w->ip6 != NULL)
			json_text(s, "IPv6Address", w->ip6);
		json_close(s, '}');
	}
	json_raw(s, "Links", "null");
	if (w->aliases.n > 0)
		json_texts(s, "Aliases", w->aliases.v, w->aliases.n);
	else
		json_raw(s, "Aliases", "null");
}

void eng_net_inspect(struct engine *e, const struct eng_instance *i, const struct eng_config *c, struct str *s)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_net_want wants[ENG_NETWORKS_MAX];
	struct eng_endpoint *points = NULL;
	struct eng_port *ports = NULL;
	int n = eng_net_wants(c, &a, wants, NULL), nr_points = eng_endpoints(e, NULL, i->id, &a, &points, NULL);
	int nr_ports = eng_ports(e, i->id, &a, &ports, NULL);
	bool plain = n == 0 && (c->network == NULL || strchr(c->network, ':') == NULL);
	struct view v = { "", "", "", "", "", "", "", 0, 0 };

	if (plain) { /* "host" or "none" */
		wants[0] = (struct eng_net_want) { .name = c->network != NULL ? c->network : "none" };
		n = 1;
	}
	if (nr_points > 0) /* Docker shows those of its default network only, which leaves scripts without */
		v = see(e, i, points[0].network, &points[0], &a);
	json_open(s, "NetworkSettings", '{');
	json_text(s, "Bridge", "");
	json_text(s, "SandboxID", "");
	json_text(s, "SandboxKey", "");
	add_ports(s, ports, nr_ports, c, &a);
	json_flag(s, "HairpinMode", false);
	add_view(s, &v);
	json_open(s, "Networks", '{');
	for (int k = 0; k < n; k++) {
		const struct eng_endpoint *p = endpoint_in(points, nr_points, wants[k].name);
		struct view one = see(e, i, wants[k].name, p, &a);

		json_open(s, wants[k].name, '{');
		add_wanted(s, &wants[k]);
		json_raw(s, "DriverOpts", "null");
		json_text(s, "NetworkID", one.network);
		add_view(s, &one);
		add_names(s, p, &a);
		json_close(s, '}');
	}
	json_close(s, '}');
	json_close(s, '}');
}
