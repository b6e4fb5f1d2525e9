/* SPDX-License-Identifier: MIT */
#include "net/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/hostchain.h"
#include "net/legacy.h"
#include "net/nft.h"
#include "net/table.h"

#define TAG_MAX 40 /* bytes of a comment */
#define FOR_OTHERS "DOCKER-USER" /* where Docker asks for rules */

static void make_tag(const char *device, char ret[TAG_MAX])
{
	(void) snprintf(ret, TAG_MAX, "cleave %s", device); /* names of devices are short */
}

/* Docker's tables have a chain for the rules of others */
static int use_docker(int fd, struct net_host_chain *c)
{
	int r = c->hook == NF_INET_FORWARD && strcmp(c->table, "filter") == 0 && c->family != NFPROTO_INET
			? net_host_has_chain(fd, c, FOR_OTHERS)
			: 0;

	if (r == 1)
		(void) snprintf(c->name, sizeof(c->name), FOR_OTHERS);
	return r;
}

static void add_rule(struct nft *n, const char *chain, uint32_t which, const char *device, const char *tag)
{
	nft_rule_first(n, chain, "what the host forwards");
	nft_meta(n, which, 0);
	nft_compare(n, NFT_CMP_EQ, 0, device, strlen(device) + 1);
	nft_verdict(n, NF_ACCEPT, NULL);
	nft_rule_end(n);
	nft_comment(n, tag);
}

/* Questions for names, as the rules have them by then: sent to another port */
static void add_names_rule(struct nft *n, const char *chain, unsigned char protocol, const char *device, const char *tag)
{
	const uint16_t port = htons(NET_NAMES_PORT);

	nft_rule_first(n, chain, "what reaches the host");
	nft_meta(n, NFT_META_IIFNAME, 0);
	nft_compare(n, NFT_CMP_EQ, 0, device, strlen(device) + 1);
	nft_meta(n, NFT_META_L4PROTO, 0);
	nft_compare(n, NFT_CMP_EQ, 0, &protocol, sizeof(protocol));
	nft_payload(n, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(port), 0);
	nft_compare(n, NFT_CMP_EQ, 0, &port, sizeof(port));
	nft_verdict(n, NF_ACCEPT, NULL);
	nft_rule_end(n);
	nft_comment(n, tag);
}

static int add_rules(int fd, const struct net_host_chain *c, const char *device, const char *tag)
{
	_cleanup_(nft_fini) struct nft n = { 0 };

	nft_begin(&n, c->family, c->table);
	if (c->hook == NF_INET_LOCAL_IN) {
		add_names_rule(&n, c->name, IPPROTO_TCP, device, tag);
		add_names_rule(&n, c->name, IPPROTO_UDP, device, tag);
	} else {
		add_rule(&n, c->name, NFT_META_OIFNAME, device, tag);
		add_rule(&n, c->name, NFT_META_IIFNAME, device, tag);
	}
	return nft_commit(&n, fd, NULL);
}

/* One chain; rules go where nothing has been dropped yet. */
static int allow(int fd, struct net_host_chain *c, const char *device)
{
	char tag[TAG_MAX];
	struct net_host_rules rules = { .tag = tag };
	int r;

	make_tag(device, tag);
	r = net_host_rules(fd, c, &rules);
	if (r < 0 || rules.n > 0 || (!c->drops && !rules.closed))
		return r;
	r = use_docker(fd, c);
	if (r == 1)
		r = net_host_rules(fd, c, &rules);
	return r < 0 || rules.n > 0 ? r : add_rules(fd, c, device, tag);
}

int net_forward_allow(int fd, const char *device, bool names, struct err *err)
{
	struct net_host_chain chains[NET_HOST_CHAINS_MAX];
	int n = net_host_chains(fd, chains), r = n < 0 ? n : 0;

	for (int i = 0; r == 0 && i < n; i++)
		if (chains[i].hook == NF_INET_FORWARD || (names && chains[i].family != NFPROTO_IPV6)) /* the resolver's address is of IPv4 */
			r = allow(fd, &chains[i], device);
	return r < 0 ? err_set(err, r, "let '%s' pass the rules of the host", device) : net_legacy_allow(device, names, err);
}

static int forget(int fd, const struct net_host_chain *c, const char *device)
{
	_cleanup_(nft_fini) struct nft n = { 0 };
	char tag[TAG_MAX];
	struct net_host_rules rules = { .tag = tag };
	int r;

	make_tag(device, tag);
	r = net_host_rules(fd, c, &rules);
	if (r < 0 || rules.n == 0)
		return r;
	nft_begin(&n, c->family, c->table);
	for (size_t i = 0; i < rules.n; i++)
		nft_delete_rule(&n, c->name, rules.handles[i]);
	r = nft_commit(&n, fd, NULL);
	return r == -ENOENT ? 0 : r; /* somebody was quicker */
}

int net_forward_forget(int fd, const char *device, struct err *err)
{
	struct net_host_chain chains[NET_HOST_CHAINS_MAX];
	int n = net_host_chains(fd, chains), r = n < 0 ? n : 0;

	for (int i = 0; r == 0 && i < n; i++) {
		r = forget(fd, &chains[i], device);
		if (r == 0 && (r = use_docker(fd, &chains[i])) == 1)
			r = forget(fd, &chains[i], device);
	}
	return r < 0 ? err_set(err, r, "remove what let '%s' pass the rules of the host", device) : net_legacy_forget(device, err);
}
