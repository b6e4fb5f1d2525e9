/* SPDX-License-Identifier: MIT */
/*
 * Ranges of ids that /etc/subuid and /etc/subgid give to users.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct err;

#define ENG_SUBUID "/etc/subuid"
#define ENG_SUBGID "/etc/subgid"
#define ENG_SUBID_MAX 32 /* ranges of one user that are used */

/** struct eng_subid - @size ids from @start on, none of them 0 or over 32 bits */
struct eng_subid {
	uint64_t start, size;
};

/**
 * eng_subid_read() - the ranges of a user
 * @path: ENG_SUBUID or ENG_SUBGID
 * @name: of the user; NULL when it has none
 * @number: of the user, as lines may have it instead; NULL for a name that is no user
 * Return: how many, at most ENG_SUBID_MAX, 0 without the file; -errno with a message.
 * Spec: subuid(5).
 */
int eng_subid_read(const char *path, const char *name, const char *number,
		   struct eng_subid ret[ENG_SUBID_MAX], struct err *err);
