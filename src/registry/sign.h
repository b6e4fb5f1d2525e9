/* SPDX-License-Identifier: MIT */
#pragma once

struct err;
struct reg_key;
struct reg_session;

/**
 * reg_sign() - put a signature of a manifest beside it, with those that are there
 * @name: "HOST/PATH:TAG", what it is signed as
 * One that was made with the same key, of the same, is enough.
 * Return: 0; -EACCES; -ECOMM; -errno; with a message.
 * Spec: cosign's SIGNATURE_SPEC.
 */
int reg_sign(struct reg_session *s, const struct reg_key *key, const char *name, const char *digest,
	     struct err *err);

/** struct reg_signer - a key of GPG: as people name it, and the file with its passphrase, NULL for none */
struct reg_signer {
	const char *key, *passphrase_file;
};

/**
 * reg_sign_gpg() - put a signature made with GPG where registries.d says that those of the image are
 * @name: "HOST/PATH"; @tag: what it is signed as
 * In place of the one that was made with the same key, of the same.
 * Return: 0; -ENOENT there is no such key; -EACCES; -errno; with a message.
 * Spec: containers-signature(5).
 */
int reg_sign_gpg(const struct reg_signer *s, const char *name, const char *tag, const char *digest, struct err *err);
