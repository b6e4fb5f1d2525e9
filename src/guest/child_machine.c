/* SPDX-License-Identifier: MIT */
/**
 * DOC: what the instance sees of its machine
 *
 * The shared root directory becomes "/", then comes what the request wants to have mounted.  All of it
 * belongs to one instance, so nothing here has to be careful with links that the image has.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest/child_parts.h"
#include "guest/machine.h"
#include "guest/network.h"
#include "guest/os.h"
#include "guest/request.h"

#define ROOT "/root"
#define PATH_SIZE 4096

int child_make_dirs(const char *path, int parent)
{
	char copy[PATH_SIZE];
	size_t n = text_len(path);

	if (n >= sizeof(copy))
		return -ENAMETOOLONG;
	__builtin_memcpy(copy, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		long r;

		if (copy[i] != '/' && (copy[i] != '\0' || parent))
			continue;
		copy[i] = '\0';
		r = os_mkdir(copy, 0755);
		if (r < 0 && r != -EROFS)
			return (int) r;
		copy[i] = path[i];
	}
	return 0;
}

/*
 * The initramfs stays below, where no path leads.  The descriptor is the shared directory as it is before
 * anything is mounted over parts of it.
 * Return: descriptor; -errno.
 */
static int change_root(void)
{
	long e = os_mkdir(MACHINE_SHARED, 0700), fd = -1;

	if (e == 0 && !machine_has_image())
		e = os_mount(ROOT, MACHINE_SHARED, NULL, MS_BIND, NULL);
	if (e == 0)
		e = fd = os_open(MACHINE_SHARED, O_PATH | O_DIRECTORY, 0);
	if (e >= 0)
		e = OS1(__NR_chdir, ROOT);
	if (e == 0)
		e = os_mount(".", "/", NULL, MS_MOVE, NULL);
	if (e == 0)
		e = OS1(__NR_chroot, ".");
	if (e == 0)
		e = OS1(__NR_chdir, "/");
	return e < 0 ? (int) e : (int) fd;
}

static bool is_file(const char *path)
{
	struct stat st;

	return OS4(__NR_newfstatat, AT_FDCWD, path, &st, 0) == 0 && !S_ISDIR(st.st_mode);
}

static bool is_shared(const char *type)
{
	static const char shared[] = GUEST_MOUNT_SHARED;
	size_t i = 0;

	while (i < sizeof(shared) && type[i] == shared[i])
		i++;
	return i == sizeof(shared);
}

/* Something of the shared directory, also where it is covered: not followed, as the host looked for it. */
static int mount_shared(int shared, const char *source, const char *target)
{
	struct stat st;
	long tree, e;

	while (*source == '/')
		source++;
	tree = OS3(__NR_open_tree, shared, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return (int) tree;
	e = OS4(__NR_newfstatat, tree, "", &st, AT_EMPTY_PATH);
	if (e == 0)
		e = child_make_dirs(target, !S_ISDIR(st.st_mode));
	if (e == 0 && !S_ISDIR(st.st_mode)) {
		e = OS4(__NR_mknodat, AT_FDCWD, target, S_IFREG | 0644, 0);
		e = e == -EEXIST ? 0 : e;
	}
	if (e == 0)
		e = OS5(__NR_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
	(void) sys_close((int) tree); /* a mount */
	return (int) e;
}

/* Flags, then type, source, target, data. */
static int mount_one(const struct guest_field *f, int shared)
{
	const char *text[4];
	uint64_t flags;
	long e;

	if (f->len < 8 || guest_texts(f, 8, text, 4) < 0)
		return -EPROTO;
	flags = guest_get64(f->p);
	if (is_shared(text[0]) && !(flags & MS_REMOUNT))
		return mount_shared(shared, text[1], text[2]);
	e = child_make_dirs(text[2], 0);
	if (e == 0)
		e = os_mount(text[1], text[2], text[0], flags, text[3]);
	return (int) e;
}

static int make_devices(void)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} nodes[] = { { "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },	 { "/dev/full", 1, 7 },
		      { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 } };
	static const char *const links[][2] = { { "/proc/self/fd", "/dev/fd" },
						{ "/proc/self/fd/0", "/dev/stdin" },
						{ "/proc/self/fd/1", "/dev/stdout" },
						{ "/proc/self/fd/2", "/dev/stderr" },
						{ "pts/ptmx", "/dev/ptmx" } };
	long e = 0;

	(void) OS1(__NR_umask, 0); /* never fails */
	for (size_t i = 0; e == 0 && i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		e = OS4(__NR_mknodat, AT_FDCWD, nodes[i].path, S_IFCHR | 0666, nodes[i].major << 8 | nodes[i].minor);
		e = e == -EEXIST ? 0 : e;
	}
	for (size_t i = 0; e == 0 && i < sizeof(links) / sizeof(links[0]); i++) {
		e = OS3(__NR_symlinkat, links[i][0], AT_FDCWD, links[i][1]);
		e = e == -EEXIST ? 0 : e;
	}
	(void) OS1(__NR_umask, 022); /* likewise */
	return (int) e;
}

/* Paths that are not there need nothing. */
static int mask(const char *path)
{
	long e;

	if (is_file(path)) {
		e = os_mount("/dev/null", path, NULL, MS_BIND, NULL);
		if (e == 0)
			e = os_mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL);
	} else {
		e = os_mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "nr_inodes=1");
	}
	return e == -ENOENT || e == -ENOTDIR ? 0 : (int) e;
}

static int make_readonly(const char *path)
{
	long e = os_mount(path, path, NULL, MS_BIND | MS_REC, NULL);

	if (e == 0)
		e = os_mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return e == -ENOENT ? 0 : (int) e;
}

static int set_sysctl(const struct guest_field *f)
{
	static const char dir[] = "/proc/sys/";
	char path[PATH_SIZE];
	const char *text[2];
	size_t n;

	if (guest_texts(f, 0, text, 2) < 0)
		return -EPROTO;
	n = text_len(text[0]);
	if (n + sizeof(dir) > sizeof(path))
		return -ENAMETOOLONG;
	__builtin_memcpy(path, dir, sizeof(dir));
	__builtin_memcpy(path + sizeof(dir) - 1, text[0], n + 1);
	return (int) os_write_file(path, text[1], text_len(text[1]));
}

static int each(const struct request *r, uint32_t tag, int shared)
{
	struct guest_in rest = r->fields;
	struct guest_field f;
	int e = 0;

	while (e == 0 && guest_next(&rest, &f) == 1) {
		if (f.tag != tag)
			continue;
		if (tag == GUEST_MOUNT)
			e = mount_one(&f, shared);
		else if (tag == GUEST_SYSCTL)
			e = set_sysctl(&f);
		else if (guest_text(&f) == NULL)
			e = -EPROTO;
		else
			e = tag == GUEST_MASK ? mask(guest_text(&f)) : make_readonly(guest_text(&f));
	}
	return e;
}

static int set_names(const struct request *r)
{
	long e = r->hostname != NULL ? OS2(__NR_sethostname, r->hostname, text_len(r->hostname)) : 0;

	if (e == 0 && r->domainname != NULL)
		e = OS2(__NR_setdomainname, r->domainname, text_len(r->domainname));
	return (int) e;
}

int child_machine(const struct request *r, int *step)
{
	int e = set_names(r), shared = -1;

	if (e == 0) { /* while the initramfs' /proc is there */
		*step = GUEST_STEP_NETWORK;
		e = network_set_up(&r->fields);
	}
	if (e == 0)
		*step = GUEST_STEP_MOUNT;
	(void) OS1(__NR_unshare, CLONE_NEWCGROUP); /* without cgroups there is none to hide */
	if (e == 0)
		e = shared = change_root();
	if (e >= 0)
		e = each(r, GUEST_MOUNT, shared);
	if (shared >= 0)
		(void) sys_close(shared); /* a directory */
	if (e == 0) {
		*step = GUEST_STEP_DEVICES;
		e = make_devices();
	}
	if (e == 0) {
		*step = GUEST_STEP_SYSCTL;
		e = each(r, GUEST_SYSCTL, -1);
	}
	if (e == 0) {
		*step = GUEST_STEP_MOUNT;
		e = each(r, GUEST_MASK, -1);
	}
	if (e == 0)
		e = each(r, GUEST_READONLY, -1);
	if (e == 0 && (r->flags & GUEST_ROOT_RO))
		e = (int) os_mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
	return e;
}
