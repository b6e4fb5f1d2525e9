/* SPDX-License-Identifier: MIT */
/**
 * DOC: becoming the container's user
 *
 * Order: streams change owner and the bounding set shrinks while all capabilities are there; groups
 * before gid before uid; uid 0 keeps its capabilities by itself, any other uid needs KEEPCAPS, which
 * execve() clears; the final sets come last.  Every capability that goes costs a system call, since
 * the kernel drops them from the bounding set one by one; asking first which are there would cost
 * the same number again.  The call after the last one that the kernel knows fails, which ends the
 * loop without reading a limit from procfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "oci/init.h"
#include "oci/process.h"
#include "oci/process_parts.h"
#include "sys/cap.h"

#define UMASK_DEFAULT 0022
#define BIT(n) (1ULL << (n))

static const struct oci_caps no_caps;

/*
 * The user must be able to open /dev/stdout again, so the streams become his.  A stream whose owner
 * has no id in the user namespace, or on a read-only file system, stays as it is.
 */
static int own_streams(uid_t uid, struct err *err)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0) {
			if (errno == EBADF)
				continue;
			return err_set(err, -errno, "fstat of standard stream %d", fd);
		}
		if (st.st_uid == uid || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
			continue;
		if (fchown(fd, uid, (gid_t) -1) < 0 && errno != EPERM && errno != EROFS &&
		    errno != EINVAL)
			return err_set(err, -errno, "fchown of standard stream %d to uid %u", fd, uid);
	}
	return 0;
}

static bool setgroups_denied(const struct oci_init *init)
{
	_cleanup_close_ int fd = oci_proc_open(init->proc_fd, "self/setgroups", O_RDONLY);
	char text[8] = "";

	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && str_starts(text, "deny");
}

/* A rootless engine's user may own files by a group that his user namespace cannot name. */
static bool keeps_groups(const struct oci_init *init)
{
	const char *value = oci_spec_annotation(init->spec, "run.oci.keep_original_groups");

	return value != NULL && strcmp(value, "1") == 0;
}

static int set_ids(const struct oci_init *init, struct err *err)
{
	const struct oci_process *p = init->process;
	uid_t uid = p->uid;
	gid_t gid = p->gid;

	/* by system call: the wrappers of libc take locks and signal other threads */
	if (!keeps_groups(init) && syscall(SYS_setgroups, p->nr_additional_gids, p->additional_gids) < 0) {
		int r = -errno;

		if (r == -EPERM && setgroups_denied(init)) /* in any user namespace above, too */
			log_debug("setgroups is denied in the user namespace, groups stay");
		else
			return err_set(err, r, "setgroups");
	}
	if (syscall(SYS_setresgid, gid, gid, gid) < 0)
		return errno == EINVAL ?
			       err_msg(err, -EINVAL,
				       "cannot setgid to unmapped gid %u in user namespace", gid) :
			       err_set(err, -errno, "setgid to %u", gid);
	if (uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "unable to set keep caps");
	if (syscall(SYS_setresuid, uid, uid, uid) < 0)
		return errno == EINVAL ?
			       err_msg(err, -EINVAL,
				       "cannot setuid to unmapped uid %u in user namespace", uid) :
			       err_set(err, -errno, "setuid to %u", uid);
	return 0;
}

static int drop_bounding(uint64_t keep, struct err *err)
{
	for (int cap = 0; cap < 64; cap++) {
		if (keep & BIT(cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL) /* the kernel knows none from here on */
			return 0;
		if (errno == EPERM && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0)
			continue;
		return err_set(err, -errno, "unable to apply bounding set: drop capability %d", cap);
	}
	return 0;
}

static void warn_missing(uint64_t missing)
{
	_cleanup_(str_fini) struct str names = { 0 };

	for (int cap = 0; cap < 64; cap++)
		if (missing & BIT(cap))
			str_printf(&names, "%s%s", names.len > 0 ? " " : "",
				   cap_name(cap) != NULL ? cap_name(cap) : "unknown");
	if (missing != 0 && !names.failed)
		log_warning("ignoring unknown or unavailable capabilities: [%s]", names.p);
}

/* Second try of a capset() that was refused: ask for no more than can be had, and say what is missing */
static int set_available(const struct cap_sets *want, struct err *err)
{
	struct cap_sets now, sets = *want;
	uint64_t bounding = 0;
	int r = cap_get(&now);

	if (r < 0)
		return err_set(err, r, "capget");
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			bounding |= BIT(cap);
	sets.permitted &= now.permitted;
	sets.effective &= sets.permitted;
	sets.inheritable &= now.inheritable | (now.permitted & bounding);
	r = cap_set(&sets);
	if (r < 0)
		return err_set(err, r, "unable to apply caps: can't apply capabilities");
	warn_missing((want->permitted & ~sets.permitted) | (want->effective & ~sets.effective) |
		     (want->inheritable & ~sets.inheritable));
	return 0;
}

static int set_ambient(const struct oci_caps *caps, struct err *err)
{
	/* Buildah and Podman name ambient ones and no inheritable one at all: a line for each, at every step, helps nobody */
	if (caps->inheritable == 0) {
		log_debug("no capability is inheritable, none becomes ambient");
		return 0;
	}
	/* capset() already took out what is not both permitted and inheritable */
	if ((caps->permitted & caps->inheritable & ~caps->ambient) != 0 &&
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_set(err, -errno, "unable to apply caps: clear ambient set");
	for (int cap = 0; cap < 64; cap++)
		if ((caps->ambient & BIT(cap)) != 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			log_warning("can't raise ambient capability %s: %s",
				    cap_name(cap) != NULL ? cap_name(cap) : "unknown",
				    strerror(errno));
	return 0;
}

static int set_caps(const struct oci_caps *caps, bool keep_admin, struct err *err)
{
	uint64_t extra = keep_admin ? BIT(CAP_SYS_ADMIN) : 0;
	struct cap_sets want = {
		.effective = caps->effective | extra,
		.permitted = caps->permitted | extra,
		.inheritable = caps->inheritable,
	};
	int r = cap_set(&want);

	if (r == -EPERM)
		r = set_available(&want, err);
	else if (r < 0)
		r = err_set(err, r, "unable to apply caps: can't apply capabilities");
	return r < 0 ? r : set_ambient(caps, err);
}

int oci_process_identity(const struct oci_init *init, bool keep_admin, struct err *err)
{
	const struct oci_process *p = init->process;
	const struct oci_caps *caps = p->caps != NULL ? p->caps : &no_caps;
	const struct opt_u64 *mask = p->umask.set ? &p->umask : &init->spec->process.umask;
	int r = 0;

	(void) umask(mask->set ? (mode_t) (mask->v & 0777) : UMASK_DEFAULT); /* cannot fail */
	if (p->uid != 0 || init->in_userns) /* else root opens them anyway */
		r = own_streams(p->uid, err);
	if (r == 0)
		r = drop_bounding(caps->bounding, err);
	if (r == 0)
		r = set_ids(init, err);
	if (r == 0)
		r = set_caps(caps, keep_admin, err);
	if (r == 0 && p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_set(err, -errno, "prctl(SET_NO_NEW_PRIVS)");
	return r;
}
