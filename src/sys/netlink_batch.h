/* SPDX-License-Identifier: MIT */
/*
 * Several netlink messages in one datagram.
 *
 * The kernel works through a datagram while it is being sent, and answers only what fails: so one send and
 * one look for an answer do for all of it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct nlmsghdr;

#define NETLINK_BATCH_MAX (16u << 20) /* bytes of a datagram */

/**
 * struct netlink_batch - messages that are being written
 * @bytes: the datagram; failed when memory ran out
 * @message: where the last message begins
 * @n: number of messages
 */
struct netlink_batch {
	struct str bytes;
	size_t message;
	uint32_t n;
};

/**
 * netlink_batch_add() - begin a message
 * @type: RTM_* and the like
 * @flags: NLM_F_* besides REQUEST, which is added
 * @head: fixed part of the message
 */
void netlink_batch_add(struct netlink_batch *b, uint16_t type, uint16_t flags, const void *head, size_t head_size);

/** netlink_batch_attr() - append an attribute to the message */
void netlink_batch_attr(struct netlink_batch *b, uint16_t type, const void *data, size_t size);

/** netlink_batch_text() - append a text attribute with its terminator */
void netlink_batch_text(struct netlink_batch *b, uint16_t type, const char *text);

/** netlink_batch_be32() - append a number in network order */
void netlink_batch_be32(struct netlink_batch *b, uint16_t type, uint32_t value);

/** netlink_batch_nest() - begin an attribute that holds others; what it returns is for netlink_batch_end() */
size_t netlink_batch_nest(struct netlink_batch *b, uint16_t type);

/** netlink_batch_end() - end it */
void netlink_batch_end(struct netlink_batch *b, size_t nest);

/**
 * netlink_batch_send() - have the kernel do all of it
 * @fd: netlink socket; nothing that was asked before is unanswered
 * @each: called for what the kernel answers besides failures; may be NULL
 * @ret_failed: number of the first message that failed, from 0; may be NULL
 *
 * rtnetlink does what comes after a message that fails; nftables does all or nothing.
 * Return: 0; -errno that the kernel answers first; -ENOMEM; -EMSGSIZE over NETLINK_BATCH_MAX.
 */
int netlink_batch_send(int fd, struct netlink_batch *b, int (*each)(const struct nlmsghdr *msg, void *arg), void *arg,
		       uint32_t *ret_failed);

/** netlink_batch_fini() - release; it may be filled again */
void netlink_batch_fini(struct netlink_batch *b);
