/* SPDX-License-Identifier: MIT */
/*
 * Signatures made with GPG, checked by the program gpg with no keys but those of the policy.
 */
#pragma once

#include <stddef.h>

struct err;
struct reg_gpg;
struct str;

/** reg_gpg_new() - a key ring that is empty; @ret: free with reg_gpg_free(); 0 or -errno with a message */
int reg_gpg_new(struct reg_gpg **ret, struct err *err);

/** reg_gpg_import() - add public keys, as `gpg --export` writes them; @name: for messages; 0 or -errno with a message */
int reg_gpg_import(struct reg_gpg *g, const char *name, const void *keys, size_t len, struct err *err);

/**
 * reg_gpg_verify() - check a signature that has the text in it
 * @ret: the text is appended
 * Return: 0 one of the keys made it, and is valid; -EPERM; -errno with a message.
 */
int reg_gpg_verify(struct reg_gpg *g, const void *signature, size_t len, struct str *ret, struct err *err);

/** reg_gpg_free() - remove the key ring; NULL is fine */
void reg_gpg_free(struct reg_gpg *g);

static inline void reg_gpg_freep(struct reg_gpg **g)
{
	reg_gpg_free(*g);
}
