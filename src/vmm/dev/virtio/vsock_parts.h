/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/core/loop.h"
#include "vmm/dev/virtio/virtio.h"

#define VSOCK_HEADER 44u /* bytes in front of data */
#define VSOCK_CONNS_MAX 256
#define VSOCK_BUFFER (256u << 10) /* bytes of a connection that the host's side has not taken yet: some of the guest's largest packets */
#define VSOCK_HOST_CID 2u
#define VSOCK_BATCH 32u /* buffers of the guest that are filled with one read, one at least */
#define VSOCK_LINE_MAX 32 /* bytes of "CONNECT PORT\n" */

enum { VSOCK_REQUEST = 1, VSOCK_RESPONSE, VSOCK_RST, VSOCK_SHUTDOWN, VSOCK_RW, VSOCK_CREDIT_UPDATE, VSOCK_CREDIT_REQUEST };

/** enum vsock_state - of a connection */
enum vsock_state {
	VSOCK_UNUSED,
	VSOCK_NAMING, /* a program on the host has connected and says to which port */
	VSOCK_ASKING, /* the guest was asked */
	VSOCK_OPEN,
	VSOCK_ENDING, /* nothing more comes from the host; what the guest sent is written */
};

/**
 * struct vsock_conn - a connection
 * @fd: of the host's side
 * @peer_alloc, @peer_count: the guest's buffer for us, and how much of it was taken away; @sent: bytes for it
 * @forwarded: bytes of the guest that were given to the host; @told: as last told
 * @want: messages that wait for a buffer of the guest, a bit per kind
 * @burst: buffers beside the first that the next read may fill
 * @readable: there may be something to read from the host's side
 * @eof: the host's side sends no more; @gone: and takes no more
 * @over: what the guest does no more, as in a message
 * @buf: bytes for the host, @len of them from @at on
 */
struct vsock_conn {
	struct vsock *vsock;
	enum vsock_state state;
	int fd;
	struct loop_source source;
	uint32_t guest_port, host_port, events;
	uint32_t peer_alloc, peer_count, sent, forwarded, told;
	uint32_t want, over;
	unsigned burst;
	bool readable, eof, gone;
	char line[VSOCK_LINE_MAX];
	size_t line_len;
	uint8_t *buf;
	size_t at, len;
};

/**
 * struct vsock - the device
 * @next_port: of the host, for the next connection to the guest
 * @nr: of @conn, behind the last that is in use
 * @batch: buffers of the guest that are being filled, with @batch_room bytes of data
 * @next: whose turn it is; @starved: somebody's turn was over because the guest has no buffers
 */
struct vsock {
	struct vio_dev vio;
	uint32_t cid, next_port;
	const char *path;
	int listener;
	struct loop_source accept_source;
	unsigned nr, next;
	bool starved;
	struct vq_chain batch[VSOCK_BATCH];
	size_t batch_room[VSOCK_BATCH];
	struct vsock_conn conn[VSOCK_CONNS_MAX];
};
