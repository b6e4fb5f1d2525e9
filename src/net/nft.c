/* SPDX-License-Identifier: MIT */
#include "net/nft.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define COMMENT_MAX 120 /* bytes */
#define REG(n) (NFT_REG32_00 + (n))

int nft_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	return fd < 0 ? -errno : fd;
}

static void message(struct nft *n, uint16_t type, uint16_t flags, const char *about)
{
	const struct nfgenmsg head = { .nfgen_family = n->family, .version = NFNETLINK_V0 };

	if (n->b.n < NFT_LATER)
		n->about[n->b.n] = about;
	netlink_batch_add(&n->b, (uint16_t) (NFNL_SUBSYS_NFTABLES << 8 | type), flags, &head, sizeof(head));
}

static void bracket(struct nft *n, uint16_t type)
{
	const struct nfgenmsg head = { .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	netlink_batch_add(&n->b, type, 0, &head, sizeof(head));
}

void nft_begin(struct nft *n, unsigned char family, const char *table)
{
	*n = (struct nft) { .family = family, .table = table };
	bracket(n, NFNL_MSG_BATCH_BEGIN);
}

int nft_commit(struct nft *n, int fd, const char **ret_about)
{
	uint32_t failed = 0;
	int r;

	bracket(n, NFNL_MSG_BATCH_END);
	r = netlink_batch_send(fd, &n->b, NULL, NULL, &failed);
	if (ret_about != NULL)
		*ret_about = failed < NFT_LATER && n->about[failed] != NULL ? n->about[failed] : "rules";
	return r;
}

void nft_fini(struct nft *n)
{
	netlink_batch_fini(&n->b);
}

void nft_table(struct nft *n, int type)
{
	message(n, (uint16_t) type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0, "table");
	netlink_batch_text(&n->b, NFTA_TABLE_NAME, n->table);
}

void nft_add_set(struct nft *n, const struct nft_set *s)
{
	uint32_t flags = (s->data_length != 0 ? NFT_SET_MAP : 0) | (s->interval ? NFT_SET_INTERVAL : 0);
	static const unsigned char host_order[] = { 0, 4, 1, 0, 0, 0 }; /* byte order of the key: the host's */

	message(n, NFT_MSG_NEWSET, NLM_F_CREATE, s->name);
	netlink_batch_text(&n->b, NFTA_SET_TABLE, n->table);
	netlink_batch_text(&n->b, NFTA_SET_NAME, s->name);
	netlink_batch_be32(&n->b, NFTA_SET_FLAGS, flags);
	netlink_batch_be32(&n->b, NFTA_SET_KEY_TYPE, s->key_type);
	netlink_batch_be32(&n->b, NFTA_SET_KEY_LEN, s->key_length);
	if (s->data_length != 0) {
		netlink_batch_be32(&n->b, NFTA_SET_DATA_TYPE, s->data_type);
		netlink_batch_be32(&n->b, NFTA_SET_DATA_LEN, s->data_length);
	}
	netlink_batch_be32(&n->b, NFTA_SET_ID, n->b.n);
	if (s->words) /* for nft(8), which would print them the other way round */
		netlink_batch_attr(&n->b, NFTA_SET_USERDATA, host_order, sizeof(host_order));
}

void nft_add_chain(struct nft *n, const char *name, const struct nft_hook *h)
{
	size_t hook;

	message(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE, name);
	netlink_batch_text(&n->b, NFTA_CHAIN_TABLE, n->table);
	netlink_batch_text(&n->b, NFTA_CHAIN_NAME, name);
	if (h->type == NULL)
		return;
	hook = netlink_batch_nest(&n->b, NFTA_CHAIN_HOOK);
	netlink_batch_be32(&n->b, NFTA_HOOK_HOOKNUM, h->hook);
	netlink_batch_be32(&n->b, NFTA_HOOK_PRIORITY, (uint32_t) h->priority);
	netlink_batch_end(&n->b, hook);
	netlink_batch_be32(&n->b, NFTA_CHAIN_POLICY, NF_ACCEPT);
	netlink_batch_text(&n->b, NFTA_CHAIN_TYPE, h->type);
}

static void value(struct netlink_batch *b, uint16_t type, const void *data, size_t size)
{
	size_t nest = netlink_batch_nest(b, type);

	netlink_batch_attr(b, NFTA_DATA_VALUE, data, size);
	netlink_batch_end(b, nest);
}

static void element(struct netlink_batch *b, const char *table, const char *set, const void *key, size_t key_size,
		    const void *data, size_t data_size, bool end)
{
	size_t list, item;

	netlink_batch_text(b, NFTA_SET_ELEM_LIST_TABLE, table);
	netlink_batch_text(b, NFTA_SET_ELEM_LIST_SET, set);
	list = netlink_batch_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
	item = netlink_batch_nest(b, NFTA_LIST_ELEM);
	if (end)
		netlink_batch_be32(b, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	value(b, NFTA_SET_ELEM_KEY, key, key_size);
	if (data != NULL)
		value(b, NFTA_SET_ELEM_DATA, data, data_size);
	netlink_batch_end(b, item);
	netlink_batch_end(b, list);
}

void nft_element(struct nft *n, int type, const char *set, const void *key, size_t key_size, const void *data,
		 size_t data_size, bool end)
{
	message(n, (uint16_t) type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, set);
	element(&n->b, n->table, set, key, key_size, data, data_size, end);
}

int nft_has_element(int fd, unsigned char family, const char *table, const char *set, const void *key, size_t size)
{
	_cleanup_(nft_fini) struct nft n = { .family = family };
	int r;

	message(&n, NFT_MSG_GETSETELEM, 0, set);
	element(&n.b, table, set, key, size, NULL, 0, false);
	r = netlink_batch_send(fd, &n.b, NULL, NULL, NULL);
	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

static void rule(struct nft *n, uint16_t flags, const char *chain, const char *about)
{
	message(n, NFT_MSG_NEWRULE, flags, about);
	netlink_batch_text(&n->b, NFTA_RULE_TABLE, n->table);
	netlink_batch_text(&n->b, NFTA_RULE_CHAIN, chain);
	n->expressions = netlink_batch_nest(&n->b, NFTA_RULE_EXPRESSIONS);
}

void nft_rule(struct nft *n, const char *chain, const char *about)
{
	rule(n, NLM_F_CREATE | NLM_F_APPEND, chain, about);
}

void nft_rule_first(struct nft *n, const char *chain, const char *about)
{
	rule(n, NLM_F_CREATE, chain, about);
}

/* Types of user data are nft(8)'s: 0 is a comment. */
void nft_comment(struct nft *n, const char *text)
{
	unsigned char data[COMMENT_MAX + 3] = { 0 };
	size_t size = strnlen(text, COMMENT_MAX) + 1;

	data[1] = (unsigned char) size;
	memcpy(data + 2, text, size - 1);
	netlink_batch_attr(&n->b, NFTA_RULE_USERDATA, data, size + 2);
}

void nft_delete_rule(struct nft *n, const char *chain, uint64_t handle)
{
	const uint64_t be = htobe64(handle);

	message(n, NFT_MSG_DELRULE, 0, "rule");
	netlink_batch_text(&n->b, NFTA_RULE_TABLE, n->table);
	netlink_batch_text(&n->b, NFTA_RULE_CHAIN, chain);
	netlink_batch_attr(&n->b, NFTA_RULE_HANDLE, &be, sizeof(be));
}

void nft_get_chain(struct nft *n, const char *chain)
{
	message(n, NFT_MSG_GETCHAIN, 0, chain);
	netlink_batch_text(&n->b, NFTA_CHAIN_TABLE, n->table);
	netlink_batch_text(&n->b, NFTA_CHAIN_NAME, chain);
}

void nft_get_chains(struct nft *n)
{
	message(n, NFT_MSG_GETCHAIN, NLM_F_DUMP, "chains");
}

void nft_get_rules(struct nft *n, const char *chain)
{
	message(n, NFT_MSG_GETRULE, NLM_F_DUMP, chain);
	netlink_batch_text(&n->b, NFTA_RULE_TABLE, n->table);
	netlink_batch_text(&n->b, NFTA_RULE_CHAIN, chain);
}

void nft_rule_end(struct nft *n)
{
	netlink_batch_end(&n->b, n->expressions);
}

/* Begin an expression; what it returns is for end(). */
static size_t begin(struct nft *n, const char *name)
{
	n->nest = netlink_batch_nest(&n->b, NFTA_LIST_ELEM);
	netlink_batch_text(&n->b, NFTA_EXPR_NAME, name);
	return netlink_batch_nest(&n->b, NFTA_EXPR_DATA);
}

static void end(struct nft *n, size_t data)
{
	netlink_batch_end(&n->b, data);
	netlink_batch_end(&n->b, n->nest);
}

void nft_meta(struct nft *n, uint32_t key, uint32_t reg)
{
	size_t data = begin(n, "meta");

	netlink_batch_be32(&n->b, NFTA_META_KEY, key);
	netlink_batch_be32(&n->b, NFTA_META_DREG, REG(reg));
	end(n, data);
}

void nft_ct(struct nft *n, uint32_t key, uint32_t reg)
{
	size_t data = begin(n, "ct");

	netlink_batch_be32(&n->b, NFTA_CT_KEY, key);
	netlink_batch_be32(&n->b, NFTA_CT_DREG, REG(reg));
	end(n, data);
}

void nft_payload(struct nft *n, uint32_t base, uint32_t offset, uint32_t size, uint32_t reg)
{
	size_t data = begin(n, "payload");

	netlink_batch_be32(&n->b, NFTA_PAYLOAD_DREG, REG(reg));
	netlink_batch_be32(&n->b, NFTA_PAYLOAD_BASE, base);
	netlink_batch_be32(&n->b, NFTA_PAYLOAD_OFFSET, offset);
	netlink_batch_be32(&n->b, NFTA_PAYLOAD_LEN, size);
	end(n, data);
}

void nft_local(struct nft *n)
{
	const uint32_t local = RTN_LOCAL;
	size_t data = begin(n, "fib");

	netlink_batch_be32(&n->b, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	netlink_batch_be32(&n->b, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	netlink_batch_be32(&n->b, NFTA_FIB_DREG, REG(0));
	end(n, data);
	nft_compare(n, NFT_CMP_EQ, 0, &local, sizeof(local));
}

void nft_mask(struct nft *n, uint32_t reg, uint32_t mask)
{
	const uint32_t none = 0;
	size_t data = begin(n, "bitwise");

	netlink_batch_be32(&n->b, NFTA_BITWISE_SREG, REG(reg));
	netlink_batch_be32(&n->b, NFTA_BITWISE_DREG, REG(reg));
	netlink_batch_be32(&n->b, NFTA_BITWISE_LEN, sizeof(mask));
	value(&n->b, NFTA_BITWISE_MASK, &mask, sizeof(mask));
	value(&n->b, NFTA_BITWISE_XOR, &none, sizeof(none));
	end(n, data);
}

void nft_compare(struct nft *n, uint32_t op, uint32_t reg, const void *data, size_t size)
{
	size_t nest = begin(n, "cmp");

	netlink_batch_be32(&n->b, NFTA_CMP_SREG, REG(reg));
	netlink_batch_be32(&n->b, NFTA_CMP_OP, op);
	value(&n->b, NFTA_CMP_DATA, data, size);
	end(n, nest);
}

void nft_lookup(struct nft *n, const char *set, uint32_t reg, bool is_not)
{
	size_t data = begin(n, "lookup");

	netlink_batch_text(&n->b, NFTA_LOOKUP_SET, set);
	netlink_batch_be32(&n->b, NFTA_LOOKUP_SREG, REG(reg));
	netlink_batch_be32(&n->b, NFTA_LOOKUP_FLAGS, is_not ? NFT_LOOKUP_F_INV : 0);
	end(n, data);
}

void nft_map(struct nft *n, const char *map, uint32_t reg, uint32_t to)
{
	size_t data = begin(n, "lookup");

	netlink_batch_text(&n->b, NFTA_LOOKUP_SET, map);
	netlink_batch_be32(&n->b, NFTA_LOOKUP_SREG, REG(reg));
	netlink_batch_be32(&n->b, NFTA_LOOKUP_DREG, REG(to));
	end(n, data);
}

void nft_dnat(struct nft *n, uint32_t family, uint32_t address, uint32_t port)
{
	size_t data = begin(n, "nat");

	netlink_batch_be32(&n->b, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	netlink_batch_be32(&n->b, NFTA_NAT_FAMILY, family);
	netlink_batch_be32(&n->b, NFTA_NAT_REG_ADDR_MIN, REG(address));
	netlink_batch_be32(&n->b, NFTA_NAT_REG_PROTO_MIN, REG(port));
	end(n, data);
}

void nft_masquerade(struct nft *n)
{
	end(n, begin(n, "masq"));
}

void nft_verdict(struct nft *n, int verdict, const char *chain)
{
	size_t data = begin(n, "immediate"), nest, code;

	netlink_batch_be32(&n->b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nest = netlink_batch_nest(&n->b, NFTA_IMMEDIATE_DATA);
	code = netlink_batch_nest(&n->b, NFTA_DATA_VERDICT);
	netlink_batch_be32(&n->b, NFTA_VERDICT_CODE, (uint32_t) verdict);
	if (chain != NULL)
		netlink_batch_text(&n->b, NFTA_VERDICT_CHAIN, chain);
	netlink_batch_end(&n->b, code);
	netlink_batch_end(&n->b, nest);
	end(n, data);
}
