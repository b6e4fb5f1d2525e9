/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/inspect_parts.h"
#include "engine/instance.h"
#include "net/publish.h"

/* "PATH:NUMBER" */
static void add_throttle(struct str *s, const char *key, const char *value_key,
			 const struct img_words *list)
{
	json_open(s, key, '[');
	for (size_t i = 0; i < list->n; i++) {
		const char *colon = strrchr(list->v[i], ':');
		_cleanup_free_ char *path =
			colon != NULL ? strndup(list->v[i], (size_t) (colon - list->v[i])) : NULL;

		if (path == NULL)
			continue;
		json_open(s, NULL, '{');
		json_text(s, "Path", path);
		json_uint(s, value_key, strtoull(colon + 1, NULL, 10));
		json_close(s, '}');
	}
	json_close(s, ']');
}

/* "HOST:INSIDE:rwm" */
static void add_devices(struct str *s, const struct img_words *list)
{
	json_open(s, "Devices", '[');
	for (size_t i = 0; i < list->n; i++) {
		_cleanup_free_ char *text = strdup(list->v[i]);
		char *inside = text != NULL ? strchr(text, ':') : NULL;
		char *access = inside != NULL ? strchr(inside + 1, ':') : NULL;

		if (access == NULL)
			continue;
		*inside++ = '\0';
		*access++ = '\0';
		json_open(s, NULL, '{');
		json_text(s, "PathOnHost", text);
		json_text(s, "PathInContainer", inside);
		json_text(s, "CgroupPermissions", access);
		json_close(s, '}');
	}
	json_close(s, ']');
}

/* "NAME=SOFT:HARD" */
static void add_ulimits(struct str *s, const struct img_words *list)
{
	json_open(s, "Ulimits", '[');
	for (size_t i = 0; i < list->n; i++) {
		const char *value = strchr(list->v[i], '=');
		const char *hard = value != NULL ? strchr(value, ':') : NULL;
		_cleanup_free_ char *name = strndup(list->v[i], strcspn(list->v[i], "="));

		if (name == NULL || hard == NULL)
			continue;
		json_open(s, NULL, '{');
		json_text(s, "Name", name);
		json_int(s, "Hard", strtoll(hard + 1, NULL, 10));
		json_int(s, "Soft", strtoll(value + 1, NULL, 10));
		json_close(s, '}');
	}
	json_close(s, ']');
}

static bool is_bind(const struct eng_mount *m)
{
	return m->kind != ENG_MOUNT_TMPFS && !m->anonymous;
}

static bool is_tmpfs(const struct eng_mount *m)
{
	return m->kind == ENG_MOUNT_TMPFS;
}

static void add_bind(struct str *s, const struct eng_mount *m)
{
	_cleanup_(str_fini) struct str text = { 0 };

	str_printf(&text, "%s:%s%s", m->source, m->destination, m->read_only ? ":ro" : "");
	if (text.p != NULL)
		json_text(s, NULL, text.p);
}

static void add_binds(struct inspect *in)
{
	struct str *s = in->s;

	if (inspect_open_mounts(in, "Binds", '[', is_bind)) {
		for (size_t n = 0; n < in->c->nr_mounts; n++)
			if (is_bind(&in->c->mounts[n]))
				add_bind(s, &in->c->mounts[n]);
		json_close(s, ']');
	}
	if (inspect_open_mounts(in, "Tmpfs", '{', is_tmpfs)) {
		for (size_t n = 0; n < in->c->nr_mounts; n++)
			if (is_tmpfs(&in->c->mounts[n]))
				json_text(s, in->c->mounts[n].destination, inspect_or_empty(in->c->mounts[n].options));
		json_close(s, '}');
	}
}

static void add_limits(struct str *s, const struct eng_config *c)
{
	json_uint(s, "CpuShares", c->cpu_shares);
	json_uint(s, "Memory", c->memory);
	json_uint(s, "NanoCpus", c->nano_cpus);
	json_text(s, "CgroupParent", inspect_or_empty(c->cgroup_parent));
	json_uint(s, "BlkioWeight", c->blkio_weight);
	add_throttle(s, "BlkioWeightDevice", "Weight", &c->blkio_weight_device);
	add_throttle(s, "BlkioDeviceReadBps", "Rate", &c->device_read_bps);
	add_throttle(s, "BlkioDeviceWriteBps", "Rate", &c->device_write_bps);
	add_throttle(s, "BlkioDeviceReadIOps", "Rate", &c->device_read_iops);
	add_throttle(s, "BlkioDeviceWriteIOps", "Rate", &c->device_write_iops);
	json_uint(s, "CpuPeriod", c->cpu_period);
	json_uint(s, "CpuQuota", c->cpu_quota);
	json_uint(s, "CpuRealtimePeriod", c->cpu_rt_period);
	json_int(s, "CpuRealtimeRuntime", c->cpu_rt_runtime);
	json_text(s, "CpusetCpus", inspect_or_empty(c->cpuset_cpus));
	json_text(s, "CpusetMems", inspect_or_empty(c->cpuset_mems));
	add_devices(s, &c->devices);
	inspect_words(s, "DeviceCgroupRules", &c->device_rules);
	json_uint(s, "MemoryReservation", c->memory_reservation);
	json_int(s, "MemorySwap",
		 c->memory_swap != 0 ? c->memory_swap : (int64_t) c->memory * 2);
	json_raw(s, "MemorySwappiness", c->swappiness != NULL ? c->swappiness : "null");
	json_flag(s, "OomKillDisable", c->oom_kill_disable);
	if (c->pids_limit > 0)
		json_int(s, "PidsLimit", c->pids_limit);
	else
		json_raw(s, "PidsLimit", "null");
	add_ulimits(s, &c->ulimits);
}

static void add_binding(struct inspect *in, const struct net_publish *p)
{
	char address[NET_TEXT_MAX];

	net_address_text(&p->host, address);
	json_open(in->s, NULL, '{');
	json_text(in->s, "HostIp", address);
	json_text(in->s, "HostPort",
		  p->first == 0		? ""
		  : p->first == p->last ? arena_printf(&in->arena, "%u", p->first)
					: arena_printf(&in->arena, "%u-%u", p->first, p->last));
	json_close(in->s, '}');
}

/* All that were asked for one port inside, unless an earlier one was for the same */
static void add_port_bindings(struct inspect *in, const struct net_publish *list, int n, int at)
{
	for (int k = 0; k < at; k++)
		if (list[k].inside == list[at].inside && list[k].protocol == list[at].protocol)
			return;
	json_open(in->s, arena_printf(&in->arena, "%u/%s", list[at].inside, net_protocol_name(list[at].protocol)), '[');
	for (int k = at; k < n; k++)
		if (list[k].inside == list[at].inside && list[k].protocol == list[at].protocol)
			add_binding(in, &list[k]);
	json_close(in->s, ']');
}

/* As they were asked for */
static void add_bindings(struct inspect *in)
{
	_cleanup_free_ struct net_publish *all = NULL;
	int n = 0;

	for (size_t i = 0; i < in->c->ports.n; i++) {
		_cleanup_free_ struct net_publish *list = NULL;
		int more = net_publish_parse(in->c->ports.v[i], &list, NULL);
		struct net_publish *v = more > 0 ? realloc(all, (size_t) (n + more) * sizeof(*v)) : NULL;

		if (v == NULL)
			continue;
		all = v;
		memcpy(all + n, list, (size_t) more * sizeof(*all));
		n += more;
	}
	json_open(in->s, "PortBindings", '{');
	for (int at = 0; at < n; at++)
		add_port_bindings(in, all, n, at);
	json_close(in->s, '}');
}

/* What scripts made for Docker may ask for, and nothing here has */
static void add_unused(struct str *s)
{
	static const char *const empty[] = { "Cgroup", "ContainerIDFile", "VolumeDriver" };
	static const char *const none[] = { "DeviceRequests" };
	static const char *const zero[] = { "CpuCount", "CpuPercent", "IOMaximumBandwidth", "IOMaximumIOps" };

	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		json_text(s, empty[i], "");
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		json_raw(s, none[i], "null");
	for (size_t i = 0; i < ARRAY_LEN(zero); i++)
		json_int(s, zero[i], 0);
	json_raw(s, "ConsoleSize", "[0,0]");
}

/* "/DB:/WEB/ALIAS"; links are kept as ID:ALIAS:NAME */
static void add_links(struct inspect *in)
{
	if (in->c->links.n == 0) {
		json_raw(in->s, "Links", "null");
		return;
	}
	json_open(in->s, "Links", '[');
	for (size_t n = 0; n < in->c->links.n; n++) {
		const char *alias = strchr(in->c->links.v[n], ':'), *name = alias != NULL ? strchr(alias + 1, ':') : NULL;

		if (name != NULL)
			json_text(in->s, NULL, arena_printf(&in->arena, "/%s:/%s/%.*s", name + 1, in->i->name,
							    (int) (name - alias - 1), alias + 1));
	}
	json_close(in->s, ']');
}

void inspect_host_config(struct inspect *in)
{
	const struct eng_config *c = in->c;
	struct str *s = in->s;

	json_open(s, "HostConfig", '{');
	add_binds(in);
	json_open(s, "LogConfig", '{');
	json_text(s, "Type", c->log_driver != NULL ? c->log_driver : "json-file");
	json_pairs(s, "Config", c->log_opts.v, c->log_opts.n);
	json_close(s, '}');
	json_text(s, "NetworkMode", c->network != NULL ? c->network : "none");
	add_bindings(in);
	json_open(s, "RestartPolicy", '{');
	json_text(s, "Name", in->i->restart);
	json_int(s, "MaximumRetryCount", in->i->restart_max);
	json_close(s, '}');
	json_flag(s, "AutoRemove", c->auto_remove);
	inspect_words(s, "VolumesFrom", &c->volumes_from);
	inspect_words(s, "CapAdd", &c->cap_add);
	inspect_words(s, "CapDrop", &c->cap_drop);
	json_text(s, "CgroupnsMode", c->cgroupns != NULL ? c->cgroupns : "private");
	json_texts(s, "Dns", c->dns.v, c->dns.n);
	json_texts(s, "DnsOptions", c->dns_options.v, c->dns_options.n);
	json_texts(s, "DnsSearch", c->dns_search.v, c->dns_search.n);
	inspect_words(s, "ExtraHosts", &c->add_hosts);
	inspect_words(s, "GroupAdd", &c->groups);
	json_text(s, "IpcMode", c->ipc != NULL ? c->ipc : "private");
	json_int(s, "OomScoreAdj", c->oom_score_adj);
	json_text(s, "PidMode", inspect_or_empty(c->pid));
	json_flag(s, "Privileged", c->privileged);
	json_flag(s, "PublishAllPorts", c->publish_all);
	json_flag(s, "ReadonlyRootfs", c->read_only);
	inspect_words(s, "SecurityOpt", &c->security_opts);
	json_text(s, "UTSMode", inspect_or_empty(c->uts));
	json_text(s, "UsernsMode", inspect_or_empty(c->userns));
	json_uint(s, "ShmSize", c->shm_size != 0 ? c->shm_size : 64u << 20);
	json_pairs(s, "Sysctls", c->sysctls.v, c->sysctls.n);
	json_text(s, "Runtime", "cleave");
	json_text(s, "Isolation", in->i->isolation);
	json_flag(s, "Init", c->init);
	add_links(in);
	add_limits(s, c);
	add_unused(s);
	json_close(s, '}');
}
