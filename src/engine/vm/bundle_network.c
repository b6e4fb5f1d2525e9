/* SPDX-License-Identifier: MIT */
/**
 * DOC: the network of a bundle
 *
 * Engines set up devices in a network namespace, before `create` in one that has a path, or by hooks in that of the
 * container's first process.  The process that stands for the program is in it, and so is its machine, which takes the
 * place of each device that is there then.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "engine/vm/bundle_parts.h"
#include "oci/ns.h"
#include "oci/spec.h"
#include "sys/proc.h"

int vm_bundle_clone(const struct oci_spec *spec, int *ret_pidfd, struct err *err)
{
	const char *path = spec->linux.namespaces[OCI_NS_NETWORK].path;
	_cleanup_close_ int own = -EBADF, there = -EBADF;
	int pid;

	if (path != NULL) {
		own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		there = open(path, O_RDONLY | O_CLOEXEC);
		if (own < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0)
			return err_set(err, -errno, "linux.namespaces: enter the network namespace '%s'", path);
	}
	pid = proc_clone(path == NULL ? CLONE_NEWNET : 0, SIGCHLD, -EBADF, ret_pidfd);
	if (pid != 0 && path != NULL && setns(own, CLONE_NEWNET) < 0)
		return err_set(err, -errno, "return from the network namespace '%s'", path);
	return pid < 0 ? err_set(err, pid, "create a process") : pid;
}

static int take(struct vm_bundle_net *net, uint64_t cpus, struct err *err)
{
	const struct net_device *d = &net->devices[net->n];
	struct vm_net *n = &net->nets[net->n];

	if (strpbrk(d->name, ",=") != NULL)
		return err_msg(err, -EINVAL, "network device '%s': a virtual machine takes no name with ',' or '='", d->name);
	*n = (struct vm_net) { .leg = { .kind = NET_LEG_TAP, .has_mac = true, .mtu = d->mtu },
			       .device = d,
			       .queues = cpus < VM_QUEUES_MAX ? (unsigned) cpus : VM_QUEUES_MAX };
	memcpy(n->leg.inside, d->name, sizeof(d->name));
	memcpy(n->leg.mac, d->mac, sizeof(d->mac));
	return net_device_divert(d, n->queues, n->fds, err);
}

int vm_bundle_network(struct vm_bundle_net *ret, uint64_t cpus, struct err *err)
{
	size_t n = 0;
	int r = net_devices_read(ret->devices, &n, err);

	for (ret->n = 0; r == 0 && ret->n < n;) {
		r = take(ret, cpus, err);
		ret->n += r == 0;
	}
	return r;
}
