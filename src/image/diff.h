/* SPDX-License-Identifier: MIT */
#pragma once

struct err;

/**
 * img_diff() - what a writable layer changes
 * @upper: its directory
 * @lower: root of what lies below it
 * @found: called in the order of names; @kind is 'A' added, 'C' changed, 'D' deleted; @path begins with "/"
 * Return: 0; -errno with a message.
 */
int img_diff(int upper, int lower, void (*found)(void *data, char kind, const char *path),
	     void *data, struct err *err);

/**
 * img_diff_trees() - the same for two whole trees, such as those of two images
 * @old, @new: their roots
 * A file counts as changed when its size, time (in seconds), owner, mode, target or capabilities differ.
 * Return: as of img_diff().
 */
int img_diff_trees(int old, int new, void (*found)(void *data, char kind, const char *path),
		   void *data, struct err *err);
