/* SPDX-License-Identifier: MIT */
/*
 * What the engine and the program that is first in a virtual machine (`guest`) tell each other.
 * docs/formats/guest-protocol.md describes it.  Both sides use this folder; it needs no C library.
 *
 * A message is a header and fields; a field is a tag, a length and bytes.  Numbers are little-endian.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_VERSION 4u
#define GUEST_PORT 1024u /* of the guest: connections of the engine */
#define GUEST_PORT_TEXT "1024"
#define GUEST_HOST_PORT 1025u /* of the host: the guest is ready, and gets its program */
#define GUEST_HEADER 8u /* bytes: length of the fields, type, version */
#define GUEST_FIELD 8u /* bytes: length, tag */
#define GUEST_BODY_MAX (2u << 20) /* bytes of fields to the guest */
#define GUEST_REPLY_MAX 4096u /* bytes of fields to the host */
#define GUEST_TEXT_MAX 256u /* bytes of a text to the host */
#define GUEST_BLOCK_HEADER 4u /* bytes in front of a block of standard input: its length */
#define GUEST_BLOCK_MAX 65536u /* bytes of one */
#define GUEST_WORDS_MAX 65536u /* arguments, variables */
#define GUEST_MOUNTS_MAX 4096u
#define GUEST_MOUNT_SHARED "shared" /* type of a mount: the source is a path in the shared root directory */
#define GUEST_ENDS "trusted.cleave.ends" /* attribute of a shared directory: nobody waits for the disks of the host any more */
#define GUEST_COPIER "/.cleave-copy" /* in the shared directory of a machine with an image */
#define GUEST_MODULES "modules" /* tag of the shared directory with the modules of the kernel */
#define GUEST_GROUPS_MAX 1024u
#define GUEST_LINK_MAC 6u /* bytes of a hardware address */
#define GUEST_FILTER_MAX 4096u /* instructions of a filter of system calls */

/** enum guest_type - kind of a message; those from 64 on go to the host */
enum guest_type {
	GUEST_RUN = 1, /* program of the instance: NUMBER, process, machine; on the guest's own connection, once */
	GUEST_EXEC, /* another program: NUMBER, process; first message of a connection */
	GUEST_STREAM, /* first message of a connection that carries bytes from then on: NUMBER, STREAM; may come before NUMBER's program */
	GUEST_SIGNAL, /* to the connection's program: SIGNAL */
	GUEST_RESIZE, /* of its terminal: ROWS, COLUMNS */
	GUEST_ASK, /* how much is used; first message of a connection */
	GUEST_CONNECT, /* network devices that came: LINK, ADDRESS, ROUTE; first message of a connection */
	GUEST_CLOCK, /* the host's clock was set, or stood still: TIME; on the guest's own connection */
	GUEST_HELLO = 64, /* the guest is ready; the header says its version */
	GUEST_STARTED,
	GUEST_FAILED, /* it was not started: STEP, ERROR */
	GUEST_EXITED, /* STATUS; all of its output was sent before */
	GUEST_USAGE, /* CPU_NS, MEMORY, PIDS */
	GUEST_DONE, /* what a CONNECT asked for */
};

/** enum guest_tag - of a field; "..." may be repeated */
enum guest_tag {
	GUEST_ARG = 1, /* text... */
	GUEST_ENV, /* text... */
	GUEST_CWD, /* text */
	GUEST_UID, /* number, like all without a word here */
	GUEST_GID,
	GUEST_GROUP, /* ... */
	GUEST_UMASK,
	GUEST_CAPS, /* effective and permitted ones, bit n = capability n */
	GUEST_CAPS_BOUND, /* bounding ones */
	GUEST_RLIMIT, /* three numbers of 64 bits: resource, soft, hard... */
	GUEST_FLAGS, /* enum guest_flag */
	GUEST_OOM_SCORE, /* as a number of 64 bits in two's complement */
	GUEST_FILTER, /* struct sock_filter[] */
	GUEST_ROWS,
	GUEST_COLUMNS,
	GUEST_HOSTNAME, /* text */
	GUEST_DOMAINNAME, /* text */
	GUEST_TIME, /* ns since 1970 */
	GUEST_ENTROPY, /* bytes */
	GUEST_MOUNT, /* numbers of 64 bits: flags; texts with their terminators: type, source, target, data... */
	GUEST_SYSCTL, /* texts with their terminators: path below /proc/sys, value... */
	GUEST_MASK, /* text: path that reads as empty... */
	GUEST_READONLY, /* text: path that cannot be written... */
	GUEST_PIDS_MAX,
	GUEST_NUMBER, /* of a program, for its streams: the host's choice */
	GUEST_STREAM_OF, /* enum guest_stream */
	GUEST_SIGNAL_OF,
	GUEST_STEP, /* enum guest_step */
	GUEST_ERROR, /* errno */
	GUEST_STATUS, /* as of waitpid(2) */
	GUEST_OOM, /* something was killed for want of memory */
	GUEST_CPU_NS,
	GUEST_MEMORY,
	GUEST_PIDS,
	GUEST_LINK, /* number of 64 bits: MTU; six bytes: hardware address; text: name of the network device that has it... */
	GUEST_ADDRESS, /* number of 64 bits: length of the prefix; 4 or 16 bytes: address of the link before... */
	GUEST_ROUTE, /* number of 64 bits: length of the prefix; destination, gateway (0: none), 4 or 16 bytes each, by the link before... */
	GUEST_TAG_N_,
};

enum guest_flag {
	GUEST_TTY = 1,
	GUEST_STDIN = 2, /* there is a stream for standard input; else it reads nothing */
	GUEST_NO_NEW_PRIVS = 4,
	GUEST_ROOT_RO = 8,
	GUEST_OURS = 16, /* the program is the host's copier, whatever it is called */
};

enum guest_stream { GUEST_STREAM_MAIN, GUEST_STREAM_STDERR, GUEST_STREAM_N_ };

/** enum guest_step - what could not be done */
enum guest_step {
	GUEST_STEP_REQUEST, /* it makes no sense */
	GUEST_STEP_PROCESS,
	GUEST_STEP_MOUNT,
	GUEST_STEP_DEVICES,
	GUEST_STEP_TERMINAL,
	GUEST_STEP_SYSCTL,
	GUEST_STEP_LIMITS,
	GUEST_STEP_CWD,
	GUEST_STEP_IDENTITY,
	GUEST_STEP_FILTER,
	GUEST_STEP_EXEC,
	GUEST_STEP_NETWORK,
	GUEST_STEP_N_,
};

/** struct guest_field - points into the message */
struct guest_field {
	uint32_t tag, len;
	const uint8_t *p;
};

/** struct guest_in - what is left of a message's fields */
struct guest_in {
	const uint8_t *p;
	size_t len;
};

/** struct guest_head - a header: @len of the fields, @type, @version of the sender's protocol */
struct guest_head {
	uint32_t len;
	uint16_t type, version;
};

/**
 * guest_head_get() - read a header
 * @max: bytes of fields that are taken
 * Return: 0; -EMSGSIZE.
 */
int guest_head_get(const uint8_t head[GUEST_HEADER], size_t max, struct guest_head *ret);

/** guest_next() - the next field; 1; 0 there is none; -EPROTO it is cut off or unknown */
int guest_next(struct guest_in *in, struct guest_field *ret);

/** guest_number() - of a field; 0; -EPROTO it has another size */
int guest_number(const struct guest_field *f, uint64_t *ret);

/** guest_number_of() - the number of a message's fields that has @tag; @fallback when there is none */
uint64_t guest_number_of(const void *fields, size_t n, uint32_t tag, uint64_t fallback);

/** guest_text() - a field as a text that ends in the message, without other ends in it; NULL: it is none */
const char *guest_text(const struct guest_field *f);

/**
 * guest_texts() - a field that ends with @n texts
 * @skip: bytes in front of them
 * Return: 0; -EPROTO.
 */
int guest_texts(const struct guest_field *f, size_t skip, const char **ret, unsigned n);

/**
 * struct guest_out - a message that is made
 * @p: @room bytes
 * @full: it did not fit
 */
struct guest_out {
	uint8_t *p;
	size_t len, room;
	bool full;
};

/** guest_begin() - begin a message; guest_end() completes its header */
void guest_begin(struct guest_out *o, enum guest_type type);
/** guest_put() - add a field */
void guest_put(struct guest_out *o, enum guest_tag tag, const void *data, size_t n);
/** guest_put_number() - add a field with a number */
void guest_put_number(struct guest_out *o, enum guest_tag tag, uint64_t v);
/** guest_end() - 0; -EMSGSIZE it did not fit */
int guest_end(struct guest_out *o);

/** guest_get32() - 4 bytes as a number */
uint32_t guest_get32(const uint8_t *p);
/** guest_put32() - a number as 4 bytes */
void guest_put32(uint8_t *p, uint32_t v);
/** guest_get64() - 8 bytes as a number */
uint64_t guest_get64(const uint8_t *p);
/** guest_put64() - a number as 8 bytes */
void guest_put64(uint8_t *p, uint64_t v);
