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
 * vm_link_open() - a new connection
 * @dir: of the instance in the run root; becomes the working directory
 * Context: blocks, for 30 s at most.
 * Return: descriptor; -errno with a message.
 */
int vm_link_open(int dir, struct err *err);

/** vm_link_listen() - where the guest reports; descriptor; -errno with a message; changes the working directory */
int vm_link_listen(int dir, struct err *err);

/** vm_link_read() - the next message; blocks; 0; -ECONNRESET it has ended; -EPROTO; -errno; with a message */
int vm_link_read(int sock, struct vm_reply *ret, struct err *err);

/** vm_reply_number() - a number of a message; @fallback when it is not there */
uint64_t vm_reply_number(const struct vm_reply *m, enum guest_tag tag, uint64_t fallback);

/** vm_link_send() - a message with up to two numbers, tag 0 for none; 0 or -errno */
int vm_link_send(int sock, enum guest_type type, enum guest_tag tag, uint64_t v, enum guest_tag tag2, uint64_t v2);

/**
 * vm_link_start() - have a program run
 * @message: of vm_message_run() or vm_message_exec()
 * @program: its name, for messages
 * @ret_number: for its streams
 * Return: 0; -errno as of execve(2); with a message.
 */
int vm_link_start(int sock, const void *message, size_t n, const char *program, uint64_t *ret_number, struct err *err);

/** vm_link_stream() - a connection for a stream of a program; descriptor; -errno with a message */
int vm_link_stream(int dir, uint64_t number, enum guest_stream stream, struct err *err);
