/* SPDX-License-Identifier: MIT */
#include "engine/inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/health.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "net/publish.h"
#include "engine/stop.h"
#include "engine/volume.h"

#define HEALTH_MAX (1u << 20) /* bytes */

struct inspect {
	struct engine *e;
	const struct eng_instance *i;
	const struct eng_config *c;
	struct arena arena;
	struct str *s;
};

static void words(struct str *s, const char *key, const struct img_words *list)
{
	if (list->n > 0)
		json_texts(s, key, list->v, list->n);
	else
		json_raw(s, key, "null");
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static void time_text(struct str *s, const char *key, int64_t ns)
{
	char text[TIME_TEXT_MAX];

	time_rfc3339(ns, text);
	json_text(s, key, text);
}

static int read_health(struct inspect *in, struct str *ret)
{
	_cleanup_close_ int dir = eng_instance_dir(in->e, in->i, NULL);
	int r = dir < 0 ? dir : file_read(dir, ENG_HEALTH_FILE, HEALTH_MAX, ret);

	return r == 0 && ret->p == NULL ? -ENODATA : r;
}

static void add_state(struct inspect *in)
{
	_cleanup_(str_fini) struct str health = { 0 };
	const struct eng_instance *i = in->i;
	bool running = i->state == ENG_STATE_RUNNING;
	int pid = running ? eng_pid(in->e, i) : 0;
	struct str *s = in->s;

	json_open(s, "State", '{');
	json_text(s, "Status", i->paused ? "paused" : eng_state_name(i->state));
	json_flag(s, "Running", running || i->state == ENG_STATE_RESTARTING);
	json_flag(s, "Paused", i->paused);
	json_flag(s, "Restarting", i->state == ENG_STATE_RESTARTING);
	json_flag(s, "OOMKilled", i->oom_killed);
	json_flag(s, "Dead", false);
	json_int(s, "Pid", pid > 0 ? pid : 0);
	json_int(s, "ExitCode", running ? 0 : i->exit_code);
	json_text(s, "Error", i->error);
	time_text(s, "StartedAt", i->started);
	time_text(s, "FinishedAt", i->finished);
	if (read_health(in, &health) == 0) /* after its end, too: why it was stopped */
		json_raw(s, "Health", health.p);
	else if (i->health[0] != '\0') { /* no check has begun */
		json_open(s, "Health", '{');
		json_text(s, "Status", i->health);
		json_int(s, "FailingStreak", 0);
		json_texts(s, "Log", NULL, 0);
		json_close(s, '}');
	}
	json_close(s, '}');
}

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

static void add_binds(struct inspect *in)
{
	struct str *s = in->s;

	json_open(s, "Binds", '[');
	for (size_t n = 0; n < in->c->nr_mounts; n++) {
		const struct eng_mount *m = &in->c->mounts[n];
		_cleanup_(str_fini) struct str text = { 0 };

		if (m->kind == ENG_MOUNT_TMPFS || m->anonymous)
			continue;
		str_printf(&text, "%s:%s%s", m->source, m->destination, m->read_only ? ":ro" : "");
		if (text.p != NULL)
			json_text(s, NULL, text.p);
	}
	json_close(s, ']');
	json_open(s, "Tmpfs", '{');
	for (size_t n = 0; n < in->c->nr_mounts; n++)
		if (in->c->mounts[n].kind == ENG_MOUNT_TMPFS)
			json_text(s, in->c->mounts[n].destination,
				  or_empty(in->c->mounts[n].options));
	json_close(s, '}');
}

static void add_limits(struct str *s, const struct eng_config *c)
{
	json_uint(s, "CpuShares", c->cpu_shares);
	json_uint(s, "Memory", c->memory);
	json_uint(s, "NanoCpus", c->nano_cpus);
	json_text(s, "CgroupParent", or_empty(c->cgroup_parent));
	json_uint(s, "BlkioWeight", c->blkio_weight);
	add_throttle(s, "BlkioWeightDevice", "Weight", &c->blkio_weight_device);
	add_throttle(s, "BlkioDeviceReadBps", "Rate", &c->device_read_bps);
	add_throttle(s, "BlkioDeviceWriteBps", "Rate", &c->device_write_bps);
	add_throttle(s, "BlkioDeviceReadIOps", "Rate", &c->device_read_iops);
	add_throttle(s, "BlkioDeviceWriteIOps", "Rate", &c->device_write_iops);
	json_uint(s, "CpuPeriod", c->cpu_period);
	json_uint(s, "CpuQuota", c->cpu_quota);
	json_text(s, "CpusetCpus", or_empty(c->cpuset_cpus));
	json_text(s, "CpusetMems", or_empty(c->cpuset_mems));
	add_devices(s, &c->devices);
	words(s, "DeviceCgroupRules", &c->device_rules);
	json_uint(s, "MemoryReservation", c->memory_reservation);
	json_int(s, "MemorySwap",
		 c->memory_swap != 0 ? c->memory_swap : (int64_t) c->memory * 2);
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

static void add_host_config(struct inspect *in)
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
	words(s, "VolumesFrom", &c->volumes_from);
	words(s, "CapAdd", &c->cap_add);
	words(s, "CapDrop", &c->cap_drop);
	json_text(s, "CgroupnsMode", c->cgroupns != NULL ? c->cgroupns : "private");
	json_texts(s, "Dns", c->dns.v, c->dns.n);
	json_texts(s, "DnsOptions", c->dns_options.v, c->dns_options.n);
	json_texts(s, "DnsSearch", c->dns_search.v, c->dns_search.n);
	words(s, "ExtraHosts", &c->add_hosts);
	words(s, "GroupAdd", &c->groups);
	json_text(s, "IpcMode", c->ipc != NULL ? c->ipc : "private");
	json_int(s, "OomScoreAdj", c->oom_score_adj);
	json_text(s, "PidMode", or_empty(c->pid));
	json_flag(s, "Privileged", c->privileged);
	json_flag(s, "PublishAllPorts", c->publish_all);
	json_flag(s, "ReadonlyRootfs", c->read_only);
	words(s, "SecurityOpt", &c->security_opts);
	json_text(s, "UTSMode", or_empty(c->uts));
	json_text(s, "UsernsMode", or_empty(c->userns));
	json_uint(s, "ShmSize", c->shm_size != 0 ? c->shm_size : 64u << 20);
	json_pairs(s, "Sysctls", c->sysctls.v, c->sysctls.n);
	json_text(s, "Runtime", "cleave");
	json_text(s, "Isolation", in->i->isolation);
	json_flag(s, "Init", c->init);
	add_limits(s, c);
	json_close(s, '}');
}

static void add_mounts(struct inspect *in)
{
	static const char *const kinds[] = { "bind", "volume", "tmpfs" };
	struct str *s = in->s;

	json_open(s, "Mounts", '[');
	for (size_t n = 0; n < in->c->nr_mounts; n++) {
		const struct eng_mount *m = &in->c->mounts[n];
		bool volume = m->kind == ENG_MOUNT_VOLUME;
		const char *source = volume ? eng_volume_path(in->e, m->source, &in->arena)
					    : or_empty(m->source);

		json_open(s, NULL, '{');
		json_text(s, "Type", kinds[m->kind]);
		if (volume)
			json_text(s, "Name", m->source);
		json_text(s, "Source", or_empty(source));
		json_text(s, "Destination", m->destination);
		if (volume)
			json_text(s, "Driver", "local");
		json_text(s, "Mode", m->read_only ? "ro" : "");
		json_flag(s, "RW", !m->read_only);
		json_text(s, "Propagation",
			  m->propagation != NULL          ? m->propagation
			  : m->kind == ENG_MOUNT_BIND ? "rprivate"
						      : "");
		json_close(s, '}');
	}
	json_close(s, ']');
}

static void add_health(struct str *s, const struct eng_config *c)
{
	if (c->health.n == 0)
		return;
	json_open(s, "Healthcheck", '{');
	json_texts(s, "Test", c->health.v, c->health.n);
	json_uint(s, "Interval", c->health_interval != ENG_HEALTH_NEVER ? c->health_interval : 0);
	json_uint(s, "Timeout", c->health_timeout);
	json_uint(s, "StartPeriod", c->health_start_period);
	json_uint(s, "StartInterval", c->health_start_interval);
	json_uint(s, "Retries", c->health_retries);
	json_close(s, '}');
}

static void add_config(struct inspect *in)
{
	const struct eng_config *c = in->c;
	struct str *s = in->s;

	json_open(s, "Config", '{');
	json_text(s, "Hostname", or_empty(c->hostname));
	json_text(s, "Domainname", or_empty(c->domainname));
	json_text(s, "User", or_empty(c->user));
	json_flag(s, "AttachStdin", c->open_stdin);
	json_flag(s, "AttachStdout", true);
	json_flag(s, "AttachStderr", true);
	if (c->expose.n > 0) {
		json_open(s, "ExposedPorts", '{');
		for (size_t n = 0; n < c->expose.n; n++)
			json_raw(s, c->expose.v[n], "{}");
		json_close(s, '}');
	}
	json_flag(s, "Tty", c->tty);
	json_flag(s, "OpenStdin", c->open_stdin);
	json_flag(s, "StdinOnce", c->open_stdin);
	json_texts(s, "Env", c->env.v, c->env.n);
	words(s, "Cmd", &c->cmd);
	json_text(s, "Image", c->image);
	json_text(s, "WorkingDir", or_empty(c->workdir));
	words(s, "Entrypoint", &c->entrypoint);
	json_pairs(s, "Labels", c->labels.v, c->labels.n);
	if (c->annotations.n > 0)
		json_pairs(s, "Annotations", c->annotations.v, c->annotations.n);
	if (c->stop_signal != NULL)
		json_text(s, "StopSignal", c->stop_signal);
	json_int(s, "StopTimeout", c->stop_timeout);
	add_health(s, c);
	json_close(s, '}');
}

static void path_text(struct inspect *in, const char *key, const char *name)
{
	const char *path = arena_printf(&in->arena, "%s/instances/%s/%s", in->e->root, in->i->id, name);

	json_text(in->s, key, path);
}

static void add_layers(struct inspect *in)
{
	_cleanup_(str_fini) struct str lower = { 0 };
	const char *chain = in->c->chain, *end = chain + strlen(chain);

	while (end > chain) { /* from the top, as overlayfs wants them */
		const char *begin = memrchr(chain, ' ', (size_t) (end - chain));

		begin = begin != NULL ? begin + 1 : chain;
		str_printf(&lower, "%s%s/layers/%.*s/fs", lower.len > 0 ? ":" : "", in->e->root,
			   (int) (end - begin), begin);
		end = begin > chain ? begin - 1 : chain;
	}
	json_open(in->s, "GraphDriver", '{');
	json_text(in->s, "Name", "overlay");
	json_open(in->s, "Data", '{');
	json_text(in->s, "LowerDir", lower.p);
	path_text(in, "UpperDir", "upper");
	path_text(in, "WorkDir", "work");
	json_close(in->s, '}');
	json_close(in->s, '}');
}

static void add_all(struct inspect *in)
{
	const struct eng_instance *i = in->i;
	const struct eng_config *c = in->c;
	struct str *s = in->s;

	json_open(s, NULL, '{');
	json_text(s, "Id", i->id);
	time_text(s, "Created", i->created);
	json_text(s, "Path", c->args.n > 0 ? c->args.v[0] : "");
	json_texts(s, "Args", c->args.v + 1, c->args.n > 0 ? c->args.n - 1 : 0);
	add_state(in);
	json_text(s, "Image", arena_printf(&in->arena, "sha256:%s", i->image_id));
	path_text(in, "ResolvConfPath", "resolv.conf");
	path_text(in, "HostnamePath", "hostname");
	path_text(in, "HostsPath", "hosts");
	if (c->log_driver == NULL || strcmp(c->log_driver, "json-file") == 0)
		path_text(in, "LogPath", "log");
	else
		json_text(s, "LogPath", "");
	json_text(s, "Name", arena_printf(&in->arena, "/%s", i->name));
	json_int(s, "RestartCount", i->restarts);
	json_text(s, "Driver", "overlay");
	json_text(s, "Platform", "linux");
	json_text(s, "MountLabel", "");
	json_text(s, "ProcessLabel", "");
	json_text(s, "AppArmorProfile", "");
	json_raw(s, "ExecIDs", "null");
	add_host_config(in);
	add_layers(in);
	add_mounts(in);
	add_config(in);
	eng_net_inspect(in->e, i, c, s);
	json_close(s, '}');
}

int eng_inspect(struct engine *e, const struct eng_instance *i, struct str *ret, struct err *err)
{
	struct inspect in = { .e = e, .i = i, .s = ret };
	struct eng_config c;
	int r = eng_instance_config(e, i, &c, err);

	if (r < 0)
		return r;
	in.c = &c;
	add_all(&in);
	arena_fini(&in.arena);
	eng_config_fini(&c);
	return ret->failed ? err_set(err, -ENOMEM, "describe instance '%s'", i->name) : 0;
}
