/* SPDX-License-Identifier: MIT */
/**
 * DOC: limits in a config.json
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/spec_parts.h"

#define CPU_PERIOD 100000 /* microseconds */
#define OPEN_FILES 1048576 /* as Podman and most installations of Docker */

/* What a program may open must not depend on the shell that happened to start it. */
static void add_files_limit(struct spec *s, bool first)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_max = OPEN_FILES;
	(void) setrlimit(RLIMIT_NOFILE, &limit); /* refused: as far as ours goes */
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	if (limit.rlim_max > OPEN_FILES)
		limit.rlim_max = OPEN_FILES;
	str_printf(s->out, "%s{\"type\":\"RLIMIT_NOFILE\",\"soft\":%llu,\"hard\":%llu}",
		   first ? ",\"rlimits\":[" : ",", (unsigned long long) limit.rlim_max,
		   (unsigned long long) limit.rlim_max);
}

/* NAME=SOFT:HARD; -1 is no limit */
void spec_add_rlimits(struct spec *s)
{
	bool files = false;
	const struct img_words *list = &s->c->ulimits;

	for (size_t i = 0; i < list->n; i++) {
		const char *value = list->v[i] + strcspn(list->v[i], "=");
		long long soft = strtoll(value + 1, NULL, 10);
		const char *colon = strchr(value, ':');
		long long hard = colon != NULL ? strtoll(colon + 1, NULL, 10) : soft;

		str_puts(s->out, i > 0 ? ",{\"type\":\"RLIMIT_" : ",\"rlimits\":[{\"type\":\"RLIMIT_");
		for (const char *p = list->v[i]; p < value; p++)
			str_printf(s->out, "%c", *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		str_printf(s->out, "\",\"soft\":%llu,\"hard\":%llu}", (unsigned long long) soft,
			   (unsigned long long) hard);
		files = files || str_starts(list->v[i], "nofile=");
	}
	if (!files)
		add_files_limit(s, list->n == 0);
	str_puts(s->out, "]");
}

/* Members of an object: "{" before the first, "," between */
static const char *separator(bool *first)
{
	const char *s = *first ? "{" : ",";

	*first = false;
	return s;
}

static void add_number(struct spec *s, bool *first, const char *key, int64_t v)
{
	str_printf(s->out, "%s\"%s\":%lld", separator(first), key, (long long) v);
}

static void add_memory(struct spec *s)
{
	const struct eng_config *c = s->c, *old = s->old;
	int64_t limit = (int64_t) c->memory;
	bool first = true;

	str_puts(s->out, ",\"memory\":");
	if (limit != 0) {
		add_number(s, &first, "limit", limit);
		/* as much swap again, as Docker */
		add_number(s, &first, "swap",
			   c->memory_swap != 0          ? c->memory_swap
			   : limit > INT64_MAX / 2 ? -1
						   : 2 * limit);
	} else if (old != NULL && old->memory != 0) {
		add_number(s, &first, "limit", -1);
		add_number(s, &first, "swap", -1);
	}
	if (c->memory_reservation != 0 || (old != NULL && old->memory_reservation != 0))
		add_number(s, &first, "reservation",
			   c->memory_reservation != 0 ? (int64_t) c->memory_reservation : -1);
	if (c->swappiness != NULL)
		str_printf(s->out, "%s\"swappiness\":%s", separator(&first), c->swappiness);
	if (c->oom_kill_disable)
		str_printf(s->out, "%s\"disableOOMKiller\":true", separator(&first));
	str_puts(s->out, first ? "{}" : "}");
}

static void add_cpu(struct spec *s)
{
	const struct eng_config *c = s->c, *old = s->old;
	bool first = true;

	str_puts(s->out, ",\"cpu\":");
	if (c->nano_cpus != 0) {
		add_number(s, &first, "period", CPU_PERIOD);
		add_number(s, &first, "quota", (int64_t) (c->nano_cpus / (1000000000 / CPU_PERIOD)));
	}
	if (c->cpu_period != 0)
		add_number(s, &first, "period", (int64_t) c->cpu_period);
	if (c->cpu_quota != 0)
		add_number(s, &first, "quota", (int64_t) c->cpu_quota);
	if (c->nano_cpus == 0 && c->cpu_quota == 0 && old != NULL &&
	    (old->nano_cpus != 0 || old->cpu_quota != 0))
		add_number(s, &first, "quota", -1);
	if (c->cpu_shares != 0)
		add_number(s, &first, "shares", (int64_t) c->cpu_shares);
	if (c->cpu_rt_period != 0)
		add_number(s, &first, "realtimePeriod", (int64_t) c->cpu_rt_period);
	if (c->cpu_rt_runtime != 0)
		add_number(s, &first, "realtimeRuntime", c->cpu_rt_runtime);
	if (c->cpuset_cpus != NULL) {
		str_printf(s->out, "%s\"cpus\":", separator(&first));
		str_json(s->out, c->cpuset_cpus);
	}
	if (c->cpuset_mems != NULL) {
		str_printf(s->out, "%s\"mems\":", separator(&first));
		str_json(s->out, c->cpuset_mems);
	}
	str_puts(s->out, first ? "{}" : "}");
}

/* A list of PATH:NUMBER */
static int add_block_devices(struct spec *s, bool *first, const char *key, const char *member,
			     const struct img_words *list, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *colon = strrchr(list->v[i], ':');
		char *path = arena_strndup(&s->arena, list->v[i],
					   colon != NULL ? (size_t) (colon - list->v[i]) : 0);
		struct stat st;

		if (path == NULL)
			return err_set(err, -ENOMEM, "make the container's configuration");
		if (stat(path, &st) < 0)
			return err_set(err, -errno, "limit of block device '%s'", path);
		if (!S_ISBLK(st.st_mode))
			return err_msg(err, -ENOTBLK, "limit of '%s': this is no block device",
				       path);
		if (i == 0)
			str_printf(s->out, "%s\"%s\":[", separator(first), key);
		str_printf(s->out, "%s{\"major\":%u,\"minor\":%u,\"%s\":%s}", i > 0 ? "," : "",
			   major(st.st_rdev), minor(st.st_rdev), member, colon + 1);
	}
	str_puts(s->out, list->n > 0 ? "]" : "");
	return 0;
}

static int add_block_io(struct spec *s, struct err *err)
{
	const struct eng_config *c = s->c;
	const struct {
		const char *key, *member;
		const struct img_words *list;
	} lists[] = {
		{ "weightDevice", "weight", &c->blkio_weight_device },
		{ "throttleReadBpsDevice", "rate", &c->device_read_bps },
		{ "throttleWriteBpsDevice", "rate", &c->device_write_bps },
		{ "throttleReadIOPSDevice", "rate", &c->device_read_iops },
		{ "throttleWriteIOPSDevice", "rate", &c->device_write_iops },
	};
	bool first = true;
	int r = 0;

	str_puts(s->out, ",\"blockIO\":");
	if (c->blkio_weight != 0)
		add_number(s, &first, "weight", (int64_t) c->blkio_weight);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(lists); i++)
		r = add_block_devices(s, &first, lists[i].key, lists[i].member, lists[i].list, err);
	str_puts(s->out, first ? "{}" : "}");
	return r;
}

int spec_add_resources(struct spec *s, struct err *err)
{
	int r;

	str_puts(s->out, "\"resources\":{\"devices\":[");
	r = spec_add_device_rules(s, err);
	str_puts(s->out, "]");
	add_memory(s);
	add_cpu(s);
	if (s->c->pids_limit > 0 || (s->old != NULL && s->old->pids_limit > 0))
		str_printf(s->out, ",\"pids\":{\"limit\":%lld}",
			   (long long) (s->c->pids_limit > 0 ? s->c->pids_limit : -1));
	if (r == 0)
		r = add_block_io(s, err);
	str_puts(s->out, "}");
	return r;
}
