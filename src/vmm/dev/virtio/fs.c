/* SPDX-License-Identifier: MIT */
/**
 * DOC: virtio file system device
 *
 * Its requests are those of FUSE, see dev/share.  File systems block, so a thread of its own watches the
 * rings and carries requests out; it has the machine's lock while it takes them and gives them back.
 * Spec: virtio 1.2, 5.11.
 */
#include "vmm/dev/virtio/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/core/bytes.h"
#include "vmm/core/vm.h"
#include "vmm/dev/share/share.h"
#include "vmm/dev/virtio/virtio.h"

#define QUEUES 2 /* what must not wait (there is nothing that could), and requests */
#define STACK_SIZE (256u << 10) /* bytes */

enum { STARTING, IDLE, BUSY, ENDED };

/**
 * struct fs - a shared directory
 * @state: what the thread does; @error: why it did not start; @halt: it shall not begin another request;
 *         @quit: nor wait for one.  All guarded by the lock
 * @confine: of fs_start(); @why: the message of @error
 * @changed: @state is another
 * @watched: the rings' eventfds and one that tells to quit; the thread's own
 */
struct fs {
	struct vio_dev vio;
	struct share *share;
	pthread_t thread;
	bool started, halt, quit;
	int state, error;
	int (*confine)(struct err *err);
	struct err why;
	pthread_cond_t changed;
	int watched[QUEUES + 1];
	struct vq_chain chain;
};

/* With the lock, which is released meanwhile. */
static void set_state(struct fs *f, int state)
{
	f->state = state;
	(void) pthread_cond_broadcast(&f->changed); /* cannot fail */
}

/* Carry out one request, without the lock. */
static int carry_out(struct fs *f, unsigned q)
{
	int64_t n;

	set_state(f, BUSY);
	vm_unlock(f->vio.vm);
	n = share_answer(f->share, &f->chain);
	vm_lock(f->vio.vm);
	if (n >= 0) {
		vio_push(&f->vio, q, &f->chain, (uint32_t) n); /* what remains of it was filled by read(2) */
		vio_signal(&f->vio, q);
	}
	set_state(f, IDLE);
	return n < 0 ? (int) n : 0;
}

static void serve(struct fs *f, unsigned q)
{
	struct virtq *vq = &f->vio.queue[q].vq;
	int r = 0;

	do {
		while (f->vio.started && !f->halt && r >= 0 && (r = vq_pop(vq, &f->chain)) > 0)
			r = carry_out(f, q);
	} while (r == 0 && f->vio.started && !f->halt && vq_rearm(vq));
	if (r < 0)
		vio_broken(&f->vio);
}

static void *run(void *arg)
{
	struct fs *f = arg;
	struct pollfd p[QUEUES + 1];
	int r = share_enter(f->share);
	uint64_t value;

	if (r < 0)
		(void) err_set(&f->why, r, "virtio-fs: prepare its thread");
	else if (f->confine != NULL)
		r = f->confine(&f->why);
	for (unsigned i = 0; i <= QUEUES; i++)
		p[i] = (struct pollfd) { .fd = f->watched[i], .events = POLLIN };
	vm_lock(f->vio.vm);
	f->error = r;
	set_state(f, r < 0 ? ENDED : IDLE);
	while (r == 0 && !f->quit) {
		vm_unlock(f->vio.vm);
		(void) poll(p, QUEUES + 1, -1); /* what fails is tried again */
		vm_lock(f->vio.vm);
		for (unsigned i = 0; i < QUEUES; i++)
			if (read(p[i].fd, &value, sizeof(value)) == sizeof(value))
				serve(f, i);
	}
	set_state(f, ENDED);
	vm_unlock(f->vio.vm);
	return NULL;
}

/* A notification that did not come by eventfd goes there. */
static int fs_notify(struct vio_dev *d, unsigned q)
{
	vio_again(d, q);
	return 0;
}

static int fs_driver_ready(struct vio_dev *d)
{
	((struct fs *) d)->halt = false;
	return 0;
}

static void fs_stop(struct vio_dev *d)
{
	struct fs *f = (struct fs *) d;

	f->halt = true;
	while (f->state == BUSY)
		(void) pthread_cond_wait(&f->changed, &d->vm->lock); /* cannot fail */
	share_forget_all(f->share);
}

static void end_thread(struct fs *f)
{
	uint64_t one = 1;

	f->quit = true;
	(void) !write(f->watched[QUEUES], &one, sizeof(one)); /* the first and only */
	while (f->state != ENDED)
		(void) pthread_cond_wait(&f->changed, &f->vio.vm->lock); /* cannot fail */
	(void) pthread_join(f->thread, NULL); /* started and never joined before */
}

static void fs_free(struct vio_dev *d)
{
	struct fs *f = (struct fs *) d;

	if (f->started)
		end_thread(f);
	for (unsigned i = 0; i <= QUEUES; i++)
		if (f->watched[i] >= 0)
			(void) close(f->watched[i]); /* what was not read does not matter */
	share_free(f->share);
	(void) pthread_cond_destroy(&f->changed); /* nobody waits */
	free(f);
}

static const struct vio_ops fs_ops = { .name = "virtio-fs", .nick = "fs", .id = 26, .class = 0x018000, .start = fs_driver_ready,
				       .stop = fs_stop, .notify = fs_notify, .free = fs_free };

/* Notifications go to the thread and not to the event loop. */
static int take_kicks(struct fs *f)
{
	for (unsigned i = 0; i < QUEUES; i++) {
		loop_remove(f->vio.vm->loop, &f->vio.queue[i].source);
		f->watched[i] = fcntl(f->vio.queue[i].kick, F_DUPFD_CLOEXEC, 0);
		if (f->watched[i] < 0)
			return -errno;
	}
	f->watched[QUEUES] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return f->watched[QUEUES] < 0 ? -errno : 0;
}

static int start_thread(struct fs *f)
{
	pthread_attr_t attr;
	sigset_t block, old;
	int r = pthread_attr_init(&attr);

	if (r != 0)
		return -r;
	(void) sigfillset(&block);
	(void) pthread_sigmask(SIG_SETMASK, &block, &old); /* valid arguments */
	r = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (r == 0)
		r = pthread_create(&f->thread, &attr, run, f);
	(void) pthread_sigmask(SIG_SETMASK, &old, NULL); /* valid arguments */
	(void) pthread_attr_destroy(&attr); /* cannot fail */
	if (r != 0)
		return -r;
	f->started = true;
	(void) pthread_setname_np(f->thread, "fs"); /* for people */
	while (f->state == STARTING)
		(void) pthread_cond_wait(&f->changed, &f->vio.vm->lock); /* cannot fail */
	return f->error;
}

int fs_start(struct fs *f, int (*confine)(struct err *err), struct err *err)
{
	int r;

	f->confine = confine;
	r = start_thread(f);
	if (r < 0 && f->why.text[0] != '\0')
		return err_msg(err, r, "%s", f->why.text);
	return r < 0 ? err_set(err, r, "virtio-fs: start its thread") : 0;
}

/* Each file that the guest knows is a descriptor. */
static void allow_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &l); /* else the guest gets ENFILE sooner */
	}
}

int fs_add(struct vm *vm, struct pci_bus *bus, const struct fs_config *conf, struct fs **ret, struct err *err)
{
	struct fs *f = calloc(1, sizeof(*f));
	int r;

	if (f == NULL)
		return err_set(err, -ENOMEM, "make virtio-fs");
	for (unsigned i = 0; i <= QUEUES; i++)
		f->watched[i] = -1;
	(void) pthread_cond_init(&f->changed, NULL); /* cannot fail on Linux */
	allow_descriptors();
	r = vio_init(&f->vio, vm, &fs_ops, 0, QUEUES, err);
	if (r == 0)
		r = share_new(conf->dir, conf->proc, conf->kind, &f->share, err);
	if (r == 0) {
		r = take_kicks(f);
		if (r < 0)
			(void) err_set(err, r, "virtio-fs: make eventfds");
	}
	if (r < 0) {
		vio_fini(&f->vio);
		fs_free(&f->vio);
		return r;
	}
	memcpy(f->vio.config, conf->tag, strnlen(conf->tag, FS_TAG_MAX));
	put_le32(f->vio.config + FS_TAG_MAX, 1); /* rings for requests */
	f->vio.config_len = FS_TAG_MAX + 4;
	*ret = f;
	return vio_pci_add(vm, bus, &f->vio, err);
}
