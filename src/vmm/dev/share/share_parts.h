/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/fuse.h>
#include <sys/stat.h>

#include "base/registry.h"
#include "vmm/dev/share/share.h"
#include "vmm/dev/virtio/queue.h"

#define SHARE_IN_MAX (80u << 10) /* bytes of a request but for data to write: the longest is an attribute's value */
#define SHARE_OUT_MAX (64u << 10) /* bytes of an answer but for data that was read */
#define SHARE_VALID_S 1 /* seconds that the guest believes what it was told */
#define SHARE_VALID_LAYER_S 86400 /* when nobody else changes anything */

/**
 * struct share_inode - a file that the guest knows
 * @fd: opened with O_PATH; -1 for a free place
 * @type: as in st_mode; it never changes
 * @lookups: times that the guest was told of it and has not forgotten it
 * @mount: what is mounted at several places may be written at some of them only: a file for each
 * @stamp: of its content when it was opened last; 0 is not known
 * @next: next in its bucket or in the list of free places, 0 for none
 */
struct share_inode {
	int fd;
	mode_t type;
	uint32_t next;
	uint64_t lookups, mount, stamp;
	dev_t dev;
	ino_t ino;
};

/**
 * struct share_handle - a file that the guest has open
 * @fd: -1 for a free place
 * @list: what was read of a directory; NULL for files
 * @next: next free place, 0 for none
 */
struct share_handle {
	int fd;
	uint32_t next;
	struct share_list *list;
};

/**
 * struct share - a shared directory
 * @proc: /proc/self/fd, by which descriptors are opened again
 * @valid: seconds that the guest believes what it was told
 * @privileged: it may make files of other users
 * @caps: capabilities that it keeps
 * @ends: the guest is about to end: like a program that ends, it does not wait for disks
 * @keep_suid: CAP_FSETID is in effect
 * @inode, @handle: place 0 is free; the root is FUSE_ROOT_ID, place 1
 * @in, @out: one request, one answer; @in is where numbers of any size may be
 */
struct share {
	int dir, proc;
	enum share_kind kind;
	unsigned valid;
	uint64_t caps;
	bool privileged, keep_suid, ends;
	struct share_inode *inode;
	uint32_t *bucket;
	uint32_t nr_inodes, nr_buckets, used_inodes, free_inode;
	struct share_handle *handle;
	uint32_t nr_handles, free_handle;
	uint8_t *in, *out;
};

/**
 * struct share_call - a request
 * @args: @args_len bytes that follow the header, in the server's own memory
 * @chain: data to write, or room for data that is read
 * @room: bytes that the answer may have at @out
 */
struct share_call {
	struct share *share;
	const struct fuse_in_header *head;
	const uint8_t *args;
	size_t args_len, room;
	uint8_t *out;
	struct vq_chain *chain;
};

/** enum share_flags - SHARE_CHANGES: not in a read-only directory; SHARE_SILENT: nothing is answered;
 * SHARE_DIRECT: the answer's data is in the chain already */
enum share_flags { SHARE_CHANGES = 1, SHARE_SILENT = 2, SHARE_DIRECT = 4 };

/**
 * struct share_op - what one kind of request does
 * @args_min: bytes of arguments that there must be
 * @run: returns bytes of the answer, or -errno
 */
struct share_op {
	uint32_t opcode;
	unsigned args_min, flags;
	int64_t (*run)(struct share_call *c);
};

REGISTRY_DECLARE(share_ops, struct share_op);

#define SHARE_OP(name_, opcode_, args_min_, flags_, run_)                                                    \
	static const struct share_op share_op_##name_ = { .opcode = (opcode_), .args_min = (args_min_),      \
							  .flags = (flags_), .run = (run_) };                \
	REGISTRY_ADD(share_ops, share_op_##name_)

/** share_is_layer() - is it one that the guest has for itself? */
static inline bool share_is_layer(const struct share *s)
{
	return s->kind == SHARE_LAYER || s->kind == SHARE_SCRATCH;
}

/** share_name() - the name at @at of the arguments, which moves behind it; NULL no single part of a path */
const char *share_name(const struct share_call *c, size_t *at);

/** share_text() - the text at @at of the arguments, which moves behind it; NULL it does not end */
const char *share_text(const struct share_call *c, size_t *at);

/** share_find() - file of a number that the guest was told; NULL there is none */
struct share_inode *share_find(const struct share *s, uint64_t nodeid);

/** share_self() - the file that a request is about; NULL there is none */
struct share_inode *share_self(const struct share_call *c);

/**
 * share_lookup() - tell the guest of a file
 * @name: in directory @parent; a single part of a path
 * Return: 0; -errno.
 */
int share_lookup(struct share *s, const struct share_inode *parent, const char *name, struct fuse_entry_out *ret);

/** share_forget() - the guest forgets @times of what it was told of a file */
void share_forget(struct share *s, uint64_t nodeid, uint64_t times);

/** share_attr() - put what stat(2) says into an answer */
void share_attr(struct fuse_attr *ret, const struct stat *st);

/**
 * share_reopen() - open a file that the guest knows
 * @flags: of open(2); only files with data and directories are opened, never devices
 * Return: descriptor; -errno.
 */
int share_reopen(const struct share *s, const struct share_inode *i, int flags);

/** share_handle_add() - remember an open file; takes @fd, also after a failure; number or -errno */
int64_t share_handle_add(struct share *s, int fd);

/** share_handle_get() - an open file; NULL there is none */
struct share_handle *share_handle_get(const struct share *s, uint64_t fh);

/** share_handle_drop() - close it; 0 or -EBADF */
int share_handle_drop(struct share *s, uint64_t fh);

/** share_list_free() - release what was read of a directory; NULL is fine */
void share_list_free(struct share_list *l);

/** share_act_as() - what is made from now on belongs to whoever sent the request; 0 or -errno */
int share_act_as(struct share_call *c);

/** share_act_as_self() - not any more */
void share_act_as_self(struct share *s);

/** share_keep_suid() - do changes leave the bits set-user-id and set-group-id alone? */
void share_keep_suid(struct share *s, bool keep);
