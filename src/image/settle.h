/* SPDX-License-Identifier: MIT */
/*
 * New images are written back by the kernel while their maker has already returned.
 *
 *   unsettled/<name>   of one maker: id of the boot, its images and layers; gone when all is on disk
 *
 * What is listed there after the machine stopped is checked, and unpacked again from its blobs.
 */
#pragma once

#include <stddef.h>

struct err;
struct img_store;
struct img_work;
struct str;

/** struct img_new_layer - a layer that was made: chain id, and digests of the tar and of the blob */
struct img_new_layer {
	const char *chain, *diff_id, *blob;
};

/** struct img_settle - a note in unsettled/; @fd is locked while somebody waits for the disk */
struct img_settle {
	int fd;
	char name[17];
};

/**
 * img_settle_note() - write down what is about to become visible
 * @work: the images and layers are made in it; its name names the note
 * @ids: @nr_ids hexadecimal ids of images
 * @ret: filled; end with img_settle_later()
 * Return: 0 and the note is on disk; -errno with a message.
 */
int img_settle_note(struct img_store *store, const struct img_work *work,
		    const struct img_new_layer *layers, size_t n, const char *const *ids,
		    size_t nr_ids, struct img_settle *ret, struct err *err);

/** img_settle_later() - a process of its own waits for the disk, then removes the note */
void img_settle_later(struct img_store *store, struct img_settle *note);

/**
 * img_settle_check() - see to the notes of those who could not end
 * @lost: appended to: a line for each image that cannot be restored and was removed
 * Costs one system call when there is none.
 * Return: 0; -errno with a message.
 */
int img_settle_check(struct img_store *store, struct str *lost, struct err *err);
