/* SPDX-License-Identifier: MIT */
/**
 * DOC: virtio block device
 *
 * A request is a header, data, and a byte for the answer.  It is checked completely before anything
 * happens: a wrong one is answered with an error and changes nothing.  Data goes between the file and
 * the guest's memory without a copy.
 * Spec: virtio 1.2, 5.2.
 */
#include "vmm/dev/virtio/blk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/core/bytes.h"
#include "vmm/core/dev.h"
#include "vmm/core/vm.h"
#include "vmm/dev/virtio/blk_file.h"
#include "vmm/dev/virtio/virtio.h"

#define SECTOR 512u
#define HEADER 16u
#define RANGE_SIZE 16u /* bytes of a range to discard */
#define SEGMENTS_MAX 126 /* pieces of data; header and answer make 128 */
#define DISCARD_SECTORS_MAX (1u << 22) /* 2 GiB in one request */

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK, S_IOERR, S_UNSUPP };

#define F_SEG_MAX (1ull << 2)
#define F_RO (1ull << 5)
#define F_BLK_SIZE (1ull << 6)
#define F_FLUSH (1ull << 9)
#define F_MQ (1ull << 12)
#define F_DISCARD (1ull << 13)
#define F_WRITE_ZEROES (1ull << 14)

/**
 * struct blk_request - a request
 * @len: bytes that it is about; @end: where they end in the file; @since: when it began, in nanoseconds
 * @answer: where the guest reads the status
 */
struct blk_request {
	struct blk_request *next;
	unsigned q;
	enum blk_kind kind;
	uint64_t len, end, since;
	uint8_t *answer;
	struct vq_chain chain;
};

/** struct blk - @fd: borrowed; @info: what was done; @spare: requests that are not in use; @signal: rings whose guest must be told */
struct blk {
	struct vio_dev vio;
	struct blk_file *file;
	uint64_t sectors;
	bool readonly;
	int fd;
	struct blk_info info;
	char serial[BLK_SERIAL_MAX];
	struct blk_request *spare;
	uint32_t signal;
};

static struct blk_request *take(struct blk *b)
{
	struct blk_request *r = b->spare;

	if (r == NULL)
		return malloc(sizeof(*r));
	b->spare = r->next;
	return r;
}

static void answer(struct blk *b, struct blk_request *r, uint8_t status, uint32_t written)
{
	*r->answer = status;
	vio_push(&b->vio, r->q, &r->chain, written + 1);
	b->signal |= 1u << r->q;
	r->next = b->spare;
	b->spare = r;
}

static void signal_all(struct blk *b)
{
	for (unsigned q = 0; b->signal != 0; q++) {
		if (b->signal & 1u << q)
			vio_signal(&b->vio, q);
		b->signal &= ~(1u << q);
	}
}

static uint64_t now(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t); /* it is there */
	return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

static void count(struct blk_info *i, const struct blk_request *r, bool good)
{
	struct blk_count *n = &i->count[r->kind];

	if (!good) {
		n->failures++;
		return;
	}
	n->requests++;
	n->bytes += r->len;
	n->ns += now() - r->since;
	if (r->kind == BLK_WRITES && r->end > i->highest)
		i->highest = r->end;
}

/* Of unmapping, a file tells only whether it was done. */
static bool is_done(const struct blk_request *r, int64_t result)
{
	return result >= 0 && ((r->kind != BLK_READS && r->kind != BLK_WRITES) || (uint64_t) result >= r->len);
}

static void file_done(void *arg, void *request, int64_t result)
{
	struct blk *b = arg;
	struct blk_request *r = request;
	bool good = is_done(r, result);

	count(&b->info, r, good);
	if (!good && result == -EOPNOTSUPP)
		answer(b, r, S_UNSUPP, 0);
	else
		answer(b, r, good ? S_OK : S_IOERR, good && r->kind == BLK_READS ? (uint32_t) r->len : 0);
}

/* A request that could not be meant: it changes nothing. */
static void refuse(struct blk *b, struct blk_request *r, uint8_t status)
{
	b->info.count[r->kind].invalid++;
	answer(b, r, status, 0);
}

static void file_settled(void *arg)
{
	signal_all(arg);
}

static const struct blk_file_ops file_ops = { .done = file_done, .settled = file_settled };

static bool in_disk(const struct blk *b, uint64_t sector, uint64_t len)
{
	return len % SECTOR == 0 && sector <= b->sectors && len / SECTOR <= b->sectors - sector;
}

static void transfer(struct blk *b, struct blk_request *r, bool write, uint64_t sector)
{
	size_t len = write ? r->chain.out_len : r->chain.in_len;
	unsigned nr = write ? r->chain.nr_out : r->chain.nr_in;
	enum blk_op op = !write ? BLK_OP_READ : b->vio.features & F_FLUSH ? BLK_OP_WRITE : BLK_OP_WRITE_THROUGH;

	r->kind = write ? BLK_WRITES : BLK_READS;
	if (!in_disk(b, sector, len) || (write && b->readonly)) {
		refuse(b, r, S_IOERR);
		return;
	}
	r->len = len;
	r->end = sector * SECTOR + len;
	blk_file_add(b->file, op, write ? r->chain.iov : vq_chain_in(&r->chain), nr, sector * SECTOR, len, r);
}

static void discard(struct blk *b, struct blk_request *r, bool zero)
{
	uint8_t range[RANGE_SIZE];
	uint64_t sector, len;

	r->kind = BLK_UNMAPS;
	if (b->readonly || r->chain.out_len != RANGE_SIZE ||
	    vq_chain_read(&r->chain, range, sizeof(range)) != sizeof(range)) {
		refuse(b, r, S_IOERR);
		return;
	}
	sector = get_le64(range);
	len = (uint64_t) get_le32(range + 8) * SECTOR;
	if ((get_le32(range + 12) & (zero ? ~1u : ~0u)) != 0) {
		refuse(b, r, S_UNSUPP);
		return;
	}
	if (len == 0 || len / SECTOR > DISCARD_SECTORS_MAX || !in_disk(b, sector, len)) {
		refuse(b, r, S_IOERR);
		return;
	}
	r->len = len;
	blk_file_add(b->file, zero ? BLK_OP_ZERO : BLK_OP_DISCARD, NULL, 0, sector * SECTOR, len, r);
}

static void get_id(struct blk *b, struct blk_request *r)
{
	size_t n = vq_chain_write(&r->chain, b->serial, sizeof(b->serial));

	answer(b, r, n > 0 ? S_OK : S_IOERR, (uint32_t) n);
}

static void carry_out(struct blk *b, struct blk_request *r, uint32_t type, uint64_t sector)
{
	r->len = r->end = 0;
	r->kind = BLK_FLUSHES;
	r->since = now();
	switch (type) {
	case T_IN:
	case T_OUT:
		transfer(b, r, type == T_OUT, sector);
		break;
	case T_FLUSH:
		blk_file_add(b->file, BLK_OP_FLUSH, NULL, 0, 0, 0, r);
		break;
	case T_GET_ID:
		get_id(b, r);
		break;
	case T_DISCARD:
	case T_WRITE_ZEROES:
		discard(b, r, type == T_WRITE_ZEROES);
		break;
	default:
		answer(b, r, S_UNSUPP, 0);
		break;
	}
}

static int one(struct vio_dev *d, unsigned q, struct vq_chain *chain)
{
	struct blk *b = (struct blk *) d;
	struct blk_request *r = take(b);
	uint8_t header[HEADER];

	if (r == NULL)
		return -ENOMEM;
	r->q = q;
	r->chain = *chain;
	r->answer = vq_chain_cut_status(&r->chain);
	if (r->answer == NULL || vq_chain_read(&r->chain, header, sizeof(header)) != sizeof(header)) {
		r->next = b->spare;
		b->spare = r;
		return -EPROTO;
	}
	carry_out(b, r, get_le32(header), get_le64(header + 8));
	return 0;
}

static int blk_notify(struct vio_dev *d, unsigned q)
{
	struct blk *b = (struct blk *) d;
	int r = vio_each(d, q, one);

	blk_file_submit(b->file);
	signal_all(b);
	return r;
}

static void blk_stop(struct vio_dev *d)
{
	blk_file_drain(((struct blk *) d)->file);
}

static void blk_free(struct vio_dev *d)
{
	struct blk *b = (struct blk *) d;

	blk_file_free(b->file);
	while (b->spare != NULL) {
		struct blk_request *r = b->spare;

		b->spare = r->next;
		free(r);
	}
	free(b);
}

static const struct vio_ops blk_ops = { .name = "virtio-blk", .nick = "virtio", .removable = true, .id = 2, .class = 0x018000, .notify = blk_notify,
					.stop = blk_stop, .free = blk_free };

static void fill_config(struct blk *b, unsigned queues)
{
	uint8_t *c = b->vio.config;

	put_le64(c, b->sectors);
	put_le32(c + 12, SEGMENTS_MAX);
	put_le32(c + 20, SECTOR);
	put_le16(c + 34, (uint16_t) queues);
	put_le32(c + 36, DISCARD_SECTORS_MAX);
	put_le32(c + 40, 1); /* ranges in a request */
	put_le32(c + 44, 8); /* sectors: what file systems can free */
	put_le32(c + 48, DISCARD_SECTORS_MAX);
	put_le32(c + 52, 1);
	c[56] = 1; /* write-zeroes may free */
	b->vio.config_len = 60;
}

static int open_disk(struct blk *b, const struct blk_config *conf, struct err *err)
{
	struct flock lock = { .l_type = conf->readonly ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };
	off_t size = lseek(conf->fd, 0, SEEK_END);

	if (size < 0)
		return err_set(err, -errno, "disk '%s': find its size", conf->name);
	if (size < (off_t) SECTOR)
		return err_msg(err, -EINVAL, "disk '%s' has %lld bytes, less than a sector", conf->name, (long long) size);
	if (fcntl(conf->fd, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES))
		return err_msg(err, -EBUSY, "disk '%s' is in use by another process", conf->name);
	b->sectors = (uint64_t) size / SECTOR;
	b->fd = conf->fd;
	b->info = (struct blk_info) { .name = conf->name, .readonly = conf->readonly };
	return blk_file_new(b->vio.vm, conf->fd, &file_ops, b, &b->file, err);
}

int blk_query(const struct vio_dev *d, struct blk_info *ret)
{
	const struct blk *b = (const struct blk *) d;

	if (d == NULL || d->ops != &blk_ops)
		return -ENODEV;
	*ret = b->info;
	ret->bytes = b->sectors * SECTOR;
	return 0;
}

int blk_resize(struct vio_dev *d, uint64_t bytes, struct err *err)
{
	struct blk *b = (struct blk *) d;

	if (b->readonly || bytes < SECTOR || bytes % SECTOR != 0 || bytes > INT64_MAX)
		return err_msg(err, -EINVAL, "disk '%s' is read-only, or %llu bytes are not whole sectors", b->info.name,
			       (unsigned long long) bytes);
	if (ftruncate(b->fd, (off_t) bytes) < 0)
		return err_set(err, -errno, "disk '%s': make it %llu bytes long", b->info.name, (unsigned long long) bytes);
	b->sectors = bytes / SECTOR;
	put_le64(d->config, b->sectors);
	vio_config_changed(d);
	return 0;
}

int blk_add(struct vm *vm, struct pci_bus *bus, const struct blk_config *conf, struct err *err)
{
	uint64_t features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_MQ;
	struct blk *b = calloc(1, sizeof(*b));
	int r;

	if (b == NULL)
		return err_set(err, -ENOMEM, "make disk");
	b->readonly = conf->readonly;
	if (conf->serial != NULL)
		memcpy(b->serial, conf->serial, strnlen(conf->serial, sizeof(b->serial)));
	features |= conf->readonly ? F_RO : F_DISCARD | F_WRITE_ZEROES;
	r = vio_init(&b->vio, vm, &blk_ops, features, conf->queues, err);
	if (r == 0)
		r = open_disk(b, conf, err);
	if (r < 0) {
		vio_fini(&b->vio);
		blk_free(&b->vio);
		return r;
	}
	if (conf->split)
		b->vio.offered &= ~VIO_F_PACKED;
	fill_config(b, conf->queues);
	r = vio_pci_add(vm, bus, &b->vio, err);
	if (r == 0 && conf->id != NULL)
		dev_name(vm->devs, conf->id); /* the one that was added last */
	return r;
}
