/* SPDX-License-Identifier: MIT */
/*
 * Signatures as cosign makes them: a payload in JSON that names an image and its manifest's digest, and a signature of it.
 * Those made with GPG have the same kind of payload.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct err;
struct reg_key;
struct str;

#define REG_PAYLOAD_COSIGN "cosign container image signature" /* what it says it is */
#define REG_PAYLOAD_GPG "atomic container signature"
#define REG_PAYLOAD_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define REG_SIGNATURE_NOTE "dev.cosignproject.cosign/signature"
#define REG_SIGNATURES_MAX 256 /* of an image */
#define REG_KEY_MAX (64u << 10) /* bytes of a file with a key */
#define REG_SIGNATURE_MAX (16u << 10) /* bytes */

/** struct reg_payload - what is signed; strings in the arena of who asked */
struct reg_payload {
	const char *name, *digest;
};

/** reg_payload_parse() - read a payload that says it is of @type; 0; -EINVAL with a message */
int reg_payload_parse(const char *type, const char *text, size_t len, struct arena *arena, struct reg_payload *ret, struct err *err);

/** reg_payload_format() - append a payload of @type for "HOST/PATH:TAG" and its digest */
void reg_payload_format(const char *type, const char *name, const char *digest, struct str *ret);

/**
 * reg_key_read() - read a public key in PEM: elliptic curves of 256 bits or more, RSA of 2048 or more, Ed25519
 * @name: for messages
 * @ret: returns; free with reg_key_free()
 * Return: 0; -EINVAL with a message.
 */
int reg_key_read(const char *name, const char *text, size_t len, struct reg_key **ret, struct err *err);

/**
 * reg_key_read_private() - the same for a private key, which may be one that cosign has encrypted
 * @text: terminated
 * @password: NULL: it must need none
 * Return: as of reg_key_read().
 */
int reg_key_read_private(const char *name, const char *text, size_t len, const char *password,
			 struct reg_key **ret, struct err *err);

/** reg_key_fits() - true when @signature (@n bytes) of the text was made with the key; SHA-256 is the digest */
bool reg_key_fits(const struct reg_key *key, const char *text, size_t len, const void *signature, size_t n);

/** reg_key_fits_text() - the same with @signature in base 64, which may be anything */
bool reg_key_fits_text(const struct reg_key *key, const char *text, size_t len, const char *signature);

/** reg_signature_tag() - the tag under which the signatures of a digest are; @ret has 80 bytes */
void reg_signature_tag(const char *digest, char *ret);

/** reg_key_sign() - append a signature of the text; 0; -errno with a message */
int reg_key_sign(const struct reg_key *key, const char *text, size_t len, struct str *ret, struct err *err);

/** reg_key_free() - release; NULL is fine */
void reg_key_free(struct reg_key *key);

static inline void reg_key_freep(struct reg_key **key)
{
	reg_key_free(*key);
}
