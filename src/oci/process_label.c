/* SPDX-License-Identifier: MIT */
/**
 * DOC: labels of security modules
 *
 * Both modules take the label of the next execve() from an attr file of the thread.  Whether a module
 * is active shows only there: without AppArmor its directory is missing, or reading "current" in it
 * fails; writing a foreign attr file fails with EINVAL.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/init.h"
#include "oci/process.h"
#include "oci/process_parts.h"

#define FILESYSTEMS_MAX 16384 /* bytes of /proc/filesystems */

int oci_attr_write(int proc_fd, const char *name, const char *text)
{
	char path[64];
	int n = snprintf(path, sizeof(path), "thread-self/attr/%s", name);

	if (n < 0 || (size_t) n >= sizeof(path))
		return -ENAMETOOLONG;

	_cleanup_close_ int fd = oci_proc_open(proc_fd, path, O_WRONLY);
	if (fd < 0)
		return fd;
	/* one write, also of nothing, which resets the attribute */
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static bool apparmor_is_active(int proc_fd)
{
	_cleanup_close_ int fd = oci_proc_open(proc_fd, "thread-self/attr/apparmor/current", O_RDONLY);
	char c;

	return fd >= 0 && read(fd, &c, 1) > 0;
}

static int set_apparmor(const struct oci_init *init, const char *profile, struct err *err)
{
	_cleanup_(str_fini) struct str text = { 0 };
	int r;

	str_printf(&text, "exec %s", profile);
	if (text.failed)
		return -ENOMEM;
	r = oci_attr_write(init->proc_fd, "apparmor/exec", text.p);
	if (r == 0)
		return 0;
	if ((r == -ENOENT || r == -EINVAL) && !apparmor_is_active(init->proc_fd)) {
		if (strcmp(profile, "unconfined") != 0)
			log_warning("the kernel has no AppArmor, ignoring profile '%s'", profile);
		return 0;
	}
	return err_set(err, r, "unable to apply apparmor profile: apparmor failed to apply profile '%s'",
		       profile);
}

/* selinuxfs is registered only where SELinux was not switched off at boot. */
bool oci_selinux_active(int proc_fd)
{
	_cleanup_close_ int fd = oci_proc_open(proc_fd, "filesystems", O_RDONLY);
	_cleanup_(str_fini) struct str text = { 0 };

	return fd >= 0 && fd_read_str(fd, FILESYSTEMS_MAX, &text) == 0 && text.p != NULL &&
	       strstr(text.p, "\tselinuxfs\n") != NULL;
}

int oci_process_label(const struct oci_init *init, struct err *err)
{
	const struct oci_process *p = init->process;
	int r;

	if (p->apparmor_profile != NULL) {
		r = set_apparmor(init, p->apparmor_profile, err);
		if (r < 0)
			return r;
	}
	if (p->selinux_label == NULL)
		return 0;
	r = oci_attr_write(init->proc_fd, "exec", p->selinux_label);
	if (r < 0 && !oci_selinux_active(init->proc_fd))
		return err_msg(err, r, "selinux label is specified in config, but selinux is disabled "
				       "or not supported");
	return r < 0 ? err_set(err, r, "can't set process label '%s'", p->selinux_label) : 0;
}
