/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct nlmsghdr;

#define NETLINK_REQUEST_MAX 512 /* bytes of a request that netlink_ functions build */

/**
 * struct netlink_request - a message to rtnetlink that is being written
 * @used: bytes of @space; the message header is at its start
 */
struct netlink_request {
	_Alignas(4) char space[NETLINK_REQUEST_MAX];
	size_t used;
};

/**
 * netlink_open() - rtnetlink socket of the calling thread's network namespace
 * Return: descriptor; -errno.
 */
int netlink_open(void);

/**
 * netlink_open_in() - rtnetlink socket of the network namespace @netns
 * Context: the thread goes there and comes back.
 * Return: descriptor; -errno.
 */
int netlink_open_in(int netns);

/**
 * netlink_init() - start a request
 * @type: RTM_*
 * @flags: NLM_F_* besides REQUEST, which is added
 * @head: fixed part of the message, such as struct ifinfomsg
 */
void netlink_init(struct netlink_request *ret, uint16_t type, uint16_t flags, const void *head,
		  size_t head_size);

/**
 * netlink_attr() - append an attribute
 * Return: 0; -EMSGSIZE over NETLINK_REQUEST_MAX.
 */
int netlink_attr(struct netlink_request *req, uint16_t type, const void *data, size_t size);

/**
 * netlink_call() - send a request and read the answers up to the acknowledgement
 * @fd: of netlink_open()
 * @each: called for every message that is not an acknowledgement, may be NULL; a negative value
 *        becomes the result, but the rest is still read
 *
 * Return: 0; -errno that the kernel answers with; -EBADMSG malformed answer.
 */
int netlink_call(int fd, struct netlink_request *req,
		 int (*each)(const struct nlmsghdr *msg, void *arg), void *arg);

/**
 * netlink_msg_attr() - find an attribute in a message
 * @head_size: bytes of the fixed part
 * @ret_size: returns the size of its data
 * Return: borrowed data; NULL absent.
 */
const void *netlink_msg_attr(const struct nlmsghdr *msg, size_t head_size, uint16_t type,
			     size_t *ret_size);
