/* SPDX-License-Identifier: MIT */
/**
 * DOC: the configuration of an instance as text
 *
 * One table says which members there are; the writer and the reader go through it.  What was not given
 * is left out, so the text is short.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/config.h"

#define VERSION 1
#define WORDS_MAX 65536 /* of one list */

enum kind { TEXT, WORDS, FLAG, U64, I64 };

struct field {
	const char *key;
	enum kind kind;
	size_t offset;
};

#define FIELD(key, kind, name) { key, kind, offsetof(struct eng_config, name) }

static const struct field fields[] = {
	FIELD("image", TEXT, image),
	FIELD("imageId", TEXT, image_id),
	FIELD("chain", TEXT, chain),
	FIELD("args", WORDS, args),
	FIELD("entrypoint", WORDS, entrypoint),
	FIELD("cmd", WORDS, cmd),
	FIELD("env", WORDS, env),
	FIELD("labels", WORDS, labels),
	FIELD("annotations", WORDS, annotations),
	FIELD("workdir", TEXT, workdir),
	FIELD("user", TEXT, user),
	FIELD("hostname", TEXT, hostname),
	FIELD("domainname", TEXT, domainname),
	FIELD("tty", FLAG, tty),
	FIELD("openStdin", FLAG, open_stdin),
	FIELD("readOnly", FLAG, read_only),
	FIELD("autoRemove", FLAG, auto_remove),
	FIELD("privileged", FLAG, privileged),
	FIELD("init", FLAG, init),
	FIELD("publishAll", FLAG, publish_all),
	FIELD("volumesFrom", WORDS, volumes_from),
	FIELD("kernel", TEXT, kernel),
	FIELD("append", TEXT, append),
	FIELD("accel", TEXT, accel),
	FIELD("vcpus", U64, vcpus),
	FIELD("network", TEXT, network),
	FIELD("pid", TEXT, pid),
	FIELD("ipc", TEXT, ipc),
	FIELD("uts", TEXT, uts),
	FIELD("userns", TEXT, userns),
	FIELD("cgroupns", TEXT, cgroupns),
	FIELD("usernsStart", U64, userns_start),
	FIELD("usernsSize", U64, userns_size),
	FIELD("capAdd", WORDS, cap_add),
	FIELD("capDrop", WORDS, cap_drop),
	FIELD("securityOpts", WORDS, security_opts),
	FIELD("groups", WORDS, groups),
	FIELD("devices", WORDS, devices),
	FIELD("deviceRules", WORDS, device_rules),
	FIELD("sysctls", WORDS, sysctls),
	FIELD("memory", U64, memory),
	FIELD("memoryReservation", U64, memory_reservation),
	FIELD("nanoCpus", U64, nano_cpus),
	FIELD("cpuShares", U64, cpu_shares),
	FIELD("cpuPeriod", U64, cpu_period),
	FIELD("cpuQuota", U64, cpu_quota),
	FIELD("memorySwap", I64, memory_swap),
	FIELD("pidsLimit", I64, pids_limit),
	FIELD("oomScoreAdj", I64, oom_score_adj),
	FIELD("blkioWeight", U64, blkio_weight),
	FIELD("shmSize", U64, shm_size),
	FIELD("oomKillDisable", FLAG, oom_kill_disable),
	FIELD("cpusetCpus", TEXT, cpuset_cpus),
	FIELD("cpusetMems", TEXT, cpuset_mems),
	FIELD("cgroupParent", TEXT, cgroup_parent),
	FIELD("ulimits", WORDS, ulimits),
	FIELD("blkioWeightDevice", WORDS, blkio_weight_device),
	FIELD("deviceReadBps", WORDS, device_read_bps),
	FIELD("deviceWriteBps", WORDS, device_write_bps),
	FIELD("deviceReadIops", WORDS, device_read_iops),
	FIELD("deviceWriteIops", WORDS, device_write_iops),
	FIELD("addHosts", WORDS, add_hosts),
	FIELD("links", WORDS, links),
	FIELD("dns", WORDS, dns),
	FIELD("dnsSearch", WORDS, dns_search),
	FIELD("dnsOptions", WORDS, dns_options),
	FIELD("ports", WORDS, ports),
	FIELD("expose", WORDS, expose),
	FIELD("macAddress", TEXT, mac_address),
	FIELD("ip", TEXT, ip),
	FIELD("ip6", TEXT, ip6),
	FIELD("networks", WORDS, networks),
	FIELD("networkRate", U64, network_rate),
	FIELD("networkAliases", WORDS, network_aliases),
	FIELD("stopSignal", TEXT, stop_signal),
	FIELD("restart", TEXT, restart),
	FIELD("systemd", TEXT, systemd),
	FIELD("stopTimeout", I64, stop_timeout),
	FIELD("restartMax", U64, restart_max),
	FIELD("health", WORDS, health),
	FIELD("healthInterval", U64, health_interval),
	FIELD("healthTimeout", U64, health_timeout),
	FIELD("healthStartPeriod", U64, health_start_period),
	FIELD("healthStartInterval", U64, health_start_interval),
	FIELD("healthRetries", U64, health_retries),
	FIELD("healthOnFailure", TEXT, health_on_failure),
	FIELD("logDriver", TEXT, log_driver),
	FIELD("logOpts", WORDS, log_opts),
	FIELD("createCommand", WORDS, create_command),
	FIELD("platform", TEXT, platform),
	FIELD("umask", TEXT, umask),
	FIELD("detached", FLAG, detached),
	FIELD("noHosts", FLAG, no_hosts),
	FIELD("noHostname", FLAG, no_hostname),
	FIELD("swappiness", TEXT, swappiness),
	FIELD("cpuRtPeriod", U64, cpu_rt_period),
	FIELD("cpuRtRuntime", I64, cpu_rt_runtime),
};

static const char *const mount_kinds[ENG_MOUNT_N_] = { "bind", "volume", "tmpfs" };

static void key_json(const char *key, struct str *ret)
{
	str_printf(ret, ",\"%s\":", key);
}

static void text_json(const char *key, const char *value, struct str *ret)
{
	if (value == NULL)
		return;
	key_json(key, ret);
	str_json(ret, value);
}

static void flag_json(const char *key, bool value, struct str *ret)
{
	if (value)
		str_printf(ret, ",\"%s\":true", key);
}

static void words_json(const char *key, const struct img_words *list, struct str *ret)
{
	if (list->n == 0)
		return;
	key_json(key, ret);
	for (size_t i = 0; i < list->n; i++) {
		str_puts(ret, i > 0 ? "," : "[");
		str_json(ret, list->v[i]);
	}
	str_puts(ret, "]");
}

static void field_json(const struct field *f, const struct eng_config *c, struct str *ret)
{
	const void *at = (const char *) c + f->offset;

	switch (f->kind) {
	case TEXT:
		text_json(f->key, *(const char *const *) at, ret);
		break;
	case WORDS:
		words_json(f->key, at, ret);
		break;
	case FLAG:
		flag_json(f->key, *(const bool *) at, ret);
		break;
	case U64:
		if (*(const uint64_t *) at != 0)
			str_printf(ret, ",\"%s\":%llu", f->key,
				   (unsigned long long) *(const uint64_t *) at);
		break;
	case I64:
		if (*(const int64_t *) at != 0)
			str_printf(ret, ",\"%s\":%lld", f->key,
				   (long long) *(const int64_t *) at);
		break;
	}
}

static void mount_json(const struct eng_mount *m, struct str *ret)
{
	str_printf(ret, "{\"type\":\"%s\"", mount_kinds[m->kind]);
	text_json("source", m->source, ret);
	text_json("destination", m->destination, ret);
	text_json("propagation", m->propagation, ret);
	text_json("options", m->options, ret);
	flag_json("readOnly", m->read_only, ret);
	flag_json("recursiveOff", m->recursive_off, ret);
	flag_json("writableBelow", m->writable_below, ret);
	flag_json("noCopy", m->no_copy, ret);
	flag_json("anonymous", m->anonymous, ret);
	str_puts(ret, "}");
}

void eng_config_json(const struct eng_config *c, struct str *ret)
{
	str_printf(ret, "{\"version\":%d", VERSION);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		field_json(&fields[i], c, ret);
	for (size_t i = 0; i < c->nr_mounts; i++) {
		str_puts(ret, i > 0 ? "," : ",\"mounts\":[");
		mount_json(&c->mounts[i], ret);
	}
	str_puts(ret, c->nr_mounts > 0 ? "]}\n" : "}\n");
}

static void read_words(struct json_in *in, const struct json *obj, const char *key,
		       struct img_words *ret)
{
	const struct json *list = json_get_array(in, obj, key, WORDS_MAX);

	if (list == NULL)
		return;
	ret->v = arena_alloc(in->strings, (size_t) list->len + 1, sizeof(*ret->v));
	if (ret->v == NULL) {
		(void) json_nomem(in);
		return;
	}
	for (const struct json *n = list->first; n != NULL && in->code == 0; n = n->next)
		ret->v[ret->n++] = json_to_str(in, n);
}

static void read_field(struct json_in *in, const struct field *f, struct eng_config *c)
{
	void *at = (char *) c + f->offset;

	switch (f->kind) {
	case TEXT:
		*(const char **) at = json_get_str(in, in->root, f->key);
		break;
	case WORDS:
		read_words(in, in->root, f->key, at);
		break;
	case FLAG:
		*(bool *) at = json_get_bool(in, in->root, f->key, false);
		break;
	case U64:
		(void) json_get_u64(in, in->root, f->key, UINT64_MAX, at); /* absent: stays 0 */
		break;
	case I64:
		(void) json_get_i64(in, in->root, f->key, INT64_MIN, INT64_MAX, at);
		break;
	}
}

static void read_mount(struct json_in *in, const struct json *obj, struct eng_mount *ret)
{
	const char *type;

	if (!json_to_object(in, obj) || !json_need(in, obj, "type") ||
	    !json_need(in, obj, "destination"))
		return;
	type = json_get_str(in, obj, "type");
	while (type != NULL && ret->kind < ENG_MOUNT_N_ &&
	       strcmp(type, mount_kinds[ret->kind]) != 0)
		ret->kind++;
	if (ret->kind == ENG_MOUNT_N_)
		(void) json_fail(in, obj, "type", "unknown type '%.32s'", type);
	ret->source = json_get_str(in, obj, "source");
	ret->destination = json_get_str(in, obj, "destination");
	ret->propagation = json_get_str(in, obj, "propagation");
	ret->options = json_get_str(in, obj, "options");
	ret->read_only = json_get_bool(in, obj, "readOnly", false);
	ret->recursive_off = json_get_bool(in, obj, "recursiveOff", false);
	ret->writable_below = json_get_bool(in, obj, "writableBelow", false);
	ret->no_copy = json_get_bool(in, obj, "noCopy", false);
	ret->anonymous = json_get_bool(in, obj, "anonymous", false);
}

static void read_mounts(struct json_in *in, struct eng_config *c)
{
	const struct json *list = json_get_array(in, in->root, "mounts", ENG_MOUNTS_MAX);

	if (list == NULL)
		return;
	c->mounts = arena_alloc(in->strings, list->len, sizeof(*c->mounts));
	if (c->mounts == NULL) {
		(void) json_nomem(in);
		return;
	}
	for (const struct json *n = list->first; n != NULL && in->code == 0; n = n->next)
		read_mount(in, n, &c->mounts[c->nr_mounts++]);
}

int eng_config_read(const char *file, const char *text, size_t len, struct eng_config *ret,
		    struct err *err)
{
	struct eng_config c = { 0 };
	uint64_t version = 0;
	struct json_in in;
	int r = json_parse(&in, file, &c.arena, text, len, err);

	if (r == 0 && json_to_object(&in, in.root) && json_need(&in, in.root, "version")) {
		(void) json_get_u64(&in, in.root, "version", UINT64_MAX, &version);
		if (in.code == 0 && version != VERSION)
			(void) json_fail(&in, in.root, "version", "%llu is not known here, %d is",
					 (unsigned long long) version, VERSION);
		for (size_t i = 0; i < ARRAY_LEN(fields) && in.code == 0; i++)
			read_field(&in, &fields[i], &c);
		read_mounts(&in, &c);
	}
	if (r == 0)
		r = in.code;
	json_fini(&in);
	if (r < 0)
		eng_config_fini(&c);
	else
		*ret = c;
	return r;
}
