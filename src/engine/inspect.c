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
#include "engine/inspect_parts.h"
#include "engine/instance.h"
#include "engine/net/attach.h"
#include "engine/overlay.h"
#include "engine/stop.h"
#include "engine/volume.h"

#define HEALTH_MAX (1u << 20) /* bytes */

void inspect_words(struct str *s, const char *key, const struct img_words *list)
{
	if (list->n > 0)
		json_texts(s, key, list->v, list->n);
	else
		json_raw(s, key, "null");
}

const char *inspect_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

bool inspect_open_mounts(struct inspect *in, const char *key, char bracket,
			 bool (*wanted)(const struct eng_mount *m))
{
	for (size_t n = 0; n < in->c->nr_mounts; n++)
		if (wanted(&in->c->mounts[n])) {
			json_open(in->s, key, bracket);
			return true;
		}
	json_raw(in->s, key, "null");
	return false;
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

static void add_mounts(struct inspect *in)
{
	static const char *const kinds[] = { "bind", "volume", "tmpfs" };
	struct str *s = in->s;

	json_open(s, "Mounts", '[');
	for (size_t n = 0; n < in->c->nr_mounts; n++) {
		const struct eng_mount *m = &in->c->mounts[n];
		bool volume = m->kind == ENG_MOUNT_VOLUME;
		const char *source = volume ? eng_volume_path(in->e, m->source, &in->arena)
					    : inspect_or_empty(m->source);

		json_open(s, NULL, '{');
		json_text(s, "Type", kinds[m->kind]);
		if (volume)
			json_text(s, "Name", m->source);
		json_text(s, "Source", inspect_or_empty(source));
		json_text(s, "Destination", m->destination);
		if (volume)
			json_text(s, "Driver", "local");
		json_text(s, "Mode", m->read_only ? "ro" : volume && !m->anonymous ? "z" : "");
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

static void add_env(struct str *s, const struct eng_config *c)
{
	json_open(s, "Env", '[');
	for (size_t i = 0; i < c->env.n; i++)
		if (eng_env_is_given(c, c->env.v[i]))
			json_text(s, NULL, c->env.v[i]);
	json_close(s, ']');
}

static bool is_anonymous(const struct eng_mount *m)
{
	return m->anonymous;
}

static void add_volumes(struct inspect *in)
{
	if (!inspect_open_mounts(in, "Volumes", '{', is_anonymous))
		return;
	for (size_t n = 0; n < in->c->nr_mounts; n++)
		if (is_anonymous(&in->c->mounts[n]))
			json_raw(in->s, in->c->mounts[n].destination, "{}");
	json_close(in->s, '}');
}

static void add_config(struct inspect *in)
{
	const struct eng_config *c = in->c;
	struct str *s = in->s;

	json_open(s, "Config", '{');
	json_text(s, "Hostname", inspect_or_empty(c->hostname));
	json_text(s, "Domainname", inspect_or_empty(c->domainname));
	json_text(s, "User", inspect_or_empty(c->user));
	json_flag(s, "AttachStdin", c->open_stdin && !c->detached);
	json_flag(s, "AttachStdout", !c->detached);
	json_flag(s, "AttachStderr", !c->detached);
	if (c->expose.n > 0) {
		json_open(s, "ExposedPorts", '{');
		for (size_t n = 0; n < c->expose.n; n++)
			json_raw(s, c->expose.v[n], "{}");
		json_close(s, '}');
	}
	json_flag(s, "Tty", c->tty);
	json_flag(s, "OpenStdin", c->open_stdin);
	json_flag(s, "StdinOnce", c->open_stdin && !c->detached);
	add_env(s, c);
	inspect_words(s, "Cmd", &c->cmd);
	json_text(s, "Image", c->image);
	add_volumes(in);
	json_raw(s, "OnBuild", "null");
	json_text(s, "WorkingDir", inspect_or_empty(c->workdir));
	inspect_words(s, "Entrypoint", &c->entrypoint);
	json_pairs(s, "Labels", c->labels.v, c->labels.n);
	if (c->annotations.n > 0)
		json_pairs(s, "Annotations", c->annotations.v, c->annotations.n);
	if (c->stop_signal != NULL)
		json_text(s, "StopSignal", c->stop_signal);
	if (c->stop_timeout != ENG_STOP_TIMEOUT)
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
	path_text(in, "UpperDir", ENG_OVERLAY_UPPER);
	path_text(in, "WorkDir", ENG_OVERLAY_WORK);
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
	inspect_host_config(in);
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
