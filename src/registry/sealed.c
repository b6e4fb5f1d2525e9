/* SPDX-License-Identifier: MIT */
/**
 * DOC: private keys as cosign keeps them
 *
 * JSON in PEM: how the password becomes a key (scrypt), and what that key encrypts (NaCl's secretbox).
 */
#include "registry/sealed.h"

#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "registry/base64.h"

#define MEMORY_MAX (256u << 20) /* bytes that a password may cost */

static const char *const kinds[] = { "SIGSTORE", "COSIGN" };

/* As written in the file, strings decoded */
struct sealed {
	uint64_t n, r, p;
	struct str salt, nonce, box;
};

static void sealed_fini(struct sealed *s)
{
	str_fini(&s->salt);
	str_fini(&s->nonce);
	str_fini(&s->box);
}

static const char *begin_of(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char line[64];
		const char *p;

		(void) snprintf(line, sizeof(line), "-----BEGIN ENCRYPTED %s PRIVATE KEY-----", kinds[i]);
		p = strstr(text, line);
		if (p != NULL)
			return p + strlen(line);
	}
	return NULL;
}

bool reg_sealed_is(const char *text)
{
	return begin_of(text) != NULL;
}

/* What is between the lines of PEM */
static int read_pem(const char *text, struct str *ret)
{
	_cleanup_(str_fini) struct str plain = { 0 };
	const char *p = begin_of(text);

	for (; p != NULL && *p != '\0' && *p != '-'; p++)
		if (strchr(" \r\n", *p) == NULL)
			str_add(&plain, p, 1);
	if (plain.failed)
		return -ENOMEM;
	return plain.p != NULL ? base64_decode(plain.p, ret) : -EINVAL;
}

static void read_bytes(struct json_in *in, const struct json *o, const char *key, struct str *ret)
{
	const char *text = json_need(in, o, key) ? json_get_str(in, o, key) : NULL;

	if (text != NULL && base64_decode(text, ret) < 0)
		(void) json_fail(in, o, key, "it is not in base 64"); /* kept in in->code */
}

static void need_name(struct json_in *in, const struct json *o, const char *want)
{
	const char *name = json_need(in, o, "name") ? json_get_str(in, o, "name") : NULL;

	if (name != NULL && strcmp(name, want) != 0)
		(void) json_fail(in, o, "name", "'%.50s' is not '%s'", name, want); /* as above */
}

static void read_sealed(struct json_in *in, struct sealed *s)
{
	const struct json *kdf, *params, *cipher;

	if (!json_to_object(in, in->root))
		return;
	kdf = json_need(in, in->root, "kdf") ? json_get_object(in, in->root, "kdf") : NULL;
	cipher = json_need(in, in->root, "cipher") ? json_get_object(in, in->root, "cipher") : NULL;
	params = kdf != NULL && json_need(in, kdf, "params") ? json_get_object(in, kdf, "params") : NULL;
	if (params == NULL || cipher == NULL)
		return;
	need_name(in, kdf, "scrypt");
	need_name(in, cipher, "nacl/secretbox");
	(void) json_get_u64(in, params, "N", MEMORY_MAX, &s->n); /* 0 without, which scrypt refuses; as above */
	(void) json_get_u64(in, params, "r", 1024, &s->r);
	(void) json_get_u64(in, params, "p", 64, &s->p);
	read_bytes(in, kdf, "salt", &s->salt);
	read_bytes(in, cipher, "nonce", &s->nonce);
	read_bytes(in, in->root, "ciphertext", &s->box);
	if (in->code == 0 && s->nonce.len != crypto_secretbox_NONCEBYTES)
		(void) json_fail(in, cipher, "nonce", "it has %zu bytes instead of %u", s->nonce.len, crypto_secretbox_NONCEBYTES); /* as above */
	if (in->code == 0 && s->box.len <= crypto_secretbox_MACBYTES)
		(void) json_fail(in, in->root, "ciphertext", "it is too short"); /* as above */
}

static int decrypt(const char *name, const struct sealed *s, const char *password, struct str *ret, struct err *err)
{
	unsigned char key[crypto_secretbox_KEYBYTES];
	size_t n = s->box.len - crypto_secretbox_MACBYTES;
	_cleanup_free_ unsigned char *plain = malloc(n);
	int r = 0;

	if (plain == NULL)
		return err_set(err, -ENOMEM, "read key '%s'", name);
	if (EVP_PBE_scrypt(password, strlen(password), (const unsigned char *) s->salt.p, s->salt.len, s->n, s->r, s->p, MEMORY_MAX, key,
			   sizeof(key)) != 1)
		return err_msg(err, -EINVAL, "'%s': scrypt with N %llu, r %llu and p %llu is not possible, or takes over %u MB", name,
			       (unsigned long long) s->n, (unsigned long long) s->r, (unsigned long long) s->p, MEMORY_MAX >> 20);
	if (crypto_secretbox_open_easy(plain, (const unsigned char *) s->box.p, s->box.len, (const unsigned char *) s->nonce.p, key) != 0)
		r = err_msg(err, -EACCES, "the password of key '%s' is wrong", name);
	else
		str_add(ret, plain, n);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(plain, n);
	return r == 0 && ret->failed ? err_set(err, -ENOMEM, "read key '%s'", name) : r;
}

int reg_sealed_open(const char *name, const char *text, const char *password, struct str *ret, struct err *err)
{
	_cleanup_(sealed_fini) struct sealed s = { 0 };
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str json = { 0 };
	struct json_in in;
	int r = read_pem(text, &json);

	if (r < 0)
		return r == -ENOMEM ? err_set(err, r, "read key '%s'", name) : err_msg(err, r, "'%s' is not in base 64", name);
	r = json_parse(&in, name, &arena, json.p != NULL ? json.p : "", json.len, err);
	if (r == 0) {
		read_sealed(&in, &s);
		r = in.code;
	}
	json_fini(&in);
	if (r == 0 && password == NULL)
		r = err_msg(err, -EACCES, "key '%s' is encrypted: --sign-passphrase-file names the file with its password", name);
	return r == 0 ? decrypt(name, &s, password, ret, err) : r;
}
