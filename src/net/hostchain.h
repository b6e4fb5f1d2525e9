/* SPDX-License-Identifier: MIT */
/*
 * Chains of nftables in which the host decides what is forwarded and what reaches it, whoever made them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_HOST_CHAINS_MAX 64 /* that are looked at */
#define NET_HOST_NAME_MAX 64 /* bytes of a name; chains with longer ones are not looked at */
#define NET_HOST_RULES_MAX 16 /* of ours for one bridge in one chain */

/**
 * struct net_host_chain - one of them
 * @hook: NF_INET_FORWARD or NF_INET_LOCAL_IN
 * @drops: its policy does
 */
struct net_host_chain {
	unsigned char family;
	uint32_t hook;
	bool drops;
	char table[NET_HOST_NAME_MAX], name[NET_HOST_NAME_MAX];
};

/**
 * struct net_host_rules - what is in a chain
 * @tag: the comment that is looked for
 * @handles: of rules that have it, @n of them
 * @closed: its last rule drops or rejects all that has come so far
 */
struct net_host_rules {
	const char *tag;
	uint64_t handles[NET_HOST_RULES_MAX];
	size_t n;
	bool closed;
};

/**
 * net_host_chains() - list them, but for those of our own tables
 * @fd: of net_table_open()
 * @ret: room for NET_HOST_CHAINS_MAX
 * Return: number; -errno.
 */
int net_host_chains(int fd, struct net_host_chain *ret);

/** net_host_rules() - look into one; 0, also when there is no such chain; -errno */
int net_host_rules(int fd, const struct net_host_chain *c, struct net_host_rules *rules);

/** net_host_has_chain() - is there a chain of that name in the table of @c?  1; 0; -errno */
int net_host_has_chain(int fd, const struct net_host_chain *c, const char *name);
