/* SPDX-License-Identifier: MIT */
/*
 * What cleave, cleave-monitor and its attached clients tell each other.
 *
 * Records of SOCK_SEQPACKET sockets; the first byte says what it is.
 *
 *   client to monitor                        monitor to client
 *     MON_STDIN   bytes for standard input     MON_HELLO   struct mon_hello, first record of those that
 *                 or the terminal                          connected to MON_FD_LISTEN
 *     MON_EOF     no more input                MON_TAKEN   the last MON_STDIN is written, send the next
 *     MON_RESIZE  struct mon_resize            MON_STDOUT  bytes of standard output or the terminal
 *     MON_SIGNAL  struct mon_signal            MON_STDERR  bytes of standard error
 *     MON_REPLAY  send what the terminal       MON_EXIT    struct mon_exit, last record; the socket is
 *                 showed recently                          closed when everything is cleaned up
 *
 * A client has one MON_STDIN under way at most, so that its signals are never stuck behind input.
 *
 * Descriptors that cleave-monitor is started with; those that its @flags do not announce are closed.
 */
#pragma once

#include <stdint.h>

#define MON_DATA_MAX 65536 /* bytes of data in one record */

#define MON_STDIN 'i'
#define MON_EOF 'e'
#define MON_RESIZE 'r'
#define MON_SIGNAL 's'
#define MON_REPLAY 'p'
#define MON_HELLO 'h'
#define MON_TAKEN 'k'
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

/* @full: there are too many clients, the socket is closed; @terminal, @input: what the instance has */
struct mon_hello {
	char kind;
	uint8_t full, terminal, input;
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
	MON_FD_LOG, /* append to the file, or a datagram socket, see monitor_run() */
	MON_FD_LOG_DIR, /* of the log file */
	MON_FD_LISTEN, /* for further clients */
	MON_FD_CLIENT, /* the first client, flag c */
	MON_FD_DIR, /* of the run root, for file "exit" */
	MON_FD_LOCK, /* locked as long as the monitor or the clean-up after it lives */
	MON_FD_PROGRAM, /* cleave, executed when the instance has ended */
	MON_FD_N_,
};

/* The container's first process, a child of the monitor */
struct mon_started {
	int32_t pid;
};
