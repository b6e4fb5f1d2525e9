/* SPDX-License-Identifier: MIT */
/* What a guest's kernel would never send: nothing outside is reached, nothing that is no file is opened. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "vmm/dev/share/share_parts.h"

static struct share *share;
static bool mounted;
static char dir[32];
static uint8_t reply[70000];

/* Send a request; returns its error or 0, the answer is in reply. */
static int ask(uint32_t opcode, uint64_t node, const void *args, size_t len)
{
	struct fuse_in_header head = { .len = (uint32_t) (sizeof(head) + len), .opcode = opcode, .nodeid = node };
	uint8_t request[8192];
	struct vq_chain c = { .nr_out = 1, .nr_in = 1, .out_len = sizeof(head) + len, .in_len = sizeof(reply) };
	struct fuse_out_header out;

	assert_true(len <= sizeof(request) - sizeof(head));
	memcpy(request, &head, sizeof(head));
	if (len > 0)
		memcpy(request + sizeof(head), args, len);
	c.iov[0] = (struct iovec) { request, sizeof(head) + len };
	c.iov[1] = (struct iovec) { reply, sizeof(reply) };
	assert_true(share_answer(share, &c) >= 0);
	memcpy(&out, reply, sizeof(out));
	return out.error;
}

static int lookup(uint64_t node, const char *name, uint64_t *ret)
{
	struct fuse_entry_out e;
	int r = ask(FUSE_LOOKUP, node, name, strlen(name) + 1);

	memcpy(&e, reply + sizeof(struct fuse_out_header), sizeof(e));
	if (ret != NULL)
		*ret = e.nodeid;
	return r;
}

/* The same directory twice, once to be read only; where nobody else sees it. */
static bool mount_twice(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("rw", 0755), 0);
	assert_int_equal(mkdir("ro", 0755), 0);
	(void) close(open("rw/note", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	return mount("rw", "ro", NULL, MS_BIND, NULL) == 0 &&
	       mount("rw", "ro", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0;
}

static void setup(enum share_kind kind)
{
	struct err err = { 0 };
	int fd, proc = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	mounted = mount_twice();
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* as the namespace has it */
	assert_true(fd >= 0 && proc >= 0);
	assert_int_equal(mkdirat(fd, "sub", 0755), 0);
	assert_int_equal(mkdirat(fd, "work", 0755), 0);
	(void) close(openat(fd, "work/copy", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	assert_int_equal(mkfifoat(fd, "fifo", 0644), 0);
	assert_int_equal(symlinkat("/etc", fd, "etc"), 0);
	assert_int_equal(symlinkat("..", fd, "up"), 0);
	(void) close(openat(fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	assert_int_equal(share_new(fd, proc, kind, &share, &err), 0);
	assert_int_equal(share_enter(share), 0);
}

static void test_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/etc", "sub/..", "../etc" };
	uint64_t sub, up;

	(void) state;
	assert_int_equal(lookup(FUSE_ROOT_ID, "sub", &sub), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(lookup(FUSE_ROOT_ID, bad[i], NULL), -EINVAL);
		assert_int_equal(lookup(sub, bad[i], NULL), -EINVAL);
	}
	assert_int_equal(ask(FUSE_LOOKUP, FUSE_ROOT_ID, "file", 4), -EINVAL); /* it does not end */
	assert_int_equal(lookup(FUSE_ROOT_ID, "up", &up), 0);
	assert_int_equal(lookup(up, "etc", NULL), -ENOTDIR); /* a link is not followed */
	assert_int_equal(lookup(99999, "file", NULL), -ESTALE);
	assert_int_equal(lookup(0, "file", NULL), -ESTALE);
	assert_int_equal(lookup(UINT64_MAX, "file", NULL), -ESTALE);
}

static void test_only_files_are_opened(void **state)
{
	struct fuse_open_in in = { .flags = O_RDONLY };
	struct { struct fuse_create_in in; char name[8]; } create = { { .flags = O_RDWR, .mode = 0644 }, "fifo" };
	struct { struct fuse_create_in in; char name[8]; } outside = { { .flags = O_RDWR, .mode = 0644 }, "etc" };
	uint64_t node;

	(void) state;
	assert_int_equal(lookup(FUSE_ROOT_ID, "fifo", &node), 0);
	assert_int_equal(ask(FUSE_OPEN, node, &in, sizeof(in)), -ENXIO);
	assert_int_equal(lookup(FUSE_ROOT_ID, "etc", &node), 0);
	assert_int_equal(ask(FUSE_OPEN, node, &in, sizeof(in)), -ELOOP);
	assert_int_equal(ask(FUSE_OPENDIR, node, &in, sizeof(in)), -ENOTDIR);
	assert_int_equal(ask(FUSE_CREATE, FUSE_ROOT_ID, &create, sizeof(create)), -ENXIO);
	assert_int_equal(ask(FUSE_CREATE, FUSE_ROOT_ID, &outside, sizeof(outside)), -ELOOP);
}

static void test_wrong_numbers(void **state)
{
	struct fuse_read_in rd = { .fh = 5, .size = UINT32_MAX, .offset = UINT64_MAX };
	struct { struct fuse_batch_forget_in in; struct fuse_forget_one one[2]; } forget = {
		{ .count = UINT32_MAX }, { { .nodeid = 1, .nlookup = UINT64_MAX }, { .nodeid = 77777, .nlookup = 1 } } };
	struct fuse_open_in dir_in = { 0 };
	struct fuse_open_out opened;
	uint64_t node;

	(void) state;
	for (uint32_t op = 0; op < 60; op++)
		assert_true(ask(op, FUSE_ROOT_ID, "", 0) < 0 || op == FUSE_GETATTR || op == FUSE_STATFS ||
			    op == FUSE_DESTROY || op == FUSE_SYNCFS || op == FUSE_FORGET || op == FUSE_BATCH_FORGET ||
			    op == FUSE_INTERRUPT);
	assert_int_equal(ask(FUSE_READ, FUSE_ROOT_ID, &rd, sizeof(rd)), -EBADF);
	assert_int_equal(ask(FUSE_READDIR, FUSE_ROOT_ID, &rd, sizeof(rd)), -EBADF);
	assert_int_equal(ask(FUSE_OPENDIR, FUSE_ROOT_ID, &dir_in, sizeof(dir_in)), 0);
	memcpy(&opened, reply + sizeof(struct fuse_out_header), sizeof(opened));
	rd.fh = opened.fh;
	assert_true(ask(FUSE_READ, FUSE_ROOT_ID, &rd, sizeof(rd)) < 0);
	assert_true(ask(FUSE_READDIRPLUS, FUSE_ROOT_ID, &rd, sizeof(rd)) <= 0);
	rd.offset = 0;
	assert_int_equal(ask(FUSE_READDIRPLUS, FUSE_ROOT_ID, &rd, sizeof(rd)), 0);
	(void) ask(FUSE_BATCH_FORGET, 0, &forget, sizeof(forget));
	assert_int_equal(lookup(FUSE_ROOT_ID, "file", &node), 0); /* the root is never forgotten */
}

static void test_forget(void **state)
{
	struct fuse_forget_in once = { .nlookup = 1 };
	struct fuse_getattr_in attr = { 0 };
	uint64_t node, again;

	(void) state;
	share_forget_all(share);
	assert_int_equal(lookup(FUSE_ROOT_ID, "file", &node), 0);
	assert_int_equal(lookup(FUSE_ROOT_ID, "file", &again), 0);
	assert_true(node == again);
	(void) ask(FUSE_FORGET, node, &once, sizeof(once));
	assert_int_equal(ask(FUSE_GETATTR, node, &attr, sizeof(attr)), 0);
	(void) ask(FUSE_FORGET, node, &once, sizeof(once));
	assert_int_equal(ask(FUSE_GETATTR, node, &attr, sizeof(attr)), -ESTALE);
}

static uint32_t open_flags(uint64_t node)
{
	struct fuse_open_in in = { .flags = O_RDONLY };
	struct fuse_release_in gone = { 0 };
	struct fuse_open_out out;

	assert_int_equal(ask(FUSE_OPEN, node, &in, sizeof(in)), 0);
	memcpy(&out, reply + sizeof(struct fuse_out_header), sizeof(out));
	gone.fh = out.fh;
	assert_int_equal(ask(FUSE_RELEASE, node, &gone, sizeof(gone)), 0);
	return out.open_flags;
}

/* What the guest has read of a file is good until the file changes; right after a change that cannot be told. */
static void test_kept(void **state)
{
	struct fuse_setattr_in size = { .valid = FATTR_SIZE, .size = 1 };
	uint64_t node, none = 1;

	(void) state;
	assert_int_equal(lookup(FUSE_ROOT_ID, "file", &node), 0);
	assert_int_equal(ask(FUSE_SETATTR, node, &size, sizeof(size)), 0);
	assert_int_equal(open_flags(node), 0);
	assert_int_equal(open_flags(node), 0);
	(void) sleep(3);
	assert_int_equal(open_flags(node), 0);
	assert_int_equal(open_flags(node), FOPEN_KEEP_CACHE);
	size.size = 2;
	assert_int_equal(ask(FUSE_SETATTR, node, &size, sizeof(size)), 0);
	assert_int_equal(open_flags(node), 0);
	assert_int_equal(lookup(FUSE_ROOT_ID, "nothing", &none), 0);
	assert_int_equal(none, 0);
}

/* What is mounted twice can be written where that is so: not where it was seen first. */
static void test_mounted_twice(void **state)
{
	struct fuse_open_in in = { .flags = O_RDWR };
	uint64_t rw, ro, file;

	(void) state;
	if (!mounted) {
		print_message("not root: nothing can be mounted\n");
		skip();
	}
	share_forget_all(share);
	assert_int_equal(lookup(FUSE_ROOT_ID, "ro", &ro), 0);
	assert_int_equal(lookup(ro, "note", &file), 0);
	assert_int_equal(ask(FUSE_OPEN, file, &in, sizeof(in)), -EROFS);
	assert_int_equal(lookup(FUSE_ROOT_ID, "rw", &rw), 0);
	assert_int_equal(lookup(rw, "note", &file), 0);
	assert_int_equal(ask(FUSE_OPEN, file, &in, sizeof(in)), 0);
}

static int set_mark(const char *name)
{
	struct {
		uint8_t in[FUSE_COMPAT_SETXATTR_IN_SIZE];
		char name[64];
	} request = { .in = { 1 } }; /* bytes of the value */
	size_t n = strlen(name) + 1;

	memcpy(request.name, name, n);
	request.name[n] = 'y';
	return ask(FUSE_SETXATTR, FUSE_ROOT_ID, &request, sizeof(request.in) + n + 1);
}

static void test_no_marks(void **state)
{
	(void) state;
	assert_int_equal(set_mark("trusted.overlay.opaque"), -EPERM);
	assert_int_equal(set_mark("trusted.other"), -EPERM);
}

static mode_t mode_after_chown(uint64_t parent, const char *name)
{
	struct fuse_setattr_in mode = { .valid = FATTR_MODE, .mode = 06755 };
	struct fuse_setattr_in owner = { .valid = FATTR_UID | FATTR_GID, .uid = 5, .gid = 6 };
	struct fuse_attr_out out;
	uint64_t node;

	assert_int_equal(lookup(parent, name, &node), 0);
	assert_int_equal(ask(FUSE_SETATTR, node, &mode, sizeof(mode)), 0);
	assert_int_equal(ask(FUSE_SETATTR, node, &owner, sizeof(owner)), 0);
	memcpy(&out, reply + sizeof(struct fuse_out_header), sizeof(out));
	assert_int_equal(out.attr.uid, 5);
	return out.attr.mode & 07777;
}

/* A layer has an overlay's marks, but such as lead to other files; its copies keep what they may. */
static void test_layer(void **state)
{
	uint64_t work;

	(void) state;
	if (!share->privileged) {
		print_message("not root: there are no layers\n");
		skip();
	}
	assert_int_equal(set_mark("trusted.overlay.opaque"), 0);
	assert_int_equal(set_mark("trusted.overlay.redirect"), -EPERM);
	assert_int_equal(set_mark("trusted.overlay.metacopy"), -EPERM);
	assert_int_equal(set_mark("trusted.overlay.opaque.more"), -EPERM);
	assert_int_equal(set_mark("trusted.other"), -EPERM);
	assert_int_equal(mode_after_chown(FUSE_ROOT_ID, "file"), 0755);
	assert_int_equal(lookup(FUSE_ROOT_ID, "work", &work), 0);
	assert_int_equal(mode_after_chown(work, "copy"), 06755);
	assert_false(share->ends);
	assert_int_equal(set_mark(SHARE_ENDS), 0);
	assert_true(share->ends);
}

/* The directory becomes the root of a process. */
static int run(enum share_kind kind, const struct CMUnitTest *tests, size_t n)
{
	int status;

	(void) strcpy(dir, "/tmp/share_test.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	if (fork() == 0) {
		int r;

		setup(kind);
		r = _cmocka_run_group_tests("share", tests, n, NULL, NULL);
		share_free(share);
		_exit(r != 0);
	}
	(void) wait(&status);
	if (fork() == 0)
		execl("/bin/rm", "rm", "-r", dir, NULL);
	(void) wait(NULL);
	return status != 0;
}

int main(void)
{
	static const struct CMUnitTest files[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_only_files_are_opened),
		cmocka_unit_test(test_wrong_numbers),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_mounted_twice),
		cmocka_unit_test(test_no_marks),
	};
	static const struct CMUnitTest layer[] = { cmocka_unit_test(test_layer) };

	return run(SHARE_FILES, files, sizeof(files) / sizeof(files[0])) + run(SHARE_LAYER, layer, 1);
}
