/* SPDX-License-Identifier: MIT */
/*
 * policy.json: which images may come here, as Podman and skopeo read it.
 *
 * It is the file that --signature-policy names, ~/.config/containers/policy.json or /etc/containers/policy.json; without
 * one everything may.  Requirements that are not known here are not met by any image.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "image/config.h"

struct err;
struct reg_place;

#define REG_POLICY_MAX (4u << 20) /* bytes of policy.json */

enum reg_rule_kind {
	REG_RULE_UNKNOWN,
	REG_RULE_ACCEPT, /* insecureAcceptAnything */
	REG_RULE_REJECT,
	REG_RULE_SIGSTORE, /* sigstoreSigned */
	REG_RULE_GPG, /* signedBy, with keys of GPG */
};

/* What the name in a signature has to be */
enum reg_identity {
	REG_IDENTITY_REPO_DIGEST_OR_EXACT, /* as asked for; for a digest the repository is enough */
	REG_IDENTITY_EXACT, /* as asked for */
	REG_IDENTITY_REPOSITORY, /* of the repository that was asked for, with any tag */
	REG_IDENTITY_REFERENCE, /* @name */
	REG_IDENTITY_EXACT_REPOSITORY, /* of the repository @name */
	REG_IDENTITY_REMAP, /* as asked for, but with @with instead of @name in front */
};

/**
 * struct reg_rule - a requirement
 * @type: as it is in the file
 * @unsupported: what of it is not known here, NULL: all is
 * @paths: files with public keys; @texts: public keys in base 64; one of all has to fit (of GPG: of all in them)
 */
struct reg_rule {
	enum reg_rule_kind kind;
	const char *type, *unsupported;
	struct img_words paths, texts;
	enum reg_identity identity;
	const char *name, *with;
};

/** struct reg_rules - all have to be met; @scope: which images they are for */
struct reg_rules {
	const char *scope;
	struct reg_rule *v;
	size_t n;
};

/** struct reg_policy - the file; @path: NULL: there is none; release with reg_policy_fini() */
struct reg_policy {
	struct arena arena;
	const char *path;
	struct reg_rules fallback, *scopes;
	size_t nr_scopes;
};

/**
 * reg_policy_read() - read the file
 * @path: NULL for the first one there is
 * Return: 0 also when there is none; -EINVAL with a message naming the field; -errno.
 */
int reg_policy_read(const char *path, struct reg_policy *ret, struct err *err);

/** reg_policy_parse() - the same, from @len bytes of @text; @name: for messages */
int reg_policy_parse(const char *name, const char *text, size_t len, struct reg_policy *ret, struct err *err);

/**
 * reg_policy_of() - what is required of an image
 * @name: "HOST/PATH"; @mark: ":TAG" or "@DIGEST"
 * Return: those of the nearest scope, or the default ones.
 */
const struct reg_rules *reg_policy_of(const struct reg_policy *p, const char *name, const char *mark);

/**
 * reg_identity_fits() - compare the name in a signature with what is required
 * @name, @mark: as above, what was asked for
 * @is: what the signature says, as text
 * Return: true when it is as required; false also when it is no name.
 */
bool reg_identity_fits(const struct reg_rule *rule, const char *name, const char *mark, const char *is);

/** reg_policy_fini() - release */
void reg_policy_fini(struct reg_policy *p);
