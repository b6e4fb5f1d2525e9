/* SPDX-License-Identifier: MIT */
/**
 * DOC: an answer that is kept
 *
 * Whether this host's KVM runs an ordinary guest is found out by running one, which takes tens of milliseconds.  The
 * answer is kept in a directory that only this user can write to and that does not outlive the system, and counts while
 * the kernel, its modules and /dev/kvm are the same.  Whatever goes wrong here, somebody tries again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "vmm/accel/kvm/kvm_internal.h"

#define NAME "cleave-kvm"
#define SIZE_MAX_KEPT 8192 /* bytes */

/* A directory of files that vanish when the system stops; -errno when there is none that can be trusted. */
static int open_dir(void)
{
	const char *path = getenv("CLEAVE_RUNROOT");
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (path == NULL)
		path = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
	if (path == NULL)
		return -ENOENT;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid != geteuid() || st.st_mode & 022 ? -EPERM : take_fd(fd);
}

static void add_file(struct str *key, const char *path)
{
	struct stat st = { 0 };

	(void) stat(path, &st); /* one that is not there is known by its zeros */
	str_printf(key, " %" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%" PRId64 ".%ld", (uint64_t) st.st_dev, (uint64_t) st.st_ino,
		   (uint64_t) st.st_rdev, (int64_t) st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

/* What the answer depends on, as a line. */
static int make_key(struct str *key)
{
	static const char *const files[] = { "/dev/kvm", "/sys/module/kvm", "/sys/module/kvm_intel", "/sys/module/kvm_amd",
					     "/sys/module/kvm_pvm" };
	struct utsname u;
	int r = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, key);

	if (r < 0 || uname(&u) < 0)
		return r < 0 ? r : -errno;
	while (key->len > 0 && key->p[key->len - 1] == '\n')
		key->len--;
	str_printf(key, " %s %s", u.release, u.version);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		add_file(key, files[i]);
	str_puts(key, "\n");
	return key->failed ? -ENOMEM : 0;
}

int kvm_answer_read(struct err *err)
{
	_cleanup_(str_fini) struct str key = { 0 }, kept = { 0 };
	_cleanup_close_ int dir = open_dir();
	const char *answer;

	if (dir < 0 || make_key(&key) < 0 || file_read(dir, NAME, SIZE_MAX_KEPT, &kept) < 0)
		return 0;
	str_add(&kept, "", 1);
	if (kept.failed || strncmp(kept.p, key.p, key.len) != 0)
		return 0;
	answer = kept.p + key.len;
	return strcmp(answer, "yes") == 0 ? 1 : err_msg(err, -EOPNOTSUPP, "%s", answer);
}

void kvm_answer_keep(const char *answer)
{
	_cleanup_(str_fini) struct str text = { 0 };
	_cleanup_close_ int dir = open_dir();

	if (dir < 0 || make_key(&text) < 0)
		return;
	str_puts(&text, answer);
	if (!text.failed)
		(void) file_replace(dir, NAME, text.p, text.len, 0600); /* the next one tries again */
}
