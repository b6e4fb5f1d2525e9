/* SPDX-License-Identifier: MIT */
/**
 * DOC: checks of a configuration against the host
 *
 * Apart from the parser, because a container must be readable (for delete, say) on a host that has
 * changed since.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/spec.h"

static bool wants_net_sysctl(const struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->linux.sysctl.n; i++) {
		const char *key = spec->linux.sysctl.v[i].key;

		if (str_starts(key, "net.") || str_starts(key, "net/"))
			return true;
	}
	return false;
}

static int check_network(const struct oci_spec *spec, struct err *err)
{
	const char *path = spec->linux.namespaces[OCI_NS_NETWORK].path;
	struct stat own, other;

	if (path == NULL || !wants_net_sysctl(spec))
		return 0;
	if (stat("/proc/self/ns/net", &own) < 0)
		return err_set(err, -errno, "stat '/proc/self/ns/net'");
	if (stat(path, &other) < 0)
		return err_set(err, -errno, "invalid netns path: stat '%s'", path);
	if (own.st_dev == other.st_dev && own.st_ino == other.st_ino)
		return err_msg(err, -EINVAL,
			       "linux.sysctl: net.* keys not allowed in host network namespace, which "
			       "is '%s'",
			       path);
	return 0;
}

static int check_rootless(const struct oci_spec *spec, struct err *err)
{
	const struct oci_namespace *user = &spec->linux.namespaces[OCI_NS_USER];

	if (!user->set)
		return err_msg(err, -EINVAL, "rootless container requires user namespaces");
	if (user->path == NULL && spec->linux.uid_mappings.n == 0)
		return err_msg(err, -EINVAL,
			       "rootless containers requires at least one UID mapping");
	if (user->path == NULL && spec->linux.gid_mappings.n == 0)
		return err_msg(err, -EINVAL,
			       "rootless containers requires at least one GID mapping");
	if (spec->linux.nr_net_devices > 0)
		return err_msg(err, -EINVAL,
			       "network devices are not supported for rootless containers");
	for (size_t i = 0; i < spec->nr_mounts; i++) {
		if (spec->mounts[i].uid_mappings.n > 0)
			return err_msg(err, -EINVAL,
				       "mounts[%zu]: id-mapped mounts are not supported for rootless "
				       "containers",
				       i);
	}
	return 0;
}

int oci_spec_check_host(const struct oci_spec *spec, bool rootless, struct err *err)
{
	int r;

	r = check_network(spec, err);
	if (r < 0)
		return r;
	if (spec->linux.namespaces[OCI_NS_TIME].set &&
	    access("/proc/self/timens_offsets", F_OK) < 0)
		return err_msg(err, -EINVAL, "time namespaces aren't enabled in the kernel");
	return rootless ? check_rootless(spec, err) : 0;
}
