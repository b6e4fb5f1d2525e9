/* SPDX-License-Identifier: MIT */
/**
 * DOC: namespaces, the id mappings of the user namespace and the offsets of the time namespace
 * Spec: runtime-spec 1.3, config-linux.md "Namespaces", "User namespace mappings",
 * "Offset for Time Namespace".
 */
#include <string.h>

#include "oci/ns.h"
#include "oci/spec_internal.h"

#define NANOSECS_MAX 999999999

static void parse_namespace(struct json_in *in, const struct json *node, struct oci_linux *ret)
{
	const char *type;
	char *path;

	if (!json_to_object(in, node) || !json_need(in, node, "type"))
		return;
	type = json_get_str(in, node, "type");
	path = spec_path(in, node, "path");
	if (in->code < 0)
		return;
	for (size_t i = 0; i < OCI_NS_N_; i++) {
		if (strcmp(oci_ns_infos[i].name, type) != 0)
			continue;
		if (ret->namespaces[i].set)
			(void) json_fail(in, node, NULL,
					 "malformed spec file: duplicated ns \"%s\"", type);
		ret->namespaces[i] = (struct oci_namespace) { .set = true, .path = path };
		return;
	}
	(void) json_fail(in, node, "type", "namespace \"%.64s\" does not exist", type);
}

static void parse_mappings(struct json_in *in, const struct json *obj, struct oci_linux *ret)
{
	const struct oci_namespace *user = &ret->namespaces[OCI_NS_USER];
	bool mapped;

	ret->uid_mappings = spec_idmaps(in, obj, "uidMappings");
	ret->gid_mappings = spec_idmaps(in, obj, "gidMappings");
	if (in->code < 0)
		return;
	mapped = ret->uid_mappings.n > 0 || ret->gid_mappings.n > 0;
	if (!user->set && mapped)
		(void) json_fail(in, obj, ret->uid_mappings.n > 0 ? "uidMappings" : "gidMappings",
				 "user namespace mappings specified, but user namespace isn't "
				 "enabled in the config");
	if (user->set && user->path == NULL && !mapped)
		(void) json_fail(in, obj, "uidMappings",
				 "user namespaces enabled, but no namespace path to join nor "
				 "mappings to apply specified");
}

static void parse_offset(struct json_in *in, const struct json *clock, struct oci_time_offset *ret)
{
	uint64_t nanosecs = 0;

	(void) json_get_i64(in, clock, "secs", INT64_MIN, INT64_MAX, &ret->secs);
	(void) json_get_u64(in, clock, "nanosecs", NANOSECS_MAX, &nanosecs);
	ret->nanosecs = (uint32_t) nanosecs;
	ret->set = true;
}

static void parse_offsets(struct json_in *in, const struct json *obj, struct oci_linux *ret)
{
	const struct json *offsets = json_get_object(in, obj, "timeOffsets");
	const struct oci_namespace *time = &ret->namespaces[OCI_NS_TIME];
	const struct json *monotonic, *boottime;

	if (offsets == NULL || offsets->len == 0)
		return;
	monotonic = json_get_object(in, offsets, "monotonic");
	boottime = json_get_object(in, offsets, "boottime");
	for (const struct json *it = offsets->first; it != NULL && in->code == 0; it = it->next) {
		if (it != monotonic && it != boottime && it->kind != JSON_KIND_NULL)
			(void) json_fail(in, it, NULL, "no such clock");
	}
	if (!time->set)
		(void) json_fail(in, offsets, NULL, "time namespace offsets specified, but time "
						    "namespace isn't enabled in the config");
	else if (time->path != NULL)
		(void) json_fail(in, offsets, NULL,
				 "time namespace enabled, but both namespace path and time offsets "
				 "specified -- you may only provide one");
	if (monotonic != NULL)
		parse_offset(in, monotonic, &ret->monotonic);
	if (boottime != NULL)
		parse_offset(in, boottime, &ret->boottime);
}

void spec_namespaces(struct json_in *in, const struct json *obj, struct oci_linux *ret)
{
	const struct json *array = json_get_array(in, obj, "namespaces", OCI_NS_N_ * 2);

	for (const struct json *it = array != NULL ? array->first : NULL; it != NULL && in->code == 0;
	     it = it->next)
		parse_namespace(in, it, ret);
	parse_mappings(in, obj, ret);
	parse_offsets(in, obj, ret);
}
