/* SPDX-License-Identifier: MIT */
#include "net/hostchain.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/nft.h"
#include "net/table.h"
#include "sys/netlink.h"

struct list {
	struct net_host_chain *v;
	size_t n;
};

/* An attribute among those of a nest; NULL */
static const void *find(const void *nest, size_t size, uint16_t type, size_t *ret_size)
{
	const char *p = nest;

	while (p != NULL && size >= NLA_HDRLEN) {
		struct nlattr a;
		size_t step;

		memcpy(&a, p, sizeof(a));
		step = NLA_ALIGN(a.nla_len);
		if (a.nla_len < NLA_HDRLEN || a.nla_len > size)
			break;
		if ((a.nla_type & NLA_TYPE_MASK) == type) {
			*ret_size = a.nla_len - NLA_HDRLEN;
			return p + NLA_HDRLEN;
		}
		if (step >= size)
			break;
		p += step;
		size -= step;
	}
	return NULL;
}

static bool is_text(const void *p, size_t size, const char *text)
{
	return p != NULL && size == strlen(text) + 1 && memcmp(p, text, size) == 0;
}

static bool get_be32(const void *p, size_t size, uint32_t *ret)
{
	if (p == NULL || size < sizeof(*ret))
		return false;
	memcpy(ret, p, sizeof(*ret));
	*ret = ntohl(*ret);
	return true;
}

static bool copy_name(const struct nlmsghdr *m, uint16_t type, char ret[NET_HOST_NAME_MAX])
{
	size_t size;
	const void *p = netlink_msg_attr(m, sizeof(struct nfgenmsg), type, &size);

	if (p == NULL || size == 0 || size > NET_HOST_NAME_MAX || ((const char *) p)[size - 1] != '\0')
		return false;
	memcpy(ret, p, size);
	return true;
}

/* Handler of NFT_MSG_GETCHAIN: chains without a hook are only jumped to */
static int keep_chain(const struct nlmsghdr *m, void *arg)
{
	struct list *l = arg;
	struct net_host_chain *c = &l->v[l->n];
	size_t hook_size, size = 0, type_size;
	const void *hook = netlink_msg_attr(m, sizeof(struct nfgenmsg), NFTA_CHAIN_HOOK, &hook_size);
	const void *type = netlink_msg_attr(m, sizeof(struct nfgenmsg), NFTA_CHAIN_TYPE, &type_size), *p;
	const struct nfgenmsg *head = NLMSG_DATA(m);
	uint32_t policy = NF_ACCEPT;

	if (l->n == NET_HOST_CHAINS_MAX || hook == NULL || !is_text(type, type_size, "filter"))
		return 0;
	*c = (struct net_host_chain) { .family = head->nfgen_family };
	if (c->family != NFPROTO_INET && c->family != NFPROTO_IPV4 && c->family != NFPROTO_IPV6)
		return 0;
	p = find(hook, hook_size, NFTA_HOOK_HOOKNUM, &size);
	if (!get_be32(p, size, &c->hook) || (c->hook != NF_INET_FORWARD && c->hook != NF_INET_LOCAL_IN) ||
	    !copy_name(m, NFTA_CHAIN_TABLE, c->table) || !copy_name(m, NFTA_CHAIN_NAME, c->name) ||
	    strncmp(c->table, NET_TABLE, strlen(NET_TABLE)) == 0)
		return 0;
	p = netlink_msg_attr(m, sizeof(struct nfgenmsg), NFTA_CHAIN_POLICY, &size);
	c->drops = get_be32(p, size, &policy) && policy == NF_DROP;
	l->n++;
	return 0;
}

int net_host_chains(int fd, struct net_host_chain *ret)
{
	_cleanup_(nft_fini) struct nft n = { .family = NFPROTO_UNSPEC };
	struct list l = { .v = ret };
	int r;

	nft_get_chains(&n);
	r = netlink_batch_send(fd, &n.b, keep_chain, &l, NULL);
	return r == -ENOENT ? 0 : r < 0 ? r : (int) l.n;
}

/* Does an expression end it for all packets?  1; 0 it only counts or logs; -1 it may let some pass. */
static int ends(const void *expression, size_t size)
{
	static const char *const passing[] = { "counter", "log" };
	size_t name_size = 0, data_size = 0, n = 0;
	const void *name = find(expression, size, NFTA_EXPR_NAME, &name_size);
	const void *data = find(expression, size, NFTA_EXPR_DATA, &data_size), *p;
	uint32_t code;

	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (is_text(name, name_size, passing[i]))
			return 0;
	if (is_text(name, name_size, "reject"))
		return 1;
	if (is_text(name, name_size, "target")) { /* of iptables */
		p = find(data, data_size, NFTA_TARGET_NAME, &n);
		return is_text(p, n, "REJECT") ? 1 : -1;
	}
	if (!is_text(name, name_size, "immediate"))
		return -1;
	p = find(data, data_size, NFTA_IMMEDIATE_DATA, &n);
	p = find(p, n, NFTA_DATA_VERDICT, &n);
	p = find(p, n, NFTA_VERDICT_CODE, &n);
	return get_be32(p, n, &code) && code == NF_DROP ? 1 : -1;
}

static bool is_closed(const struct nlmsghdr *m)
{
	size_t size = 0;
	const char *p = netlink_msg_attr(m, sizeof(struct nfgenmsg), NFTA_RULE_EXPRESSIONS, &size);
	int r = 0;

	while (p != NULL && r == 0 && size >= NLA_HDRLEN) {
		struct nlattr a;
		size_t step;

		memcpy(&a, p, sizeof(a));
		if (a.nla_len < NLA_HDRLEN || a.nla_len > size)
			return false;
		r = ends(p + NLA_HDRLEN, a.nla_len - NLA_HDRLEN);
		step = NLA_ALIGN(a.nla_len);
		size -= step < size ? step : size;
		p += step;
	}
	return r == 1;
}

/* Handler of NFT_MSG_GETRULE: the comment is a byte of type, one of length, and text */
static int keep_rule(const struct nlmsghdr *m, void *arg)
{
	struct net_host_rules *s = arg;
	size_t size, handle_size, want = strlen(s->tag) + 1;
	const char *data = netlink_msg_attr(m, sizeof(struct nfgenmsg), NFTA_RULE_USERDATA, &size);
	const void *handle = netlink_msg_attr(m, sizeof(struct nfgenmsg), NFTA_RULE_HANDLE, &handle_size);
	uint64_t value;

	s->closed = is_closed(m);
	if (data == NULL || handle == NULL || handle_size < sizeof(value) || size < want + 2 || s->n == NET_HOST_RULES_MAX)
		return 0;
	if (data[0] == 0 && memcmp(data + 2, s->tag, want) == 0) {
		memcpy(&value, handle, sizeof(value));
		s->handles[s->n++] = be64toh(value);
	}
	return 0;
}

int net_host_rules(int fd, const struct net_host_chain *c, struct net_host_rules *rules)
{
	_cleanup_(nft_fini) struct nft n = { .family = c->family, .table = c->table };
	int r;

	rules->n = 0;
	rules->closed = false;
	nft_get_rules(&n, c->name);
	r = netlink_batch_send(fd, &n.b, keep_rule, rules, NULL);
	return r == -ENOENT ? 0 : r;
}

/* Handler of NFT_MSG_GETCHAIN */
static int is_there(const struct nlmsghdr *m, void *arg)
{
	(void) m;
	*(bool *) arg = true;
	return 0;
}

int net_host_has_chain(int fd, const struct net_host_chain *c, const char *name)
{
	_cleanup_(nft_fini) struct nft n = { .family = c->family, .table = c->table };
	bool there = false;
	int r;

	nft_get_chain(&n, name);
	r = netlink_batch_send(fd, &n.b, is_there, &there, NULL);
	return r == -ENOENT ? 0 : r < 0 ? r : there;
}
