/* SPDX-License-Identifier: MIT */
/*
 * Signatures made with GPG, checked by the program gpg with no keys but those of the policy, and made by it with those of
 * the user.
 */
#pragma once

#include <stddef.h>

#define REG_GPG_SIGNER_MAX 72 /* bytes */

struct err;
struct reg_gpg;
struct str;

/** reg_gpg_new() - a key ring that is empty; @ret: free with reg_gpg_free(); 0 or -errno with a message */
int reg_gpg_new(struct reg_gpg **ret, struct err *err);

/** reg_gpg_own() - the same, but the key ring is the user's own; 0 or -errno with a message */
int reg_gpg_own(struct reg_gpg **ret, struct err *err);

/** reg_gpg_import() - add public keys, as `gpg --export` writes them; @name: for messages; 0 or -errno with a message */
int reg_gpg_import(struct reg_gpg *g, const char *name, const void *keys, size_t len, struct err *err);

/**
 * reg_gpg_verify() - check a signature that has the text in it
 * @ret: the text is appended
 * @signer: fingerprint of the key, in digits
 * Return: 0 one of the keys made it, and is valid; -EPERM; -errno with a message.
 */
int reg_gpg_verify(struct reg_gpg *g, const void *signature, size_t len, struct str *ret, char signer[REG_GPG_SIGNER_MAX],
		   struct err *err);

/**
 * reg_gpg_sign() - make a signature that has the text in it
 * @g: of reg_gpg_own()
 * @key: as people name keys of GPG: fingerprint, id, address
 * @passphrase_file: NULL: the user's agent knows it, or asks
 * @ret: the signature is appended
 * Return: 0; -ENOENT there is no such key; -EACCES its passphrase is another; -errno; with a message.
 */
int reg_gpg_sign(struct reg_gpg *g, const char *key, const char *passphrase_file, const void *text, size_t len,
		 struct str *ret, struct err *err);

/** reg_gpg_free() - remove the key ring; NULL is fine */
void reg_gpg_free(struct reg_gpg *g);

static inline void reg_gpg_freep(struct reg_gpg **g)
{
	reg_gpg_free(*g);
}
