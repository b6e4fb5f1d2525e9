/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "registry/sealed.h"
#include "registry/signature.h"

#define RSA_BITS_MIN 2048
#define CURVE_BITS_MIN 256

struct reg_key {
	EVP_PKEY *pkey;
};

/* Takes @pkey, which may be NULL */
static int keep(const char *name, EVP_PKEY *pkey, struct reg_key **ret, struct err *err)
{
	_cleanup_(reg_key_freep) struct reg_key *key = calloc(1, sizeof(*key));
	int id = pkey != NULL ? EVP_PKEY_base_id(pkey) : 0, bits = pkey != NULL ? EVP_PKEY_bits(pkey) : 0;

	if (key == NULL) {
		EVP_PKEY_free(pkey);
		return err_set(err, -ENOMEM, "read key '%s'", name);
	}
	key->pkey = pkey;
	if (pkey == NULL)
		return err_msg(err, -EINVAL, "'%s' has no key in PEM that can be read", name);
	if (id != EVP_PKEY_ED25519 && !(id == EVP_PKEY_EC && bits >= CURVE_BITS_MIN) &&
	    !(id == EVP_PKEY_RSA && bits >= RSA_BITS_MIN))
		return err_msg(err, -EINVAL, "'%s': a key must be one of elliptic curves of %d bits, RSA of %d or Ed25519",
			       name, CURVE_BITS_MIN, RSA_BITS_MIN);
	*ret = take_ptr(key);
	return 0;
}

int reg_key_read(const char *name, const char *text, size_t len, struct reg_key **ret, struct err *err)
{
	BIO *bio = len <= REG_KEY_MAX ? BIO_new_mem_buf(text, (int) len) : NULL;
	EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	(void) BIO_free(bio); /* fails for NULL only */
	return keep(name, pkey, ret, err);
}

/* Of OpenSSL: nobody is asked on the terminal */
static int give_password(char *buf, int size, int writing, void *data)
{
	const char *password = data;
	size_t n = password != NULL ? strlen(password) : 0;

	(void) writing;
	if (password == NULL || n > (size_t) size)
		return -1;
	memcpy(buf, password, n);
	return (int) n;
}

/* As cosign writes it */
static int read_sealed(const char *name, const char *text, const char *password, struct reg_key **ret, struct err *err)
{
	_cleanup_(str_fini) struct str der = { 0 };
	const unsigned char *p;
	int r = reg_sealed_open(name, text, password, &der, err);

	if (r < 0)
		return r;
	p = (const unsigned char *) der.p;
	r = keep(name, d2i_AutoPrivateKey(NULL, &p, (long) der.len), ret, err);
	OPENSSL_cleanse(der.p, der.len);
	return r;
}

int reg_key_read_private(const char *name, const char *text, size_t len, const char *password,
			 struct reg_key **ret, struct err *err)
{
	if (len <= REG_KEY_MAX && reg_sealed_is(text))
		return read_sealed(name, text, password, ret, err);
	BIO *bio = len <= REG_KEY_MAX ? BIO_new_mem_buf(text, (int) len) : NULL;
	EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, give_password, (void *) (uintptr_t) password)
				     : NULL;

	(void) BIO_free(bio); /* as above */
	return keep(name, pkey, ret, err);
}

/* Ed25519 has its own digest */
static const EVP_MD *digest_of(const struct reg_key *key)
{
	return EVP_PKEY_base_id(key->pkey) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

bool reg_key_fits(const struct reg_key *key, const char *text, size_t len, const void *signature, size_t n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool fits = c != NULL && EVP_DigestVerifyInit(c, NULL, digest_of(key), NULL, key->pkey) == 1 &&
		    EVP_DigestVerify(c, signature, n, (const unsigned char *) text, len) == 1;

	EVP_MD_CTX_free(c);
	return fits;
}

int reg_key_sign(const struct reg_key *key, const char *text, size_t len, struct str *ret, struct err *err)
{
	unsigned char signature[REG_SIGNATURE_MAX];
	size_t n = sizeof(signature);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool done = c != NULL && EVP_DigestSignInit(c, NULL, digest_of(key), NULL, key->pkey) == 1 &&
		    EVP_DigestSign(c, signature, &n, (const unsigned char *) text, len) == 1;

	EVP_MD_CTX_free(c);
	if (!done)
		return err_msg(err, -EIO, "cannot sign with this key");
	str_add(ret, signature, n);
	return ret->failed ? err_set(err, -ENOMEM, "sign an image") : 0;
}

void reg_key_free(struct reg_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}
