/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/stream.h"

struct err;
struct img_archive;
struct img_store;
struct img_work;

/**
 * struct img_fetch - a layer on its way from an archive into the store
 * @member: file of the archive
 * @digest, @size: of that file, "" and 0 when not known
 * @diff_id, @chain: what it must unpack to; @chain is hexadecimal
 * The rest is filled by img_fetch_all().
 * @home: the store has all of it
 * @unpacked, @stored: made in the work directory; else the store had it
 * @sum: digest, size and type of the blob
 * @content: bytes of regular files
 */
struct img_fetch {
	const char *member;
	char digest[72], diff_id[72], chain[65];
	uint64_t size;
	bool home, unpacked, stored;
	struct img_stream_sum sum;
	uint64_t content;
};

/**
 * img_fetch_all() - unpack and copy the layers that the store has not, two at a time
 * Return: 0; -EBADMSG a digest is wrong; codes of img_layer_unpack(); with a message.
 */
int img_fetch_all(struct img_store *store, const struct img_work *work,
		  const struct img_archive *archive, struct img_fetch *list, size_t n,
		  struct err *err);

/**
 * img_fetch_publish() - move what was made to its place
 * Context: after img_work_sync() or img_settle_note().
 * Return: 0; -errno with a message.
 */
int img_fetch_publish(struct img_store *store, const struct img_work *work,
		      const struct img_fetch *list, size_t n, struct err *err);

/** img_fetch_chain() - chain id of a layer above @below ("" for none), both hexadecimal */
void img_fetch_chain(const char *below, const char *diff_id, char ret[65]);
