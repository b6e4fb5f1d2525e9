/* SPDX-License-Identifier: MIT */
#include "registry/sign.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/sha256.h"
#include "base/str.h"
#include "image/manifest.h"
#include "registry/base64.h"
#include "registry/manifests.h"
#include "registry/session.h"
#include "registry/signature.h"
#include "registry/upload.h"

struct sign {
	const struct reg_key *key;
	struct str payload;
	char digest[72]; /* of it */
	struct str layers, diffs; /* lists in JSON */
	bool there; /* the signature */
};

/* A signature that is there stays */
static void keep_layer(struct sign *n, struct json_in *in, const struct json *layer)
{
	const struct json *notes = json_to_object(in, layer) ? json_get_object(in, layer, "annotations") : NULL;
	const char *digest = json_need(in, layer, "digest") ? json_get_str(in, layer, "digest") : NULL;
	const char *signature = notes != NULL ? json_get_str(in, notes, REG_SIGNATURE_NOTE) : NULL;

	if (digest == NULL)
		return;
	json_node(&n->layers, NULL, layer);
	json_text(&n->diffs, NULL, digest);
	if (signature != NULL && strcmp(digest, n->digest) == 0 &&
	    reg_key_fits_text(n->key, n->payload.p, n->payload.len, signature))
		n->there = true;
}

static int keep_layers(struct sign *n, struct reg_session *s, const char *tag, struct err *err)
{
	_cleanup_(arena_fini) struct arena arena = { 0 };
	const struct json *list = NULL;
	struct reg_text old;
	struct json_in in;
	int r = reg_manifest_get(s, tag, &arena, &old, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = json_parse(&in, tag, &arena, old.p, old.len, err);
	if (r == 0 && json_to_object(&in, in.root))
		list = json_get_array(&in, in.root, "layers", REG_SIGNATURES_MAX - 1);
	for (const struct json *it = list != NULL ? list->first : NULL; it != NULL && in.code == 0; it = it->next)
		keep_layer(n, &in, it);
	if (r == 0)
		r = in.code;
	json_fini(&in);
	return r;
}

static int add_layer(struct sign *n, struct err *err)
{
	_cleanup_(str_fini) struct str signature = { 0 }, text = { 0 };
	int r = reg_key_sign(n->key, n->payload.p, n->payload.len, &signature, err);

	if (r < 0)
		return r;
	base64_add(&text, signature.p, signature.len);
	if (text.failed)
		return err_set(err, -ENOMEM, "sign an image");
	json_open(&n->layers, NULL, '{');
	json_text(&n->layers, "mediaType", REG_PAYLOAD_TYPE);
	json_uint(&n->layers, "size", n->payload.len);
	json_text(&n->layers, "digest", n->digest);
	json_open(&n->layers, "annotations", '{');
	json_text(&n->layers, REG_SIGNATURE_NOTE, text.p);
	json_close(&n->layers, '}');
	json_close(&n->layers, '}');
	json_text(&n->diffs, NULL, n->digest);
	return 0;
}

/* The configuration has to be that of an image: registries look at it */
static int put(const struct sign *n, struct reg_session *s, const char *tag, struct err *err)
{
	_cleanup_(str_fini) struct str config = { 0 }, manifest = { 0 };
	char digest[72];
	int r;

	str_printf(&config, "{\"architecture\":\"\",\"os\":\"\",\"config\":{},\"rootfs\":{\"type\":\"layers\","
			    "\"diff_ids\":%s}}", n->diffs.p);
	if (config.failed || n->layers.failed || n->diffs.failed)
		return err_set(err, -ENOMEM, "sign an image");
	r = reg_upload_text(s, config.p, config.len, digest, err);
	if (r < 0)
		return r;
	json_open(&manifest, NULL, '{');
	json_uint(&manifest, "schemaVersion", 2);
	json_text(&manifest, "mediaType", IMG_MEDIA_MANIFEST);
	json_open(&manifest, "config", '{');
	json_text(&manifest, "mediaType", IMG_MEDIA_CONFIG);
	json_uint(&manifest, "size", config.len);
	json_text(&manifest, "digest", digest);
	json_close(&manifest, '}');
	json_raw(&manifest, "layers", n->layers.p);
	json_close(&manifest, '}');
	if (manifest.failed)
		return err_set(err, -ENOMEM, "sign an image");
	return reg_manifest_put(s, tag, IMG_MEDIA_MANIFEST, manifest.p, manifest.len, err);
}

int reg_sign(struct reg_session *s, const struct reg_key *key, const char *name, const char *digest,
	     struct err *err)
{
	struct sign n = { .key = key };
	char tag[80], sent[72];
	int r;

	reg_signature_tag(digest, tag);
	reg_payload_format(REG_PAYLOAD_COSIGN, name, digest, &n.payload);
	r = n.payload.failed ? err_set(err, -ENOMEM, "sign an image") : 0;
	memcpy(n.digest, "sha256:", 7);
	if (r == 0)
		sha256_hex(n.payload.p, n.payload.len, n.digest + 7);
	json_open(&n.layers, NULL, '[');
	json_open(&n.diffs, NULL, '[');
	if (r == 0)
		r = keep_layers(&n, s, tag, err);
	if (r == 0 && !n.there)
		r = add_layer(&n, err);
	json_close(&n.layers, ']');
	json_close(&n.diffs, ']');
	if (r == 0 && !n.there)
		r = reg_upload_text(s, n.payload.p, n.payload.len, sent, err);
	if (r == 0 && !n.there)
		r = put(&n, s, tag, err);
	str_fini(&n.payload);
	str_fini(&n.layers);
	str_fini(&n.diffs);
	return r < 0 ? err_wrap(err, r, "sign '%s'", name) : 0;
}
