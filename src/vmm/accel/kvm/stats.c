/* SPDX-License-Identifier: MIT */
/**
 * DOC: what was counted of a processor
 *
 * Accesses to devices, which we see, and what the kernel counts: a file of numbers with their names (since Linux 5.14;
 * without it, less is told).  The file is opened early: the kernel gives it only while the processor does not run, and one
 * that halts may run for ever.
 * Spec: Linux, Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD.
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/accel/kvm/kvm_internal.h"

#define KERNEL_STATS_MAX 256 /* numbers of a processor; there are around 50 */
#define KERNEL_NAME_MAX 128 /* bytes */

static bool read_at(int fd, void *ret, size_t n, uint64_t offset)
{
	return pread(fd, ret, n, (off_t) offset) == (ssize_t) n;
}

/* Numbers that only grow; others are no counts, or tables. */
static bool is_count(const struct kvm_stats_desc *d)
{
	return (d->flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_CUMULATIVE && d->size == 1;
}

static void tell_kernel(int fd, const struct kvm_stats_header *h, accel_stat_fn *one, void *arg)
{
	size_t size = sizeof(struct kvm_stats_desc) + h->name_size;
	_Alignas(8) char room[sizeof(struct kvm_stats_desc) + KERNEL_NAME_MAX];
	const struct kvm_stats_desc *d = (const struct kvm_stats_desc *) room;
	uint64_t value;

	for (uint32_t i = 0; i < h->num_desc; i++) {
		if (!read_at(fd, room, size, h->desc_offset + i * size))
			return;
		room[sizeof(room) - 1] = '\0';
		if (is_count(d) && read_at(fd, &value, sizeof(value), h->data_offset + d->offset))
			one(arg, d->name, value);
	}
}

void kvm_stats_open(struct accel_vcpu *v)
{
	v->stats = ioctl(v->fd, KVM_GET_STATS_FD, NULL);
}

void kvm_stats(struct accel_vcpu *v, accel_stat_fn *one, void *arg)
{
	struct kvm_stats_header h;

	one(arg, "ports", v->ports);
	one(arg, "registers", v->registers);
	one(arg, "kicks", v->kicks);
	if (v->stats >= 0 && read_at(v->stats, &h, sizeof(h), 0) && h.num_desc <= KERNEL_STATS_MAX &&
	    h.name_size < KERNEL_NAME_MAX)
		tell_kernel(v->stats, &h, one, arg);
}
