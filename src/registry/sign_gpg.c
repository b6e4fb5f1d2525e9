/* SPDX-License-Identifier: MIT */
/*
 * Signatures of GPG that are put beside a registry.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "image/reference.h"
#include "registry/gpg.h"
#include "registry/lookaside.h"
#include "registry/sign.h"
#include "registry/signature.h"

struct beside {
	const char *url, *path, *digest;
};

/* Who made a signature of this payload; "" when it is of another, or of nobody we know. 0 or -errno with a message */
static int signer_of(struct reg_gpg *gpg, const struct str *signature, const struct str *payload, char ret[REG_GPG_SIGNER_MAX],
		     struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r = reg_gpg_verify(gpg, signature->p != NULL ? signature->p : "", signature->len, &text, ret, err);

	if (r < 0 || text.p == NULL || strcmp(text.p, payload->p) != 0)
		ret[0] = '\0';
	return r == -EPERM ? 0 : r;
}

/* The number that a new signature gets: of the one by the same key of the same, or the first that is free */
static int number_for(struct reg_gpg *gpg, const struct beside *b, const struct str *signature, const struct str *payload,
		      unsigned *ret, struct err *err)
{
	char mine[REG_GPG_SIGNER_MAX], other[REG_GPG_SIGNER_MAX];
	int r = signer_of(gpg, signature, payload, mine, err);

	for (*ret = 1; r == 0 && *ret <= REG_SIGNATURES_MAX; (*ret)++) {
		_cleanup_(str_fini) struct str there = { 0 };

		r = reg_lookaside_get(b->url, b->path, b->digest, *ret, &there, err);
		if (r == -ENOENT)
			return 0;
		if (r == 0)
			r = signer_of(gpg, &there, payload, other, err);
		if (r == 0 && mine[0] != '\0' && strcmp(mine, other) == 0)
			return 0;
	}
	return r < 0 ? r : err_msg(err, -EFBIG, "it has %d signatures already", REG_SIGNATURES_MAX);
}

static int sign(const struct reg_signer *s, const struct beside *b, const struct str *payload, struct err *err)
{
	_cleanup_(reg_gpg_freep) struct reg_gpg *gpg = NULL;
	_cleanup_(str_fini) struct str signature = { 0 };
	unsigned number = 0;
	int r = reg_gpg_own(&gpg, err);

	if (r == 0)
		r = reg_gpg_sign(gpg, s->key, s->passphrase_file, payload->p, payload->len, &signature, err);
	if (r == 0)
		r = number_for(gpg, b, &signature, payload, &number, err);
	return r == 0 ? reg_lookaside_put(b->url, b->path, b->digest, number, &signature, err) : r;
}

int reg_sign_gpg(const struct reg_signer *s, const char *name, const char *tag, const char *digest, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	_cleanup_(str_fini) struct str payload = { 0 }, full = { 0 };
	const char *slash = strchr(name, '/');
	struct beside b = { .path = slash != NULL ? slash + 1 : name, .digest = digest };
	char mark[IMG_TAG_MAX + 2];
	int r;

	(void) snprintf(mark, sizeof(mark), ":%s", tag); /* fits */
	str_printf(&full, "%s%s", name, mark);
	if (!full.failed)
		reg_payload_format(REG_PAYLOAD_GPG, full.p, digest, &payload);
	if (full.failed || payload.failed)
		return err_set(err, -ENOMEM, "sign an image");
	r = reg_lookaside_find(name, mark, true, &arena, &b.url, err);
	if (r == 0)
		r = sign(s, &b, &payload, err);
	return r < 0 ? err_wrap(err, r, "sign '%s'", full.p) : 0;
}
