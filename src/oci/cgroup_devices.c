/* SPDX-License-Identifier: MIT */
/**
 * DOC: which devices a container may use
 *
 * v1 has files that take a rule per write, v2 an eBPF program.  In a user namespace of an
 * unprivileged user neither can be changed, and nothing is lost: such a container cannot make device
 * nodes, and permissions of the host's nodes hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"
#include "oci/device_bpf.h"
#include "oci/device_rules.h"

/* "c 1:3 rwm", -1 as "*" */
static void rule_text(const struct device_rule *r, char *text, size_t size)
{
	char major[24] = "*", minor[24] = "*";

	if (r->major >= 0)
		(void) snprintf(major, sizeof(major), "%lld", (long long) r->major);
	if (r->minor >= 0)
		(void) snprintf(minor, sizeof(minor), "%lld", (long long) r->minor);
	(void) snprintf(text, size, "%c %s:%s %s%s%s", r->type, major, minor,
			(r->access & DEVICE_READ) != 0 ? "r" : "", (r->access & DEVICE_WRITE) != 0 ? "w" : "",
			(r->access & DEVICE_MKNOD) != 0 ? "m" : "");
}

/* Set the default, which forgets everything else, then write the exceptions through one descriptor. */
static int write_v1(const struct cg_dir *d, const struct device_rules *rules, struct err *err)
{
	const char *file = rules->allow ? "devices.deny" : "devices.allow";
	char path[PATH_MAX], text[80];
	int r = cg_set(d, "devices", rules->allow ? "devices.allow" : "devices.deny", "a", err);

	if (r < 0 || rules->n == 0)
		return r;
	(void) snprintf(path, sizeof(path), "%s/%s", d->path, file);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "open %s", path);
	for (size_t i = 0; i < rules->n; i++) {
		rule_text(&rules->v[i], text, sizeof(text));
		if (write(fd, text, strlen(text)) < 0)
			return cg_set_failed(d, "devices", file, text, -errno, err);
	}
	return 0;
}

/* The container must not run while everything is denied for a moment. */
static int update_v1(const struct oci_cgroup *cg, const struct cg_dir *d,
		     const struct device_rules *rules, struct err *err)
{
	struct oci_cgroup *rw = (struct oci_cgroup *) cg; /* freezing changes no member */
	bool freeze = !d->made && oci_cgroup_frozen(cg) == 0;
	int r;

	if (freeze)
		(void) oci_cgroup_freeze(rw, true, NULL); /* without a freezer some opens may fail */
	r = write_v1(d, rules, err);
	if (freeze)
		(void) oci_cgroup_freeze(rw, false, NULL);
	return r;
}

static int set_v2(const struct cg_dir *d, const struct device_rules *rules, struct err *err)
{
	_cleanup_close_ int own = d->fd >= 0 ? -EBADF : open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = d->fd >= 0 ? d->fd : own;

	if (fd < 0)
		return err_set(err, -errno, "open %s", d->path);
	if (rules->allow && rules->n == 0 && d->made)
		return 0; /* no program allows everything, too */
	return device_bpf_attach(fd, rules, !d->made, err);
}

int cg_devices(const struct oci_cgroup *cg, const struct oci_device_rule *rules, size_t n,
	       struct err *err)
{
	const struct cg_dir *v1 = cg_v1(cg, "devices"), *v2 = cg_v2(cg);
	_cleanup_(device_rules_fini) struct device_rules set = { 0 };
	int r = device_rules_build(rules, n, &set, err);

	if (r < 0)
		return r;
	if (v1 != NULL)
		r = update_v1(cg, v1, &set, err);
	else if (v2 != NULL)
		r = set_v2(v2, &set, err);
	else if (!cg->rootless)
		return err_msg(err, -ENOENT,
			       "cannot set devices limit: container could not join or create cgroup");
	if (cg_is_forbidden(r) && cg->rootless) {
		log_debug("device rules are left as they are in a user namespace");
		return 0;
	}
	return r;
}
