/* SPDX-License-Identifier: MIT */
/**
 * DOC: limits, also those of the "update" verb
 *
 * Only the form is checked here; what the control files of the host take is for oci/cgroup.h to see.
 * Spec: runtime-spec 1.3, config-linux.md "Control groups".
 */
#include <string.h>

#include "oci/spec_internal.h"

#define MAJOR_MAX 4095 /* 12 bits of the kernel's device number */
#define MINOR_MAX 1048575 /* 20 bits */
#define SWAPPINESS_MAX 100

static void parse_device_rule(struct json_in *in, const struct json *node, size_t i,
			      struct oci_device_rule *ret)
{
	const char *access, *type;

	if (!json_to_object(in, node))
		return;
	access = spec_str(in, node, "access");
	type = spec_str(in, node, "type");
	ret->allow = json_get_bool(in, node, "allow", false);
	ret->type = type != NULL ? type[0] : 'a';
	ret->major = ret->minor = -1;
	(void) json_get_i64(in, node, "major", -1, MAJOR_MAX, &ret->major);
	(void) json_get_i64(in, node, "minor", -1, MINOR_MAX, &ret->minor);
	if (in->code < 0)
		return;
	if (access == NULL) {
		(void) json_fail(in, node, "access", "device access at %zu field cannot be empty", i);
		return;
	}
	if (access[strspn(access, "rwma")] != '\0') /* runc passes over the 'a' of "all" too */
		(void) json_fail(in, node, "access", "invalid device permissions: \"%.16s\"", access);
	if (type != NULL && (strchr("abc", type[0]) == NULL || type[1] != '\0'))
		(void) json_fail(in, node, "type", "invalid cgroup device type \"%.16s\"", type);
	ret->read = strchr(access, 'r') != NULL;
	ret->write = strchr(access, 'w') != NULL;
	ret->mknod = strchr(access, 'm') != NULL;
}

static void parse_memory(struct json_in *in, const struct json *obj, struct oci_memory *ret)
{
	const struct json *kill = json_get(in, obj, "disableOOMKiller");

	ret->limit = spec_opt_i64(in, obj, "limit", -1, INT64_MAX);
	ret->reservation = spec_opt_i64(in, obj, "reservation", -1, INT64_MAX);
	ret->swap = spec_opt_i64(in, obj, "swap", -1, INT64_MAX);
	ret->kernel = spec_opt_i64(in, obj, "kernel", -1, INT64_MAX);
	ret->kernel_tcp = spec_opt_i64(in, obj, "kernelTCP", -1, INT64_MAX);
	ret->swappiness = spec_opt_u64(in, obj, "swappiness", SWAPPINESS_MAX);
	ret->disable_oom_killer = json_get_bool(in, obj, "disableOOMKiller", false);
	ret->disable_oom_killer_set = kill != NULL;
	ret->check_before_update = json_get_bool(in, obj, "checkBeforeUpdate", false);
	(void) json_get_bool(in, obj, "useHierarchy", false); /* always on; only its type matters */
}

static char *parse_list(struct json_in *in, const struct json *obj, const char *key)
{
	char *list = spec_str(in, obj, key);
	size_t count;

	if (list != NULL && !spec_list_count(list, &count))
		(void) json_fail(in, obj, key, "'%.200s' is not a list of numbers", list);
	return list;
}

static void parse_cpu(struct json_in *in, const struct json *obj, struct oci_cpu *ret)
{
	ret->shares = spec_opt_u64(in, obj, "shares", UINT64_MAX);
	ret->burst = spec_opt_u64(in, obj, "burst", UINT64_MAX);
	ret->period = spec_opt_u64(in, obj, "period", UINT64_MAX);
	ret->rt_period = spec_opt_u64(in, obj, "realtimePeriod", UINT64_MAX);
	ret->quota = spec_opt_i64(in, obj, "quota", -1, INT64_MAX);
	ret->rt_runtime = spec_opt_i64(in, obj, "realtimeRuntime", -1, INT64_MAX);
	ret->idle = spec_opt_i64(in, obj, "idle", 0, 1);
	ret->cpus = parse_list(in, obj, "cpus");
	ret->mems = parse_list(in, obj, "mems");
}

/* Common start of the entries of blockIO */
static bool parse_block_device(struct json_in *in, const struct json *node, int64_t *major,
			       int64_t *minor)
{
	if (!json_to_object(in, node) || !json_need(in, node, "major") ||
	    !json_need(in, node, "minor"))
		return false;
	(void) json_get_i64(in, node, "major", 0, MAJOR_MAX, major);
	(void) json_get_i64(in, node, "minor", 0, MINOR_MAX, minor);
	return in->code == 0;
}

static void parse_block_io(struct json_in *in, const struct json *obj, struct oci_block_io *ret)
{
	static const char *const throttles[OCI_THROTTLE_N_] = {
		[OCI_READ_BPS] = "throttleReadBpsDevice",
		[OCI_WRITE_BPS] = "throttleWriteBpsDevice",
		[OCI_READ_IOPS] = "throttleReadIOPSDevice",
		[OCI_WRITE_IOPS] = "throttleWriteIOPSDevice",
	};
	const struct json *it;

	ret->weight = spec_opt_u64(in, obj, "weight", UINT16_MAX);
	ret->leaf_weight = spec_opt_u64(in, obj, "leafWeight", UINT16_MAX);
	ret->weight_devices = spec_array(in, obj, "weightDevice", SPEC_RULES_MAX,
					 sizeof(*ret->weight_devices), &ret->nr_weight_devices, &it);
	for (size_t i = 0; i < ret->nr_weight_devices; i++, it = it->next) {
		struct oci_weight_device *d = &ret->weight_devices[i];

		if (!parse_block_device(in, it, &d->major, &d->minor))
			return;
		d->weight = spec_opt_u64(in, it, "weight", UINT16_MAX);
		d->leaf_weight = spec_opt_u64(in, it, "leafWeight", UINT16_MAX);
	}
	for (size_t t = 0; t < OCI_THROTTLE_N_; t++) {
		struct oci_throttle_device *d;

		ret->throttle[t].v = d = spec_array(in, obj, throttles[t], SPEC_RULES_MAX,
						    sizeof(*d), &ret->throttle[t].n, &it);
		for (size_t i = 0; i < ret->throttle[t].n; i++, it = it->next, d++) {
			if (!parse_block_device(in, it, &d->major, &d->minor))
				return;
			(void) json_get_u64(in, it, "rate", UINT64_MAX, &d->rate);
		}
	}
}

/* "64KB", "2MB", "1GB": part of a file name in the cgroup */
static bool is_page_size(const char *s)
{
	const size_t n = strspn(s, "0123456789");

	return n > 0 && n < 20 && s[0] != '0' && s[n] != '\0' && strchr("KMG", s[n]) != NULL &&
	       strcmp(s + n + 1, "B") == 0;
}

static void parse_hugepages(struct json_in *in, const struct json *obj, struct oci_resources *ret)
{
	const struct json *it;

	ret->hugepages = spec_array(in, obj, "hugepageLimits", SPEC_RULES_MAX,
				    sizeof(*ret->hugepages), &ret->nr_hugepages, &it);
	for (size_t i = 0; i < ret->nr_hugepages; i++, it = it->next) {
		struct oci_hugepage_limit *h = &ret->hugepages[i];
		const char *size = "pageSize";

		if (!json_to_object(in, it))
			return;
		if (json_get(in, it, size) == NULL && json_get(in, it, "pagesize") != NULL)
			size = "pagesize"; /* seen in the wild: readers written in Go ignore case */
		if (!json_need(in, it, size) || !json_need(in, it, "limit"))
			return;
		h->page_size = json_get_str(in, it, size);
		(void) json_get_u64(in, it, "limit", UINT64_MAX, &h->limit);
		if (in->code == 0 && !is_page_size(h->page_size))
			(void) json_fail(in, it, size, "'%.32s' is not a size like '2MB'", h->page_size);
	}
}

static void parse_network(struct json_in *in, const struct json *obj, struct oci_resources *ret)
{
	const struct json *it;

	ret->net_class_id = spec_opt_u64(in, obj, "classID", UINT32_MAX);
	ret->net_priorities.v = spec_array(in, obj, "priorities", SPEC_RULES_MAX,
					   sizeof(*ret->net_priorities.v), &ret->net_priorities.n,
					   &it);
	for (size_t i = 0; i < ret->net_priorities.n; i++, it = it->next) {
		struct oci_pair *pair = &ret->net_priorities.v[i];
		uint32_t priority = 0;

		if (!json_to_object(in, it) || !json_need(in, it, "name"))
			return;
		pair->key = json_get_str(in, it, "name");
		(void) json_get_u32(in, it, "priority", &priority);
		if (in->code == 0 && !spec_netdev_name(pair->key))
			(void) json_fail(in, it, "name", "invalid network device name \"%.64s\"",
					 pair->key);
		pair->value = arena_printf(in->strings, "%u", priority);
		if (pair->value == NULL)
			(void) json_nomem(in); /* kept in in->code */
	}
}

static void parse_rdma(struct json_in *in, const struct json *obj, struct oci_resources *ret)
{
	const struct json *map = json_get_object(in, obj, "rdma");

	if (map == NULL || map->len == 0)
		return;
	if (map->len > SPEC_RULES_MAX) {
		(void) json_fail(in, map, NULL, "%u members are over the limit %d", map->len,
				 SPEC_RULES_MAX);
		return;
	}
	ret->rdma = arena_alloc(in->strings, map->len, sizeof(*ret->rdma));
	if (ret->rdma == NULL)
		(void) json_nomem(in); /* kept in in->code */
	for (const struct json *it = map->first; it != NULL && in->code == 0; it = it->next) {
		struct oci_rdma *rdma = &ret->rdma[ret->nr_rdma++];

		rdma->device = json_to_key(in, it);
		if (!json_to_object(in, it))
			return;
		rdma->hca_handles = spec_opt_u64(in, it, "hcaHandles", UINT32_MAX);
		rdma->hca_objects = spec_opt_u64(in, it, "hcaObjects", UINT32_MAX);
		if (in->code == 0 && strpbrk(rdma->device, " \t\n/") != NULL)
			(void) json_fail(in, it, NULL, "not a device name");
	}
}

static void parse_unified(struct json_in *in, const struct json *obj, struct oci_resources *ret)
{
	ret->unified = spec_pairs(in, obj, "unified");
	for (size_t i = 0; i < ret->unified.n; i++) {
		const char *key = ret->unified.v[i].key;

		if (strchr(key, '/') != NULL || key[0] == '.')
			(void) json_fail(in, obj, "unified",
					 "unified resource \"%.128s\" must be a file name "
					 "(no slashes)",
					 key);
	}
}

void spec_resources(struct json_in *in, const struct json *obj, struct oci_resources *ret)
{
	const struct json *it;

	ret->devices = spec_array(in, obj, "devices", SPEC_DEVICES_MAX, sizeof(*ret->devices),
				  &ret->nr_devices, &it);
	for (size_t i = 0; i < ret->nr_devices && in->code == 0; i++, it = it->next)
		parse_device_rule(in, it, i, &ret->devices[i]);
	parse_memory(in, json_get_object(in, obj, "memory"), &ret->memory);
	parse_cpu(in, json_get_object(in, obj, "cpu"), &ret->cpu);
	ret->pids_limit = spec_opt_i64(in, json_get_object(in, obj, "pids"), "limit", INT64_MIN,
				       INT64_MAX);
	parse_block_io(in, json_get_object(in, obj, "blockIO"), &ret->block_io);
	parse_hugepages(in, obj, ret);
	parse_network(in, json_get_object(in, obj, "network"), ret);
	parse_rdma(in, obj, ret);
	parse_unified(in, obj, ret);
}
