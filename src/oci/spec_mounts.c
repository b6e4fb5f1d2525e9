/* SPDX-License-Identifier: MIT */
/**
 * DOC: mounts
 *
 * Options are kept as written; only what decides whether an id-mapped mount makes sense is looked at.
 * Spec: runtime-spec 1.3, config.md "Mounts".
 */
#include <string.h>

#include "base/log.h"
#include "oci/spec_internal.h"

static bool has_option(const struct oci_mount *mount, const char *name)
{
	for (size_t i = 0; i < mount->options.n; i++) {
		if (strcmp(mount->options.v[i], name) == 0)
			return true;
	}
	return false;
}

static void check_idmap(struct json_in *in, const struct json *node, const struct oci_mount *mount,
			const struct oci_linux *linux)
{
	const bool mapped = mount->uid_mappings.n > 0 || mount->gid_mappings.n > 0;
	const bool asked = has_option(mount, "idmap") || has_option(mount, "ridmap");

	if (!mapped && !asked)
		return;
	if (!has_option(mount, "bind") && !has_option(mount, "rbind"))
		(void) json_fail(in, node, NULL,
				 "id-mapped mounts are only supported for bind-mounts");
	else if (mapped ? mount->uid_mappings.n == 0 || mount->gid_mappings.n == 0
			: !linux->namespaces[OCI_NS_USER].set)
		(void) json_fail(in, node, NULL, "id-mapped mounts must have both uid and gid "
						 "mappings specified");
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
