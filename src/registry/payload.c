/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/str.h"
#include "registry/base64.h"
#include "registry/signature.h"

static void read_critical(struct json_in *in, const struct json *o, const char *want, struct reg_payload *ret)
{
	const char *type = json_get_str(in, o, "type");
	const struct json *image = json_get_object(in, o, "image"), *identity = json_get_object(in, o, "identity");

	if (type == NULL || strcmp(type, want) != 0) {
		(void) json_fail(in, o, "type", "'%.100s' is not '%s'", type != NULL ? type : "", want); /* kept in in->code */
		return;
	}
	if (!json_need(in, o, "image") || !json_need(in, o, "identity") || image == NULL || identity == NULL)
		return;
	ret->digest = json_need(in, image, "docker-manifest-digest") ? json_get_str(in, image, "docker-manifest-digest")
								     : NULL;
	ret->name = json_need(in, identity, "docker-reference") ? json_get_str(in, identity, "docker-reference") : NULL;
}

int reg_payload_parse(const char *type, const char *text, size_t len, struct arena *arena, struct reg_payload *ret, struct err *err)
{
	struct reg_payload p = { 0 };
	const struct json *critical;
	struct json_in in;
	int r = json_parse(&in, "signature", arena, text, len, err);

	if (r == 0 && json_to_object(&in, in.root) && json_need(&in, in.root, "critical")) {
		critical = json_get_object(&in, in.root, "critical");
		if (critical != NULL)
			read_critical(&in, critical, type, &p);
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r == 0)
		*ret = p;
	return r;
}

void reg_payload_format(const char *type, const char *name, const char *digest, struct str *ret)
{
	json_open(ret, NULL, '{');
	json_open(ret, "critical", '{');
	json_open(ret, "identity", '{');
	json_text(ret, "docker-reference", name);
	json_close(ret, '}');
	json_open(ret, "image", '{');
	json_text(ret, "docker-manifest-digest", digest);
	json_close(ret, '}');
	json_text(ret, "type", type);
	json_close(ret, '}');
	json_open(ret, "optional", '{');
	json_text(ret, "creator", "cleave " CLEAVE_VERSION);
	json_close(ret, '}');
	json_close(ret, '}');
}

bool reg_key_fits_text(const struct reg_key *key, const char *text, size_t len, const char *signature)
{
	_cleanup_(str_fini) struct str plain = { 0 };

	return base64_decode(signature, &plain) == 0 && plain.len > 0 && plain.len <= REG_SIGNATURE_MAX &&
	       reg_key_fits(key, text, len, plain.p, plain.len);
}

void reg_signature_tag(const char *digest, char *ret)
{
	(void) snprintf(ret, 80, "sha256-%.64s.sig", digest + strlen("sha256:")); /* fits */
}
