/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct err;
struct img_words;

#define ENG_GROUPS_MAX 256

/**
 * struct eng_user - who a program runs as
 * @groups: additional ones, and @gid: a program that gives up a group must not get around what that is denied
 */
struct eng_user {
	uint32_t uid, gid;
	uint32_t groups[ENG_GROUPS_MAX];
	size_t nr_groups;
};

/**
 * eng_user_find() - look up USER[:GROUP] in an image
 * @rootfs: its root; /etc/passwd and /etc/group are read inside of it
 * @text: names or numbers; NULL or "" for root
 *
 * Without GROUP the user's own group and all that list the user are taken.
 * Return: 0; -ENOENT no such user or group; -EINVAL a number out of range; with a message.
 */
int eng_user_find(int rootfs, const char *text, struct eng_user *ret, struct err *err);

/**
 * eng_user_add_groups() - additional groups as of --group-add
 * @groups: names or numbers; "keep-groups": those of the calling process
 * Return: 0; -ENOENT no such group; -EINVAL; -E2BIG over ENG_GROUPS_MAX; with a message.
 */
int eng_user_add_groups(int rootfs, const struct img_words *groups, struct eng_user *user,
			struct err *err);
