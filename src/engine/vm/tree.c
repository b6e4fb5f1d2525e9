/* SPDX-License-Identifier: MIT */
/**
 * DOC: files of a virtual machine
 *
 * What a container would see of the host's files is put together in a mount namespace of the host, and the
 * machine gets all of it as one shared directory.  So whatever can be mounted into a container can be
 * mounted into a machine, and who looks at the files of a running instance (/proc/PID/root) finds the same.
 */
#include "engine/vm/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "guest/proto/proto.h"
#include "oci/mount_option.h"
#include "oci/spec.h"
#include "sys/exe.h"
#include "sys/mnt.h"
#include "sys/path.h"

static int attach(const struct oci_mount *m, const struct oci_mount_opts *opts, int root, struct err *err)
{
	bool recursive = (opts->flags & MS_REC) != 0;
	uint64_t attrs = oci_mount_attrs(opts->flags & ~(unsigned long) (MS_BIND | MS_REC));
	struct stat st;
	int r = 0;

	_cleanup_close_ int tree = mnt_clone(AT_FDCWD, m->source, recursive ? AT_RECURSIVE : 0);
	if (tree < 0 || fstat(tree, &st) < 0)
		return err_set(err, tree < 0 ? tree : -errno, "open '%s'", m->source);
	_cleanup_close_ int at = path_make(root, m->destination, S_ISDIR(st.st_mode) ? S_IFDIR : S_IFREG);
	if (at < 0)
		return err_set(err, at, "mount '%s' at '%s'", m->source, m->destination);
	r = mnt_attr(tree, true, 0, 0, MS_PRIVATE);
	if (r == 0 && attrs != 0)
		r = mnt_attr(tree, false, attrs, 0, 0);
	if (r == 0 && opts->rec_set != 0)
		r = mnt_attr(tree, recursive, opts->rec_set, opts->rec_clr, 0);
	if (r == 0)
		r = mnt_move(tree, at);
	return r < 0 ? err_set(err, r, "mount '%s' at '%s'", m->source, m->destination) : 0;
}

int vm_tree_new(struct err *err)
{
	_cleanup_close_ int fs = mnt_fs_open("tmpfs", err);
	int r = fs < 0 ? fs : mnt_fs_set(fs, "mode", "755", err);

	return r < 0 ? r : mnt_fs_mount(fs, 0, err);
}

int vm_tree_attach(const struct oci_spec *spec, int root, struct err *err)
{
	_cleanup_close_ int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = top < 0 ? -errno : mnt_move(root, top);

	if (r < 0)
		return err_set(err, r, "mount the root file system where nobody sees it");
	for (size_t i = 0; r == 0 && i < spec->nr_mounts; i++) {
		const struct oci_mount *m = &spec->mounts[i];
		struct oci_mount_opts opts;

		r = oci_mount_opts_parse(m, &opts, err);
		if (r < 0 || ((opts.flags & MS_BIND) == 0 && (m->type == NULL || strcmp(m->type, "bind") != 0)))
			continue;
		r = attach(m, &opts, root, err);
	}
	if (r < 0)
		return r;
	r = mnt_attr(root, true, MOUNT_ATTR_NODEV, 0, 0);
	return r < 0 ? err_set(err, r, "mount the root file system without devices") : 0;
}

int vm_tree_layer(int *dir, struct err *err)
{
	_cleanup_close_ int tree = mnt_clone(*dir, ".", 0);
	int r = tree < 0 ? tree : mnt_attr(tree, false, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, 0);

	if (r < 0)
		return err_set(err, r, "mount the writable layer without devices");
	cleanup_closep(dir);
	*dir = take_fd(tree);
	return 0;
}

int vm_tree_show_copier(int root, struct err *err)
{
	char path[PATH_MAX];
	int r = exe_helper("cleave-copy", path, sizeof(path));

	_cleanup_close_ int program = r == 0 ? mnt_clone(AT_FDCWD, path, 0) : r;
	_cleanup_close_ int at = program >= 0 ? path_make(root, GUEST_COPIER, S_IFREG) : program;
	r = at < 0 ? at : mnt_attr(program, false, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0);
	if (r == 0)
		r = mnt_move(program, at);
	return r < 0 ? err_set(err, r, "show the program '%s' to the machine", path) : 0;
}

int vm_tree_enter(int root, struct err *err)
{
	return fchdir(root) < 0 || chroot(".") < 0 ? err_set(err, -errno, "enter the root file system") : 0;
}
