/* SPDX-License-Identifier: MIT */
/* Sockets to other resolvers, and random numbers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct names_server;
struct sockaddr_in;

/** names_connect() - socket of type @type to a server, from a port that the kernel picks; does not wait; -errno */
int names_connect(const struct names_server *s, int type);

/** names_send() - to the other end, or to @to; bytes or -errno; does not wait */
long names_send(int fd, const void *data, size_t n, const struct sockaddr_in *to);

/** names_receive() - what there is; @ret_from may be NULL; bytes or -errno; does not wait */
long names_receive(int fd, void *buf, size_t n, struct sockaddr_in *ret_from);

/** names_accept() - next connection; -errno */
int names_accept(int fd, struct sockaddr_in *ret_from);

/** names_random() - a number that nobody can guess */
uint16_t names_random(void);
