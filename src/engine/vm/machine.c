/* SPDX-License-Identifier: MIT */
/**
 * DOC: cleave-vmm as the child of the process that stands for the program
 *
 * Files are given as descriptors, below /proc/self/fd; its sockets are in the working directory.  It gives up
 * everything else of the host before its guest runs.
 */
#include "engine/vm/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "engine/backend.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/kernel/kernel.h"
#include "engine/vm/control.h"
#include "engine/vm/initramfs.h"
#include "engine/vm/link.h"
#include "engine/vm/network.h"
#include "sys/exe.h"
#include "sys/proc.h"

#define MEMORY_STEP (2ull << 20)
#define READY_S 300
#define ARGS_MAX 64
#define GUEST_CID "3"
#define FILES_MAX (1u << 20) /* what stock kernels allow */
/* What stock kernels wait for, print or check without need */
#define APPEND "console=ttyS0 quiet cryptomgr.notests reboot=k panic=-1 init_on_alloc=0 rdinit=/init"

static int make_initramfs(const struct vm_machine *m, struct err *err)
{
	const char *names[9] = { "virtio_pci", "vmw_vsock_virtio_transport", "virtiofs" };
	size_t n = 3;

	if (m->nets != NULL)
		names[n++] = "virtio_net";
	if (m->image >= 0) {
		names[n++] = "virtio_pmem";
		names[n++] = "nd_pmem";
		names[n++] = "erofs";
	}
	if (m->layer >= 0)
		names[n++] = "overlay";
	return vm_initramfs_make(m->modules, names, err);
}

int vm_machine_prepare(struct engine *e, const struct vm_want *want, struct vm_machine *m, struct err *err)
{
	_cleanup_(arena_fini) struct arena a = { 0 };
	struct eng_kernel kernel;
	const char *dir, *image, *modules;
	int r = eng_kernel_find(e, want->kernel, &a, &kernel, err);

	if (r < 0)
		return r;
	dir = eng_kernel_path(e, kernel.name, &a);
	image = dir != NULL ? arena_printf(&a, "%s/image", dir) : NULL;
	modules = dir != NULL ? arena_printf(&a, "%s/modules", dir) : NULL;
	if (image == NULL || modules == NULL)
		return err_set(err, -ENOMEM, "start a virtual machine");
	m->kernel = open(image, O_RDONLY | O_CLOEXEC);
	if (m->kernel < 0)
		return err_set(err, -errno, "open kernel '%s'", image);
	m->modules = open(modules, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->modules < 0)
		return err_set(err, -errno, "open the kernel's modules '%s'", modules);
	m->initramfs = make_initramfs(m, m->image >= 0 ? NULL : err);
	if (m->initramfs < 0 && m->image >= 0) {
		cleanup_closep(&m->image);
		cleanup_closep(&m->layer);
		m->image = m->layer = -EBADF;
		m->initramfs = make_initramfs(m, err);
	}
	if (m->initramfs < 0)
		return m->initramfs;
	m->complaints = memfd_create("complaints", MFD_CLOEXEC);
	return m->complaints < 0 ? err_set(err, -errno, "start a virtual machine") : 0;
}

struct args {
	struct arena arena;
	const char *v[ARGS_MAX];
	size_t n;
	bool failed;
};

static void add(struct args *a, const char *option, const char *value)
{
	a->failed = a->failed || value == NULL;
	a->v[a->n++] = option; /* ARGS_MAX is more than there are */
	a->v[a->n++] = value;
}

static const char *fd_path(struct args *a, int fd)
{
	return arena_printf(&a->arena, "/proc/self/fd/%d", fd);
}

/* "fd=5:6,id=eth0,mac=..." */
static const char *net_option(struct args *a, const struct vm_net *n)
{
	const unsigned char *m = n->leg.mac;
	const char *fds = "";

	for (unsigned i = 0; fds != NULL && i < n->queues; i++)
		fds = arena_printf(&a->arena, "%s%s%d", fds, i > 0 ? ":" : "", n->fds[i]);
	return fds == NULL ? NULL
			   : arena_printf(&a->arena, "fd=%s,id=%s,mac=%02x:%02x:%02x:%02x:%02x:%02x", fds, n->leg.inside, m[0], m[1], m[2],
					  m[3], m[4], m[5]);
}

static void make_args(const struct vm_want *want, const struct vm_machine *m, const char *program, struct args *a)
{
	const char *kind = m->scratch ? "scratch" : "layer";
	uint64_t memory = want->memory != 0 ? want->memory : ENG_VM_MEMORY;

	a->v[a->n++] = program;
	add(a, "--kernel", fd_path(a, m->kernel));
	add(a, "--initrd", fd_path(a, m->initramfs));
	add(a, "--append", arena_printf(&a->arena, APPEND "%s%s", want->append != NULL ? " " : "",
					want->append != NULL ? want->append : ""));
	add(a, "--memory", arena_printf(&a->arena, "%llu", (memory + MEMORY_STEP - 1) / MEMORY_STEP * MEMORY_STEP));
	add(a, "--cpus", arena_printf(&a->arena, "%" PRIu64, want->cpus != 0 ? want->cpus : 1));
	add(a, "--accel", want->accel != NULL ? want->accel : "auto");
	add(a, "--serial", arena_printf(&a->arena, "/proc/self/fd/%d/" ENG_CONSOLE, m->files));
	add(a, "--vsock", GUEST_CID ",path=" VM_SOCKET); /* in the working directory */
	add(a, "--fs", arena_printf(&a->arena, "/proc/self/fd/%d,tag=%s", m->root, m->image >= 0 ? "shared" : "root"));
	if (m->layer >= 0)
		add(a, "--fs", arena_printf(&a->arena, "/proc/self/fd/%d,tag=%s,%s", m->layer, kind, kind));
	add(a, "--fs", arena_printf(&a->arena, "/proc/self/fd/%d,tag=" GUEST_MODULES ",ro", m->modules));
	if (m->image >= 0)
		add(a, "--pmem", arena_printf(&a->arena, "/proc/self/fd/%d,ro", m->image));
	for (size_t i = 0; i < m->nr_nets; i++)
		add(a, "--net", net_option(a, &m->nets[i]));
	if (m->nr_nets > 0) /* networks may come and go */
		add(a, "--qmp", VM_CONTROL);
	a->v[a->n++] = "--no-reboot";
	a->v[a->n] = NULL;
}

static void limit(void)
{
	static const struct rlimit none = { 0, 0 }, files = { FILES_MAX, FILES_MAX };

	(void) setrlimit(RLIMIT_NOFILE, &files); /* each file of the shared directory that the guest knows; else it is as many as we may */
	(void) setrlimit(RLIMIT_CORE, &none); /* guest memory is nobody's business; lowering is allowed */
}

static bool pass(int fd)
{
	return fcntl(fd, F_SETFD, 0) == 0;
}

static _Noreturn void be_machine(const struct vm_machine *m, const char *const *argv)
{
	static const char *const env[] = { NULL };
	const int files[] = { m->files, m->root, m->kernel, m->initramfs, m->modules, m->image, m->layer };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	limit();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() == 1 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(m->complaints, STDERR_FILENO) < 0)
		_exit(125);
	if (fchdir(m->dir) < 0 || proc_cloexec_from(STDERR_FILENO + 1) < 0)
		_exit(125);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (files[i] >= 0 && !pass(files[i]))
			_exit(125);
	for (size_t i = 0; i < m->nr_nets; i++)
		for (unsigned k = 0; k < m->nets[i].queues; k++)
			if (!pass(m->nets[i].fds[k]))
				_exit(125);
	proc_default_signals();
	(void) execve(argv[0], (char *const *) argv, (char *const *) env);
	dprintf(STDERR_FILENO, "cannot execute '%s': %s\n", argv[0], strerror(errno));
	_exit(125);
}

int vm_machine_start(const struct vm_want *want, struct vm_machine *m, struct err *err)
{
	struct args a = { 0 };
	char program[PATH_MAX];
	int r = exe_helper("cleave-vmm", program, sizeof(program));

	if (r < 0)
		return err_set(err, r, "find the program '%s'", program);
	make_args(want, m, program, &a);
	if (a.failed)
		r = err_set(err, -ENOMEM, "start a virtual machine");
	if (r == 0)
		m->pid = proc_clone(0, SIGCHLD, -EBADF, &m->pidfd);
	if (r == 0 && m->pid == 0)
		be_machine(m, a.v);
	if (r == 0 && m->pid < 0)
		r = err_set(err, m->pid, "create a process");
	arena_fini(&a.arena);
	return r;
}

void vm_machine_complaint(const struct vm_machine *m, char *ret, size_t size)
{
	ssize_t n = pread(m->complaints, ret, size - 1, 0);
	char *text = ret;

	ret[n > 0 ? n : 0] = '\0';
	for (char *line = ret; *line != '\0'; line += strcspn(line, "\n")) { /* the last one */
		line += *line == '\n';
		text = *line != '\0' ? line : text;
	}
	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, "cleave-vmm: ", 12) == 0)
		text += 12;
	memmove(ret, text, strlen(text) + 1);
}

static int ended(const struct vm_machine *m, struct err *err)
{
	char why[512];

	vm_machine_complaint(m, why, sizeof(why));
	return err_msg(err, -ECONNRESET, "the virtual machine ended before it was ready: %s",
		       why[0] != '\0' ? why : "its kernel or first program failed: see its console");
}

/* Somebody wants it to end while it begins. */
static bool is_asked_to_end(int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t) sizeof(info))
		if (info.ssi_code <= 0 && (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT || info.ssi_signo == SIGQUIT))
			return true;
	return false;
}

int vm_machine_wait_ready(const struct vm_machine *m, int listener, int signals, struct err *err)
{
	struct pollfd p[] = { { .fd = listener, .events = POLLIN },
			      { .fd = m->pidfd, .events = POLLIN },
			      { .fd = signals, .events = POLLIN } };
	struct vm_reply hello;
	int fd, r;

	do {
		r = poll(p, ARRAY_LEN(p), READY_S * 1000);
		if (r == 0)
			return err_msg(err, -ETIMEDOUT, "the virtual machine was not ready after %d s: see its console", READY_S);
		if (r > 0 && p[2].revents != 0 && is_asked_to_end(signals))
			return err_msg(err, -EINTR, "a signal ended the virtual machine before it was ready");
		if (r > 0 && p[0].revents == 0 && p[1].revents != 0)
			return ended(m, err);
	} while (p[0].revents == 0);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "connect to the virtual machine");
	r = vm_link_read(fd, &hello, err);
	if (r == 0 && (hello.head.type != GUEST_HELLO || hello.head.version != GUEST_VERSION))
		r = err_msg(err, -EPROTO, "the guest's program speaks version %u of the protocol, this is version %u",
			    hello.head.version, GUEST_VERSION);
	if (r < 0) {
		(void) close(fd); /* nothing was sent */
		return r;
	}
	return fd;
}

void vm_machine_forget(struct vm_machine *m)
{
	int *const fds[] = { &m->kernel, &m->initramfs, &m->modules };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		cleanup_closep(fds[i]);
		*fds[i] = -EBADF;
	}
}

void vm_machine_fini(struct vm_machine *m)
{
	int *const fds[] = { &m->dir, &m->files, &m->root, &m->image, &m->layer, &m->kernel, &m->initramfs, &m->modules,
			     &m->complaints, &m->pidfd };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		cleanup_closep(fds[i]);
	*m = (struct vm_machine) VM_MACHINE_NONE;
}
