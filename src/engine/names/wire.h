/* SPDX-License-Identifier: MIT */
/*
 * Questions and answers as they are on the wire (RFC 1035, RFC 6891).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER 12 /* bytes */
#define DNS_NAME_MAX 255 /* bytes, as on the wire */
#define DNS_QUERY_MAX 1024 /* bytes of a question that is taken, with all that comes with it */
#define DNS_MESSAGE_MAX 65535
#define DNS_UDP_MAX 1232 /* bytes of an answer by UDP: fits any path */

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_OPT = 41, DNS_ANY = 255 };
enum dns_rcode { DNS_OK, DNS_FORMERR, DNS_SERVFAIL, DNS_NXDOMAIN, DNS_NOTIMP, DNS_REFUSED };

#define DNS_IN 1 /* class */
#define DNS_RD 0x0100 /* the asker wants others to be asked */

/**
 * struct dns_query - a question
 * @room: bytes of an answer by UDP
 * @end: where the question ends
 * @edns: it came with an OPT record
 * @name: lower case, labels separated by dots; "" when it has bytes that no name of ours has
 */
struct dns_query {
	uint16_t id, flags, type, class;
	size_t room, end;
	bool edns;
	char name[DNS_NAME_MAX + 1];
};

/**
 * dns_query_read() - read a question
 * Return: DNS_OK; another enum dns_rcode to answer with; -1 when it is to be ignored.
 */
int dns_query_read(const uint8_t *p, size_t n, struct dns_query *ret);

/** struct dns_reply - an answer that is being written */
struct dns_reply {
	uint8_t *p;
	size_t room, n;
	unsigned answers;
	bool cut, edns;
};

/**
 * dns_reply_begin() - header and question
 * @room: bytes that @p has, at least 512
 * @query: what @q was read from
 */
void dns_reply_begin(struct dns_reply *r, uint8_t *p, size_t room, const uint8_t *query, const struct dns_query *q, unsigned rcode);

/** dns_reply_add() - append an answer to the question; one that does not fit marks it as cut */
void dns_reply_add(struct dns_reply *r, unsigned type, const uint8_t *data, size_t n);

/** dns_reply_end() - finish; its length */
size_t dns_reply_end(struct dns_reply *r);

/** dns_name_write() - "a.b" as on the wire; its length, 0 when it is none */
size_t dns_name_write(uint8_t to[DNS_NAME_MAX], const char *name);

/**
 * dns_reply_fits() - is it an answer to this question?
 * @q: read from @query
 * @id: it was asked with
 */
bool dns_reply_fits(const uint8_t *query, const struct dns_query *q, uint16_t id, const uint8_t *reply, size_t n);

/** dns_rcode() - of an answer of at least DNS_HEADER bytes */
unsigned dns_rcode(const uint8_t *reply);

/** dns_id_set() - change the number of a message */
void dns_id_set(uint8_t *p, uint16_t id);

/** dns_recursion_set() - ask others for it (@wanted), or only say what is known */
void dns_recursion_set(uint8_t *query, bool wanted);

/** dns_relayed() - an answer of somebody else as ours: with the asker's number and wish */
void dns_relayed(uint8_t *reply, const struct dns_query *q);
