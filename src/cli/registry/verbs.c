/* SPDX-License-Identifier: MIT */
#include "cli/registry/verbs.h"

#include <stddef.h>

#include "cli/cli.h"

#define REACH(type)                                                                               \
	{ "cert-dir", 0, OPT_STRING, offsetof(struct type, reach.cert_dir), "DIR",                \
	  "certificates for the registry (default: HOST in /etc/docker/certs.d and the like)" },  \
	{ "creds", 0, OPT_STRING, offsetof(struct type, reach.creds), "USER[:PASSWORD]",          \
	  "who asks (default: as kept by 'login')" },                                             \
	{ "tls-verify", 0, OPT_OFF, offsetof(struct type, reach.no_verify), NULL,                 \
	  "check certificates, and never use plain HTTP (default: true, but for this machine)" }

static const struct opt pull_table[] = {
	{ "all-tags", 'a', OPT_BOOL, offsetof(struct pull_opts, all_tags), NULL,
	  "all tags of the repository" },
	{ "arch", 0, OPT_STRING, offsetof(struct pull_opts, arch), "ARCH",
	  "processor that the image is to be for" },
	{ "os", 0, OPT_STRING, offsetof(struct pull_opts, os), "OS", "system that it is to be for" },
	{ "platform", 0, OPT_STRING, offsetof(struct pull_opts, platform), "OS/ARCH",
	  "platform that it is to be for (default: this machine's)" },
	{ "quiet", 'q', OPT_BOOL, offsetof(struct pull_opts, quiet), NULL,
	  "print nothing but the name" },
	REACH(pull_opts),
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
