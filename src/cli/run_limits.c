/* SPDX-License-Identifier: MIT */
/**
 * DOC: limits
 *
 * Texts that are checked here go into a config.json as they are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/run_config.h"
#include "cli/run_parts.h"
#include "engine/config.h"

#define MEMORY_MIN (6u << 20) /* bytes, as Docker: less cannot start a program */
#define CPU_PERIOD_MIN 1000 /* microseconds, limits of the kernel */
#define CPU_PERIOD_MAX 1000000
#define CPU_QUOTA_MIN 1000
#define SWAPPINESS_MAX 100
#define V1_SWAPPINESS "/sys/fs/cgroup/memory/memory.swappiness"
#define V1_REAL_TIME "/sys/fs/cgroup/cpu/cpu.rt_runtime_us"
#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000
#define OOM_SCORE_MAX 1000
#define NANO_CPUS_MIN 10000000
#define CPUS_MAX 65535

static int size_option(const char *name, const char *text, uint64_t *ret, struct err *err)
{
	if (text == NULL)
		return 0;
	switch (eng_size_parse(text, ret)) {
	case 0:
		return 0;
	case -ERANGE:
		return err_msg(err, -EINVAL, "%s '%s': the number is too large", name, text);
	default:
		return err_msg(err, -EINVAL,
			       "%s '%s': invalid size: expected a number and b, k, m or g", name,
			       text);
	}
}

static int number_option(const char *name, const char *text, uint64_t min, uint64_t max,
			 uint64_t *ret, struct err *err)
{
	uint64_t v;

	if (text == NULL)
		return 0;
	if (str_to_u64(text, &v) < 0)
		return err_msg(err, -EINVAL, "%s '%s': expected a number", name, text);
	if (v != 0 && (v < min || v > max))
		return err_msg(err, -EINVAL, "%s '%s': the range is %llu to %llu", name, text,
			       (unsigned long long) min, (unsigned long long) max);
	*ret = v;
	return 0;
}

static int signed_option(const char *name, const char *text, int64_t min, int64_t max, int64_t *ret,
			 struct err *err)
{
	int64_t v;

	if (text == NULL)
		return 0;
	if (str_to_i64(text, &v) < 0)
		return err_msg(err, -EINVAL, "%s '%s': expected a number", name, text);
	if (v < min || v > max)
		return err_msg(err, -EINVAL, "%s '%s': the range is %lld to %lld", name, text,
			       (long long) min, (long long) max);
	*ret = v;
	return 0;
}

static int read_swap(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	uint64_t swap = 0;
	int r;

	if (o->memory_swap == NULL)
		return 0;
	if (strcmp(o->memory_swap, "-1") == 0) {
		c->memory_swap = -1;
		if (c->memory == 0)
			c->memory_swap = 0; /* nothing to limit */
		return 0;
	}
	r = size_option("--memory-swap", o->memory_swap, &swap, err);
	if (r < 0)
		return r;
	c->memory_swap = 0;
	if (swap == 0)
		return 0;
	if (c->memory == 0)
		return err_msg(err, -EINVAL,
			       "--memory-swap '%s': set the limit --memory, too", o->memory_swap);
	if (swap < c->memory)
		return err_msg(
			err, -EINVAL,
			"--memory-swap '%s': it is the limit of memory and swap together and must not be smaller than --memory '%s'",
			o->memory_swap, o->memory != NULL ? o->memory : "as before");
	c->memory_swap = (int64_t) swap;
	return 0;
}

/* -1: as the host has it */
static int read_swappiness(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int64_t v = -1;
	int r = signed_option("--memory-swappiness", o->swappiness, -1, SWAPPINESS_MAX, &v, err);

	if (o->kernel_memory != NULL)
		log_warning("--kernel-memory is not supported by Linux any more: ignored");
	if (r < 0 || v < 0)
		return r;
	if (access(V1_SWAPPINESS, F_OK) < 0) {
		log_warning("--memory-swappiness needs cgroup v1: ignored");
		return 0;
	}
	return run_text(c, o->swappiness, &c->swappiness, err);
}

static int read_memory(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int r = size_option("--memory", o->memory, &c->memory, err);

	if (r == 0 && c->memory != 0 && c->memory < MEMORY_MIN)
		return err_msg(err, -EINVAL, "--memory '%s': the minimum is %um", o->memory,
			       MEMORY_MIN >> 20);
	if (r == 0 && c->memory == 0)
		c->memory_swap = 0;
	if (r == 0)
		r = read_swap(c, o, err);
	if (r == 0 && c->memory_swap > 0 && (uint64_t) c->memory_swap < c->memory)
		return err_msg(err, -EINVAL,
			       "--memory '%s': it must be smaller than the --memory-swap that was set before; set that, too",
			       o->memory);
	if (r == 0)
		r = size_option("--memory-reservation", o->memory_reservation,
				&c->memory_reservation, err);
	if (r == 0 && c->memory_reservation != 0 && c->memory_reservation < MEMORY_MIN)
		return err_msg(err, -EINVAL, "--memory-reservation '%s': the minimum is %um",
			       o->memory_reservation, MEMORY_MIN >> 20);
	if (r == 0 && c->memory != 0 && c->memory_reservation > c->memory)
		return err_msg(err, -EINVAL,
			       "--memory-reservation '%s': it must not be larger than --memory '%s'",
			       o->memory_reservation != NULL ? o->memory_reservation : "as before",
			       o->memory != NULL ? o->memory : "as before");
	if (r == 0)
		r = size_option("--shm-size", o->shm_size, &c->shm_size, err);
	if (r == 0)
		r = signed_option("--oom-score-adj", o->oom_score_adj, -OOM_SCORE_MAX,
				  OOM_SCORE_MAX, &c->oom_score_adj, err);
	if (r == 0)
		r = read_swappiness(c, o, err);
	c->oom_kill_disable |= o->oom_kill_disable;
	if (r == 0 && c->oom_kill_disable && c->memory == 0)
		log_warning("--oom-kill-disable without --memory may make the host run out of memory");
	return r;
}

/* "0-3,7" */
static int list_option(struct eng_config *c, const char *name, const char *text, const char **ret,
		       struct err *err)
{
	const char *p = text;
	bool ok;

	if (text == NULL || *text == '\0')
		return 0;
	do {
		char *end;
		unsigned long first, last;

		p += *p == ',';
		ok = *p >= '0' && *p <= '9';
		first = last = strtoul(p, &end, 10);
		if (*end == '-' && end[1] >= '0' && end[1] <= '9')
			last = strtoul(end + 1, &end, 10);
		p = end;
		ok = ok && last >= first && last <= CPUS_MAX;
	} while (ok && *p == ',');
	if (!ok || *p != '\0')
		return err_msg(err, -EINVAL, "%s '%.200s': invalid list, expected e.g. 0-3,7", name,
			       text);
	return run_text(c, text, ret, err);
}

static int check_cpuset(const char *name, const char *text, struct err *err)
{
	long n = text != NULL ? sysconf(_SC_NPROCESSORS_CONF) : 0;

	for (const char *p = text; p != NULL && *p != '\0'; p += strspn(p, ",-")) {
		char *end;
		unsigned long cpu = strtoul(p, &end, 10);

		if (n > 0 && cpu >= (unsigned long) n)
			return err_msg(
				err, -EINVAL,
				"%s '%s': requested CPUs are not available, this machine has 0-%ld",
				name, text, n - 1);
		p = end;
	}
	return 0;
}

static int read_real_time(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int r = number_option("--cpu-rt-period", o->cpu_rt_period, 1, INT64_MAX, &c->cpu_rt_period,
			      err);

	if (r == 0)
		r = signed_option("--cpu-rt-runtime", o->cpu_rt_runtime, -1, INT64_MAX,
				  &c->cpu_rt_runtime, err);
	if (r == 0 && (c->cpu_rt_period != 0 || c->cpu_rt_runtime != 0) &&
	    access(V1_REAL_TIME, F_OK) < 0) {
		log_warning("this kernel does not support a limit of real-time processor time: ignored");
		c->cpu_rt_period = 0;
		c->cpu_rt_runtime = 0;
	}
	return r;
}

static int read_cpu(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int64_t quota = (int64_t) c->cpu_quota;
	int r = 0;

	if (o->cpus != NULL && eng_cpus_parse(o->cpus, &c->nano_cpus) < 0)
		return err_msg(err, -EINVAL, "--cpus '%s': expected a number such as 1.5", o->cpus);
	if (c->nano_cpus != 0 && c->nano_cpus < NANO_CPUS_MIN)
		return err_msg(err, -EINVAL, "--cpus '%s': the minimum is 0.01", o->cpus);
	if (c->nano_cpus != 0 &&
	    c->nano_cpus > (uint64_t) sysconf(_SC_NPROCESSORS_CONF) * 1000000000)
		return err_msg(
			err, -EINVAL,
			"--cpus '%s': range of CPUs is from 0.01 to %ld.00, as there are only %ld CPUs available",
			o->cpus, sysconf(_SC_NPROCESSORS_CONF), sysconf(_SC_NPROCESSORS_CONF));
	r = number_option("--cpu-period", o->cpu_period, CPU_PERIOD_MIN, CPU_PERIOD_MAX,
			  &c->cpu_period, err);
	if (r == 0)
		r = signed_option("--cpu-quota", o->cpu_quota, -1, INT64_MAX, &quota, err);
	if (r == 0 && quota > 0 && quota < CPU_QUOTA_MIN)
		r = err_msg(err, -EINVAL, "--cpu-quota '%s': the minimum is %d", o->cpu_quota,
			    CPU_QUOTA_MIN);
	if (r == 0 && c->nano_cpus != 0 && (c->cpu_period != 0 || quota > 0))
		r = err_msg(err, -EINVAL,
			    "conflicting options: --cpus and --cpu-%s cannot both be set",
			    c->cpu_period != 0 ? "period" : "quota");
	c->cpu_quota = quota > 0 ? (uint64_t) quota : 0;
	if (r == 0)
		r = number_option("--cpu-shares", o->cpu_shares, 2, 262144, &c->cpu_shares, err);
	if (r == 0)
		r = read_real_time(c, o, err);
	if (r == 0)
		r = list_option(c, "--cpuset-cpus", o->cpuset_cpus, &c->cpuset_cpus, err);
	if (r == 0)
		r = check_cpuset("--cpuset-cpus", c->cpuset_cpus, err);
	return r == 0 ? list_option(c, "--cpuset-mems", o->cpuset_mems, &c->cpuset_mems, err) : r;
}

/* Append PATH:NUMBER, or replace the entry of this device. */
static int set_device(struct eng_config *c, struct img_words *list, const char *entry)
{
	size_t n = (size_t) (strrchr(entry, ':') - entry) + 1;

	for (size_t i = 0; i < list->n; i++)
		if (strncmp(list->v[i], entry, n) == 0 && strchr(list->v[i] + n, ':') == NULL) {
			list->v[i] = entry;
			return 0;
		}
	return eng_words_add(&c->arena, list, entry);
}

/* PATH:NUMBER, the number without unit */
static int device_option(struct eng_config *c, const char *name, const struct opt_strings *list,
			 bool is_size, uint64_t min, uint64_t max, struct img_words *ret,
			 struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *text = list->v[i], *colon = strrchr(text, ':');
		uint64_t v = 0;
		int n = colon != NULL ? (int) (colon - text) : 0;

		if (colon == NULL || !str_starts(text, "/dev/"))
			return err_msg(err, -EINVAL,
				       "%s '%.200s': bad format, expected /dev/DEVICE:NUMBER", name,
				       text);
		if ((is_size ? eng_size_parse(colon + 1, &v) : str_to_u64(colon + 1, &v)) < 0)
			return err_msg(err, -EINVAL,
				       "%s '%.200s': invalid rate for device: must be a positive integer%s",
				       name, text,
				       is_size ? "; the unit is optional and can be kb, mb, or gb"
					       : "");
		if (v < min || v > max)
			return err_msg(err, -EINVAL, "%s '%.200s': the range is %llu to %llu", name,
				       text, (unsigned long long) min, (unsigned long long) max);
		const char *entry = arena_printf(&c->arena, "%.*s:%llu", n, text,
						 (unsigned long long) v);
		if (entry == NULL || set_device(c, ret, entry) < 0)
			return run_nomem(err);
	}
	return 0;
}

/* Kernels without a scheduler that has weights; Docker leaves them out, too. */
static bool has_weights(void)
{
	static const char *const files[] = { "/sys/fs/cgroup/blkio/blkio.weight",
					     "/sys/fs/cgroup/blkio/blkio.bfq.weight",
					     "/sys/fs/cgroup/cgroup.controllers" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (access(files[i], F_OK) == 0)
			return true;
	return false;
}

static int read_block_io(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int r = number_option("--blkio-weight", o->blkio_weight, WEIGHT_MIN, WEIGHT_MAX,
			      &c->blkio_weight, err);

	if (r == 0)
		r = device_option(c, "--blkio-weight-device", &o->blkio_weight_device, false,
				  WEIGHT_MIN, WEIGHT_MAX, &c->blkio_weight_device, err);
	if (r == 0)
		r = device_option(c, "--device-read-bps", &o->device_read_bps, true, 1, INT64_MAX,
				  &c->device_read_bps, err);
	if (r == 0)
		r = device_option(c, "--device-write-bps", &o->device_write_bps, true, 1, INT64_MAX,
				  &c->device_write_bps, err);
	if (r == 0)
		r = device_option(c, "--device-read-iops", &o->device_read_iops, false, 1,
				  UINT32_MAX, &c->device_read_iops, err);
	if (r == 0)
		r = device_option(c, "--device-write-iops", &o->device_write_iops, false, 1,
				  UINT32_MAX, &c->device_write_iops, err);
	if (r == 0 && (c->blkio_weight != 0 || c->blkio_weight_device.n > 0) && !has_weights()) {
		log_warning("this kernel does not support weights of block input/output: weight discarded");
		c->blkio_weight = 0;
		c->blkio_weight_device.n = 0;
	}
	return r;
}

static int read_ulimit(struct eng_config *c, const char *text, struct err *err)
{
	static const char *const names[] = { "core",   "cpu",    "data",     "fsize",  "locks",
					     "memlock", "msgqueue", "nice",   "nofile", "nproc",
					     "rss",    "rtprio", "rttime",   "sigpending",
					     "stack",  "as" };
	const char *equals = strchr(text, '=');
	size_t n = equals != NULL ? (size_t) (equals - text) : 0, i = 0;
	char soft_text[32] = "", *hard_text;
	const char *entry;
	int64_t soft, hard;

	if (equals == NULL || equals[1] == '\0' || strlen(equals + 1) >= sizeof(soft_text))
		return err_msg(err, -EINVAL,
			       "--ulimit '%.200s': invalid ulimit argument: expected NAME=SOFT[:HARD]",
			       text);
	while (i < ARRAY_LEN(names) && (strlen(names[i]) != n || strncmp(names[i], text, n) != 0))
		i++;
	if (i == ARRAY_LEN(names))
		return err_msg(err, -EINVAL, "--ulimit '%.200s': invalid ulimit type: %.*s", text,
			       (int) n, text);
	(void) snprintf(soft_text, sizeof(soft_text), "%s", equals + 1);
	hard_text = strchr(soft_text, ':');
	if (hard_text != NULL)
		*hard_text++ = '\0';
	if (strcmp(soft_text, "unlimited") == 0)
		(void) snprintf(soft_text, sizeof(soft_text), "-1");
	if (str_to_i64(soft_text, &soft) < 0 || soft < -1)
		return err_msg(err, -EINVAL, "--ulimit '%s': invalid soft limit", text);
	hard = soft;
	if (hard_text != NULL && strcmp(hard_text, "unlimited") == 0)
		hard = -1;
	else if (hard_text != NULL && (str_to_i64(hard_text, &hard) < 0 || hard < -1))
		return err_msg(err, -EINVAL, "--ulimit '%s': invalid hard limit", text);
	if (hard != -1 && (soft > hard || soft == -1))
		return err_msg(
			err, -EINVAL,
			"--ulimit '%s': ulimit soft limit must be less than or equal to hard limit",
			text);
	entry = arena_printf(&c->arena, "%s=%lld:%lld", names[i], (long long) soft,
			     (long long) hard);
	return entry == NULL || eng_env_set(&c->arena, &c->ulimits, entry) < 0 ? run_nomem(err) : 0;
}

/* Absolute or not, but without "..": it is below the root of every hierarchy. */
static int read_cgroup_parent(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	const char *p = o->cgroup_parent;

	if (p == NULL || *p == '\0')
		return 0;
	for (const char *part = p; part != NULL; part = strchr(part, '/')) {
		part += strspn(part, "/");
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return err_msg(err, -EINVAL, "--cgroup-parent '%.200s': '..' is not allowed",
				       p);
	}
	if (strlen(p) > 1024)
		return err_msg(err, -EINVAL, "--cgroup-parent '%.40s...': over 1024 bytes", p);
	return run_text(c, p, &c->cgroup_parent, err);
}

int run_limits(struct eng_config *c, const struct run_opts *o, struct err *err)
{
	int r = read_memory(c, o, err);

	if (r == 0)
		r = read_cpu(c, o, err);
	if (r == 0)
		r = signed_option("--pids-limit", o->pids_limit, -1, 4194304, &c->pids_limit, err);
	if (r == 0)
		r = read_block_io(c, o, err);
	for (size_t i = 0; r == 0 && i < o->ulimit.n; i++)
		r = read_ulimit(c, o->ulimit.v[i], err);
	return r == 0 ? read_cgroup_parent(c, o, err) : r;
}
