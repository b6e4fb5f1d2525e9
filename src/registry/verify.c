/* SPDX-License-Identifier: MIT */
/**
 * DOC: signatures of images
 *
 * The signatures of a manifest are the layers of another one, whose tag is made of the digest.  Each layer is a payload and has
 * its signature in an annotation.  All that is said there is a stranger's word until a key of the policy fits.
 */
#include "registry/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "registry/base64.h"
#include "registry/gpg.h"
#include "registry/lookaside.h"
#include "registry/manifests.h"
#include "registry/policy.h"
#include "registry/session.h"
#include "registry/signature.h"

/* One signature, and what it is of */
struct item {
	struct reg_text payload;
	const char *signature; /* in base 64 */
};

struct verify {
	struct reg_session *session;
	const struct reg_subject *subject;
	struct arena arena;
	struct item items[REG_SIGNATURES_MAX];
	size_t n;
	bool fetched;
};

static int add_item(struct verify *v, const char *digest, const char *signature, struct err *err)
{
	if (v->n == REG_SIGNATURES_MAX)
		return err_msg(err, -EFBIG, "the image has more than %d signatures", REG_SIGNATURES_MAX);
	v->items[v->n].signature = signature;
	return reg_blob_get(v->session, digest, &v->arena, &v->items[v->n++].payload, err);
}

static int read_layer(struct verify *v, struct json_in *in, const struct json *layer, struct err *err)
{
	const struct json *notes = json_to_object(in, layer) ? json_get_object(in, layer, "annotations") : NULL;
	const char *type = json_get_str(in, layer, "mediaType"), *digest = json_get_str(in, layer, "digest");
	const char *signature = notes != NULL ? json_get_str(in, notes, REG_SIGNATURE_NOTE) : NULL;

	if (in->code < 0 || type == NULL || strcmp(type, REG_PAYLOAD_TYPE) != 0 || signature == NULL)
		return in->code; /* something else */
	if (digest == NULL || !str_starts(digest, "sha256:") || strlen(digest) != 71 ||
	    strspn(digest + 7, "0123456789abcdef") != 64)
		return json_fail(in, layer, "digest", "it is no SHA-256 digest") ? 0 : in->code;
	return add_item(v, digest, signature, err);
}

/* The signatures of one digest; none is fine */
static int fetch_of(struct verify *v, const char *digest, struct err *err)
{
	const struct json *layers = NULL;
	struct reg_text manifest;
	struct json_in in;
	char tag[80];
	int r;

	reg_signature_tag(digest, tag);
	r = reg_manifest_get(v->session, tag, &v->arena, &manifest, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = json_parse(&in, tag, &v->arena, manifest.p, manifest.len, err);
	if (r == 0 && json_to_object(&in, in.root))
		layers = json_get_array(&in, in.root, "layers", REG_SIGNATURES_MAX);
	if (r == 0)
		r = in.code;
	for (const struct json *it = layers != NULL ? layers->first : NULL; r == 0 && it != NULL; it = it->next)
		r = read_layer(v, &in, it, err);
	json_fini(&in);
	return r;
}

static int fetch(struct verify *v, struct err *err)
{
	const char *const *digests = v->subject->digests;
	int r = v->fetched ? 0 : fetch_of(v, digests[0], err);

	if (r == 0 && !v->fetched && strcmp(digests[0], digests[1]) != 0)
		r = fetch_of(v, digests[1], err);
	v->fetched = true;
	return r;
}

/* A key fits a payload: is that of this image?  @err: why not */
static bool suits(struct verify *v, const struct reg_rule *rule, const char *type, const char *text, size_t len, struct err *err)
{
	const struct reg_subject *of = v->subject;
	struct reg_payload p;

	if (reg_payload_parse(type, text, len, &v->arena, &p, err) < 0)
		return false;
	if (strcmp(p.digest, of->digests[0]) != 0 && strcmp(p.digest, of->digests[1]) != 0)
		(void) err_msg(err, -EPERM, "its signature is for %.80s", p.digest); /* returned below */
	else if (!reg_identity_fits(rule, of->name, of->mark, p.name))
		(void) err_msg(err, -EPERM, "its signature is for '%.300s'", p.name); /* as above */
	else
		return true;
	return false;
}

/* What is done with each key of a rule; @why: of the last signature that one fits, and that is not of this image */
struct keys {
	struct verify *v;
	const struct reg_rule *rule;
	struct reg_gpg *gpg;
	int (*take)(struct keys *k, const char *name, const struct str *text, struct err *err); /* not 0: that is all */
	struct err why;
};

/* 1: a signature was made with this key; 0; -errno with a message */
static int try_key(struct keys *k, const char *name, const struct str *text, struct err *err)
{
	_cleanup_(reg_key_freep) struct reg_key *key = NULL;
	int r = reg_key_read(name, text->p != NULL ? text->p : "", text->len, &key, err);

	for (size_t i = 0; r == 0 && i < k->v->n; i++) {
		const struct reg_text *payload = &k->v->items[i].payload;

		r = reg_key_fits_text(key, payload->p, payload->len, k->v->items[i].signature) &&
		    suits(k->v, k->rule, REG_PAYLOAD_COSIGN, payload->p, payload->len, &k->why);
	}
	return r;
}

static int add_key(struct keys *k, const char *name, const struct str *text, struct err *err)
{
	return reg_gpg_import(k->gpg, name, text->p != NULL ? text->p : "", text->len, err);
}

static int each_key(struct keys *k, struct err *err)
{
	const struct reg_rule *rule = k->rule;
	int r = 0;

	for (size_t i = 0; r == 0 && i < rule->paths.n; i++) {
		_cleanup_(str_fini) struct str text = { 0 };

		r = file_read(AT_FDCWD, rule->paths.v[i], REG_KEY_MAX, &text);
		r = r < 0 ? err_set(err, r, "read key '%s'", rule->paths.v[i]) : k->take(k, rule->paths.v[i], &text, err);
	}
	for (size_t i = 0; r == 0 && i < rule->texts.n; i++) {
		_cleanup_(str_fini) struct str text = { 0 };

		r = base64_decode(rule->texts.v[i], &text);
		r = r < 0 ? err_msg(err, -EINVAL, "keyData is not in base 64") : k->take(k, "keyData", &text, err);
	}
	return r;
}

static int no_signature(const struct keys *k, bool any, struct err *err)
{
	if (!any)
		return err_msg(err, -EPERM, "it is not signed");
	return k->why.code != 0 ? err_msg(err, -EPERM, "%s", k->why.text)
				: err_msg(err, -EPERM, "no signature was made with a key of the policy");
}

static int check_sigstore(struct verify *v, const struct reg_rule *rule, struct err *err)
{
	struct keys k = { .v = v, .rule = rule, .take = try_key };
	int r = fetch(v, err);

	if (r == 0 && v->n > 0)
		r = each_key(&k, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return no_signature(&k, v->n > 0, err);
}

/* 1: a key of the ring made this signature, and it is of this image; 0; -errno with a message */
static int try_signature(struct keys *k, const struct str *signature, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char signer[REG_GPG_SIGNER_MAX];
	int r = reg_gpg_verify(k->gpg, signature->p != NULL ? signature->p : "", signature->len, &text, signer, err);

	if (r == -EPERM)
		return 0;
	return r < 0 ? r : text.p != NULL && suits(k->v, k->rule, REG_PAYLOAD_GPG, text.p, text.len, &k->why);
}

/* Those of one digest, which are beside the registry; 1, 0, -errno as above */
static int try_beside(struct keys *k, const char *url, const char *digest, bool *any, struct err *err)
{
	const char *path = strchr(k->v->subject->name, '/');
	int r = 0;

	for (unsigned n = 1; r == 0 && n <= REG_SIGNATURES_MAX; n++) {
		_cleanup_(str_fini) struct str signature = { 0 };

		r = reg_lookaside_get(url, path != NULL ? path + 1 : "", digest, n, &signature, err);
		if (r == -ENOENT)
			return 0;
		*any = true;
		if (r == 0)
			r = try_signature(k, &signature, err);
	}
	return r;
}

static int check_gpg(struct verify *v, const struct reg_rule *rule, struct err *err)
{
	_cleanup_(reg_gpg_freep) struct reg_gpg *gpg = NULL;
	const char *const *digests = v->subject->digests, *url;
	struct keys k = { .v = v, .rule = rule, .take = add_key };
	bool any = false;
	int r = reg_gpg_new(&gpg, err);

	k.gpg = gpg;
	if (r == 0)
		r = each_key(&k, err);
	if (r == 0)
		r = reg_lookaside_find(v->subject->name, v->subject->mark, false, &v->arena, &url, err);
	if (r == 0)
		r = try_beside(&k, url, digests[0], &any, err);
	if (r == 0 && strcmp(digests[0], digests[1]) != 0)
		r = try_beside(&k, url, digests[1], &any, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return no_signature(&k, any, err);
}

static int check_rule(struct verify *v, const struct reg_rule *rule, struct err *err)
{
	if (rule->unsupported != NULL)
		return err_msg(err, -EPERM, "the requirement '%.100s' is not known here", rule->unsupported);
	switch (rule->kind) {
	case REG_RULE_ACCEPT:
		return 0;
	case REG_RULE_SIGSTORE:
		return check_sigstore(v, rule, err);
	case REG_RULE_GPG:
		return check_gpg(v, rule, err);
	case REG_RULE_REJECT:
	case REG_RULE_UNKNOWN:
		break;
	}
	return err_msg(err, -EPERM, "all images are rejected");
}

int reg_verify(const struct reg_policy *policy, struct reg_session *s, const struct reg_subject *subject,
	       struct err *err)
{
	_cleanup_free_ struct verify *v = policy->path != NULL ? calloc(1, sizeof(*v)) : NULL;
	const struct reg_rules *rules = reg_policy_of(policy, subject->name, subject->mark);
	int r = 0;

	if (policy->path == NULL)
		return 0;
	if (v == NULL)
		return err_set(err, -ENOMEM, "verify an image");
	*v = (struct verify) { .session = s, .subject = subject };
	for (size_t i = 0; r == 0 && i < rules->n; i++)
		r = check_rule(v, &rules->v[i], err);
	arena_fini(&v->arena);
	return r < 0 ? err_wrap(err, r, "'%s' forbids it (scope '%s')", policy->path, rules->scope) : 0;
}
