/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct err;
struct str;

#define IMG_NAME_MAX 255 /* bytes of a repository */
#define IMG_TAG_MAX 128 /* bytes */

/**
 * struct img_reference - name of an image
 * @repository: familiar form: "debian", "cleave/tiny", "host:5000/a/b"; Docker Hub's host and
 *              "library/" are left out
 * @tag: "latest" when none was given and there is no digest; "" with a digest alone
 * @digest: "sha256:<hex>" or ""
 * @hub: Docker Hub's host was there before it was left out
 */
struct img_reference {
	char repository[IMG_NAME_MAX + 1];
	char tag[IMG_TAG_MAX + 1];
	char digest[72];
	bool hub;
};

/**
 * img_reference_parse() - read NAME[:TAG][@DIGEST]
 * Return: 0; -EINVAL with a message that says which part is wrong.
 * Spec: distribution-spec 1.1 "Pulling manifests"; familiar names as Docker.
 */
int img_reference_parse(const char *text, struct img_reference *ret, struct err *err);

/** img_reference_format() - append the shortest text that parses to @ref */
void img_reference_format(const struct img_reference *ref, struct str *ret);
