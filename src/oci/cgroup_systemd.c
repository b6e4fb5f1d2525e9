/* SPDX-License-Identifier: MIT */
/**
 * DOC: containers as systemd units
 *
 * With --systemd-cgroup the service manager makes the cgroup, as a transient scope (or slice), and
 * has to know the limits, because it writes them again whenever it likes.  Talking D-Bus needs
 * libsystemd, which exists only as a shared library, so the program cleave-systemd does that:
 *     cleave-systemd [--user] start|set|stop UNIT  < properties   > the unit's cgroup, or a message
 * A property is one line "TYPE MINIMUM-VERSION NAME VALUE"; systemd/property.h has the types.
 * What systemd has no property for is written to the control files afterwards, like everywhere else.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"
#include "oci/device_rules.h"
#include "oci/spec.h"
#include "sys/exe.h"
#include "sys/proc.h"

#define HELPER "cleave-systemd"
#define ANNOTATION "org.systemd.property."
#define OUTPUT_MAX (64u << 10)
#define USEC_PER_SEC 1000000
#define QUOTA_STEP 10000 /* systemd keeps the quota in percent of a CPU */
#define PERIOD_DEFAULT 100000 /* us, the kernel's */
#define V_QUOTA_PERIOD 242
#define V_CPUSET 244
#define V_IDLE 252
#define V_OOM_POLICY 253

/* Root of a user namespace may have a systemd of its own in there; that of the host is somebody else's. */
static bool owns_systemd(void)
{
	struct stat st;

	return geteuid() == 0 && stat("/run/systemd/private", &st) == 0 && st.st_uid == 0;
}

int cg_unit_place(struct oci_cgroup *cg, struct err *err)
{
	const char *path = cg->want.path, *slice, *prefix = "cleave", *name = cg->want.id;
	char *copy = NULL, *rest;

	if (access("/run/systemd/system", F_OK) < 0)
		return err_msg(err, -ENOTSUP, "systemd cgroup flag passed, but systemd is not running on this host");
	cg->unit.user = cg->rootless && !owns_systemd();
	slice = cg->unit.user ? "user.slice" : "system.slice";
	if (path != NULL && *path != '\0') {
		copy = arena_strdup(&cg->arena, path);
		if (copy == NULL)
			return err_set(err, -ENOMEM, "allocate unit name");
		rest = copy;
		if (*rest != ':')
			slice = rest;
		rest += strcspn(rest, ":");
		prefix = *rest != '\0' ? rest + 1 : NULL;
		if (prefix != NULL) {
			*rest = '\0';
			rest++;
			rest += strcspn(rest, ":");
		}
		name = prefix != NULL && *rest != '\0' ? rest + 1 : NULL;
		if (name == NULL || strchr(name, ':') != NULL)
			return err_msg(err, -EINVAL,
				       "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"%s\" instead",
				       path);
		*rest = '\0';
	}
	if (strchr(name, '/') != NULL || strchr(prefix, '/') != NULL || strchr(slice, '/') != NULL)
		return err_msg(err, -EINVAL, "linux.cgroupsPath: '%s' has a slash in a unit name", path);
	cg->unit.slice = arena_strdup(&cg->arena, slice);
	if (strlen(name) > 6 && str_eq(name + strlen(name) - 6, ".slice"))
		cg->unit.name = arena_strdup(&cg->arena, name);
	else
		cg->unit.name = arena_printf(&cg->arena, "%s-%s.scope", prefix, name);
	if (cg->unit.slice == NULL || cg->unit.name == NULL)
		return err_set(err, -ENOMEM, "allocate unit name");
	return 0;
}

static void prop(struct str *s, const char *type, int version, const char *name, const char *value)
{
	str_printf(s, "%s %d %s %s\n", type, version, name, value);
}

static void prop_u64(struct str *s, int version, const char *name, uint64_t v)
{
	str_printf(s, "t %d %s %" PRIu64 "\n", version, name, v);
}

/* Quota and period in us, 0 for "not given"; the missing one of an update is what the cgroup has. */
static void add_quota(struct str *s, const struct oci_cgroup *cg, int64_t quota, uint64_t period,
		      bool update)
{
	uint64_t per_sec = UINT64_MAX;

	if (quota == 0 && period == 0)
		return;
	if (update && (quota == 0 || period == 0)) {
		const struct cg_dir *v1 = cg_v1(cg, "cpu"), *v2 = cg_v2(cg);
		uint64_t now_period = 0;
		int64_t now_quota = 0;

		if (v1 != NULL) {
			uint64_t q; /* "-1" is no number for this reader: unlimited */

			if (cg_read_u64(v1->path, "cpu.cfs_quota_us", &q) == 0)
				now_quota = (int64_t) q;
			(void) cg_read_u64(v1->path, "cpu.cfs_period_us", &now_period); /* stays 0 */
		} else if (v2 != NULL) {
			_cleanup_(str_fini) struct str text = { 0 };

			if (cg_read(v2->path, "cpu.max", &text) == 0 &&
			    sscanf(text.p, "%" SCNd64 " %" SCNu64, &now_quota, &now_period) == 0)
				(void) sscanf(text.p, "max %" SCNu64, &now_period); /* stays 0 */
		}
		quota = quota != 0 ? quota : now_quota;
		period = period != 0 ? period : now_period;
	}
	if (period != 0)
		prop_u64(s, V_QUOTA_PERIOD, "CPUQuotaPeriodUSec", period);
	if (quota > 0) {
		uint64_t p = period != 0 ? period : PERIOD_DEFAULT;

		if (__builtin_mul_overflow((uint64_t) quota, USEC_PER_SEC, &per_sec))
			per_sec = UINT64_MAX;
		else
			per_sec = (per_sec / p + QUOTA_STEP - 1) / QUOTA_STEP * QUOTA_STEP;
	}
	prop_u64(s, 0, "CPUQuotaPerSecUSec", per_sec);
}

static void add_pids(struct str *s, int64_t limit)
{
	prop_u64(s, 0, "TasksMax", limit < 0 ? UINT64_MAX : limit == 0 ? 1 : (uint64_t) limit);
}

/* Rules that DeviceAllow= cannot say are left to our own, with everything allowed on systemd's side. */
static int add_devices(struct str *s, const struct oci_resources *r, struct err *err)
{
	_cleanup_(device_rules_fini) struct device_rules set = { 0 };
	int q = device_rules_build(r->devices, r->nr_devices, &set, err);
	bool strict = !set.allow;

	if (q < 0)
		return q;
	for (size_t i = 0; i < set.n; i++)
		strict = strict && (set.v[i].major >= 0 || set.v[i].minor < 0);
	prop(s, "s", 0, "DevicePolicy", strict ? "strict" : "auto");
	str_puts(s, "d 0 DeviceAllow\n"); /* forget those before */
	for (size_t i = 0; i < set.n && strict; i++) {
		const struct device_rule *d = &set.v[i];
		const char *kind = d->type == 'b' ? "block" : "char";

		if (d->major < 0)
			str_printf(s, "d 0 DeviceAllow %s-*", kind);
		else if (d->minor < 0)
			str_printf(s, "d 0 DeviceAllow %s-%" PRId64, kind, d->major);
		else
			str_printf(s, "d 0 DeviceAllow /dev/%s/%" PRId64 ":%" PRId64, kind, d->major, d->minor);
		str_printf(s, " %s%s%s\n", (d->access & DEVICE_READ) != 0 ? "r" : "",
			   (d->access & DEVICE_WRITE) != 0 ? "w" : "",
			   (d->access & DEVICE_MKNOD) != 0 ? "m" : "");
	}
	return 0;
}

/* "max" or a number of a unified file; others are left to the kernel to refuse. */
static void add_number(struct str *s, const char *name, const char *value, uint64_t min)
{
	uint64_t v;

	if (str_eq(value, "max"))
		prop_u64(s, 0, name, UINT64_MAX);
	else if (str_to_u64(value, &v) == 0)
		prop_u64(s, 0, name, v > min ? v : min);
}

static void add_unified(struct str *s, const struct oci_cgroup *cg, const struct oci_pairs *unified,
			bool update)
{
	static const struct {
		const char *file, *name;
		uint64_t min;
	} numbers[] = {
		{ "memory.high", "MemoryHigh", 0 }, { "memory.low", "MemoryLow", 0 },
		{ "memory.min", "MemoryMin", 0 },   { "memory.max", "MemoryMax", 0 },
		{ "memory.swap.max", "MemorySwapMax", 0 }, { "pids.max", "TasksMax", 1 },
	};
	bool idle = false;

	for (size_t i = 0; i < unified->n; i++)
		idle = idle || (str_eq(unified->v[i].key, "cpu.idle") && str_starts(unified->v[i].value, "1"));
	for (size_t i = 0; i < unified->n; i++) {
		const char *key = unified->v[i].key, *value = unified->v[i].value;

		for (size_t n = 0; n < ARRAY_LEN(numbers); n++)
			if (str_eq(key, numbers[n].file))
				add_number(s, numbers[n].name, value, numbers[n].min);
		if (str_eq(key, "cpuset.cpus"))
			prop(s, "ay", V_CPUSET, "AllowedCPUs", value);
		else if (str_eq(key, "cpuset.mems"))
			prop(s, "ay", V_CPUSET, "AllowedMemoryNodes", value);
		else if (str_eq(key, "cpu.weight") && idle)
			log_warning("unable to apply both cpu.weight and cpu.idle to systemd, ignoring cpu.weight");
		else if (str_eq(key, "cpu.weight"))
			add_number(s, "CPUWeight", value, 1);
		else if (str_eq(key, "cpu.idle") && idle)
			prop_u64(s, V_IDLE, "CPUWeight", 0);
		else if (str_eq(key, "memory.oom.group") && !update)
			prop(s, "s", V_OOM_POLICY, "OOMPolicy", str_starts(value, "1") ? "kill" : "continue");
		else if (str_eq(key, "cpu.max")) {
			int64_t quota = -1;
			uint64_t period = 0;

			if (sscanf(value, "%" SCNd64 " %" SCNu64, &quota, &period) == 0)
				(void) sscanf(value, "max %" SCNu64, &period); /* stays 0 */
			add_quota(s, cg, quota, period, update);
		}
	}
}

static int add_v2(struct str *s, const struct oci_cgroup *cg, const struct oci_resources *r, bool update,
		  struct err *err)
{
	const struct oci_cpu *c = &r->cpu;
	struct cg_job j = { .cg = cg, .dir = cg_v2(cg), .r = r, .update = update };
	int64_t swap;
	int q = cg_v2_swap(&j, &swap, err);

	if (q < 0)
		return q;
	if (r->memory.limit.set && r->memory.limit.v != 0)
		prop_u64(s, 0, "MemoryMax", (uint64_t) r->memory.limit.v); /* -1 is infinity there, too */
	if (r->memory.reservation.set && r->memory.reservation.v != 0)
		prop_u64(s, 0, "MemoryLow", (uint64_t) r->memory.reservation.v);
	if (swap != INT64_MIN)
		prop_u64(s, 0, "MemorySwapMax", (uint64_t) swap);
	if (c->idle.set && c->idle.v == 1)
		prop_u64(s, V_IDLE, "CPUWeight", 0);
	else if (c->shares.set && c->shares.v != 0)
		prop_u64(s, 0, "CPUWeight", cg_cpu_weight(c->shares.v));
	return 0;
}

static void add_v1(struct str *s, const struct oci_resources *r)
{
	if (r->memory.limit.set && r->memory.limit.v != 0)
		prop_u64(s, 0, "MemoryLimit", (uint64_t) r->memory.limit.v);
	if (r->cpu.shares.set && r->cpu.shares.v != 0)
		prop_u64(s, 0, "CPUShares", r->cpu.shares.v);
	if (r->block_io.weight.set && r->block_io.weight.v != 0)
		prop_u64(s, 0, "BlockIOWeight", r->block_io.weight.v);
}

/* The limits as properties. */
static int add_limits(struct str *s, const struct oci_cgroup *cg, const struct oci_resources *r,
		      bool update, struct err *err)
{
	const struct oci_cpu *c = &r->cpu;
	int q = 0;

	if (cg->unified)
		q = add_v2(s, cg, r, update, err);
	else
		add_v1(s, r);
	if (q < 0)
		return q;
	add_quota(s, cg, c->quota.set ? c->quota.v : 0, c->period.set ? c->period.v : 0, update);
	if (r->pids_limit.set)
		add_pids(s, r->pids_limit.v);
	if (c->cpus != NULL)
		prop(s, "ay", V_CPUSET, "AllowedCPUs", c->cpus);
	if (c->mems != NULL)
		prop(s, "ay", V_CPUSET, "AllowedMemoryNodes", c->mems);
	add_unified(s, cg, &r->unified, update);
	return update && r->nr_devices == 0 ? 0 : add_devices(s, r, err);
}

/* Annotations "org.systemd.property.NAME". */
static int add_annotations(struct str *s, const struct oci_spec *spec, struct err *err)
{
	for (size_t i = 0; spec != NULL && i < spec->annotations.n; i++) {
		const struct oci_pair *p = &spec->annotations.v[i];
		const char *name = p->key + strlen(ANNOTATION);

		if (!str_starts(p->key, ANNOTATION))
			continue;
		if (strlen(name) < 3 || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
			return err_msg(err, -EINVAL, "annotation %s: '%s' is no property name", p->key, name);
		if (strchr(p->value, '\n') != NULL)
			return err_msg(err, -EINVAL, "annotation %s: the value has more than one line", p->key);
		prop(s, "v", 0, name, p->value);
	}
	return 0;
}

/* In the child. */
static _Noreturn void exec_helper(const char *path, const struct cg_unit *u, const char *verb, int in,
				  int out)
{
	const char *argv[5] = { HELPER };
	size_t n = 1;
	sigset_t none;

	if (u->user)
		argv[n++] = "--user";
	argv[n++] = verb;
	argv[n++] = u->name;
	(void) sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL); /* its default is what the helper expects */
	if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2)
		(void) execv(path, (char **) argv); /* returns only when it failed */
	_exit(127);
}

/*
 * Run the helper.
 * @input: property lines
 * @output: what it wrote
 */
static int run_helper(const struct cg_unit *u, const char *verb, const struct str *input,
		      struct str *output, struct err *err)
{
	char path[PATH_MAX];
	int fds[2], status, r;
	pid_t pid;

	if (exe_helper(HELPER, path, sizeof(path)) < 0)
		return err_msg(err, -ENOENT, "cannot use systemd cgroups: there is no program '%s'", path);
	if (input->failed)
		return err_set(err, -ENOMEM, "collect unit properties");
	_cleanup_close_ int in = memfd_create("properties", MFD_CLOEXEC);
	if (in < 0)
		return err_set(err, -errno, "memfd_create");
	r = fd_write_full(in, input->p, input->len);
	if (r == 0 && lseek(in, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return err_set(err, r, "write unit properties");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, -errno, "pipe2");
	_cleanup_close_ int out = fds[0], theirs = fds[1];
	pid = proc_clone(0, SIGCHLD, -EBADF, NULL);
	if (pid < 0)
		return err_set(err, pid, "start " HELPER);
	if (pid == 0)
		exec_helper(path, u, verb, in, theirs);
	(void) close(take_fd(theirs)); /* a pipe */
	r = fd_read_str(out, OUTPUT_MAX, output);
	status = proc_wait(pid);
	if (r < 0 || status < 0)
		return err_set(err, r < 0 ? r : status, "read from " HELPER);
	output->p[strcspn(output->p, "\n")] = '\0';
	if (status != 0)
		return err_msg(err, -EIO, "systemd: %s unit %s: %s", verb, u->name,
			       output->p[0] != '\0' ? output->p : "the program " HELPER " failed");
	return 0;
}

static int start_properties(struct oci_cgroup *cg, pid_t pid, struct str *s, struct err *err)
{
	const struct cg_unit *u = &cg->unit;
	size_t n = strlen(u->name);
	int r;

	str_printf(s, "s 0 Description cleave container %s\n", cg->want.id);
	if (n > 6 && str_eq(u->name + n - 6, ".slice")) {
		prop(s, "as", 0, "Wants", u->slice);
	} else {
		prop(s, "s", 0, "Slice", u->slice);
		prop(s, "b", 0, "Delegate", "1");
		str_printf(s, "au 0 PIDs %d\n", (int) pid);
	}
	prop(s, "b", 0, "MemoryAccounting", "1");
	prop(s, "b", 0, "CPUAccounting", "1");
	prop(s, "b", 0, cg->unified ? "IOAccounting" : "BlockIOAccounting", "1");
	prop(s, "b", 0, "TasksAccounting", "1");
	prop(s, "b", 0, "DefaultDependencies", "0");
	r = add_annotations(s, cg->want.spec, err);
	if (r == 0 && cg->want.resources != NULL)
		r = add_limits(s, cg, cg->want.resources, false, err);
	return r;
}

/* "a-b.slice" is "/a.slice/a-b.slice", "-.slice" the root. */
static void add_slice(struct str *s, const char *slice)
{
	if (*slice == '-')
		return;
	for (const char *dash = strchr(slice, '-'); dash != NULL; dash = strchr(dash + 1, '-'))
		str_printf(s, "/%.*s.slice", (int) (dash - slice), slice);
	str_printf(s, "/%s", slice);
}

/*
 * Refuse a cgroup that is in use before systemd puts the process there.  Where a user's manager has
 * its units is taken from the caller's own cgroup; for a caller that is elsewhere systemd decides.
 */
static int check_unused(struct oci_cgroup *cg, const struct cg_layout *layout, struct err *err)
{
	const struct cg_unit *u = &cg->unit;
	_cleanup_(str_fini) struct str path = { 0 };
	const char *own = layout->v2.mount != NULL ? cg_hier_own(&layout->v2) : "", *end;
	size_t n = strlen(u->name);
	int r;

	if (u->user) {
		end = strstr(own, "/user@");
		if (end == NULL)
			return 0;
		str_add(&path, own, (size_t) (end - own) + 1 + strcspn(end + 1, "/"));
	}
	if (n > 6 && str_eq(u->name + n - 6, ".slice"))
		return 0; /* others may be in there */
	add_slice(&path, u->slice);
	str_printf(&path, "/%s", u->name);
	if (path.failed)
		return err_set(err, -ENOMEM, "allocate cgroup path");
	r = cg_place_at(cg, layout, path.p, err);
	for (size_t i = 0; i < cg->nr_dirs && r == 0; i++)
		if (access(cg->dirs[i].path, F_OK) == 0)
			r = cg_check_unused(cg, &cg->dirs[i], err);
	cg->nr_dirs = 0;
	return r;
}

int cg_unit_start(struct oci_cgroup *cg, pid_t pid, struct err *err)
{
	_cleanup_(cg_layout_fini) struct cg_layout layout = { 0 };
	_cleanup_(str_fini) struct str in = { 0 }, out = { 0 };
	int r = cg_layout_read(&layout);

	if (r < 0)
		return err_set(err, r, "read the cgroup mounts of this host");
	cg->unified = layout.nr_v1 == 0;
	if (cg->unit.user && !cg->unified)
		return err_msg(err, -ENOTSUP, "cannot use rootless systemd cgroups on cgroup v1");
	r = check_unused(cg, &layout, err);
	if (r == 0)
		r = start_properties(cg, pid, &in, err);
	if (r == 0)
		r = run_helper(&cg->unit, "start", &in, &out, err);
	if (r < 0)
		return r;
	cg->unit.started = true;
	if (out.p[0] != '/')
		return err_msg(err, -EIO, "systemd: unit %s has no cgroup", cg->unit.name);
	r = cg_place_at(cg, &layout, out.p, err);
	if (r == 0)
		r = cg_make(cg, err);
	return r < 0 ? r : oci_cgroup_enter_pid(cg, pid, err);
}

int oci_cgroup_locate(struct oci_cgroup *cg, struct err *err)
{
	_cleanup_(cg_layout_fini) struct cg_layout layout = { 0 };
	const struct cg_hier *own;
	int r;

	if (cg->unit.name == NULL || cg->unit.started)
		return 0;
	r = cg_layout_read(&layout);
	if (r < 0)
		return err_set(err, r, "read the cgroup mounts of this host");
	own = &layout.v2;
	for (size_t i = 0; i < layout.nr_v1; i++)
		if (str_eq(layout.v1[i].controllers, "name=systemd"))
			own = &layout.v1[i];
	if (own->mount == NULL)
		return err_msg(err, -ENOENT, "systemd's cgroup hierarchy is not mounted");
	cg->unit.started = true;
	return cg_place_at(cg, &layout, cg_hier_own(own), err);
}

int cg_unit_update(const struct oci_cgroup *cg, const struct oci_resources *r, bool update,
		   struct err *err)
{
	_cleanup_(str_fini) struct str in = { 0 }, out = { 0 };
	int q;

	if (!update && r == cg->want.resources)
		return 0; /* known since the start */
	q = add_limits(&in, cg, r, update, err);
	if (q < 0 || in.len == 0)
		return q;
	return run_helper(&cg->unit, "set", &in, &out, err);
}

int cg_unit_stop(const struct oci_cgroup *cg, struct err *err)
{
	_cleanup_(str_fini) struct str in = { 0 }, out = { 0 };

	return run_helper(&cg->unit, "stop", &in, &out, err);
}

int oci_cgroup_attach(const struct oci_cgroup *cg, pid_t pid, struct err *err)
{
	_cleanup_(str_fini) struct str in = { 0 }, out = { 0 };

	str_printf(&in, "%d", (int) pid);
	return run_helper(&cg->unit, "attach", &in, &out, err);
}

bool oci_cgroup_attachable(const struct oci_cgroup *cg)
{
	return cg->unit.name != NULL && cg->unit.user;
}
