/* SPDX-License-Identifier: MIT */
#include "oci/console.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/init.h"
#include "sys/msg.h"
#include "sys/path.h"
#include "sys/pty.h"

#define MASTER_NAME "/dev/ptmx" /* sent along with the master, as runc does */

/* /dev/ptmx of the image may be anything: take the one of a real devpts. */
static int open_master(struct err *err)
{
	struct stat st;

	_cleanup_close_ int fd = path_open_own("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0)
		fd = path_open_own("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (fd < 0)
		return err_set(err, fd, "open /dev/ptmx of the container");
	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "stat /dev/ptmx of the container");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		return err_msg(err, -EINVAL, "/dev/ptmx of the container is not a terminal multiplexer");
	return take_fd(fd);
}

static int bind_console(int slave, struct err *err)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int target = -EBADF;
	_cleanup_close_ int tree = -EBADF;
	struct stat st;

	if (root < 0)
		return err_set(err, -errno, "open the container's root");
	target = path_make(root, "/dev/console", S_IFREG);
	if (target == -EROFS)
		return 0; /* nothing to put it on; the terminal works without */
	if (target < 0)
		return err_set(err, target, "create /dev/console");
	if (fstat(target, &st) < 0 || S_ISDIR(st.st_mode))
		return err_msg(err, -EINVAL, "/dev/console of the container is a directory");
	tree = open_tree(slave, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return err_set(err, -errno, "clone the mount of the terminal");
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(err, -errno, "mount the terminal on /dev/console");
	return 0;
}

int oci_console_open(const struct oci_init *init, int sock, bool bind, struct err *err)
{
	const struct oci_process *p = init->process;
	_cleanup_close_ int master = open_master(err);
	int unlock = 0, r;

	if (master < 0)
		return master;
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_set(err, -errno, "unlock the terminal");
	/* no path is involved, so what the image has in /dev/pts does not matter */
	_cleanup_close_ int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_set(err, -errno, "open the peer of the terminal");
	r = path_verify_fs(slave, DEVPTS_SUPER_MAGIC);
	if (r < 0)
		return err_set(err, r, "the container's terminal is not on devpts");
	if (fchown(slave, p->uid, (gid_t) -1) < 0 && errno != EINVAL && errno != EPERM)
		return err_set(err, -errno, "give the terminal to uid %u", p->uid);
	if (p->console_height != 0 && p->console_width != 0)
		(void) pty_resize(master, p->console_height, p->console_width); /* cosmetic */
	if (bind) {
		r = bind_console(slave, err);
		if (r < 0)
			return r;
	}
	r = msg_send(sock, MASTER_NAME, strlen(MASTER_NAME), &master, 1);
	if (r < 0)
		return err_set(err, r, "send the terminal to the console socket");
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_set(err, -errno, "make the terminal the controlling one");
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (dup2(slave, fd) < 0)
			return err_set(err, -errno, "connect stdio to the terminal");
	return 0;
}

int oci_console_receive(int sock, bool plain, struct err *err)
{
	char name[64];
	size_t n = 1;
	int fd = -EBADF;
	ssize_t r = msg_recv(sock, name, sizeof(name), &fd, &n);

	if (r < 0)
		return err_set(err, (int) r, "receive the terminal");
	if (n == 0)
		return err_msg(err, -EPROTO, "the container process sent no terminal");
	if (plain)
		(void) pty_plain_newline(fd); /* cosmetic */
	return fd;
}
