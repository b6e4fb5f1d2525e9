/* SPDX-License-Identifier: MIT */
/**
 * DOC: the linux object, except for what has a file of its own
 * Spec: runtime-spec 1.3, config-linux.md.
 */
#include <linux/mempolicy.h>
#include <net/if.h>
#include <string.h>
#include <sys/personality.h>

#include "base/log.h"
#include "oci/spec_internal.h"
#include "oci/spec_names.h"

#define DEVICE_MODE_DEFAULT 0666
#define DEVICE_MODE_MASK 07777u
#define MAJOR_MAX 4095 /* 12 bits of the kernel's device number */
#define MINOR_MAX 1048575 /* 20 bits */

bool spec_netdev_name(const char *name)
{
	const size_t n = strlen(name);

	return n > 0 && n < IFNAMSIZ && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strpbrk(name, "/: \t\n\v\f\r") == NULL;
}

static void parse_device(struct json_in *in, const struct json *node, struct oci_device *ret)
{
	const char *type;
	uint32_t mode = DEVICE_MODE_DEFAULT;

	if (!json_to_object(in, node) || !json_need(in, node, "path") || !json_need(in, node, "type"))
		return;
	ret->path = spec_path(in, node, "path");
	type = json_get_str(in, node, "type");
	(void) json_get_i64(in, node, "major", 0, MAJOR_MAX, &ret->major);
	(void) json_get_i64(in, node, "minor", 0, MINOR_MAX, &ret->minor);
	(void) json_get_u32(in, node, "fileMode", &mode);
	(void) json_get_u32(in, node, "uid", &ret->uid);
	(void) json_get_u32(in, node, "gid", &ret->gid);
	if (in->code < 0)
		return;
	if (ret->path == NULL)
		(void) json_fail(in, node, "path", "missing or empty");
	if (strlen(type) != 1 || strchr("cbup", type[0]) == NULL)
		(void) json_fail(in, node, "type", "invalid device type \"%.16s\"", type);
	ret->type = type[0] == 'u' ? 'c' : type[0];
	ret->mode = mode & DEVICE_MODE_MASK; /* some writers include the type bits */
	if (ret->type != 'p' && json_need(in, node, "major"))
		(void) json_need(in, node, "minor"); /* kept in in->code */
}

static void parse_net_devices(struct json_in *in, const struct json *obj, struct oci_linux *ret)
{
	const struct json *map = json_get_object(in, obj, "netDevices");

	if (map == NULL || map->len == 0)
		return;
	if (map->len > SPEC_DEVICES_MAX)
		(void) json_fail(in, map, NULL, "%u members are over the limit %d", map->len,
				 SPEC_DEVICES_MAX);
	else if (!ret->namespaces[OCI_NS_NETWORK].set)
		(void) json_fail(in, map, NULL,
				 "unable to move network devices without a NET namespace");
	if (in->code < 0)
		return;
	ret->net_devices = arena_alloc(in->strings, map->len, sizeof(*ret->net_devices));
	if (ret->net_devices == NULL)
		(void) json_nomem(in); /* kept in in->code */
	for (const struct json *it = map->first; it != NULL && in->code == 0; it = it->next) {
		struct oci_net_device *dev = &ret->net_devices[ret->nr_net_devices++];

		dev->host_name = json_to_key(in, it);
		if (!json_to_object(in, it))
			return;
		dev->container_name = spec_str(in, it, "name");
		if (in->code < 0)
			return;
		if (dev->container_name == NULL)
			dev->container_name = dev->host_name;
		if (!spec_netdev_name(dev->host_name) || !spec_netdev_name(dev->container_name))
			(void) json_fail(in, it, NULL, "invalid network device name \"%.64s\"",
					 spec_netdev_name(dev->host_name) ? dev->container_name
									  : dev->host_name);
	}
}

static char *parse_schema(struct json_in *in, const struct json *obj, const char *key,
			  const char *prefix)
{
	char *schema = spec_str(in, obj, key);

	if (schema == NULL)
		return NULL;
	if (prefix != NULL && strncmp(schema, prefix, strlen(prefix)) != 0)
		(void) json_fail(in, obj, key, "must start with '%s'", prefix);
	else if (strchr(schema, '\n') != NULL)
		(void) json_fail(in, obj, key, "contains a newline");
	return schema;
}

static void parse_intel_rdt(struct json_in *in, const struct json *obj, struct oci_linux *ret)
{
	const struct json *member = json_get_object(in, obj, "intelRdt");
	struct oci_intel_rdt *rdt;
	const char *clos;

	if (member == NULL)
		return;
	ret->intel_rdt = rdt = arena_alloc(in->strings, 1, sizeof(*rdt));
	if (rdt == NULL) {
		(void) json_nomem(in); /* kept in in->code */
		return;
	}
	rdt->clos_id = spec_str(in, member, "closID");
	rdt->l3_cache_schema = parse_schema(in, member, "l3CacheSchema", NULL);
	rdt->mem_bw_schema = parse_schema(in, member, "memBwSchema", "MB:");
	rdt->schemata = spec_strv(in, member, "schemata", SPEC_RULES_MAX);
	rdt->enable_monitoring = json_get_bool(in, member, "enableMonitoring", false);
	for (size_t i = 0; i < rdt->schemata.n; i++) {
		if (strchr(rdt->schemata.v[i], '\n') != NULL)
			(void) json_fail(in, member, "schemata", "contains a newline");
	}
	clos = rdt->clos_id;
	if (clos != NULL && (strcmp(clos, ".") == 0 || strcmp(clos, "..") == 0 ||
			     (clos[1] != '\0' && strchr(clos, '/') != NULL)))
		(void) json_fail(in, member, "closID", "invalid intelRdt.ClosID \"%.64s\"", clos);
}

static void check_nodes(struct json_in *in, const struct json *obj, uint32_t mode, size_t count)
{
	if ((mode == MPOL_DEFAULT || mode == MPOL_LOCAL) && count > 0)
		(void) json_fail(in, obj, "nodes",
				 "invalid memory policy: mode requires 0 nodes but got %zu", count);
	if (mode != MPOL_DEFAULT && mode != MPOL_LOCAL && mode != MPOL_PREFERRED && count == 0)
		(void) json_fail(in, obj, "nodes",
				 "invalid memory policy: mode requires at least one node but got 0");
}

static void parse_memory_policy(struct json_in *in, const struct json *obj, struct oci_linux *ret)
{
	const struct json *member = json_get_object(in, obj, "memoryPolicy");
	struct oci_memory_policy *policy;
	uint32_t mode = 0;
	size_t count = 0;
	const char *name;

	if (member == NULL)
		return;
	ret->memory_policy = policy = arena_alloc(in->strings, 1, sizeof(*policy));
	if (policy == NULL) {
		(void) json_nomem(in); /* kept in in->code */
		return;
	}
	name = json_get_str(in, member, "mode");
	policy->nodes = spec_str(in, member, "nodes");
	if (in->code < 0)
		return;
	if (name == NULL || !oci_name_find(&oci_mpol_names, name, &mode))
		(void) json_fail(in, member, "mode", "invalid memory policy mode \"%.64s\"",
				 name != NULL ? name : "");
	else if (policy->nodes != NULL && !spec_list_count(policy->nodes, &count))
		(void) json_fail(in, member, "nodes", "invalid memory policy nodes \"%.200s\"",
				 policy->nodes);
	policy->mode = (int) (mode | spec_flags(in, member, "flags", &oci_mpol_flag_names,
						"invalid memory policy flag"));
	if (in->code == 0)
		check_nodes(in, member, mode, count);
}

static void parse_personality(struct json_in *in, const struct json *obj, struct oci_linux *ret)
{
	const struct json *member = json_get_object(in, obj, "personality");
	const char *domain = json_get_str(in, member, "domain");

	if (member == NULL || in->code < 0)
		return;
	if (json_get_array(in, member, "flags", SPEC_FLAGS_MAX) != NULL)
		log_warning("ignoring personality flags, none is defined");
	if (domain != NULL && strcmp(domain, "LINUX32") == 0)
		ret->personality = PER_LINUX32;
	else if (domain != NULL && strcmp(domain, "LINUX") == 0)
		ret->personality = PER_LINUX;
	else
		(void) json_fail(in, member, "domain", "invalid personality domain %.64s",
				 domain != NULL ? domain : "");
	ret->personality_set = true;
}

static void parse_propagation(struct json_in *in, const struct json *obj, struct oci_linux *ret)
{
	const char *name = spec_str(in, obj, "rootfsPropagation");
	uint32_t flag = 0;

	if (name != NULL && !oci_name_find(&oci_propagation_names, name, &flag))
		(void) json_fail(in, obj, "rootfsPropagation",
				 "rootfsPropagation=%.64s is not supported", name);
	ret->rootfs_propagation = flag;
}

static struct oci_strv parse_paths(struct json_in *in, const struct json *obj, const char *key,
				   const struct oci_linux *linux)
{
	struct oci_strv paths = spec_strv(in, obj, key, SPEC_PATHS_MAX);

	if (paths.n > 0 && !linux->namespaces[OCI_NS_MOUNT].set)
		(void) json_fail(in, obj, key, "unable to restrict sys entries without a private "
					       "MNT namespace");
	for (size_t i = 0; i < paths.n && in->code == 0; i++) {
		if (paths.v[i][0] != '/')
			(void) json_fail(in, obj, key, "'%.200s' is not an absolute path",
					 paths.v[i]);
	}
	return paths;
}

void spec_linux(struct json_in *in, const struct json *root, struct oci_spec *spec)
{
	const struct json *obj = json_get_object(in, root, "linux");
	struct oci_linux *ret = &spec->linux;
	const struct json *resources, *it;

	if (obj == NULL)
		return;
	spec_namespaces(in, obj, ret);
	spec_sysctl(in, obj, ret);
	resources = json_get_object(in, obj, "resources");
	if (resources != NULL) {
		ret->resources_set = true;
		spec_resources(in, resources, &ret->resources);
	}
	ret->cgroups_path = spec_str(in, obj, "cgroupsPath");
	ret->devices = spec_array(in, obj, "devices", SPEC_DEVICES_MAX, sizeof(*ret->devices),
				  &ret->nr_devices, &it);
	for (size_t i = 0; i < ret->nr_devices && in->code == 0; i++, it = it->next)
		parse_device(in, it, &ret->devices[i]);
	parse_net_devices(in, obj, ret);
	ret->seccomp = spec_seccomp(in, obj);
	parse_propagation(in, obj, ret);
	ret->masked_paths = parse_paths(in, obj, "maskedPaths", ret);
	ret->readonly_paths = parse_paths(in, obj, "readonlyPaths", ret);
	ret->mount_label = spec_str(in, obj, "mountLabel");
	parse_intel_rdt(in, obj, ret);
	parse_memory_policy(in, obj, ret);
	parse_personality(in, obj, ret);
}
