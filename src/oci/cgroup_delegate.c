/* SPDX-License-Identifier: MIT */
/**
 * DOC: giving the container's cgroup to the container
 *
 * A container that sees its own cgroup as the root of a writable mount can make cgroups below it if
 * it owns the directory and the files the kernel lists in /sys/kernel/cgroup/delegate.  Limits of the
 * container itself are other files of the directory; they stay the host's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/cgroup_priv.h"
#include "oci/ns.h"

#define DELEGATE "/sys/kernel/cgroup/delegate"
#define DELEGATE_MAX 4096 /* bytes */
#define DELEGATE_OLD "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n" /* cgroups(7), before 4.15 */
#define MAP_MAX (64u << 10) /* bytes of a uid_map */

/* The container has a writable mount of its own cgroup at the usual place. */
static bool has_own_mount(const struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->nr_mounts; i++) {
		const struct oci_mount *m = &spec->mounts[i];
		bool ro = false;

		if (m->type == NULL || !str_starts(m->type, "cgroup") ||
		    !str_starts(m->destination, "/sys/fs/cgroup") ||
		    m->destination[strlen("/sys/fs/cgroup") + strspn(m->destination + strlen("/sys/fs/cgroup"), "/")] != '\0')
			continue;
		for (size_t o = 0; o < m->options.n; o++)
			ro = str_eq(m->options.v[o], "ro") || (ro && !str_eq(m->options.v[o], "rw"));
		return !ro;
	}
	return false;
}

/* Who @uid of the user namespace of @pid is here.  Return: 0; -ENODATA not mapped; -errno. */
static int host_uid(pid_t pid, uint32_t uid, uid_t *ret)
{
	_cleanup_(str_fini) struct str map = { 0 };
	char path[64];
	int r;

	(void) snprintf(path, sizeof(path), "/proc/%d/uid_map", (int) pid);
	r = file_read(AT_FDCWD, path, MAP_MAX, &map);
	if (r < 0)
		return r;
	for (const char *line = map.p; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		uint32_t inside, outside, n;

		if (sscanf(line, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &n) == 3 &&
		    uid >= inside && uid - inside < n) {
			*ret = outside + (uid - inside);
			return 0;
		}
	}
	return -ENODATA;
}

static int give(const struct cg_dir *d, uid_t uid, const char *files)
{
	char name[NAME_MAX + 1];

	if (fchown(d->fd, uid, (gid_t) -1) < 0)
		return -errno;
	for (size_t n; *files != '\0'; files += n + (files[n] == '\n')) {
		n = strcspn(files, "\n");
		if (snprintf(name, sizeof(name), "%.*s", (int) n, files) >= (int) sizeof(name))
			return -ENAMETOOLONG;
		if (n != 0 && fchownat(d->fd, name, uid, (gid_t) -1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return -errno; /* files of controllers that are not enabled are absent */
	}
	return 0;
}

int oci_cgroup_delegate(const struct oci_cgroup *cg, const struct oci_spec *spec, pid_t pid, struct err *err)
{
	_cleanup_(str_fini) struct str files = { 0 };
	const struct cg_dir *d = cg_v2(cg);
	uid_t uid;
	int r;

	if (!cg->unified || d == NULL || !oci_ns_is_new(spec, OCI_NS_CGROUP) || !has_own_mount(spec))
		return 0;
	r = host_uid(pid, spec->process.uid, &uid);
	if (r == -ENODATA) /* such a process cannot be started, which is reported elsewhere */
		return 0;
	if (r == 0) {
		r = file_read(AT_FDCWD, DELEGATE, DELEGATE_MAX, &files);
		r = give(d, uid, r == 0 ? files.p : DELEGATE_OLD);
	}
	if (r < 0 && !(cg->rootless && cg_is_forbidden(r)))
		return err_set(err, r, "give the cgroup %s to the container", d->path);
	return 0;
}
