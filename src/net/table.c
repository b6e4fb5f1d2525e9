/* SPDX-License-Identifier: MIT */
/**
 * DOC: the host's rules
 *
 *   devices    our bridges              internal   those of internal networks
 *   same       pairs of one bridge      subnets4   of networks that are masqueraded
 *   ports4     address . protocol . port : address . port      any4   protocol . port : address . port
 *
 * A packet for an address of this host, from outside or from the host itself, looks its port up in ports4, then
 * in any4, and goes to the instance with the sender's address.  Only what would be answered past the host is
 * masqueraded, too: from an instance to a published port, which may be its own, and from the host's 127.0.0.1.
 *
 * Between networks, and from outside, only what was published or belongs to a known connection passes.  "drop" is
 * final, "accept" is not: other tables of the host still have their say.
 */
#include "net/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/nft.h"

/* Types as nft(8) numbers them; of several fields, 6 bits each */
enum { T_IP4 = 7, T_IP6 = 8, T_PROTOCOL = 12, T_PORT = 13, T_DEVICE = 41 };
#define TYPES(a, b) ((uint32_t) (a) << 6 | (b))

#define PRIORITY_RAW (-300)
#define PRIORITY_MANGLE (-150)
#define PRIORITY_DNAT (-100)
#define PRIORITY_SNAT 100
#define LOOPBACK_NET htonl(0x7f000000)
#define LOOPBACK_MASK htonl(0xff000000)
#define LIMIT_BURST_MS 100 /* of a limited rate */
#define LIMIT_BURST_MIN 131072 /* bytes: a few frames as large as devices hand them on */
#define CT_KNOWN (1u << (IP_CT_ESTABLISHED + 1) | 1u << (IP_CT_RELATED + 1)) /* as nft_ct has states */

static const struct nft_set sets[] = {
	{ "devices", T_DEVICE, IFNAMSIZ, 0, 0, false, true },
	{ "internal", T_DEVICE, IFNAMSIZ, 0, 0, false, true },
	{ "same", TYPES(T_DEVICE, T_DEVICE), 2 * IFNAMSIZ, 0, 0, false, false },
	{ "subnets4", T_IP4, 4, 0, 0, true, false },
	{ "subnets6", T_IP6, 16, 0, 0, true, false },
	{ "ports4", TYPES(TYPES(T_IP4, T_PROTOCOL), T_PORT), 12, TYPES(T_IP4, T_PORT), 8, false, false },
	{ "ports6", TYPES(TYPES(T_IP6, T_PROTOCOL), T_PORT), 24, TYPES(T_IP6, T_PORT), 20, false, false },
	{ "any4", TYPES(T_PROTOCOL, T_PORT), 8, TYPES(T_IP4, T_PORT), 8, false, false },
	{ "any6", TYPES(T_PROTOCOL, T_PORT), 8, TYPES(T_IP6, T_PORT), 20, false, false },
};

static const struct {
	const char *name;
	struct nft_hook hook;
} chains[] = {
	{ "guard", { "filter", NF_INET_PRE_ROUTING, PRIORITY_RAW } },
	{ "prerouting", { "nat", NF_INET_PRE_ROUTING, PRIORITY_DNAT } },
	{ "output", { "nat", NF_INET_LOCAL_OUT, PRIORITY_DNAT } },
	{ "postrouting", { "nat", NF_INET_POST_ROUTING, PRIORITY_SNAT } },
	{ "forward", { "filter", NF_INET_FORWARD, 0 } },
	{ "ports", { NULL, 0, 0 } },
};

static void need_ip4(struct nft *n)
{
	const unsigned char family = NFPROTO_IPV4;

	nft_meta(n, NFT_META_NFPROTO, 0);
	nft_compare(n, NFT_CMP_EQ, 0, &family, sizeof(family));
}

static void need_ip6(struct nft *n)
{
	const unsigned char family = NFPROTO_IPV6;

	nft_meta(n, NFT_META_NFPROTO, 0);
	nft_compare(n, NFT_CMP_EQ, 0, &family, sizeof(family));
}

static void source4(struct nft *n)
{
	nft_payload(n, NFT_PAYLOAD_NETWORK_HEADER, 12, 4, 0);
}

static void source6(struct nft *n)
{
	nft_payload(n, NFT_PAYLOAD_NETWORK_HEADER, 8, 16, 0);
}

static void need_device(struct nft *n, uint32_t which, const char *set, bool is_not)
{
	nft_meta(n, which, 0);
	nft_lookup(n, set, 0, is_not);
}

/* Neither to a network of ours nor from the host to itself, as from one of its addresses in them to another */
static void need_way_out(struct nft *n)
{
	static const char self[] = "lo";

	need_device(n, NFT_META_OIFNAME, "devices", true);
	nft_compare(n, NFT_CMP_NEQ, 0, self, sizeof(self));
}

static void need_same(struct nft *n)
{
	nft_meta(n, NFT_META_IIFNAME, 0);
	nft_meta(n, NFT_META_OIFNAME, 4);
	nft_lookup(n, "same", 0, false);
}

static void need_bits(struct nft *n, uint32_t key, uint32_t mask)
{
	const uint32_t none = 0;

	nft_ct(n, key, 0);
	nft_mask(n, 0, mask);
	nft_compare(n, NFT_CMP_NEQ, 0, &none, sizeof(none));
}

static void need_loopback(struct nft *n)
{
	const uint32_t net = LOOPBACK_NET;

	nft_mask(n, 0, LOOPBACK_MASK);
	nft_compare(n, NFT_CMP_EQ, 0, &net, sizeof(net));
}

/* @family: with an address of the host in the key, or without */
static void add_port_rule(struct nft *n, int family, const char *map, bool address)
{
	bool v4 = family == NFPROTO_IPV4;
	uint32_t reg = 0, to = 8, size = v4 ? 4 : 16;

	nft_rule(n, "ports", "addresses of published ports (nft_nat)");
	if (v4)
		need_ip4(n);
	else
		need_ip6(n);
	if (address) {
		nft_payload(n, NFT_PAYLOAD_NETWORK_HEADER, v4 ? 16 : 24, size, 0);
		reg = size / 4;
	}
	nft_meta(n, NFT_META_L4PROTO, reg);
	nft_payload(n, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg + 1);
	nft_map(n, map, 0, to);
	nft_dnat(n, (uint32_t) family, to, to + size / 4);
	nft_rule_end(n);
}

static void add_nat_rules(struct nft *n)
{
	static const char *const hooks[] = { "prerouting", "output" };

	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		nft_rule(n, hooks[i], "local addresses (nft_fib_inet)");
		nft_local(n);
		nft_verdict(n, NFT_JUMP, "ports");
		nft_rule_end(n);
	}
	/* what comes from ::1 cannot leave the host, so it is refused at once and the next address is tried */
	nft_rule(n, "ports", "connections to ::1");
	need_ip6(n);
	nft_payload(n, NFT_PAYLOAD_NETWORK_HEADER, 24, sizeof(in6addr_loopback), 0);
	nft_compare(n, NFT_CMP_EQ, 0, &in6addr_loopback, sizeof(in6addr_loopback));
	nft_verdict(n, NF_ACCEPT, NULL);
	nft_rule_end(n);
	add_port_rule(n, NFPROTO_IPV4, "ports4", true);
	add_port_rule(n, NFPROTO_IPV4, "any4", false);
	add_port_rule(n, NFPROTO_IPV6, "ports6", true);
	add_port_rule(n, NFPROTO_IPV6, "any6", false);

	nft_rule(n, "postrouting", "masquerading (nft_masq)"); /* to the world */
	need_ip4(n);
	source4(n);
	nft_lookup(n, "subnets4", 0, false);
	need_way_out(n);
	nft_masquerade(n);
	nft_rule_end(n);
	nft_rule(n, "postrouting", "masquerading (nft_masq)");
	need_ip6(n);
	source6(n);
	nft_lookup(n, "subnets6", 0, false);
	need_way_out(n);
	nft_masquerade(n);
	nft_rule_end(n);
	for (int v6 = 0; v6 < 2; v6++) { /* frames that br_netfilter shows have no input device there */
		nft_rule(n, "postrouting", "connections to the own network");
		need_bits(n, NFT_CT_STATUS, IPS_DST_NAT);
		if (v6)
			need_ip6(n);
		else
			need_ip4(n);
		if (v6)
			source6(n);
		else
			source4(n);
		nft_lookup(n, v6 ? "subnets6" : "subnets4", 0, false);
		need_device(n, NFT_META_OIFNAME, "devices", false);
		nft_masquerade(n);
		nft_rule_end(n);
	}
	nft_rule(n, "postrouting", "connections to the own network");
	need_bits(n, NFT_CT_STATUS, IPS_DST_NAT);
	need_same(n);
	nft_masquerade(n);
	nft_rule_end(n);
	nft_rule(n, "postrouting", "connections from 127.0.0.1");
	need_ip4(n);
	source4(n);
	need_loopback(n);
	need_device(n, NFT_META_OIFNAME, "devices", false);
	nft_masquerade(n);
	nft_rule_end(n);
}

/* Who passes on connections with the sender's address gets what comes back; see net_route_marked() */
static void add_foreign(struct nft *n)
{
	static const char about[] = "connections with foreign addresses";
	static const struct nft_hook out = { "filter", NF_INET_LOCAL_OUT, PRIORITY_MANGLE }, back = { "filter", NF_INET_PRE_ROUTING, PRIORITY_MANGLE };
	const uint32_t mark = NET_MARK;

	nft_add_chain(n, "mark", &out);
	nft_add_chain(n, "marked", &back);
	for (int v6 = 0; v6 < 2; v6++) {
		nft_rule(n, "mark", about);
		if (v6)
			need_ip6(n);
		else
			need_ip4(n);
		need_device(n, NFT_META_OIFNAME, "devices", false);
		nft_foreign(n);
		nft_number(n, mark, 0);
		nft_set_mark(n, true, 0);
		nft_rule_end(n);
	}
	nft_rule(n, "marked", about);
	need_device(n, NFT_META_IIFNAME, "devices", false);
	nft_ct(n, NFT_CT_MARK, 0);
	nft_compare(n, NFT_CMP_EQ, 0, &mark, sizeof(mark));
	nft_set_mark(n, false, 0);
	nft_rule_end(n);
}

static void end_rule(struct nft *n, int verdict)
{
	nft_verdict(n, verdict, NULL);
	nft_rule_end(n);
}

static void add_filter_rules(struct nft *n)
{
	static const char about[] = "what may pass";

	/* the bridges accept 127.0.0.0/8 for the sake of the host's own connections */
	nft_rule(n, "guard", about);
	need_ip4(n);
	nft_payload(n, NFT_PAYLOAD_NETWORK_HEADER, 16, 4, 0);
	need_loopback(n);
	need_device(n, NFT_META_IIFNAME, "devices", false);
	end_rule(n, NF_DROP);

	nft_rule(n, "forward", about); /* not ours */
	need_device(n, NFT_META_IIFNAME, "devices", true);
	need_device(n, NFT_META_OIFNAME, "devices", true);
	end_rule(n, NF_ACCEPT);
	nft_rule(n, "forward", about); /* also frames that br_netfilter shows */
	need_same(n);
	end_rule(n, NF_ACCEPT);
	nft_rule(n, "forward", about);
	need_device(n, NFT_META_IIFNAME, "internal", false);
	end_rule(n, NF_DROP);
	nft_rule(n, "forward", about);
	need_device(n, NFT_META_OIFNAME, "internal", false);
	end_rule(n, NF_DROP);
	nft_rule(n, "forward", "known connections (nft_ct)");
	need_bits(n, NFT_CT_STATE, CT_KNOWN);
	end_rule(n, NF_ACCEPT);
	nft_rule(n, "forward", about); /* published */
	need_bits(n, NFT_CT_STATUS, IPS_DST_NAT);
	end_rule(n, NF_ACCEPT);
	nft_rule(n, "forward", about);
	need_device(n, NFT_META_OIFNAME, "devices", false);
	end_rule(n, NF_DROP);
}

/* An interval is its first address and the one behind its last; not there when that is the last of all. */
static void subnet(struct nft *n, int type, const char *set, const struct net_prefix *p)
{
	struct net_address first = net_prefix_first(p), last = net_prefix_last(p), behind = net_address_plus(&last, 1);
	size_t size = net_address_size(&first);

	if (size == 0)
		return;
	nft_element(n, type, set, first.bytes, size, NULL, 0, false);
	if (!net_address_is_any(&behind))
		nft_element(n, type, set, behind.bytes, size, NULL, 0, true);
}

/* Fields take whole registers of 4 bytes. */
static void port(struct nft *n, int type, const struct net_table_port *p)
{
	size_t size = net_address_size(&p->host), key_size = 0, data_size = net_address_size(&p->to);
	bool any = net_address_is_any(&p->host), v4 = size == 4;
	unsigned char key[24] = { 0 }, data[20] = { 0 };
	uint16_t host_port = htons(p->port), to_port = htons(p->to_port);

	if (!any) {
		memcpy(key, p->host.bytes, size);
		key_size = size;
	}
	key[key_size] = p->protocol;
	memcpy(key + key_size + 4, &host_port, sizeof(host_port));
	memcpy(data, p->to.bytes, data_size);
	memcpy(data + data_size, &to_port, sizeof(to_port));
	nft_element(n, type, any ? v4 ? "any4" : "any6" : v4 ? "ports4" : "ports6", key, key_size + 8,
		    type == NFT_MSG_NEWSETELEM ? data : NULL, data_size + 4, false);
}

/* Who resolves names has another port, so that the host and its instances can have port 53. */
static void resolver(struct nft *n, int type, const struct net_address *a)
{
	static const unsigned char protocols[] = { IPPROTO_UDP, IPPROTO_TCP };

	for (size_t i = 0; a->family != 0 && i < sizeof(protocols); i++)
		port(n, type, &(struct net_table_port) { .protocol = protocols[i], .host = *a, .to = *a, .port = 53, .to_port = NET_NAMES_PORT });
}

static void bridge(struct nft *n, int type, const struct net_table_bridge *b)
{
	char names[2][IFNAMSIZ] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void) snprintf(names[i], IFNAMSIZ, "%s", b->device);
	nft_element(n, type, "devices", names, IFNAMSIZ, NULL, 0, false);
	nft_element(n, type, "same", names, sizeof(names), NULL, 0, false);
	if (b->internal)
		nft_element(n, type, "internal", names, IFNAMSIZ, NULL, 0, false);
	resolver(n, type, &b->names);
	if (b->internal || b->plain)
		return;
	subnet(n, type, "subnets4", &b->v4);
	subnet(n, type, "subnets6", &b->v6);
}

static void elements(struct nft *n, int type, const struct net_table *t)
{
	for (size_t i = 0; i < t->nr_bridges; i++)
		bridge(n, type, &t->bridges[i]);
	for (size_t i = 0; i < t->nr_ports; i++)
		port(n, type, &t->ports[i]);
}

int net_table_open(struct err *err)
{
	int fd = nft_open();

	if (fd == -EPROTONOSUPPORT || fd == -EAFNOSUPPORT)
		return err_msg(err, fd, "the kernel has no nftables (CONFIG_NF_TABLES): use --network host or none");
	return fd < 0 ? err_set(err, fd, "netlink socket of nftables") : fd;
}

int net_table_add(const struct net_table *t, struct err *err)
{
	_cleanup_(nft_fini) struct nft n = { 0 };
	const char *about;
	int r;

	nft_begin(&n, NFPROTO_INET, t->name);
	elements(&n, NFT_MSG_NEWSETELEM, t);
	r = nft_commit(&n, t->fd, &about);
	return r < 0 ? err_set(err, r, "add to %s of table '%s' of nftables", about, t->name) : 0;
}

/* One by one, when some are missing: nftables does all of a transaction or nothing. */
static int remove_each(const struct net_table *t)
{
	int first = 0;

	for (size_t i = 0; i < t->nr_bridges + t->nr_ports; i++) {
		_cleanup_(nft_fini) struct nft n = { 0 };
		int r;

		nft_begin(&n, NFPROTO_INET, t->name);
		if (i < t->nr_bridges)
			bridge(&n, NFT_MSG_DELSETELEM, &t->bridges[i]);
		else
			port(&n, NFT_MSG_DELSETELEM, &t->ports[i - t->nr_bridges]);
		r = nft_commit(&n, t->fd, NULL);
		if (r < 0 && r != -ENOENT && first == 0)
			first = r;
	}
	return first;
}

int net_table_remove(const struct net_table *t, struct err *err)
{
	_cleanup_(nft_fini) struct nft n = { 0 };
	int r;

	nft_begin(&n, NFPROTO_INET, t->name);
	elements(&n, NFT_MSG_DELSETELEM, t);
	r = nft_commit(&n, t->fd, NULL);
	if (r == -ENOENT)
		r = remove_each(t);
	return r < 0 ? err_set(err, r, "remove from table '%s' of nftables", t->name) : 0;
}

int net_table_make(const struct net_table *t, struct err *err)
{
	_cleanup_(nft_fini) struct nft n = { 0 };
	const char *about;
	int r;

	nft_begin(&n, NFPROTO_INET, t->name);
	nft_table(&n, NFT_MSG_NEWTABLE); /* so that there is one to remove */
	nft_table(&n, NFT_MSG_DELTABLE);
	nft_table(&n, NFT_MSG_NEWTABLE);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		nft_add_set(&n, &sets[i]);
	for (size_t i = 0; i < ARRAY_LEN(chains); i++)
		nft_add_chain(&n, chains[i].name, &chains[i].hook);
	add_nat_rules(&n);
	add_filter_rules(&n);
	if (t->foreign)
		add_foreign(&n);
	elements(&n, NFT_MSG_NEWSETELEM, t);
	r = nft_commit(&n, t->fd, &about);
	if (r == -ENOENT || r == -EOPNOTSUPP)
		return err_msg(err, -EOPNOTSUPP, "the kernel's nftables cannot do what networks need: %s; use --network host or none",
			       about);
	return r < 0 ? err_set(err, r, "make table '%s' of nftables: %s", t->name, about) : 0;
}

int net_table_limit(int fd, const char *name, const char *device, uint64_t bits, struct err *err)
{
	const struct nft_hook hook = { "filter", NF_NETDEV_INGRESS, 0, device };
	uint64_t rate = bits / 8, burst = rate * LIMIT_BURST_MS / 1000;
	_cleanup_(nft_fini) struct nft n = { 0 };
	int r;

	burst = burst < LIMIT_BURST_MIN ? LIMIT_BURST_MIN : burst > UINT32_MAX ? UINT32_MAX : burst;
	nft_begin(&n, NFPROTO_NETDEV, name);
	nft_table(&n, NFT_MSG_NEWTABLE);
	nft_add_chain(&n, device, &hook);
	nft_rule(&n, device, "rates of devices (NF_TABLES_NETDEV, nft_limit)");
	nft_limit_over(&n, rate, (uint32_t) burst);
	end_rule(&n, NF_DROP);
	r = nft_commit(&n, fd, NULL);
	return r < 0 ? err_set(err, r, "limit what device '%s' sends, by nftables", device) : 0;
}

static int drop(int fd, unsigned char family, const char *name)
{
	_cleanup_(nft_fini) struct nft n = { 0 };
	int r;

	nft_begin(&n, family, name);
	nft_table(&n, NFT_MSG_DELTABLE);
	r = nft_commit(&n, fd, NULL);
	return r == -ENOENT || r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r; /* a kernel without tables for devices has none */
}

int net_table_drop(int fd, const char *name, struct err *err)
{
	int r = drop(fd, NFPROTO_INET, name);

	if (r == 0)
		r = drop(fd, NFPROTO_NETDEV, name);
	return r < 0 ? err_set(err, r, "remove table '%s' of nftables", name) : 0;
}

int net_table_knows(int fd, const char *name, const char *device, struct err *err)
{
	char key[IFNAMSIZ] = { 0 };
	int r;

	(void) snprintf(key, sizeof(key), "%s", device);
	r = nft_has_element(fd, NFPROTO_INET, name, "devices", key, sizeof(key));
	return r < 0 ? err_set(err, r, "look into table '%s' of nftables", name) : r;
}
