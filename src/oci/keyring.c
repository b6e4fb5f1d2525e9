/* SPDX-License-Identifier: MIT */
/**
 * DOC: session keyring
 *
 * The container's process must not see the keyring of whoever started it.  The keyring is named after
 * the container; an exec joins it by that name, which needs "search" permission on it: for "other"
 * when the keyring belongs to a user namespace, for "user" else.  A new keyring has the kernel's
 * default permissions, so they are set without asking for them first.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "oci/init.h"
#include "oci/process_parts.h"

#define NAME_MAX_BYTES 4096 /* a key description is at most a page */
#define PERM_DEFAULT 0x3f130000U /* possessor: all; user: view, read, link */
#define PERM_USER_SEARCH 0x00080000U
#define PERM_OTHER_SEARCH 0x00000008U

static int join(const struct oci_init *init, struct err *err)
{
	uint32_t perm = PERM_DEFAULT | (init->in_userns ? PERM_OTHER_SEARCH : PERM_USER_SEARCH);
	char name[NAME_MAX_BYTES];
	long key;
	int n = snprintf(name, sizeof(name), "_ses.%s", init->id);

	if (n < 0 || (size_t) n >= sizeof(name))
		return err_msg(err, -ENAMETOOLONG, "container id is too long for a keyring name");
	key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	if (key < 0 && errno == ENOSYS) {
		log_warning("the kernel has no keyrings, the container keeps that of its starter");
		return 0;
	}
	if (key < 0)
		return err_set(err, -errno,
			       "unable to join session keyring: unable to create session key");
	if (!init->exec && syscall(SYS_keyctl, KEYCTL_SETPERM, key, perm) < 0)
		return err_set(err, -errno, "unable to mod keyring permissions");
	return 0;
}

int oci_keyring_join(const struct oci_init *init, struct err *err)
{
	const char *label = init->process->selinux_label;
	int r, q;

	if (label == NULL)
		return join(init, err);
	r = oci_attr_write(init->proc_fd, "keycreate", label);
	if (r < 0)
		return err_set(err, r, "process.selinuxLabel: set keyring label '%s'", label);
	r = join(init, err);
	q = oci_attr_write(init->proc_fd, "keycreate", "");
	return r == 0 && q < 0 ? err_set(err, q, "reset keyring label") : r;
}
