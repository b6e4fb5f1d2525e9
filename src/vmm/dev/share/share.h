/* SPDX-License-Identifier: MIT */
/*
 * A directory of the host that a guest mounts: a server of the FUSE protocol.
 * Spec: linux/fuse.h, protocol 7.31 and later.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct share;
struct vq_chain;

#define SHARE_PAGES_MAX 112 /* pages of data in one request: fits VQ_CHAIN_MAX with headers */
#define SHARE_HANDLES_MAX (1u << 16) /* files that the guest has open */
#define SHARE_INODES_MAX (1u << 20) /* files that the guest knows; each is a descriptor */

/**
 * enum share_kind - what a directory is for the guest
 * @SHARE_LAYER: holds the writable layer of an overlay, which the guest puts together.  Nobody else writes it while it is
 *               served, and the marks of overlays, which are attributes "trusted.overlay.*", are the guest's, too
 * @SHARE_SCRATCH: the same, and what is in it need not survive a power failure
 */
enum share_kind { SHARE_FILES, SHARE_READONLY, SHARE_LAYER, SHARE_SCRATCH };

/* Attribute that the guest sets, of any file, when it is about to end */
#define SHARE_ENDS "trusted.cleave.ends"

/**
 * share_new() - serve a directory
 * @dir: descriptor of it; borrowed
 * @proc: descriptor of /proc/self/fd; borrowed
 * Return: 0; -errno with a message.
 */
int share_new(int dir, int proc, enum share_kind kind, struct share **ret, struct err *err);

/** share_free() - release; NULL is fine */
void share_free(struct share *s);

/** share_is_privileged() - may the calling thread serve files in the name of all users? */
bool share_is_privileged(void);

/**
 * share_enter() - make the calling thread the one that serves
 *
 * It gets a working directory and a mask of its own, keeps those capabilities that files need, if it has
 * any, and loses all others.
 * Return: 0; -errno.
 */
int share_enter(struct share *s);

/** share_forget_all() - as new: no file is open, none is known */
void share_forget_all(struct share *s);

/**
 * share_answer() - carry out a request
 * @chain: request and room for the answer; consumed
 * Context: the thread of share_enter(); blocks as long as the file system does.
 * Return: bytes written to the guest; -EPROTO it is no request at all.
 */
int64_t share_answer(struct share *s, struct vq_chain *chain);
