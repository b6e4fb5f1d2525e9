/* SPDX-License-Identifier: MIT */
/**
 * DOC: a processor of KVM
 *
 * A kick sets immediate_exit, which the kernel looks at when it enters the guest, and sends a signal
 * whose handler does nothing, which makes it leave: none is lost, whenever it comes.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/accel/kvm/kvm_internal.h"

#define KICK_SIGNAL SIGRTMIN

#define CR0_PE 1u
#define CR0_NE (1u << 5)
#define CR0_PG (1u << 31)
#define CR4_PAE (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)

static void nothing(int signal)
{
	(void) signal;
}

static int catch_kicks(void)
{
	struct sigaction a = { .sa_handler = nothing };

	return sigaction(KICK_SIGNAL, &a, NULL) < 0 ? -errno : 0;
}

void kvm_vcpu_close(struct accel_vcpu *v)
{
	if (v->kvm == NULL)
		return;
	if (v->run != NULL)
		(void) munmap(v->run, v->kvm->run_size); /* it is mapped */
	(void) close(v->fd);
	if (v->stats >= 0)
		(void) close(v->stats);
	free(v->power_on);
	*v = (struct accel_vcpu) { .fd = -EBADF, .stats = -EBADF };
}

int kvm_vcpu_new(struct accel *a, unsigned index, struct accel_vcpu **ret, struct err *err)
{
	struct kvm *k = (struct kvm *) a;
	struct accel_vcpu *v = &k->vcpu[index];
	int fd = ioctl(k->vm, KVM_CREATE_VCPU, (unsigned long) index), r;
	void *run;

	if (fd < 0)
		return err_set(err, -errno, "create processor %u with KVM", index);
	*v = (struct accel_vcpu) { .kvm = k, .index = index, .fd = fd };
	kvm_stats_open(v);
	run = mmap(NULL, k->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED)
		return err_set(err, -errno, "map processor %u", index);
	v->run = run;
	r = catch_kicks();
	if (r == 0)
		r = kvm_cpuid_set(k, fd, index);
	if (r < 0)
		return err_set(err, r, "give processor %u its features", index);
	r = kvm_state_read(v, &v->power_on);
	if (r < 0)
		return err_set(err, r, "read state of processor %u", index);
	*ret = v;
	return 0;
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code64)
{
	return (struct kvm_segment) { .limit = 0xFFFFFFFF, .selector = selector, .type = type, .present = 1,
				      .db = !code64, .s = 1, .l = code64, .g = 1 };
}

int kvm_vcpu_start(struct accel_vcpu *v, const struct accel_start *start, struct err *err)
{
	struct kvm_regs regs = { .rip = start->rip, .rbx = start->rbx, .rsi = start->rsi, .rflags = 2 };
	bool long64 = start->mode == ACCEL_MODE_LONG64;
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_SREGS, &s) < 0)
		return err_set(err, -errno, "read registers of processor %u", v->index);
	s.cs = segment(0x10, 11, long64);
	s.ds = s.es = s.fs = s.gs = s.ss = segment(0x18, 3, false);
	s.tr = (struct kvm_segment) { .limit = 0x67, .type = 11, .present = 1 };
	s.gdt = (struct kvm_dtable) { .base = start->gdt, .limit = 4 * 8 - 1 };
	s.idt = (struct kvm_dtable) { 0 };
	s.cr0 = CR0_PE | CR0_NE | (long64 ? CR0_PG : 0);
	s.cr3 = long64 ? start->cr3 : 0;
	s.cr4 = long64 ? CR4_PAE : 0;
	s.efer = long64 ? EFER_LME | EFER_LMA : 0;
	if (ioctl(v->fd, KVM_SET_SREGS, &s) < 0 || ioctl(v->fd, KVM_SET_REGS, &regs) < 0)
		return err_set(err, -errno, "set registers of processor %u", v->index);
	return 0;
}

void kvm_vcpu_kick(struct accel_vcpu *v)
{
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&v->running, __ATOMIC_ACQUIRE))
		(void) pthread_kill(v->thread, KICK_SIGNAL); /* the thread lives as long as the processor */
}

void kvm_vcpu_paused(struct accel_vcpu *v)
{
	(void) ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0); /* fails for a guest without KVM's clock */
}

static uint64_t rip_of(const struct accel_vcpu *v)
{
	struct kvm_regs regs = { 0 };

	(void) ioctl(v->fd, KVM_GET_REGS, &regs); /* for a message; 0 is fine */
	return regs.rip;
}

/* Reasons for which KVM cannot go on, in words. */
static int give_up(const struct accel_vcpu *v, struct err *err)
{
	const struct kvm_run *run = v->run;
	unsigned long long rip = rip_of(v);

	if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		return err_msg(err, -EIO, "processor %u: the hardware refused to enter the guest at %#llx, reason %#llx",
			       v->index, rip, (unsigned long long) run->fail_entry.hardware_entry_failure_reason);
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
	    run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
		return err_msg(err, -EIO, "processor %u: KVM could not emulate the instruction at %#llx", v->index, rip);
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		return err_msg(err, -EIO, "processor %u: internal error %u of KVM at %#llx", v->index,
			       run->internal.suberror, rip);
	return err_msg(err, -EIO, "processor %u: unknown reason %u of KVM to stop at %#llx", v->index,
		       run->exit_reason, rip);
}

static int decode(struct accel_vcpu *v, struct accel_exit *ret, struct err *err)
{
	struct kvm_run *run = v->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		v->ports++;
		*ret = (struct accel_exit) { .kind = ACCEL_EXIT_PIO,
					     .write = run->io.direction == KVM_EXIT_IO_OUT,
					     .size = run->io.size,
					     .count = run->io.count,
					     .addr = run->io.port,
					     .data = (uint8_t *) run + run->io.data_offset };
		return 0;
	case KVM_EXIT_MMIO:
		v->registers++;
		*ret = (struct accel_exit) { .kind = ACCEL_EXIT_MMIO,
					     .write = run->mmio.is_write,
					     .size = (uint8_t) run->mmio.len,
					     .count = 1,
					     .addr = run->mmio.phys_addr,
					     .data = run->mmio.data };
		return 0;
	case KVM_EXIT_SHUTDOWN:
		*ret = (struct accel_exit) { .kind = ACCEL_EXIT_TRIPLE_FAULT };
		return 0;
	case KVM_EXIT_SYSTEM_EVENT:
		*ret = (struct accel_exit) { .kind = run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN ?
						     ACCEL_EXIT_POWER_OFF : ACCEL_EXIT_RESET };
		return 0;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		*ret = (struct accel_exit) { .kind = ACCEL_EXIT_KICKED };
		return 0;
	case KVM_EXIT_DEBUG:
		kvm_debug_exit(v, ret);
		return 0;
	default:
		return give_up(v, err);
	}
}

int kvm_vcpu_run(struct accel_vcpu *v, struct accel_exit *ret, struct err *err)
{
	if (!v->running) {
		v->thread = pthread_self();
		__atomic_store_n(&v->running, true, __ATOMIC_RELEASE);
	}
	if (v->again || ioctl(v->fd, KVM_RUN, 0) == 0) {
		v->again = false;
		v->answered = v->run->exit_reason == KVM_EXIT_IO || v->run->exit_reason == KVM_EXIT_MMIO;
		return decode(v, ret, err);
	}
	v->answered = false;
	v->kicks++;
	if (errno == EINTR || errno == EAGAIN) { /* EAGAIN: a processor that was woken before it was started */
		__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
		*ret = (struct accel_exit) { .kind = ACCEL_EXIT_KICKED };
		return 0;
	}
	return err_set(err, -errno, "processor %u: run the guest at %#llx", v->index,
		       (unsigned long long) rip_of(v));
}
