/* SPDX-License-Identifier: MIT */
/**
 * DOC: a processor of KVM, as a debugger sees it
 *
 * An access to a device that was answered is over when the processor runs again: until then its registers are
 * those of the middle of an instruction.  So it is told to run and to stop at once, before anybody looks.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/accel/kvm/state.h"

#define MSR_KERNEL_GS_BASE 0xC0000102u
#define XSAVE_HEADER 512 /* offset of the bits that say which registers are not as after reset */
#define XSAVE_X87_SSE 3u

#define VECTOR_BP 3
#define DR6_STEP (1u << 14)
#define DR7_FIXED 0x400u
#define DR7_GLOBAL(i) (2ull << (i) * 2)
#define DR7_KIND(i, kind, len) ((uint64_t) ((kind) | (len) << 2) << (16 + (i) * 4))

int kvm_settle(struct accel_vcpu *v)
{
	int r;

	if (v->again)
		return -EAGAIN;
	if (!v->answered)
		return 0;
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	r = ioctl(v->fd, KVM_RUN, 0);
	__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	v->answered = false;
	v->again = r == 0;
	if (r == 0)
		return -EAGAIN;
	return errno != EINTR && errno != EAGAIN ? -errno : 0;
}

int kvm_regs_read(struct accel_vcpu *v, struct accel_regs *ret)
{
	_Alignas(8) uint8_t xsave[KVM_XSAVE_SIZE];
	struct kvm_regs regs;
	struct kvm_sregs s;
	int r = kvm_settle(v);

	if (r < 0 && r != -EAGAIN) /* else the middle of an instruction has to do */
		return r;
	if (ioctl(v->fd, KVM_GET_REGS, &regs) < 0 || ioctl(v->fd, KVM_GET_SREGS, &s) < 0 ||
	    ioctl(v->fd, KVM_GET_XSAVE, xsave) < 0)
		return -errno;
	*ret = (struct accel_regs) { .rip = regs.rip, .rflags = regs.rflags,
				     .seg = { s.es.selector, s.cs.selector, s.ss.selector, s.ds.selector,
					      s.fs.selector, s.gs.selector },
				     .fs_base = s.fs.base, .gs_base = s.gs.base, .cr0 = s.cr0, .cr2 = s.cr2,
				     .cr3 = s.cr3, .cr4 = s.cr4, .cr8 = s.cr8, .efer = s.efer };
	kvm_gprs(&regs, ret->gpr, false);
	memcpy(ret->fx, xsave, sizeof(ret->fx));
	return kvm_msr(v->fd, KVM_GET_MSRS, MSR_KERNEL_GS_BASE, &ret->kernel_gs_base);
}

static int write_fx(const struct accel_vcpu *v, const struct accel_regs *regs)
{
	_Alignas(8) uint8_t xsave[KVM_XSAVE_SIZE];

	if (ioctl(v->fd, KVM_GET_XSAVE, xsave) < 0)
		return -errno;
	memcpy(xsave, regs->fx, sizeof(regs->fx));
	xsave[XSAVE_HEADER] |= XSAVE_X87_SSE;
	return ioctl(v->fd, KVM_SET_XSAVE, xsave) < 0 ? -errno : 0;
}

int kvm_regs_write(struct accel_vcpu *v, const struct accel_regs *regs)
{
	struct accel_regs copy = *regs;
	struct kvm_regs k = { .rip = regs->rip, .rflags = regs->rflags };
	struct kvm_sregs s;
	int r = kvm_settle(v);

	if (r < 0 && r != -EAGAIN) /* else the middle of an instruction has to do */
		return r;
	kvm_gprs(&k, copy.gpr, true);
	if (ioctl(v->fd, KVM_GET_SREGS, &s) < 0)
		return -errno;
	if (s.fs.base != regs->fs_base || s.gs.base != regs->gs_base) {
		s.fs.base = regs->fs_base;
		s.gs.base = regs->gs_base;
		if (ioctl(v->fd, KVM_SET_SREGS, &s) < 0)
			return -errno;
	}
	if (ioctl(v->fd, KVM_SET_REGS, &k) < 0)
		return -errno;
	r = write_fx(v, regs);
	return r < 0 ? r : kvm_msr(v->fd, KVM_SET_MSRS, MSR_KERNEL_GS_BASE, &copy.kernel_gs_base);
}

int kvm_debug(struct accel_vcpu *v, const struct accel_debug *debug)
{
	static const uint8_t lens[9] = { [1] = 0, [2] = 1, [4] = 3, [8] = 2 };
	struct kvm_guest_debug d = { 0 };
	int r = kvm_settle(v);

	if (r < 0 && r != -EAGAIN) /* else the middle of an instruction has to do */
		return r;
	if (debug->on)
		d.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	if (debug->on && debug->step)
		d.control |= KVM_GUESTDBG_SINGLESTEP;
	if (debug->on && debug->guest_int3)
		d.control |= KVM_GUESTDBG_INJECT_BP;
	if (debug->on && debug->nr > 0) {
		d.control |= KVM_GUESTDBG_USE_HW_BP;
		d.arch.debugreg[7] = DR7_FIXED;
	}
	for (unsigned i = 0; debug->on && i < debug->nr; i++) {
		d.arch.debugreg[i] = debug->at[i].addr;
		d.arch.debugreg[7] |= DR7_GLOBAL(i) | DR7_KIND(i, debug->at[i].kind, (unsigned) lens[debug->at[i].len]);
	}
	return ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d) < 0 ? -errno : 0;
}

void kvm_debug_exit(const struct accel_vcpu *v, struct accel_exit *ret)
{
	const struct kvm_debug_exit_arch *d = &v->run->debug.arch;
	unsigned hit = (unsigned) d->dr6 & 0xF;

	*ret = (struct accel_exit) { .kind = ACCEL_EXIT_DEBUG, .stop = ACCEL_STOP_STEP, .addr = d->pc };
	if (d->exception == VECTOR_BP) {
		ret->stop = ACCEL_STOP_INT3;
	} else if (!(d->dr6 & DR6_STEP) && hit != 0) {
		ret->stop = ACCEL_STOP_BREAK;
		ret->which = (uint8_t) __builtin_ctz(hit);
	}
}
