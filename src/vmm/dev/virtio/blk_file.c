/* SPDX-License-Identifier: MIT */
/**
 * DOC: requests to a file
 *
 * io_uring takes all requests of a notification with one system call and tells of their ends through an
 * eventfd.  Hosts may forbid io_uring; there a request is carried out at once.
 */
#include "vmm/dev/virtio/blk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/core/loop.h"
#include "vmm/core/vm.h"

#define RING_ENTRIES 256
#define HOLE (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/** struct blk_ring - a way to the kernel; @event: written when a request has ended */
struct blk_ring {
	struct blk_ring *next;
	struct io_uring ring;
	int event;
};

/** struct blk_rings - those that were reserved and are not in use */
struct blk_rings {
	struct blk_ring *first;
};

/** struct blk_file - @in_flight: requests that the kernel has; @ring: NULL without io_uring */
struct blk_file {
	struct vm *vm;
	int fd;
	struct blk_ring *ring;
	struct loop_source source;
	unsigned in_flight;
	const struct blk_file_ops *ops;
	void *arg;
};

static void reap(struct blk_file *f)
{
	struct io_uring_cqe *cqe;
	bool some = false;

	for (; f->in_flight > 0 && io_uring_peek_cqe(&f->ring->ring, &cqe) == 0; some = true) {
		void *request = io_uring_cqe_get_data(cqe);
		int64_t result = cqe->res;

		io_uring_cqe_seen(&f->ring->ring, cqe);
		f->in_flight--;
		f->ops->done(f->arg, request, result);
	}
	if (some)
		f->ops->settled(f->arg);
}

static void event_ready(void *arg, uint32_t events)
{
	struct blk_file *f = arg;
	uint64_t value;

	(void) events;
	(void) !read(f->ring->event, &value, sizeof(value)); /* it is ready */
	reap(f);
	blk_file_submit(f); /* what did not fit before */
}

/* The ring does what disks need, and cannot be used around a filter of system calls. */
static int restrict_ring(struct io_uring *ring)
{
	static const uint8_t ops[] = { IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_FSYNC, IORING_OP_FALLOCATE };
	struct io_uring_restriction r[ARRAY_LEN(ops)] = { 0 };

	for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
		r[i].opcode = IORING_RESTRICTION_SQE_OP;
		r[i].sqe_op = ops[i];
	}
	/* the shared library lacks functions for these */
	if (syscall(SYS_io_uring_register, ring->ring_fd, IORING_REGISTER_RESTRICTIONS, r, ARRAY_LEN(ops)) < 0 ||
	    syscall(SYS_io_uring_register, ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0)
		return -errno;
	return 0;
}

static void close_ring(struct blk_ring *r)
{
	io_uring_queue_exit(&r->ring);
	if (r->event >= 0)
		(void) close(r->event); /* nothing is in it that matters */
	free(r);
}

/* Return: a ring; NULL there is none, then requests are carried out at once. */
static struct blk_ring *make_ring(void)
{
	struct blk_ring *r = calloc(1, sizeof(*r));

	if (r == NULL || io_uring_queue_init(RING_ENTRIES, &r->ring, IORING_SETUP_R_DISABLED) < 0) {
		free(r);
		return NULL;
	}
	r->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->event >= 0 && io_uring_register_eventfd(&r->ring, r->event) == 0 && restrict_ring(&r->ring) == 0)
		return r;
	close_ring(r);
	return NULL;
}

int blk_rings_reserve(struct vm *vm, unsigned n)
{
	vm->rings = calloc(1, sizeof(*vm->rings));
	if (vm->rings == NULL)
		return -ENOMEM;
	while (n-- > 0) {
		struct blk_ring *r = make_ring();

		if (r == NULL)
			break;
		r->next = vm->rings->first;
		vm->rings->first = r;
	}
	return 0;
}

void blk_rings_free(struct vm *vm)
{
	if (vm->rings == NULL)
		return;
	while (vm->rings->first != NULL) {
		struct blk_ring *r = vm->rings->first;

		vm->rings->first = r->next;
		close_ring(r);
	}
	free(vm->rings);
	vm->rings = NULL;
}

static struct blk_ring *take_ring(struct vm *vm)
{
	struct blk_ring *r;

	if (vm->rings == NULL)
		return make_ring();
	r = vm->rings->first;
	if (r != NULL)
		vm->rings->first = r->next;
	return r;
}

static void give_ring(struct vm *vm, struct blk_ring *r)
{
	if (vm->rings == NULL) {
		close_ring(r);
		return;
	}
	r->next = vm->rings->first;
	vm->rings->first = r;
}

int blk_file_new(struct vm *vm, int fd, const struct blk_file_ops *ops, void *arg, struct blk_file **ret, struct err *err)
{
	struct blk_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_set(err, -ENOMEM, "make disk");
	*f = (struct blk_file) { .vm = vm, .fd = fd, .ring = take_ring(vm), .source.fd = -1, .ops = ops, .arg = arg };
	if (f->ring != NULL && loop_add(vm->loop, &f->source, f->ring->event, EPOLLIN, event_ready, f) < 0) {
		give_ring(vm, f->ring);
		f->ring = NULL; /* one request after the other */
	}
	*ret = f;
	return 0;
}

void blk_file_free(struct blk_file *f)
{
	if (f == NULL)
		return;
	if (f->ring != NULL) {
		loop_remove(f->vm->loop, &f->source);
		give_ring(f->vm, f->ring);
	}
	free(f);
}

static int64_t carry_out(const struct blk_file *f, enum blk_op op, const struct iovec *iov, unsigned nr,
			 uint64_t offset, uint64_t len)
{
	int64_t r = 0;

	switch (op) {
	case BLK_OP_READ:
		r = preadv(f->fd, iov, (int) nr, (off_t) offset);
		break;
	case BLK_OP_WRITE:
		r = pwritev(f->fd, iov, (int) nr, (off_t) offset);
		break;
	case BLK_OP_WRITE_THROUGH:
		r = pwritev2(f->fd, iov, (int) nr, (off_t) offset, RWF_DSYNC);
		break;
	case BLK_OP_FLUSH:
		r = fdatasync(f->fd);
		break;
	case BLK_OP_DISCARD:
	case BLK_OP_ZERO:
		r = fallocate(f->fd, HOLE, (off_t) offset, (off_t) len);
		break;
	}
	return r < 0 ? -errno : r;
}

static struct io_uring_sqe *get_sqe(struct blk_file *f)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&f->ring->ring);

	if (sqe != NULL)
		return sqe;
	(void) io_uring_submit(&f->ring->ring); /* makes room; if not, the request is carried out at once */
	return io_uring_get_sqe(&f->ring->ring);
}

void blk_file_add(struct blk_file *f, enum blk_op op, const struct iovec *iov, unsigned nr, uint64_t offset,
		  uint64_t len, void *request)
{
	struct io_uring_sqe *sqe = f->ring != NULL ? get_sqe(f) : NULL;

	if (sqe == NULL) {
		f->ops->done(f->arg, request, carry_out(f, op, iov, nr, offset, len));
		return;
	}
	switch (op) {
	case BLK_OP_READ:
		io_uring_prep_readv(sqe, f->fd, iov, nr, offset);
		break;
	case BLK_OP_WRITE:
		io_uring_prep_writev(sqe, f->fd, iov, nr, offset);
		break;
	case BLK_OP_WRITE_THROUGH:
		io_uring_prep_writev2(sqe, f->fd, iov, nr, offset, RWF_DSYNC);
		break;
	case BLK_OP_FLUSH:
		io_uring_prep_fsync(sqe, f->fd, IORING_FSYNC_DATASYNC);
		break;
	case BLK_OP_DISCARD:
	case BLK_OP_ZERO: /* a hole reads as zeroes */
		io_uring_prep_fallocate(sqe, f->fd, HOLE, (off_t) offset, (off_t) len);
		break;
	}
	io_uring_sqe_set_data(sqe, request);
	f->in_flight++;
}

void blk_file_submit(struct blk_file *f)
{
	if (f->ring == NULL || io_uring_sq_ready(&f->ring->ring) == 0)
		return;
	(void) io_uring_submit(&f->ring->ring); /* what is left goes with the next; ends wake us */
	reap(f); /* most of what is in the host's memory: its guest need not wait for another turn of the loop */
}

void blk_file_drain(struct blk_file *f)
{
	struct io_uring_cqe *cqe;

	while (f->in_flight > 0) {
		blk_file_submit(f);
		if (f->in_flight > 0 && io_uring_wait_cqe(&f->ring->ring, &cqe) == 0)
			reap(f);
	}
}
