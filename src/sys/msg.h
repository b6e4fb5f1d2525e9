/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define MSG_FDS_MAX 64 /* descriptors in one message */

/** msg_pair() - connected SOCK_SEQPACKET pair, CLOEXEC; 0 or -errno */
int msg_pair(int ret[2]);

/**
 * msg_send() - one record, with descriptors
 * @fds: borrows, may be NULL with @nr_fds 0
 * Context: blocks; no SIGPIPE.
 * Return: 0; -errno of sendmsg(2).
 */
int msg_send(int sock, const void *data, size_t n, const int *fds, size_t nr_fds);

/**
 * msg_recv() - one record, with descriptors
 * @fds: room for *@nr_fds descriptors, CLOEXEC on return; surplus ones are closed
 * @nr_fds: in: room; out: received.  May be NULL
 * Return: bytes of the record; 0 the peer is gone; -EMSGSIZE longer than @n; -errno.
 */
ssize_t msg_recv(int sock, void *data, size_t n, int *fds, size_t *nr_fds);

/**
 * msg_connect() - connect to a unix stream socket by path
 * @path: may be longer than sun_path holds
 * Return: descriptor, CLOEXEC; -errno.
 */
int msg_connect(const char *path);

/**
 * msg_connect_at() - connect to socket @name (SOCK_SEQPACKET) in a directory
 * Return: descriptor, CLOEXEC; -ECONNREFUSED nobody listens; -errno.
 */
int msg_connect_at(int dirfd, const char *name);

/**
 * msg_listen_at() - listening SOCK_SEQPACKET socket @name in a directory
 * Only its owner may connect, whatever the umask.
 * Return: descriptor, CLOEXEC; -errno.
 */
int msg_listen_at(int dirfd, const char *name);

/** msg_mailbox_at() - socket @name (SOCK_DGRAM) in a directory that others send to; descriptor, CLOEXEC, only for its owner; -errno */
int msg_mailbox_at(int dirfd, const char *name);

/** msg_mail_at() - what is sent to the descriptor goes to that socket; -ECONNREFUSED nobody has it open; -errno */
int msg_mail_at(int dirfd, const char *name);

/**
 * msg_listen() - listening unix stream socket by path
 * @path: may be longer than sun_path holds; what is there already is refused
 * Only its owner may connect, whatever the umask.
 * Return: descriptor, CLOEXEC and non-blocking; -EADDRINUSE; -errno.
 */
int msg_listen(const char *path);
