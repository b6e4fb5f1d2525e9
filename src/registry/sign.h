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
