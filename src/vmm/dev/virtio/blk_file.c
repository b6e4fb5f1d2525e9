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

/** struct blk_file - @in_flight: requests that the kernel has; @event: -1 without io_uring */
struct blk_file {
	struct vm *vm;
	int fd, event;
	struct io_uring ring;
	struct loop_source source;
	unsigned in_flight;
	void (*done)(void *arg, void *request, int64_t result);
	void *arg;
};

static void reap(struct blk_file *f)
{
	struct io_uring_cqe *cqe;

	while (f->in_flight > 0 && io_uring_peek_cqe(&f->ring, &cqe) == 0) {
		void *request = io_uring_cqe_get_data(cqe);
		int64_t result = cqe->res;

		io_uring_cqe_seen(&f->ring, cqe);
		f->in_flight--;
		f->done(f->arg, request, result);
	}
}

static void event_ready(void *arg, uint32_t events)
{
	struct blk_file *f = arg;
	uint64_t value;

	(void) events;
	(void) !read(f->event, &value, sizeof(value)); /* it is ready */
	reap(f);
	blk_file_submit(f); /* what the guest gave us meanwhile */
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

/* Return: 0; -errno, then requests are carried out at once. */
static int init_ring(struct blk_file *f)
{
	int r = io_uring_queue_init(RING_ENTRIES, &f->ring, IORING_SETUP_R_DISABLED);

	if (r < 0)
		return r;
	f->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = f->event < 0 ? -errno : io_uring_register_eventfd(&f->ring, f->event);
	if (r == 0)
		r = restrict_ring(&f->ring);
	if (r == 0)
		r = loop_add(f->vm->loop, &f->source, f->event, EPOLLIN, event_ready, f);
	if (r == 0)
		return 0;
	io_uring_queue_exit(&f->ring);
	if (f->event >= 0)
		(void) close(f->event); /* nothing is in it */
	f->event = -1;
	return r;
}

int blk_file_new(struct vm *vm, int fd, void (*done)(void *arg, void *request, int64_t result), void *arg,
		 struct blk_file **ret, struct err *err)
{
	struct blk_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_set(err, -ENOMEM, "make disk");
	*f = (struct blk_file) { .vm = vm, .fd = fd, .event = -1, .source.fd = -1, .done = done, .arg = arg };
	(void) init_ring(f); /* without it: one request after the other */
	*ret = f;
	return 0;
}

void blk_file_free(struct blk_file *f)
{
	if (f == NULL)
		return;
	if (f->event >= 0) {
		loop_remove(f->vm->loop, &f->source);
		io_uring_queue_exit(&f->ring);
		(void) close(f->event); /* nothing is in it that matters */
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
	struct io_uring_sqe *sqe = io_uring_get_sqe(&f->ring);

	if (sqe != NULL)
		return sqe;
	(void) io_uring_submit(&f->ring); /* makes room; if not, the request is carried out at once */
	return io_uring_get_sqe(&f->ring);
}

void blk_file_add(struct blk_file *f, enum blk_op op, const struct iovec *iov, unsigned nr, uint64_t offset,
		  uint64_t len, void *request)
{
	struct io_uring_sqe *sqe = f->event >= 0 ? get_sqe(f) : NULL;

	if (sqe == NULL) {
		f->done(f->arg, request, carry_out(f, op, iov, nr, offset, len));
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
	if (f->event >= 0 && io_uring_sq_ready(&f->ring) > 0)
		(void) io_uring_submit(&f->ring); /* what is left goes with the next; ends wake us */
}

void blk_file_drain(struct blk_file *f)
{
	struct io_uring_cqe *cqe;

	while (f->in_flight > 0) {
		blk_file_submit(f);
		if (io_uring_wait_cqe(&f->ring, &cqe) == 0)
			reap(f);
	}
}
