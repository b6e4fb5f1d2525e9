/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct engine;
struct err;
struct img_image;
struct str;

/**
 * eng_image_open() - the files of an image, read-only, as a mount that nobody sees
 * Besides them it has the directories that every instance needs (/proc, /sys, /dev, /etc).
 * Return: descriptor; -errno with a message.
 */
int eng_image_open(struct engine *e, const struct img_image *image, struct err *err);

/**
 * eng_image_mount() - show the files of an image below the run directory
 * @ret: appended to: the path; one that is mounted stays as it is
 * Return: 0; -errno with a message.
 */
int eng_image_mount(struct engine *e, const struct img_image *image, struct str *ret,
		    struct err *err);

/** eng_image_umount() - undo that; 0, -ENOENT it is not mounted, -EBUSY, -errno; with a message */
int eng_image_umount(struct engine *e, const char *id, struct err *err);

/** eng_image_mounted() - whether eng_image_mount() was called; @ret: appended to: the path, may be NULL */
bool eng_image_mounted(struct engine *e, const char *id, struct str *ret);
