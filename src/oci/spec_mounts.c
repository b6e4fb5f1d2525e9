/* SPDX-License-Identifier: MIT */
/**
 * DOC: mounts
 *
 * Options are kept as written; only what decides whether an id-mapped mount makes sense is looked at.
 * Spec: runtime-spec 1.3, config.md "Mounts".
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "oci/spec_internal.h"

/* What follows the name of an option: "", or "=..." with a value; NULL without the option */
static const char *find_option(const struct oci_mount *mount, const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = 0; i < mount->options.n; i++) {
		const char *o = mount->options.v[i];

		if (strncmp(o, name, n) == 0 && (o[n] == '\0' || o[n] == '='))
			return o + n;
	}
	return NULL;
}

static void check_idmap(struct json_in *in, const struct json *node, const struct oci_mount *mount,
			const struct oci_linux *linux)
{
	const bool mapped = mount->uid_mappings.n > 0 || mount->gid_mappings.n > 0;
	const char *idmap = find_option(mount, "idmap"), *ridmap = find_option(mount, "ridmap");

	if (!mapped && idmap == NULL && ridmap == NULL)
		return;
	if (find_option(mount, "bind") == NULL && find_option(mount, "rbind") == NULL &&
	    !str_eq(mount->type, "bind")) {
		(void) json_fail(in, node, NULL,
				 "id-mapped mounts are only supported for bind-mounts");
		return;
	}
	if (mapped && mount->uid_mappings.n > 0 && mount->gid_mappings.n > 0)
		return;
	if (!mapped && (linux->namespaces[OCI_NS_USER].set || (idmap != NULL && *idmap == '=') ||
			(ridmap != NULL && *ridmap == '=')))
		return; /* those of the user namespace, or in the option */
	(void) json_fail(in, node, NULL,
			 "id-mapped mounts must have both uid and gid mappings specified");
}

static void parse_mount(struct json_in *in, const struct json *node, const struct oci_linux *linux,
			struct oci_mount *ret)
{
	if (!json_to_object(in, node))
		return;
	ret->destination = spec_str(in, node, "destination");
	ret->type = spec_str(in, node, "type");
	ret->source = spec_str(in, node, "source");
	ret->options = spec_strv(in, node, "options", SPEC_MOUNT_OPTIONS_MAX);
	ret->uid_mappings = spec_idmaps(in, node, "uidMappings");
	ret->gid_mappings = spec_idmaps(in, node, "gidMappings");
	if (in->code < 0)
		return;
	if (ret->destination == NULL) {
		(void) json_fail(in, node, "destination", "missing or empty");
		return;
	}
	if (ret->destination[0] != '/') {
		log_warning("mount destination %s is not absolute, using it as relative to /",
			    ret->destination);
		ret->destination = arena_printf(in->strings, "/%s", ret->destination);
		if (ret->destination == NULL)
			(void) json_nomem(in); /* kept in in->code */
	}
	check_idmap(in, node, ret, linux);
}

void spec_mounts(struct json_in *in, const struct json *root, struct oci_spec *ret)
{
	const struct json *it;

	ret->mounts = spec_array(in, root, "mounts", SPEC_MOUNTS_MAX, sizeof(*ret->mounts),
				 &ret->nr_mounts, &it);
	for (size_t i = 0; i < ret->nr_mounts && in->code == 0; i++, it = it->next)
		parse_mount(in, it, &ret->linux, &ret->mounts[i]);
}
