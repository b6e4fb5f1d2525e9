/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/container.h"
#include "engine/spec.h"
#include "oci/cgroup.h"
#include "oci/container.h"
#include "oci/usage.h"

#define NET_DEV_MAX 65536 /* bytes */

/* All interfaces but the loopback.  Lines: name, colon, eight numbers in, eight out. */
static void read_net(pid_t pid, struct eng_usage *ret)
{
	_cleanup_(str_fini) struct str text = { 0 };
	char path[64], *save = NULL;

	(void) snprintf(path, sizeof(path), "/proc/%d/net/dev", pid);
	if (file_read(AT_FDCWD, path, NET_DEV_MAX, &text) < 0)
		return;
	for (char *line = strtok_r(text.p, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *colon = strchr(line, ':');
		unsigned long long in, out;

		if (colon == NULL || str_starts(line + strspn(line, " "), "lo:"))
			continue;
		if (sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &in, &out) != 2)
			continue;
		ret->net_in += in;
		ret->net_out += out;
	}
}

int container_usage(struct engine *e, const char *id, struct eng_usage *ret)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	struct oci_usage u = { 0 };
	int r = container_open(e, id, &c, NULL);

	if (r == 0)
		r = oci_container_cgroup(c, NULL);
	if (r < 0)
		return r;
	if (c->cgroup != NULL)
		oci_cgroup_usage(c->cgroup, &u);
	if (u.cpu_ns == 0 && u.memory == 0) /* no cgroup counts */
		container_processes_usage(c->state.pid, &u);
	*ret = (struct eng_usage) { .cpu_ns = u.cpu_ns,
				    .memory = u.memory,
				    .memory_limit = u.memory_limit,
				    .pids = u.pids,
				    .read = u.read,
				    .written = u.written };
	read_net(c->state.pid, ret);
	return 0;
}

/* The limits as config.json has them go through the reader of that file. */
int container_update(struct engine *e, const char *id, const struct eng_config *old,
		     const struct eng_config *config, struct err *err)
{
	_cleanup_(oci_container_freep) struct oci_container *c = NULL;
	_cleanup_(oci_spec_freep) struct oci_spec *spec = NULL;
	_cleanup_(str_fini) struct str json = { 0 };
	int r = container_open(e, id, &c, err);

	if (r == 0)
		r = oci_container_cgroup(c, err);
	if (r < 0 || c->cgroup == NULL)
		return r < 0 ? r : err_msg(err, -EOPNOTSUPP, "the container has no cgroup to limit");
	r = eng_spec_limits(old, config, &json, err);
	if (r == 0)
		r = oci_spec_parse("config.json", json.p, json.len, &spec, err);
	if (r < 0)
		return r;
	spec->linux.resources.nr_devices = 0;
	return oci_cgroup_apply(c->cgroup, &spec->linux.resources, true, err);
}
