/* SPDX-License-Identifier: MIT */
#include "sys/exe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define SEALED_ENV "_CLEAVE_SEALED" /* set for the second execution only */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3, glibc 2.38 */
#endif

/* The variable alone proves nothing: somebody may have set it.  Ask the kernel too. */
static bool is_sealed(void)
{
	struct statvfs st;

	if (getenv(SEALED_ENV) == NULL)
		return false;
	(void) unsetenv(SEALED_ENV); /* cannot fail for a valid name */

	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fcntl(fd, F_GET_SEALS) == SEALS)
		return true;
	return fstatvfs(fd, &st) == 0 && (st.f_flag & ST_RDONLY) != 0;
}

static int clone_readonly(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	_cleanup_close_ int fd = open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -errno;
	return take_fd(fd);
}

static int copy_sealed(void)
{
	struct stat st;
	off_t done = 0;

	_cleanup_close_ int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (exe < 0 || fstat(exe, &st) < 0)
		return -errno;
	_cleanup_close_ int fd = memfd_create("cleave", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("cleave", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	while (done < st.st_size) {
		ssize_t n = sendfile(fd, exe, &done, (size_t) (st.st_size - done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return take_fd(fd);
}

/* The copy is in no folder, so keep the one of the original: helper programs are found from there. */
static void tell_folder(void)
{
	char path[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	(void) setenv(EXE_FOLDER_ENV, path, 0); /* without it only installed helpers are found */
}

int exe_seal(char **argv, struct err *err)
{
	if (is_sealed()) {
		const char *slash = strrchr(argv[0], '/');

		(void) prctl(PR_SET_NAME, slash != NULL ? slash + 1 : argv[0]); /* cosmetic */
		return 0;
	}

	tell_folder();
	_cleanup_close_ int fd = clone_readonly();
	if (fd < 0)
		fd = copy_sealed();
	if (fd < 0)
		return err_set(err, fd, "make a protected copy of the running program");
	if (setenv(SEALED_ENV, "1", 1) < 0)
		return err_set(err, -errno, "set %s", SEALED_ENV);
	(void) syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH); /* returns on failure only */
	return err_set(err, -errno, "execute the protected copy of the running program");
}

static int try_helper(const char *name, char *path, size_t size, const char *folder)
{
	if (snprintf(path, size, "%s/%s", folder, name) >= (int) size)
		return -ENAMETOOLONG;
	return access(path, X_OK) == 0 ? 0 : -ENOENT;
}

int exe_helper(const char *name, char *path, size_t size)
{
	const char *env = getenv(EXE_FOLDER_ENV);
	char own[PATH_MAX], installed[PATH_MAX + 32];
	const char *const folders[] = { env, own, installed, CLEAVE_LIBEXECDIR };
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	int r = -ENOENT;

	own[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(own, '/');
	if (slash != NULL)
		*slash = '\0';
	(void) snprintf(installed, sizeof(installed), "%s/../libexec/cleave",
			env != NULL ? env : own); /* fits, or is not there */
	for (size_t i = 0; r < 0 && i < ARRAY_LEN(folders); i++)
		if (folders[i] != NULL && folders[i][0] == '/')
			r = try_helper(name, path, size, folders[i]);
	return r;
}
