/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct img_store;
struct str;

#define IMG_NOTE_MAX (16u << 20) /* bytes of a note of new images */

/**
 * img_restore() - check images that may not have reached the disk, and unpack their layers again
 * @note: as img_settle_note() writes it
 * @lost: appended to: a line for each image whose blobs are damaged, which is removed
 * Return: 0; -errno with a message: it can be done again.
 */
int img_restore(struct img_store *store, const char *note, struct str *lost, struct err *err);
