/* SPDX-License-Identifier: MIT */
/*
 * What cleave, cleave-monitor and its attached clients tell each other.
 *
 * Records of SOCK_SEQPACKET sockets; the first byte says what it is.
 *
 *   client to monitor                        monitor to client
 *     MON_STDIN   bytes for standard input     MON_STDOUT  bytes of standard output or the terminal
 *     MON_EOF     no more input                MON_STDERR  bytes of standard error
 *     MON_RESIZE  struct mon_resize            MON_EXIT    struct mon_exit, last record; the socket is
 *     MON_SIGNAL  struct mon_signal                        closed when everything is cleaned up
 *
 * Descriptors that cleave-monitor is started with; those that its @flags do not announce are closed.
 */
#pragma once

#include <stdint.h>

#define MON_DATA_MAX 16384 /* bytes of data in one record */

#define MON_STDIN 'i'
#define MON_EOF 'e'
#define MON_RESIZE 'r'
#define MON_SIGNAL 's'
#define MON_STDOUT '1'
#define MON_STDERR '2'
#define MON_EXIT 'x'

struct mon_resize {
	char kind;
	uint16_t rows, columns;
} __attribute__((packed));

struct mon_signal {
	char kind;
	int32_t number;
} __attribute__((packed));

/* @code as a shell sees it, 128+n for signal n */
struct mon_exit {
	char kind;
	int32_t code;
} __attribute__((packed));

enum mon_fd {
	MON_FD_STARTER =
		3, /* tells struct mon_started, with the terminal's master if there is one */
	MON_FD_STDIN, /* write end, flag i without t */
	MON_FD_STDOUT, /* read end, without flag t */
	MON_FD_STDERR,
	MON_FD_LOG, /* append */
	MON_FD_LISTEN, /* for further clients */
	MON_FD_CLIENT, /* the first client, flag c */
	MON_FD_DIR, /* of the run root, for files "pid" and "exit" */
	MON_FD_LOCK, /* locked as long as the monitor or the clean-up after it lives */
	MON_FD_PROGRAM, /* cleave, executed when the instance has ended */
	MON_FD_N_,
};

/* The container's first process, a child of the monitor */
struct mon_started {
	int32_t pid;
};
