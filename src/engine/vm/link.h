/* SPDX-License-Identifier: MIT */
/*
 * Connections to the guest's first program.  What comes from there is hostile.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest/proto/proto.h"

struct err;

#define VM_SOCKET "vsock" /* in the instance's directory of the run root; the machine makes it */
#define VM_SOCKET_READY "vsock_1025" /* GUEST_HOST_PORT; this side makes it */

/** struct vm_reply - a message of the guest's */
struct vm_reply {
	struct guest_head head;
	uint8_t body[GUEST_REPLY_MAX];
};

/**
 * vm_link_begin() - begin a new connection with a message, without waiting
 * @dir: of the instance in the run root; becomes the working directory
 * Return: descriptor, for vm_link_begun(); -errno with a message.
 */
int vm_link_begin(int dir, const void *message, size_t n, struct err *err);

/** vm_link_begun() - wait until the guest has taken the connection, for 30 s at most; 0 or -errno with a message */
int vm_link_begun(int sock, struct err *err);

/** vm_link_stream() - begin the connection of a program's stream; descriptor, for vm_link_begun(); -errno with a message */
int vm_link_stream(int dir, uint64_t number, enum guest_stream stream, struct err *err);

/** vm_link_listen() - where the guest reports; descriptor; -errno with a message; changes the working directory */
int vm_link_listen(int dir, struct err *err);

/** vm_link_read() - the next message; blocks; 0; -ECONNRESET it has ended; -EPROTO; -errno; with a message */
int vm_link_read(int sock, struct vm_reply *ret, struct err *err);

/** vm_reply_number() - a number of a message; @fallback when it is not there */
uint64_t vm_reply_number(const struct vm_reply *m, enum guest_tag tag, uint64_t fallback);

/** vm_link_send_all() - a message that was made; 0 or -errno */
int vm_link_send_all(int sock, const void *message, size_t n);

/** vm_link_send() - a message with up to two numbers, tag 0 for none; 0 or -errno */
int vm_link_send(int sock, enum guest_type type, enum guest_tag tag, uint64_t v, enum guest_tag tag2, uint64_t v2);

/**
 * vm_link_answer() - read the answer to what was asked for
 * @want: its type, if it was done
 * @program: what was to be run, for messages; "" nothing
 * Return: 0; -errno as of execve(2) or of what failed; with a message.
 */
int vm_link_answer(int sock, enum guest_type want, const char *program, struct err *err);
