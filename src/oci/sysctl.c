/* SPDX-License-Identifier: MIT */
#include "oci/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "oci/init.h"
#include "oci/spec.h"

/* Parameters of an IPC namespace besides fs.mqueue.* */
static const char *const ipc_keys[] = {
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
	"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
};

/*
 * Both separators are known: the first one in the key decides which it is, the other one is then part
 * of a name ("net.ipv4.conf.eth0/100.x" is "net/ipv4/conf/eth0.100/x").
 */
static int swap(const char *key, char separator, char *ret, size_t size)
{
	size_t n = strlen(key), first = strcspn(key, "./");
	bool turn = key[first] != '\0' && key[first] != separator;

	if (n >= size)
		return -ENAMETOOLONG;
	for (size_t i = 0; i <= n; i++) {
		ret[i] = key[i];
		if (turn && key[i] == '.')
			ret[i] = '/';
		else if (turn && key[i] == '/')
			ret[i] = '.';
	}
	return 0;
}

static bool is_ipc(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(ipc_keys); i++)
		if (strcmp(key, ipc_keys[i]) == 0)
			return true;
	return str_starts(key, "fs.mqueue.");
}

static int check_one(const struct oci_spec *spec, const char *raw, struct err *err)
{
	const struct oci_namespace *ns = spec->linux.namespaces;
	char key[PATH_MAX];

	if (swap(raw, '.', key, sizeof(key)) < 0)
		return err_msg(err, -EINVAL, "sysctl \"%.64s...\" is longer than %d bytes", raw, PATH_MAX - 1);
	if (is_ipc(key)) {
		if (ns[OCI_NS_IPC].set)
			return 0;
		return err_msg(err, -EINVAL, "sysctl \"%s\" is not allowed in the hosts ipc namespace", key);
	}
	if (str_starts(key, "net.")) {
		if (ns[OCI_NS_NETWORK].set)
			return 0;
		return err_msg(err, -EINVAL, "sysctl \"%s\" not allowed in host network namespace", key);
	}
	if (ns[OCI_NS_UTS].set && strcmp(key, "kernel.domainname") == 0)
		return 0;
	if (ns[OCI_NS_UTS].set && strcmp(key, "kernel.hostname") == 0)
		return err_msg(err, -EINVAL, "sysctl \"%s\" is not allowed as it conflicts with the OCI "
			       "\"hostname\" field", key);
	if (str_starts(key, "user.")) {
		if (ns[OCI_NS_USER].set)
			return 0;
		return err_msg(err, -EINVAL, "setting ucounts without a user namespace not allowed: %s", key);
	}
	return err_msg(err, -EINVAL, "sysctl \"%s\" is not in a separate kernel namespace", key);
}

int oci_sysctl_check(const struct oci_spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->linux.sysctl.n; i++) {
		int r = check_one(spec, spec->linux.sysctl.v[i].key, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int write_one(int sys, const struct oci_pair *p, struct err *err)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	char path[PATH_MAX];
	int r = swap(p->key, '/', path, sizeof(path));

	if (r < 0)
		return err_set(err, r, "sysctl \"%.64s...\"", p->key);
	_cleanup_close_ int fd = (int) syscall(SYS_openat2, sys, path, &how, sizeof(how));
	if (fd < 0)
		return err_set(err, -errno, "sysctl \"%s\": open", p->key);
	r = fd_write_full(fd, p->value, strlen(p->value));
	return r < 0 ? err_set(err, r, "sysctl \"%s\": write \"%s\"", p->key, p->value) : 0;
}

int oci_sysctl_apply(const struct oci_init *init, struct err *err)
{
	const struct oci_pairs *pairs = &init->spec->linux.sysctl;
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int r = 0;

	if (pairs->n == 0)
		return 0;
	_cleanup_close_ int sys = (int) syscall(SYS_openat2, init->proc_fd, "sys", &how, sizeof(how));
	if (sys < 0)
		return err_set(err, -errno, "open the host's /proc/sys");
	for (size_t i = 0; i < pairs->n && r == 0; i++)
		r = write_one(sys, &pairs->v[i], err);
	return r;
}
