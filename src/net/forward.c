/* SPDX-License-Identifier: MIT */
#include "net/forward.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "net/legacy.h"
#include "net/nft.h"
#include "sys/netlink.h"

#define TABLE "filter"
#define INPUT "INPUT"
#define NAMES_PORT 53
#define RULES_MAX 16 /* of ours for one bridge in one chain */
#define TAG_MAX 40 /* bytes of a comment */

static const unsigned char families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
static const char *const chains[] = { "DOCKER-USER", "FORWARD", "INPUT" };

/* Handler of NFT_MSG_GETCHAIN */
static int keep_policy(const struct nlmsghdr *m, void *arg)
{
	size_t size;
	const void *policy = netlink_msg_attr(m, sizeof(struct nfgenmsg), NFTA_CHAIN_POLICY, &size);
	uint32_t value, *ret = arg;

	if (policy != NULL && size >= sizeof(value)) {
		memcpy(&value, policy, sizeof(value));
		*ret = ntohl(value);
	}
	return 0;
}

/* Return: 1 there is such a chain, its policy in *ret; 0; -errno. */
static int ask_chain(int fd, unsigned char family, const char *chain, uint32_t *ret)
{
	_cleanup_(nft_fini) struct nft n = { .family = family, .table = TABLE };
	int r;

	*ret = NF_ACCEPT;
	nft_get_chain(&n, chain);
	r = netlink_batch_send(fd, &n.b, keep_policy, ret, NULL);
	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

struct search {
	char tag[TAG_MAX];
	uint64_t handles[RULES_MAX];
	size_t n;
};

/* Handler of NFT_MSG_GETRULE: the comment is a byte of type, one of length, and text */
static int keep_rule(const struct nlmsghdr *m, void *arg)
{
	struct search *s = arg;
	size_t size, handle_size, want = strlen(s->tag) + 1;
	const char *data = netlink_msg_attr(m, sizeof(struct nfgenmsg), NFTA_RULE_USERDATA, &size);
	const void *handle = netlink_msg_attr(m, sizeof(struct nfgenmsg), NFTA_RULE_HANDLE, &handle_size);
	uint64_t value;

	if (data == NULL || handle == NULL || handle_size < sizeof(value) || size < want + 2 || s->n == RULES_MAX)
		return 0;
	if (data[0] == 0 && memcmp(data + 2, s->tag, want) == 0) {
		memcpy(&value, handle, sizeof(value));
		s->handles[s->n++] = be64toh(value);
	}
	return 0;
}

static int find_rules(int fd, unsigned char family, const char *chain, const char *device, struct search *s)
{
	_cleanup_(nft_fini) struct nft n = { .family = family, .table = TABLE };
	int r;

	s->n = 0;
	(void) snprintf(s->tag, sizeof(s->tag), "cleave %s", device);
	nft_get_rules(&n, chain);
	r = netlink_batch_send(fd, &n.b, keep_rule, s, NULL);
	return r == -ENOENT ? 0 : r;
}

static void add_rule(struct nft *n, const char *chain, uint32_t which, const char *device, const char *tag)
{
	nft_rule_first(n, chain, "FORWARD of the host");
	nft_meta(n, which, 0);
	nft_compare(n, NFT_CMP_EQ, 0, device, strlen(device) + 1);
	nft_verdict(n, NF_ACCEPT, NULL);
	nft_rule_end(n);
	nft_comment(n, tag);
}

/* Questions to port 53 of the host */
static void add_names_rule(struct nft *n, unsigned char protocol, const char *device, const char *tag)
{
	const uint16_t port = htons(NAMES_PORT);

	nft_rule_first(n, INPUT, "INPUT of the host");
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

static int allow(int fd, unsigned char family, const char *chain, const char *device)
{
	_cleanup_(nft_fini) struct nft n = { 0 };
	struct search s;
	int r = find_rules(fd, family, chain, device, &s);

	if (r < 0 || s.n > 0)
		return r;
	nft_begin(&n, family, TABLE);
	if (strcmp(chain, INPUT) == 0) {
		add_names_rule(&n, IPPROTO_TCP, device, s.tag);
		add_names_rule(&n, IPPROTO_UDP, device, s.tag);
	} else {
		add_rule(&n, chain, NFT_META_OIFNAME, device, s.tag);
		add_rule(&n, chain, NFT_META_IIFNAME, device, s.tag);
	}
	return nft_commit(&n, fd, NULL);
}

int net_forward_allow(int fd, const char *device, bool names, struct err *err)
{
	uint32_t policy, ignored;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(families); i++) {
		r = ask_chain(fd, families[i], "FORWARD", &policy);
		if (r <= 0 || policy != NF_DROP)
			continue;
		r = ask_chain(fd, families[i], chains[0], &ignored);
		if (r >= 0)
			r = allow(fd, families[i], chains[r == 0], device);
	}
	if (r >= 0 && names) /* the resolver has an address of IPv4 */
		r = ask_chain(fd, NFPROTO_IPV4, INPUT, &policy);
	if (r > 0 && names && policy == NF_DROP)
		r = allow(fd, NFPROTO_IPV4, INPUT, device);
	return r < 0 ? err_set(err, r, "let '%s' pass the rules of the host", device) : net_legacy_allow(device, names, err);
}

static int forget(int fd, unsigned char family, const char *chain, const char *device)
{
	_cleanup_(nft_fini) struct nft n = { 0 };
	struct search s;
	int r = find_rules(fd, family, chain, device, &s);

	if (r < 0 || s.n == 0)
		return r;
	nft_begin(&n, family, TABLE);
	for (size_t i = 0; i < s.n; i++)
		nft_delete_rule(&n, chain, s.handles[i]);
	r = nft_commit(&n, fd, NULL);
	return r == -ENOENT ? 0 : r; /* somebody was quicker */
}

int net_forward_forget(int fd, const char *device, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(families) * ARRAY_LEN(chains); i++)
		r = forget(fd, families[i / ARRAY_LEN(chains)], chains[i % ARRAY_LEN(chains)], device);
	return r < 0 ? err_set(err, r, "remove what let '%s' pass the rules of the host", device) : net_legacy_forget(device, err);
}
