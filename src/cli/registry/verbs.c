/* SPDX-License-Identifier: MIT */
#include "cli/registry/verbs.h"

#include <stddef.h>

#include "cli/cli.h"

#define AUTHFILE(type, field)                                                                     \
	{ "authfile", 0, OPT_STRING, offsetof(struct type, field), "FILE",                        \
	  "where passwords are kept (default: $REGISTRY_AUTH_FILE, ~/.docker/config.json)" }

/* @in: "reach." where they are part of other options */
#define REACH_OF(type, in)                                                                        \
	AUTHFILE(type, in authfile),                                                              \
	{ "cert-dir", 0, OPT_STRING, offsetof(struct type, in cert_dir), "DIR",                   \
	  "certificates for the registry (default: HOST in /etc/docker/certs.d and the like)" },  \
	{ "creds", 0, OPT_STRING, offsetof(struct type, in creds), "USER[:PASSWORD]",             \
	  "who asks (default: as kept by 'login')" },                                             \
	{ "tls-verify", 0, OPT_OFF, offsetof(struct type, in no_verify), NULL,                    \
	  "check certificates, and never use plain HTTP (default: true, but for this machine)" }

#define REACH(type) REACH_OF(type, reach.)

static const struct opt pull_table[] = {
	{ "all-tags", 'a', OPT_BOOL, offsetof(struct pull_opts, all_tags), NULL,
	  "all tags of the repository" },
	{ "arch", 0, OPT_STRING, offsetof(struct pull_opts, arch), "ARCH",
	  "processor that the image is to be for" },
	{ "disable-content-trust", 0, OPT_BOOL, offsetof(struct pull_opts, nothing), NULL, NULL },
	{ "os", 0, OPT_STRING, offsetof(struct pull_opts, os), "OS", "system that it is to be for" },
	{ "platform", 0, OPT_STRING, offsetof(struct pull_opts, platform), "OS/ARCH",
	  "platform that it is to be for (default: this machine's)" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct pull_opts, quiet), NULL,
	  "print nothing but the name" },
	REACH(pull_opts),
	{ "signature-policy", 0, OPT_STRING, offsetof(struct pull_opts, signature_policy), "FILE",
	  "which images may be taken (default: policy.json of /etc/containers)" },
	{ "variant", 0, OPT_STRING, offsetof(struct pull_opts, variant), "VARIANT",
	  "variant of the processor" },
	{ 0 },
};

CLI_VERB(pull_verb) = {
	.name = "pull",
	.args = "NAME[:TAG|@DIGEST]...",
	.summary = "Get images from a registry",
	.min_args = 1,
	.max_args = -1,
	.opts = pull_table,
	.opts_size = sizeof(struct pull_opts),
	.interspersed = true,
	.run = registry_pull,
};

static const struct opt push_table[] = {
	{ "all-tags", 'a', OPT_BOOL, offsetof(struct push_opts, all_tags), NULL,
	  "all names of the repository" },
	{ "digestfile", 0, OPT_STRING, offsetof(struct push_opts, digestfile), "FILE",
	  "write the digest of the manifest to a file" },
	{ "disable-content-trust", 0, OPT_BOOL, offsetof(struct push_opts, nothing), NULL, NULL },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct push_opts, quiet), NULL,
	  "print nothing but the name" },
	REACH(push_opts),
	{ "remove-signatures", 0, OPT_BOOL, offsetof(struct push_opts, nothing), NULL, NULL },
	{ "sign-by", 0, OPT_STRING, offsetof(struct push_opts, sign_by), "KEY",
	  "sign the image with a key of GPG, beside the registry where registries.d says" },
	{ "sign-by-sigstore-private-key", 0, OPT_STRING, offsetof(struct push_opts, sign_key), "FILE",
	  "sign the image, as cosign does, with a key in PEM" },
	{ "sign-passphrase-file", 0, OPT_STRING, offsetof(struct push_opts, sign_password_file), "FILE",
	  "what the key is encrypted with" },
	{ 0 },
};

CLI_VERB(push_verb) = {
	.name = "push",
	.args = "IMAGE[:TAG] [NAME[:TAG]]",
	.summary = "Send an image to a registry",
	.min_args = 1,
	.max_args = 2,
	.opts = push_table,
	.opts_size = sizeof(struct push_opts),
	.interspersed = true,
	.run = registry_push,
};

static const struct opt login_table[] = {
	{ "password", 'p', OPT_STRING, offsetof(struct login_opts, password), "PASSWORD",
	  "password; others can see it in the list of processes" },
	{ "password-stdin", 0, OPT_BOOL, offsetof(struct login_opts, password_stdin), NULL,
	  "read the password from standard input" },
	REACH(login_opts),
	{ "username", 'u', OPT_STRING, offsetof(struct login_opts, user), "USER", "name of the user" },
	{ 0 },
};

CLI_VERB(login_verb) = {
	.name = "login",
	.args = "[REGISTRY]",
	.summary = "Keep a password for a registry",
	.max_args = 1,
	.opts = login_table,
	.opts_size = sizeof(struct login_opts),
	.interspersed = true,
	.run = registry_login,
};

static const struct opt logout_table[] = {
	AUTHFILE(reach_opts, authfile),
	{ 0 },
};

CLI_VERB(logout_verb) = {
	.name = "logout",
	.args = "[REGISTRY]",
	.summary = "Forget the password for a registry",
	.max_args = 1,
	.opts = logout_table,
	.opts_size = sizeof(struct reach_opts),
	.interspersed = true,
	.run = registry_logout,
};

static const struct opt search_table[] = {
	{ "filter", 'f', OPT_STRINGS, offsetof(struct search_opts, filter), "FILTER",
	  "stars=N, is-official=true or false" },
	{ "format", 0, OPT_STRING, offsetof(struct search_opts, format), "FORMAT",
	  "table, json, or a Go template" },
	{ "limit", 0, OPT_U64, offsetof(struct search_opts, limit), "N", "rows, up to 100 (default: 25)" },
	{ "no-trunc", 0, OPT_BOOL, offsetof(struct search_opts, no_trunc), NULL,
	  "whole descriptions" },
	REACH(search_opts),
	{ 0 },
};

CLI_VERB(search_verb) = {
	.name = "search",
	.args = "[REGISTRY/]TERM",
	.summary = "Search a registry for images",
	.min_args = 1,
	.max_args = 1,
	.opts = search_table,
	.opts_size = sizeof(struct search_opts),
	.interspersed = true,
	.run = registry_search,
};

static const struct opt rm_table[] = {
	{ "force", 'f', OPT_BOOL, offsetof(struct registry_rm_opts, force), NULL,
	  "remove a manifest with all its tags where a tag alone cannot be removed" },
	REACH(registry_rm_opts),
	{ 0 },
};

CLI_VERB(registry_rm_verb) = {
	.name = "registry rm",
	.args = "NAME[:TAG|@DIGEST]...",
	.summary = "Remove tags, manifests or blobs from a registry",
	.min_args = 1,
	.max_args = -1,
	.opts = rm_table,
	.opts_size = sizeof(struct registry_rm_opts),
	.interspersed = true,
	.run = registry_rm,
};

static const struct opt tags_table[] = {
	REACH_OF(reach_opts, ),
	{ 0 },
};

CLI_VERB(registry_tags_verb) = {
	.name = "registry tags",
	.args = "NAME",
	.summary = "List the tags of a repository",
	.min_args = 1,
	.max_args = 1,
	.opts = tags_table,
	.opts_size = sizeof(struct reach_opts),
	.interspersed = true,
	.run = registry_tags,
};

static const struct opt referrers_table[] = {
	{ "artifact-type", 0, OPT_STRING, offsetof(struct registry_referrers_opts, type), "TYPE",
	  "only those of this type" },
	{ "format", 0, OPT_STRING, offsetof(struct registry_referrers_opts, format), "FORMAT",
	  "table, json, or a Go template" },
	REACH(registry_referrers_opts),
	{ 0 },
};

CLI_VERB(registry_referrers_verb) = {
	.name = "registry referrers",
	.args = "NAME[:TAG|@DIGEST]",
	.summary = "List what belongs to an image: signatures, lists of contents",
	.min_args = 1,
	.max_args = 1,
	.opts = referrers_table,
	.opts_size = sizeof(struct registry_referrers_opts),
	.interspersed = true,
	.run = registry_referrers,
};
