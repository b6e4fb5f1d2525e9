/* SPDX-License-Identifier: MIT */
/*
 * What is said to nftables: objects of one table, and the expressions of its rules.
 *
 * Registers are numbered 0 to 15, of 4 bytes each; what is longer takes several.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/netlink_batch.h"

#define NFT_LATER 64 /* messages of which it is known what they are about */

/**
 * struct nft - a transaction
 * @table: name of the table that all is about
 * @family: NFPROTO_*
 * @about: what each of the first messages says, for failures
 */
struct nft {
	struct netlink_batch b;
	const char *table, *about[NFT_LATER];
	unsigned char family;
	size_t nest, expressions;
};

/** struct nft_set - a set or map to make; lengths in bytes, @data_length 0 for a set; types as of nft(8); @words: keys lie as the host has them */
struct nft_set {
	const char *name;
	uint32_t key_type, key_length, data_type, data_length;
	bool interval, words;
};

/** struct nft_hook - where a chain hangs; @type: NULL for one that is only jumped to */
struct nft_hook {
	const char *type;
	uint32_t hook;
	int32_t priority;
};

/** nft_open() - socket; -errno */
int nft_open(void);

/** nft_begin() - start a transaction */
void nft_begin(struct nft *n, unsigned char family, const char *table);

/**
 * nft_commit() - do it
 * @ret_about: what failed, may be NULL
 * Return: 0; -errno, then nothing was done.
 */
int nft_commit(struct nft *n, int fd, const char **ret_about);

/** nft_fini() - release */
void nft_fini(struct nft *n);

/** nft_table() - @type: NFT_MSG_NEWTABLE or DELTABLE */
void nft_table(struct nft *n, int type);

/** nft_add_set() - make a set or map */
void nft_add_set(struct nft *n, const struct nft_set *s);

/** nft_add_chain() - make a chain */
void nft_add_chain(struct nft *n, const char *name, const struct nft_hook *h);

/**
 * nft_element() - a message with one element
 * @type: NFT_MSG_NEWSETELEM or DELSETELEM
 * @data: of a map, NULL else
 * @end: the first address behind an interval
 */
void nft_element(struct nft *n, int type, const char *set, const void *key, size_t key_size, const void *data,
		 size_t data_size, bool end);

/** nft_has_element() - 1; 0 also when there is no such set or table; -errno */
int nft_has_element(int fd, unsigned char family, const char *table, const char *set, const void *key, size_t size);

/** nft_rule() - begin a rule; its expressions follow, and nft_rule_end() */
void nft_rule(struct nft *n, const char *chain, const char *about);

/** nft_rule_first() - likewise, before all other rules of the chain */
void nft_rule_first(struct nft *n, const char *chain, const char *about);

/** nft_comment() - after nft_rule_end(): words that nft(8) shows */
void nft_comment(struct nft *n, const char *text);

/** nft_delete_rule() - by its handle */
void nft_delete_rule(struct nft *n, const char *chain, uint64_t handle);

/** nft_get_chain() - ask for a chain, outside of a transaction */
void nft_get_chain(struct nft *n, const char *chain);

/** nft_get_chains() - ask for all chains of a family, outside of a transaction */
void nft_get_chains(struct nft *n);

/** nft_get_rules() - ask for the rules of a chain, outside of a transaction */
void nft_get_rules(struct nft *n, const char *chain);

/** nft_rule_end() - end it */
void nft_rule_end(struct nft *n);

/** nft_meta() - load NFT_META_* */
void nft_meta(struct nft *n, uint32_t key, uint32_t reg);

/** nft_ct() - load NFT_CT_* */
void nft_ct(struct nft *n, uint32_t key, uint32_t reg);

/** nft_payload() - load bytes of the packet; @base: NFT_PAYLOAD_* */
void nft_payload(struct nft *n, uint32_t base, uint32_t offset, uint32_t size, uint32_t reg);

/** nft_local() - go on if the destination is an address of this host */
void nft_local(struct nft *n);

/** nft_mask() - keep some bits of a register, as they lie in memory */
void nft_mask(struct nft *n, uint32_t reg, uint32_t mask);

/** nft_compare() - go on if a register is equal (NFT_CMP_EQ) or not (NFT_CMP_NEQ) */
void nft_compare(struct nft *n, uint32_t op, uint32_t reg, const void *data, size_t size);

/** nft_lookup() - go on if what is in registers from @reg on is in a set, or is not */
void nft_lookup(struct nft *n, const char *set, uint32_t reg, bool is_not);

/** nft_map() - likewise, and put what the map has for it into registers from @to on */
void nft_map(struct nft *n, const char *map, uint32_t reg, uint32_t to);

/** nft_dnat() - the destination becomes what is in the registers */
void nft_dnat(struct nft *n, uint32_t family, uint32_t address, uint32_t port);

/** nft_masquerade() - the source becomes an address of the device it leaves by */
void nft_masquerade(struct nft *n);

/** nft_verdict() - NF_ACCEPT, NF_DROP, or NFT_JUMP to @chain */
void nft_verdict(struct nft *n, int verdict, const char *chain);
