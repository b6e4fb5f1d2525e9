/* SPDX-License-Identifier: MIT */
/**
 * DOC: usage numbers as JSON
 *
 * The shape is what `runc events --stats` prints, with v2's counters under the v1 names: engines read
 * it.  Numbers that are 0 are left out where that program leaves them out.  A controller that is not
 * there leaves its object empty; a file that vanishes because the container ends is the same.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"

#define HUGEPAGES_DIR "/sys/kernel/mm/hugepages"
#define NS_PER_TICK 10000000 /* cpuacct.stat counts in USER_HZ, which is 100 for every program */

/* Append `"name":` and before it a comma unless it is the first in its object. */
static void member(struct str *s, const char *name)
{
	if (s->len > 0 && s->p[s->len - 1] != '{' && s->p[s->len - 1] != '[')
		str_puts(s, ",");
	str_json(s, name);
	str_puts(s, ":");
}

static void number(struct str *s, const char *name, uint64_t v)
{
	member(s, name);
	str_printf(s, "%" PRIu64, v);
}

static void number_if(struct str *s, const char *name, uint64_t v)
{
	if (v != 0)
		number(s, name, v);
}

static uint64_t get(const struct cg_dir *d, const char *file)
{
	uint64_t v;

	return cg_read_u64(d->path, file, &v) < 0 ? 0 : v;
}

static uint64_t get_key(const struct cg_dir *d, const char *file, const char *key)
{
	uint64_t v;

	return cg_read_key(d->path, file, key, &v) < 0 ? 0 : v;
}

/* Next word of @p, ended in place; NULL at the end of the line, which is left. */
static char *next_word(char **p)
{
	char *w = *p + strspn(*p, " ");
	size_t n = strcspn(w, " \n");

	if (n == 0)
		return NULL;
	*p = w + n;
	if (**p == ' ')
		*(*p)++ = '\0';
	return w;
}

/* Split @text, which is changed, into lines: returns this one ended, @rest is the next. */
static char *next_line(char **rest)
{
	char *line = *rest;
	size_t n = strcspn(line, "\n");

	if (*line == '\0')
		return NULL;
	*rest = line + n + (line[n] == '\n');
	line[n] = '\0';
	return line;
}

static void add_psi(struct str *s, const struct cg_dir *d, const char *file)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char *rest, *line;

	if (cg_read(d->path, file, &text) < 0)
		return;
	member(s, "psi");
	str_puts(s, "{");
	for (rest = text.p; (line = next_line(&rest)) != NULL;) {
		double avg[3];
		uint64_t total;
		char kind[8];

		if (sscanf(line, "%7s avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64, kind, &avg[0], &avg[1],
			   &avg[2], &total) != 5)
			continue;
		member(s, kind);
		str_printf(s, "{\"avg10\":%g,\"avg60\":%g,\"avg300\":%g,\"total\":%" PRIu64 "}", avg[0], avg[1],
			   avg[2], total);
	}
	str_puts(s, "}");
}

/* Append column @column of the lines of cpuacct.usage_all, or all words of its only line if -1. */
static void add_percpu(struct str *s, const char *name, const struct cg_dir *d, const char *file,
		       int column)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char *rest, *line, *w;

	if (cg_read(d->path, file, &text) < 0)
		return;
	member(s, name);
	str_puts(s, "[");
	rest = text.p;
	if (column >= 0)
		(void) next_line(&rest); /* titles */
	while ((line = next_line(&rest)) != NULL)
		for (int i = 0; (w = next_word(&line)) != NULL; i++)
			if (column < 0 || i == column)
				str_printf(s, "%s%s", s->p[s->len - 1] == '[' ? "" : ",", w);
	str_puts(s, "]");
}

static void add_throttling(struct str *s, const struct cg_dir *d, bool v2)
{
	uint64_t unit = v2 ? 1000 : 1;

	if (d == NULL)
		return;
	member(s, "throttling");
	str_puts(s, "{");
	number_if(s, "periods", get_key(d, "cpu.stat", "nr_periods"));
	number_if(s, "throttledPeriods", get_key(d, "cpu.stat", "nr_throttled"));
	number_if(s, "throttledTime",
		  get_key(d, "cpu.stat", v2 ? "throttled_usec" : "throttled_time") * unit);
	str_puts(s, "}");
}

static void add_cpu(struct str *s, const struct oci_cgroup *cg)
{
	const struct cg_dir *acct = cg_v1(cg, "cpuacct"), *v2 = cg->unified ? cg_v2(cg) : NULL;

	member(s, "cpu");
	str_puts(s, "{\"usage\":{");
	if (acct != NULL) {
		number_if(s, "total", get(acct, "cpuacct.usage"));
		add_percpu(s, "percpu", acct, "cpuacct.usage_percpu", -1);
		add_percpu(s, "percpu_kernel", acct, "cpuacct.usage_all", 2);
		add_percpu(s, "percpu_user", acct, "cpuacct.usage_all", 1);
		number(s, "kernel", get_key(acct, "cpuacct.stat", "system") * NS_PER_TICK);
		number(s, "user", get_key(acct, "cpuacct.stat", "user") * NS_PER_TICK);
	} else if (v2 != NULL) {
		number_if(s, "total", get_key(v2, "cpu.stat", "usage_usec") * 1000);
		number(s, "kernel", get_key(v2, "cpu.stat", "system_usec") * 1000);
		number(s, "user", get_key(v2, "cpu.stat", "user_usec") * 1000);
	}
	str_puts(s, "}");
	add_throttling(s, v2 != NULL ? v2 : cg_v1(cg, "cpu"), v2 != NULL);
	if (v2 != NULL)
		add_psi(s, v2, "cpu.pressure");
	str_puts(s, "}");
}

/* A list "0-3,7" as array of numbers. */
static void add_list(struct str *s, const char *name, const struct cg_dir *d, const char *file)
{
	_cleanup_(str_fini) struct str text = { 0 };

	if (cg_read(d->path, file, &text) < 0 || text.p[0] == '\n')
		return;
	member(s, name);
	str_puts(s, "[");
	for (char *p = text.p; *p >= '0' && *p <= '9';) {
		unsigned long first = strtoul(p, &p, 10), last = *p == '-' ? strtoul(p + 1, &p, 10) : first;

		for (; first <= last && first <= UINT16_MAX; first++)
			str_printf(s, "%s%lu", s->p[s->len - 1] == '[' ? "" : ",", first);
		p += *p == ',';
	}
	str_puts(s, "]");
}

static void add_cpuset(struct str *s, const struct oci_cgroup *cg)
{
	static const char *const names[] = {
		"cpu_exclusive",      "mem_hardwall",      "mem_exclusive",	 "memory_migrate",
		"memory_spread_page", "memory_spread_slab", "memory_pressure", "sched_load_balance",
	};
	const struct cg_dir *d = cg_v1(cg, "cpuset");

	member(s, "cpuset");
	str_puts(s, "{");
	if (d != NULL) {
		add_list(s, "cpus", d, "cpuset.cpus");
		add_list(s, "mems", d, "cpuset.mems");
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char file[64];

		(void) snprintf(file, sizeof(file), "cpuset.%s", names[i]);
		number(s, names[i], d != NULL ? get(d, file) : 0);
	}
	str_printf(s, ",\"sched_relax_domain_level\":%d}", d != NULL ? -1 : 0);
}

static void add_entry(struct str *s, const char *name, uint64_t limit, uint64_t usage, uint64_t max,
		      uint64_t failcnt)
{
	member(s, name);
	str_puts(s, "{");
	number(s, "limit", limit);
	number_if(s, "usage", usage);
	number_if(s, "max", max);
	number(s, "failcnt", failcnt);
	str_puts(s, "}");
}

static void add_entry_v1(struct str *s, const char *name, const struct cg_dir *d, const char *prefix)
{
	static const char *const files[] = { "limit_in_bytes", "usage_in_bytes", "max_usage_in_bytes",
					     "failcnt" };
	uint64_t v[ARRAY_LEN(files)];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char file[64];

		(void) snprintf(file, sizeof(file), "%s.%s", prefix, files[i]);
		v[i] = get(d, file);
	}
	add_entry(s, name, v[0], v[1], v[2], v[3]);
}

/* All of memory.stat as object. */
static void add_raw(struct str *s, const struct cg_dir *d)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char *rest, *line, *key, *value;

	if (cg_read(d->path, "memory.stat", &text) < 0)
		return;
	member(s, "raw");
	str_puts(s, "{");
	for (rest = text.p; (line = next_line(&rest)) != NULL;) {
		uint64_t v;

		key = next_word(&line);
		value = key != NULL ? next_word(&line) : NULL;
		if (value != NULL && str_to_u64(value, &v) == 0)
			number(s, key, v);
	}
	str_puts(s, "}");
}

static void add_memory_v2(struct str *s, const struct cg_dir *d)
{
	uint64_t usage = get(d, "memory.current"), limit = get(d, "memory.max");
	uint64_t swap = get(d, "memory.swap.current"), swap_limit = get(d, "memory.swap.max");

	number_if(s, "cache", get_key(d, "memory.stat", "file"));
	add_entry(s, "usage", limit, usage, get(d, "memory.peak"), 0);
	if (swap_limit != UINT64_MAX)
		swap_limit = limit == UINT64_MAX ? limit : swap_limit + limit;
	add_entry(s, "swap", swap_limit, swap + usage, 0, 0); /* v1 counts both together */
	add_entry(s, "kernel", 0, 0, 0, 0);
	add_entry(s, "kernelTCP", 0, 0, 0, 0);
	add_raw(s, d);
	add_psi(s, d, "memory.pressure");
}

static void add_memory(struct str *s, const struct oci_cgroup *cg)
{
	const struct cg_dir *v1 = cg_v1(cg, "memory"), *v2 = cg->unified ? cg_v2(cg) : NULL;

	member(s, "memory");
	str_puts(s, "{");
	if (v1 != NULL) {
		number_if(s, "cache", get_key(v1, "memory.stat", "cache"));
		add_entry_v1(s, "usage", v1, "memory");
		add_entry_v1(s, "swap", v1, "memory.memsw");
		add_entry_v1(s, "kernel", v1, "memory.kmem");
		add_entry_v1(s, "kernelTCP", v1, "memory.kmem.tcp");
		add_raw(s, v1);
	} else if (v2 != NULL) {
		add_memory_v2(s, v2);
	}
	str_puts(s, "}");
}

static void add_pids(struct str *s, const struct oci_cgroup *cg)
{
	const struct cg_dir *v1 = cg_v1(cg, "pids"), *d = v1 != NULL ? v1 : cg_v2(cg);
	uint64_t current = 0, max = 0;

	if (d != NULL && cg_read_u64(d->path, "pids.current", &current) < 0) {
		_cleanup_free_ pid_t *pids = NULL;
		ssize_t n = oci_cgroup_pids(cg, &pids, NULL);

		current = n > 0 ? (uint64_t) n : 0;
	}
	if (d != NULL)
		max = get(d, "pids.max");
	member(s, "pids");
	str_puts(s, "{");
	number_if(s, "current", current);
	number_if(s, "limit", max == UINT64_MAX ? 0 : max);
	str_puts(s, "}");
}

static void io_entry(struct str *s, uint64_t major, uint64_t minor, const char *op, uint64_t value)
{
	if (s->p[s->len - 1] != '[')
		str_puts(s, ",");
	str_puts(s, "{");
	number_if(s, "major", major);
	number_if(s, "minor", minor);
	if (op != NULL) {
		member(s, "op");
		str_json(s, op);
	}
	number_if(s, "value", value);
	str_puts(s, "}");
}

/* One v1 file of lines "8:0 Read 123" or "8:0 123".  Return: it has such lines. */
static bool add_io_v1(struct str *s, const char *name, const struct cg_dir *d, const char *file)
{
	_cleanup_(str_fini) struct str text = { 0 }, list = { 0 };
	char *rest, *line;

	if (cg_read(d->path, file, &text) < 0)
		return false;
	str_puts(&list, "[");
	for (rest = text.p; (line = next_line(&rest)) != NULL;) {
		uint64_t major, minor, value;
		char op[16];

		if (sscanf(line, "%" SCNu64 ":%" SCNu64 " %15[A-Za-z] %" SCNu64, &major, &minor, op, &value) == 4)
			io_entry(&list, major, minor, op, value);
		else if (sscanf(line, "%" SCNu64 ":%" SCNu64 " %" SCNu64, &major, &minor, &value) == 3)
			io_entry(&list, major, minor, NULL, value);
	}
	if (list.failed || list.len == 1)
		return false;
	member(s, name);
	str_puts(s, list.p);
	str_puts(s, "]");
	return true;
}

/* io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" */
static void add_io_v2(struct str *s, const char *name, const struct cg_dir *d, const char *read_key,
		      const char *write_key)
{
	_cleanup_(str_fini) struct str text = { 0 }, list = { 0 };
	char *rest, *line, *w;

	if (cg_read(d->path, "io.stat", &text) < 0)
		return;
	str_puts(&list, "[");
	for (rest = text.p; (line = next_line(&rest)) != NULL;) {
		uint64_t major, minor, value;

		w = next_word(&line);
		if (w == NULL || sscanf(w, "%" SCNu64 ":%" SCNu64, &major, &minor) != 2)
			continue;
		while ((w = next_word(&line)) != NULL) {
			char *eq = strchr(w, '=');

			if (eq == NULL || str_to_u64(eq + 1, &value) < 0)
				continue;
			*eq = '\0';
			if (str_eq(w, read_key))
				io_entry(&list, major, minor, "Read", value);
			else if (str_eq(w, write_key))
				io_entry(&list, major, minor, "Write", value);
		}
	}
	if (list.failed || list.len == 1)
		return;
	member(s, name);
	str_puts(s, list.p);
	str_puts(s, "]");
}

static void add_blkio(struct str *s, const struct oci_cgroup *cg)
{
	/* the first of the files that has anything: BFQ, CFQ (old kernels), throttling */
	static const struct {
		const char *name, *files[3];
	} v1_files[] = {
		{ "ioServiceBytesRecursive", { "blkio.bfq.io_service_bytes_recursive",
					       "blkio.io_service_bytes_recursive",
					       "blkio.throttle.io_service_bytes_recursive" } },
		{ "ioServicedRecursive", { "blkio.bfq.io_serviced_recursive", "blkio.io_serviced_recursive",
					   "blkio.throttle.io_serviced_recursive" } },
		{ "ioQueueRecursive", { "blkio.bfq.io_queued_recursive", "blkio.io_queued_recursive" } },
		{ "ioServiceTimeRecursive", { "blkio.bfq.io_service_time_recursive",
					      "blkio.io_service_time_recursive" } },
		{ "ioWaitTimeRecursive", { "blkio.bfq.io_wait_time_recursive", "blkio.io_wait_time_recursive" } },
		{ "ioMergedRecursive", { "blkio.bfq.io_merged_recursive", "blkio.io_merged_recursive" } },
		{ "ioTimeRecursive", { "blkio.bfq.time_recursive", "blkio.time_recursive" } },
		{ "sectorsRecursive", { "blkio.bfq.sectors_recursive", "blkio.sectors_recursive" } },
	};
	const struct cg_dir *v1 = cg_v1(cg, "blkio"), *v2 = cg->unified ? cg_v2(cg) : NULL;

	member(s, "blkio");
	str_puts(s, "{");
	for (size_t i = 0; i < ARRAY_LEN(v1_files) && v1 != NULL; i++)
		for (size_t f = 0; f < ARRAY_LEN(v1_files[i].files) && v1_files[i].files[f] != NULL; f++)
			if (add_io_v1(s, v1_files[i].name, v1, v1_files[i].files[f]))
				break;
	if (v2 != NULL) {
		add_io_v2(s, "ioServiceBytesRecursive", v2, "rbytes", "wbytes");
		add_io_v2(s, "ioServicedRecursive", v2, "rios", "wios");
		add_psi(s, v2, "io.pressure");
	}
	str_puts(s, "}");
}

/* Name of a page size in control files: 2048 KiB are "2MB". */
static void page_size_name(uint64_t kib, char *name, size_t size)
{
	static const char *const unit[] = { "KB", "MB", "GB" };
	size_t u = 0;

	for (; kib >= 1024 && u + 1 < ARRAY_LEN(unit); u++)
		kib /= 1024;
	(void) snprintf(name, size, "%" PRIu64 "%s", kib, unit[u]);
}

static void add_hugepages(struct str *s, const struct cg_dir *d, const char *size)
{
	bool v2 = *d->controllers == '\0';
	uint64_t usage;
	char file[64];
	const char *rsvd = ".rsvd";

	(void) snprintf(file, sizeof(file), "hugetlb.%s.rsvd.%s", size, v2 ? "current" : "usage_in_bytes");
	if (cg_read_u64(d->path, file, &usage) < 0) {
		rsvd = "";
		(void) snprintf(file, sizeof(file), "hugetlb.%s.%s", size, v2 ? "current" : "usage_in_bytes");
		if (cg_read_u64(d->path, file, &usage) < 0)
			return;
	}
	member(s, size);
	str_puts(s, "{");
	number_if(s, "usage", usage);
	if (v2) {
		(void) snprintf(file, sizeof(file), "hugetlb.%s.events", size);
		number(s, "failcnt", get_key(d, file, "max"));
	} else {
		(void) snprintf(file, sizeof(file), "hugetlb.%s%s.max_usage_in_bytes", size, rsvd);
		number_if(s, "max", get(d, file));
		(void) snprintf(file, sizeof(file), "hugetlb.%s%s.failcnt", size, rsvd);
		number(s, "failcnt", get(d, file));
	}
	str_puts(s, "}");
}

static void add_hugetlb(struct str *s, const struct oci_cgroup *cg)
{
	const struct cg_dir *v1 = cg_v1(cg, "hugetlb"), *d = v1 != NULL ? v1 : cg_v2(cg);
	_cleanup_closedir_ DIR *sizes = d != NULL ? opendir(HUGEPAGES_DIR) : NULL;
	struct dirent *e;

	member(s, "hugetlb");
	str_puts(s, "{");
	while (sizes != NULL && (e = readdir(sizes)) != NULL) {
		uint64_t kib;
		char name[32];

		if (sscanf(e->d_name, "hugepages-%" SCNu64 "kB", &kib) != 1)
			continue;
		page_size_name(kib, name, sizeof(name));
		add_hugepages(s, d, name);
	}
	str_puts(s, "}");
}

int oci_cgroup_stats(const struct oci_cgroup *cg, struct str *ret, struct err *err)
{
	str_puts(ret, "{");
	add_cpu(ret, cg);
	add_cpuset(ret, cg);
	add_memory(ret, cg);
	add_pids(ret, cg);
	add_blkio(ret, cg);
	add_hugetlb(ret, cg);
	str_puts(ret, ",\"intel_rdt\":{},\"network_interfaces\":null}");
	return ret->failed ? err_set(err, -ENOMEM, "collect statistics") : 0;
}
