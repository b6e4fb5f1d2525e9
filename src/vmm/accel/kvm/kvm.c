/* SPDX-License-Identifier: MIT */
/**
 * DOC: Linux' KVM as accelerator
 *
 * Interrupt controllers are the kernel's, so that an interrupt costs no exit; there is no PIT, stock
 * kernels keep time with kvmclock and the TSC deadline timer.  Devices are told of writes by eventfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/accel/kvm/kvm_internal.h"

#define API_VERSION 12
#define IDENTITY_MAP 0xFEFFC000ull /* a page; three for the TSS follow.  Needed by old Intel processors */
#define TSS 0xFEFFD000ull

/* What the processor can do, without regard to modules. */
static bool has_hardware(void)
{
	uint32_t a, b, c, d;

	__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1), "c"(0));
	if (c & (1u << 5))
		return true; /* VMX */
	__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0x80000000), "c"(0));
	if (a < 0x80000001)
		return false;
	__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0x80000001), "c"(0));
	return c & (1u << 2); /* SVM */
}

int kvm_dev_open(struct err *err)
{
	_cleanup_close_ int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO)) {
		if (has_hardware())
			return err_msg(err, -ENODEV,
				       "no /dev/kvm: load the module kvm_intel or kvm_amd (modprobe kvm_amd)");
		return err_msg(err, -ENODEV,
			       "no /dev/kvm, and the processor offers neither VMX nor SVM: enable "
			       "virtualization in the firmware, or nesting in the hypervisor below");
	}
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return err_msg(err, -EACCES,
			       "no permission to use /dev/kvm: add the user to its group (usermod -aG kvm USER)");
	if (fd < 0)
		return err_set(err, -errno, "open /dev/kvm");
	if (ioctl(fd, KVM_GET_API_VERSION, 0) != API_VERSION)
		return err_msg(err, -EPROTO, "/dev/kvm does not speak version %d of its interface", API_VERSION);
	return take_fd(fd);
}

static int need_caps(int dev, struct err *err)
{
	static const struct {
		int cap;
		const char *name;
	} needed[] = {
		{ KVM_CAP_IRQCHIP, "interrupt controllers in the kernel" },
		{ KVM_CAP_IMMEDIATE_EXIT, "immediate exit" },
		{ KVM_CAP_IOEVENTFD_ANY_LENGTH, "eventfds for writes" },
		{ KVM_CAP_SIGNAL_MSI, "message-signalled interrupts" },
		{ KVM_CAP_EXT_CPUID, "CPUID" },
	};

	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (ioctl(dev, KVM_CHECK_EXTENSION, needed[i].cap) <= 0)
			return err_msg(err, -EOPNOTSUPP, "this host's KVM lacks %s: use a kernel from 5.12 on",
				       needed[i].name);
	return 0;
}

static int kvm_map(struct accel *a, uint64_t gpa, void *host, uint64_t size, int fd, bool readonly)
{
	struct kvm *k = (struct kvm *) a;
	struct kvm_userspace_memory_region r = { .slot = k->nr_slots,
						 .flags = readonly ? KVM_MEM_READONLY : 0,
						 .guest_phys_addr = gpa,
						 .memory_size = size,
						 .userspace_addr = (uintptr_t) host };

	(void) fd;
	if (ioctl(k->vm, KVM_SET_USER_MEMORY_REGION, &r) < 0)
		return -errno;
	k->nr_slots++;
	return 0;
}

static int map_memory(struct kvm *k, const struct gmem *mem)
{
	int r = 0;

	for (unsigned i = 0; i < mem->nr_regions && r == 0; i++)
		r = kvm_map(&k->base, mem->region[i].gpa, mem->region[i].host, mem->region[i].size, mem->fd,
			    false);
	return r;
}

static int make_irqchip(struct kvm *k)
{
	uint64_t identity = IDENTITY_MAP;

	if (ioctl(k->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0 ||
	    ioctl(k->vm, KVM_SET_TSS_ADDR, TSS) < 0 || ioctl(k->vm, KVM_CREATE_IRQCHIP, 0) < 0)
		return -errno;
	for (uint32_t i = 0; i < ARRAY_LEN(k->chip); i++) {
		k->chip[i].chip_id = i;
		if (ioctl(k->vm, KVM_GET_IRQCHIP, &k->chip[i]) < 0)
			return -errno;
	}
	return 0;
}

static int make_vm(struct kvm *k, const struct gmem *mem, const struct cpu_model *model, struct err *err)
{
	int r = need_caps(k->dev, err);

	if (r < 0)
		return r;
	r = ioctl(k->dev, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (r < (int) sizeof(struct kvm_run))
		return err_msg(err, -EPROTO, "/dev/kvm shares too little memory with its users");
	k->run_size = (size_t) r;
	do
		k->vm = ioctl(k->dev, KVM_CREATE_VM, 0);
	while (k->vm < 0 && errno == EINTR);
	if (k->vm < 0)
		return err_set(err, -errno, "create a machine with KVM");
	r = make_irqchip(k);
	if (r < 0)
		return err_set(err, r, "create interrupt controllers with KVM");
	r = map_memory(k, mem);
	if (r < 0)
		return err_set(err, r, "give guest memory to KVM");
	r = kvm_cpuid_read(k->dev, &k->cpuid);
	if (r < 0)
		return err_set(err, r, "ask KVM for the features of processors");
	return model != NULL ? kvm_cpuid_choose(k->cpuid, model, err) : 0;
}

void kvm_close(struct accel *a)
{
	struct kvm *k = (struct kvm *) a;

	if (k == NULL)
		return;
	for (unsigned i = 0; i < VM_CPUS_MAX; i++)
		kvm_vcpu_close(&k->vcpu[i]);
	if (k->vm >= 0)
		(void) close(k->vm);
	if (k->dev >= 0)
		(void) close(k->dev);
	free(k->cpuid);
	free(k);
}

static int kvm_reset(struct accel *a, struct err *err)
{
	struct kvm *k = (struct kvm *) a;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(k->chip); i++)
		if (ioctl(k->vm, KVM_SET_IRQCHIP, &k->chip[i]) < 0)
			return err_set(err, -errno, "reset interrupt controllers");
	for (unsigned i = 0; i < k->nr_cpus; i++) {
		k->vcpu[i].again = false;
		r = kvm_state_write(&k->vcpu[i], k->vcpu[i].power_on);
		if (r < 0)
			return err_set(err, r, "reset processor %u", i);
	}
	return 0;
}

static void kvm_irq_line(struct accel *a, unsigned gsi, bool level)
{
	struct kvm *k = (struct kvm *) a;
	struct kvm_irq_level l = { .irq = gsi, .level = level };

	(void) ioctl(k->vm, KVM_IRQ_LINE, &l); /* fails for no line that exists */
}

static void kvm_irq_msi(struct accel *a, uint64_t addr, uint32_t data)
{
	struct kvm *k = (struct kvm *) a;
	struct kvm_msi m = { .address_lo = (uint32_t) addr, .address_hi = (uint32_t) (addr >> 32), .data = data };

	(void) ioctl(k->vm, KVM_SIGNAL_MSI, &m); /* a guest that gives a wrong address gets no interrupt */
}

static int notify(struct accel *a, uint64_t gpa, int fd, uint32_t flags)
{
	struct kvm *k = (struct kvm *) a;
	struct kvm_ioeventfd e = { .addr = gpa, .fd = fd, .flags = flags };

	return ioctl(k->vm, KVM_IOEVENTFD, &e) < 0 ? -errno : 0;
}

static int kvm_notify_add(struct accel *a, uint64_t gpa, int fd)
{
	return notify(a, gpa, fd, 0);
}

static void kvm_notify_remove(struct accel *a, uint64_t gpa, int fd)
{
	(void) notify(a, gpa, fd, KVM_IOEVENTFD_FLAG_DEASSIGN); /* of one that exists */
}

static const struct accel_ops kvm_ops = {
	.name = "kvm",
	.summary = "the processor's virtualization, by Linux' KVM",
	.probe = kvm_probe,
	.open = kvm_open,
	.map = kvm_map,
	.vcpu_new = kvm_vcpu_new,
	.reset = kvm_reset,
	.vcpu_start = kvm_vcpu_start,
	.vcpu_run = kvm_vcpu_run,
	.vcpu_kick = kvm_vcpu_kick,
	.vcpu_paused = kvm_vcpu_paused,
	.regs_read = kvm_regs_read,
	.regs_write = kvm_regs_write,
	.debug = kvm_debug,
	.state_read = kvm_portable_read,
	.state_write = kvm_portable_write,
	.irq_line = kvm_irq_line,
	.irq_msi = kvm_irq_msi,
	.notify_add = kvm_notify_add,
	.notify_remove = kvm_notify_remove,
	.stats = kvm_stats,
	.close = kvm_close,
};
REGISTRY_ADD(accels, kvm_ops);

int kvm_open(struct gmem *mem, const struct accel_config *conf, struct accel **ret, struct err *err)
{
	struct kvm *k = calloc(1, sizeof(*k));
	int r;

	if (k == NULL)
		return err_set(err, -ENOMEM, "open KVM");
	k->base.ops = &kvm_ops;
	k->nr_cpus = conf->nr_cpus;
	k->vm = -EBADF;
	k->dev = kvm_dev_open(err);
	r = k->dev < 0 ? k->dev : make_vm(k, mem, conf->model, err);
	if (r < 0) {
		kvm_close(&k->base);
		return r;
	}
	*ret = &k->base;
	return 0;
}
