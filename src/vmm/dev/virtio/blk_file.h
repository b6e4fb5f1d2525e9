/* SPDX-License-Identifier: MIT */
/*
 * The file or block device behind a disk: requests that complete later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct blk_file;
struct err;
struct vm;

/**
 * struct blk_file_ops - who is told, with the machine's lock held
 * @done: a request has ended, from blk_file_add() on; @result is bytes, or -errno
 * @settled: some have, of which done was told before; not called from blk_file_add()
 */
struct blk_file_ops {
	void (*done)(void *arg, void *request, int64_t result);
	void (*settled)(void *arg);
};

enum blk_op { BLK_OP_READ, BLK_OP_WRITE, BLK_OP_WRITE_THROUGH, BLK_OP_FLUSH, BLK_OP_DISCARD, BLK_OP_ZERO };

/**
 * blk_rings_reserve() - make what disks need that come later, when nothing can be made any more
 * Return: 0; -ENOMEM.  A host without io_uring has none.
 */
int blk_rings_reserve(struct vm *vm, unsigned n);

/** blk_rings_free() - release what was reserved; no disk is there any more */
void blk_rings_free(struct vm *vm);

/**
 * blk_file_new() - requests go to a file by io_uring, or one after the other where that is not there
 * @fd: borrowed
 * Return: 0; -errno with a message.
 */
int blk_file_new(struct vm *vm, int fd, const struct blk_file_ops *ops, void *arg, struct blk_file **ret, struct err *err);

/** blk_file_free() - release; nothing is under way; NULL is fine */
void blk_file_free(struct blk_file *f);

/**
 * blk_file_add() - a request
 * @iov: @nr pieces, for reading and writing; borrowed until it is done
 * @offset, @len: bytes
 * @request: handed to done
 */
void blk_file_add(struct blk_file *f, enum blk_op op, const struct iovec *iov, unsigned nr, uint64_t offset,
		  uint64_t len, void *request);

/** blk_file_submit() - what was added goes to the kernel; what ends at once is told of at once */
void blk_file_submit(struct blk_file *f);

/** blk_file_drain() - wait until nothing is under way; done is called for all of it */
void blk_file_drain(struct blk_file *f);
