/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/oci/verb.h"
#include "oci/cgroup.h"
#include "oci/container.h"
#include "sys/proc.h"

#define OOM_LOOKS 10
#define OOM_LOOK_MS 100

struct events_opts {
	const char *interval;
	bool stats;
};

static const struct opt events_table[] = {
	{ "interval", 0, OPT_STRING, offsetof(struct events_opts, interval), "DURATION",
	  "time between two stats, e.g. 500ms, 5s (default), 1m" },
	{ "stats", 0, OPT_BOOL, offsetof(struct events_opts, stats), NULL, "print the stats once" },
	{ 0 },
};

/* "1m30s", "250ms": numbers with units as Go writes durations; whole units only. */
static int parse_duration(const char *text, int64_t *ret_ms)
{
	static const struct { const char *unit; int64_t ms; } units[] = {
		{ "ms", 1 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 },
	};
	int64_t total = 0;

	while (*text != '\0') {
		char *end;
		long v = strtol(text, &end, 10);
		size_t i;

		if (end == text || v < 0 || v > 1000000)
			return -EINVAL;
		for (i = 0; i < ARRAY_LEN(units); i++)
			if (str_starts(end, units[i].unit))
				break;
		if (i == ARRAY_LEN(units))
			return -EINVAL;
		total += v * units[i].ms;
		text = end + strlen(units[i].unit);
	}
	*ret_ms = total;
	return total > 0 ? 0 : -ERANGE;
}

static int print_stats(const struct oci_container *c, struct err *err)
{
	_cleanup_(str_fini) struct str s = { 0 };
	int r;

	str_puts(&s, "{\"type\":\"stats\",\"id\":");
	str_json(&s, c->id);
	str_puts(&s, ",\"data\":");
	r = oci_cgroup_stats(c->cgroup, &s, err);
	if (r < 0)
		return r;
	str_puts(&s, "}");
	if (s.failed)
		return err_set(err, -ENOMEM, "print stats");
	puts(s.p);
	fflush(stdout);
	return 0;
}

static void print_oom(const struct oci_container *c)
{
	_cleanup_(str_fini) struct str s = { 0 };

	str_puts(&s, "{\"type\":\"oom\",\"id\":");
	str_json(&s, c->id);
	str_puts(&s, "}");
	puts(s.p != NULL ? s.p : "");
	fflush(stdout);
}

/*
 * Ends with the container.  v1 signals @oom before the kernel kills and counts, so the counter is looked at again, for a
 * second, and whenever something else happens.
 */
static int follow(const struct oci_container *c, int64_t interval_ms, struct err *err)
{
	const struct itimerspec every = {
		.it_interval = { interval_ms / 1000, interval_ms % 1000 * 1000000 },
		.it_value = { interval_ms / 1000, interval_ms % 1000 * 1000000 },
	};
	_cleanup_close_ int pidfd = proc_pidfd_open(c->state.pid);
	_cleanup_close_ int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	_cleanup_close_ int oom = oci_cgroup_oom_fd(c->cgroup, err);
	int64_t kills = oci_cgroup_oom_kills(c->cgroup);
	int looks = 0;

	if (oom < 0)
		return oom;
	if (pidfd < 0)
		return 0; /* it ended just now */
	if (timer < 0 || timerfd_settime(timer, 0, &every, NULL) < 0)
		return err_set(err, -errno, "set a timer");
	for (;;) {
		struct pollfd p[] = {
			{ .fd = oom, .events = POLLIN },
			{ .fd = timer, .events = POLLIN },
			{ .fd = pidfd, .events = POLLIN },
		};
		int64_t now;
		char buf[4096];

		if (poll(p, ARRAY_LEN(p), looks > 0 ? OOM_LOOK_MS : -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_set(err, -errno, "poll");
		}
		looks -= looks > 0;
		if (p[0].revents != 0) {
			(void) read(oom, buf, sizeof(buf));
			looks = OOM_LOOKS;
		}
		now = oci_cgroup_oom_kills(c->cgroup);
		if (now > kills) {
			print_oom(c);
			kills = now;
		}
		if (p[2].revents != 0)
			return 0;
		if (p[1].revents != 0) {
			struct err late = { 0 };

			(void) read(timer, buf, sizeof(uint64_t));
			if (print_stats(c, &late) < 0)
				log_error("%s", late.text);
		}
	}
}

static int events_run(struct oci_cli *cli, void *data, int argc, char **argv, struct err *err)
{
	const struct events_opts *o = data;
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	int64_t interval_ms = 5000;
	int r = o->interval != NULL ? parse_duration(o->interval, &interval_ms) : 0;

	(void) argc;
	if (r == -ERANGE)
		return err_msg(err, r, "duration interval must be greater than 0");
	if (r < 0)
		return err_msg(err, r, "--interval: '%s' is no duration like 500ms, 5s or 1m", o->interval);
	r = oci_container_open(cli->root, argv[0], &c, err);
	if (r == 0)
		r = oci_container_cgroup(c, err);
	if (r < 0)
		return r;
	if (!oci_container_alive(c))
		return err_msg(err, -ESRCH, "container with id %s is not running", c->id);
	if (c->cgroup == NULL)
		return err_msg(err, -EINVAL, "container '%s' has no cgroup to read from", c->id);
	return o->stats ? print_stats(c, err) : follow(c, interval_ms, err);
}

OCI_VERB(verb_events) = {
	.name = "events",
	.args = "<container-id>",
	.summary = "print out-of-memory events and resource usage of a container",
	.min_args = 1,
	.max_args = 1,
	.opts = events_table,
	.opts_size = sizeof(struct events_opts),
	.run = events_run,
};
