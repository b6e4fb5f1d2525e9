/* SPDX-License-Identifier: MIT */
#include "oci/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "oci/init.h"
#include "oci/spec.h"

int oci_sysctl_key(const char *key, char separator, char ret[OCI_SYSCTL_KEY_MAX + 1])
{
	const bool turn = key[strcspn(key, "./")] != separator;

	if (strlen(key) > OCI_SYSCTL_KEY_MAX)
		return -ENAMETOOLONG;
	for (; *key != '\0'; key++, ret++) {
		*ret = *key;
		if (turn && (*key == '.' || *key == '/'))
			*ret = *key == '.' ? '/' : '.';
	}
	*ret = '\0';
	return 0;
}

static int write_one(int sys, const struct oci_pair *p, struct err *err)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	char path[OCI_SYSCTL_KEY_MAX + 1];
	int r = oci_sysctl_key(p->key, '/', path);

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
	_cleanup_close_ int sys =
		(int) syscall(SYS_openat2, init->proc_fd, "sys", &how, sizeof(how));
	if (sys < 0)
		return err_set(err, -errno, "open the host's /proc/sys");
	for (size_t i = 0; i < pairs->n && r == 0; i++)
		r = write_one(sys, &pairs->v[i], err);
	return r;
}
