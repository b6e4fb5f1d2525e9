/* SPDX-License-Identifier: MIT */
/**
 * DOC: a hostile guest
 *
 * The input is what a guest does to the devices of a machine, step by step: writes to its memory, accesses
 * of any size to any port or register, configuration space, and turns of the event loop in between.
 * Nothing may crash, hang or touch memory that is not the guest's.
 *
 * A step is a byte for its kind, then its operands: addresses are kept small enough to meet something.
 * With ONLY defined as a number of enum device the machine has that device alone, NONE leaves the legacy ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "vmm/accel/accel.h"
#include "vmm/core/bytes.h"
#include "vmm/core/dev.h"
#include "vmm/core/loop.h"
#include "vmm/core/vm.h"
#include "vmm/dev/legacy/i8042.h"
#include "vmm/dev/legacy/power.h"
#include "vmm/dev/legacy/rtc.h"
#include "vmm/dev/legacy/serial.h"
#include "vmm/dev/pci/hotplug.h"
#include "vmm/dev/pci/pci.h"
#include "vmm/dev/usernet/usernet.h"
#include "vmm/dev/virtio/balloon.h"
#include "vmm/dev/virtio/blk.h"
#include "vmm/dev/virtio/console.h"
#include "vmm/dev/virtio/fs.h"
#include "vmm/dev/virtio/net.h"
#include "vmm/dev/virtio/pmem.h"
#include "vmm/dev/virtio/rng.h"
#include "vmm/dev/virtio/vsock.h"

#define STEPS_MAX 2000
#define BAR_SIZE 0x8000u /* of virtio devices, which follow each other from the window's start on */
#define LOW_MEMORY 0x10000u /* where rings are put */

enum device { RNG, BLK, NET, CONSOLE, BALLOON, VSOCK, USER, PMEM, FS, N_DEVICES, NONE };

#ifdef ONLY
#define HAS(device) ((device) == (ONLY))
#define DEVICES 1
#else
#define HAS(device) true
#define DEVICES N_DEVICES
#endif

enum { STEP_BAR_WRITE, STEP_BAR_READ, STEP_CONFIG_WRITE, STEP_CONFIG_READ, STEP_MEMORY, STEP_PORT_WRITE,
       STEP_PORT_READ, STEP_LOOP, STEP_RING, STEP_RESET, STEP_HOST_DATA, STEP_N_ };

struct input {
	const uint8_t *p;
	size_t left;
};

struct machine {
	struct vm vm;
	struct pci_bus *bus;
	struct power *power;
	struct balloon *balloon;
	struct usernet_config user;
	int disk, memory, tap[2], console[2], listener, dir, proc;
	struct accel nobody;
};

/* An accelerator that knows memory and interrupts, and forgets them. */
static int no_map(struct accel *a, uint64_t gpa, void *host, uint64_t size, int fd, bool readonly)
{
	(void) a;
	(void) gpa;
	(void) host;
	(void) size;
	(void) fd;
	(void) readonly;
	return 0;
}

static void no_line(struct accel *a, unsigned gsi, bool level)
{
	(void) a;
	(void) gsi;
	(void) level;
}

static void no_msi(struct accel *a, uint64_t addr, uint32_t data)
{
	(void) a;
	(void) addr;
	(void) data;
}

static int no_notify(struct accel *a, uint64_t gpa, int fd)
{
	(void) a;
	(void) gpa;
	(void) fd;
	return -ENOSPC; /* writes come to the device */
}

static void no_notify_remove(struct accel *a, uint64_t gpa, int fd)
{
	(void) a;
	(void) gpa;
	(void) fd;
}

static const struct accel_ops nobody_ops = { .name = "nobody", .map = no_map, .irq_line = no_line, .irq_msi = no_msi,
					     .notify_add = no_notify, .notify_remove = no_notify_remove };

static uint64_t take(struct input *in, unsigned n)
{
	uint64_t v = 0;

	if (in->left < n)
		n = (unsigned) in->left;
	memcpy(&v, in->p, n);
	in->p += n;
	in->left -= n;
	return v;
}

/* A directory without anything in it that cannot be written: what requests do there is looked at elsewhere. */
static int add_fs(struct machine *m)
{
	struct fs_config conf = { .dir = m->dir, .proc = m->proc, .tag = "fuzz", .kind = SHARE_READONLY };
	struct fs *fs = NULL;
	int r = fs_add(&m->vm, m->bus, &conf, &fs, NULL);

	vm_lock(&m->vm);
	if (r == 0)
		r = fs_start(fs, NULL, NULL);
	vm_unlock(&m->vm);
	return r;
}

static void nobody(void *arg)
{
	(void) arg;
}

static int add_virtio(struct machine *m)
{
	struct blk_config disk = { .name = "disk", .serial = "fuzz", .queues = 2, .fd = m->disk };
	struct net_config net = { .pairs = 1, .mac = { 2 }, .tap = { m->tap[0] } };
	struct net_config made = { .pairs = 1, .mac = { 2 }, .user = &m->user };
	struct console_port port[2] = { { .listener = -1, .in = m->console[0], .out = m->console[0] },
					{ .listener = -1, .name = "fuzz", .in = -1 } };
	int r = 0;

	port[1].out = fcntl(m->console[0], F_DUPFD_CLOEXEC, 0);
	if (HAS(RNG))
		r |= rng_add(&m->vm, m->bus, NULL);
	if (HAS(BLK))
		r |= blk_add(&m->vm, m->bus, &disk, NULL);
	if (HAS(NET))
		r |= net_add(&m->vm, m->bus, &net, NULL);
	if (HAS(CONSOLE))
		r |= console_add(&m->vm, m->bus, port, 2, NULL);
	if (HAS(BALLOON))
		r |= balloon_add(&m->vm, m->bus, nobody, NULL, &m->balloon, NULL);
	if (HAS(VSOCK))
		r |= vsock_add(&m->vm, m->bus, 3, "/nowhere/fuzz", m->listener, NULL);
	if (HAS(USER))
		r |= net_add(&m->vm, m->bus, &made, NULL);
	if (HAS(PMEM))
		r |= pmem_add(&m->vm, m->bus, m->memory, "memory", false, NULL);
	if (HAS(FS))
		r |= add_fs(m);
	close(port[1].out);
	return r;
}

static void gone(void *arg, const char *id)
{
	(void) arg;
	(void) id;
}

static int build(struct machine *m)
{
	struct hotplug *hotplug = NULL;
	int r;

	if (vm_init(&m->vm, GMEM_SIZE_MIN, 0, NULL) < 0)
		return -1;
	m->vm.nr_cpus = 1;
	m->nobody.ops = &nobody_ops;
	m->vm.accel = &m->nobody;
	m->memory = memfd_create("memory", MFD_CLOEXEC);
	if (m->memory < 0 || ftruncate(m->memory, GMEM_ALIGN) < 0)
		return -1;
	m->disk = memfd_create("disk", MFD_CLOEXEC);
	if (m->disk < 0 || ftruncate(m->disk, 1 << 20) < 0 ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, m->tap) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, m->console) < 0)
		return -1;
	m->dir = open("/proc/self/attr", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	m->proc = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	m->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = power_add(&m->vm, &m->power, NULL) | i8042_add(&m->vm, NULL) | rtc_add(&m->vm, NULL) |
	    serial_add(&m->vm, -1, -1, NULL) | pci_bus_add(&m->vm, &m->bus, NULL);
	if (r == 0)
		r = hotplug_add(&m->vm, m->bus, m->power, gone, NULL, &hotplug, NULL);
	if (r == 0)
		r = add_virtio(m);
	if (r < 0)
		return -1;
	for (uint64_t slot = 1; slot <= DEVICES; slot++)
		bus_write(&m->vm.mmio, PCI_ECAM_BASE + (slot << 15) + 4, 2, 6);
	if (pci_owner_of(m->bus, 2) != NULL)
		(void) hotplug_remove(hotplug, pci_owner_of(m->bus, 2)); /* the guest may let it go */
	return 0;
}

static void release(struct machine *m)
{
	vm_lock(&m->vm);
	while (m->vm.devs != NULL)
		dev_free(&m->vm, m->vm.devs);
	vm_unlock(&m->vm);
	vm_fini(&m->vm);
	close(m->disk);
	close(m->memory);
	close(m->tap[0]);
	close(m->tap[1]);
	close(m->console[0]);
	close(m->console[1]);
	close(m->listener);
	close(m->dir);
	close(m->proc);
}

static uint64_t bar_of(unsigned device)
{
	return PCI_WINDOW_BASE + (uint64_t) (device % DEVICES) * BAR_SIZE;
}

/* What a driver does to bring up a device, so that inputs get to the rings soon. */
static void bring_up(struct machine *m, struct input *in)
{
	uint64_t bar = bar_of((unsigned) take(in, 1));
	uint8_t how = (uint8_t) take(in, 1);
	struct bus *b = &m->vm.mmio;

	bus_write(b, bar + 0x14, 1, 0);
	bus_write(b, bar + 0x14, 1, 3);
	for (uint32_t half = 0; half < 2; half++) {
		bus_write(b, bar + 0x00, 4, half);
		bus_write(b, bar + 0x08, 4, half);
		bus_write(b, bar + 0x0C, 4, bus_read(b, bar + 4, 4) & (half == 1 && (how & 1) ? 1u : UINT32_MAX));
	}
	bus_write(b, bar + 0x14, 1, 11);
	for (uint64_t q = 0; q < 6; q++) {
		bus_write(b, bar + 0x16, 2, q);
		bus_write(b, bar + 0x18, 2, how & 2 ? 8 : 256);
		bus_write(b, bar + 0x20, 8, 0x1000 + q * 0x2000);
		bus_write(b, bar + 0x28, 8, 0x1000 + q * 0x2000 + 0x1000);
		bus_write(b, bar + 0x30, 8, 0x1000 + q * 0x2000 + 0x1800);
		bus_write(b, bar + 0x1C, 2, 1);
	}
	bus_write(b, bar + 0x14, 1, 15);
}

/* Descriptor 0 of a ring, available: the rest of what is in memory is what other steps wrote. */
static void offer(struct machine *m, struct input *in)
{
	uint64_t bar = bar_of((unsigned) take(in, 1)), q = take(in, 1) % 6, at = 0x1000 + q * 0x2000;
	uint8_t d[16];

	put_le64(d, 0xE000 + take(in, 1) * 16);
	put_le32(d + 8, (uint32_t) take(in, 2));
	put_le16(d + 12, (uint16_t) take(in, 1));
	put_le16(d + 14, (uint16_t) take(in, 2));
	(void) gmem_write(&m->vm.mem, at + take(in, 1) % 4 * 16, d, sizeof(d));
	put_le32(d, (uint32_t) take(in, 1) << 16);
	(void) gmem_write(&m->vm.mem, at + 0x1000, d, 4);
	bus_write(&m->vm.mmio, bar + 0x3000 + q * 4, 2, q);
}

static void memory(struct machine *m, struct input *in)
{
	uint64_t at = take(in, 2) % LOW_MEMORY, n = take(in, 1);

	if (n > in->left)
		n = in->left;
	(void) gmem_write(&m->vm.mem, at, in->p, n);
	in->p += n;
	in->left -= n;
}

static void host_data(struct machine *m, struct input *in)
{
	uint8_t buf[256];
	size_t n = (size_t) take(in, 1);

	memset(buf, (int) take(in, 1), sizeof(buf));
	(void) !write(n & 1 ? m->tap[1] : m->console[1], buf, n);
	(void) !read(m->tap[1], buf, sizeof(buf));
	(void) !read(m->console[1], buf, sizeof(buf));
}

static void step(struct machine *m, struct input *in)
{
	static const unsigned sizes[] = { 1, 2, 4, 8 };
	unsigned kind = (unsigned) take(in, 1), size = sizes[kind >> 6];
	uint64_t at;

	switch (kind % 64 % STEP_N_) {
	case STEP_BAR_WRITE:
		at = bar_of((unsigned) take(in, 1)) + take(in, 2);
		bus_write(&m->vm.mmio, at, size, take(in, size));
		break;
	case STEP_BAR_READ:
		at = bar_of((unsigned) take(in, 1)) + take(in, 2);
		(void) bus_read(&m->vm.mmio, at, size);
		break;
	case STEP_CONFIG_WRITE:
		at = PCI_ECAM_BASE + (take(in, 1) % 8 << 15) + take(in, 2) % 0x1000;
		bus_write(&m->vm.mmio, at, size, take(in, size));
		break;
	case STEP_CONFIG_READ:
		at = PCI_ECAM_BASE + take(in, 3) % PCI_ECAM_SIZE;
		(void) bus_read(&m->vm.mmio, at, size);
		break;
	case STEP_MEMORY:
		memory(m, in);
		break;
	case STEP_PORT_WRITE:
		at = take(in, 2) % 0x800;
		bus_write(&m->vm.pio, at, size, take(in, size));
		break;
	case STEP_PORT_READ:
		(void) bus_read(&m->vm.pio, take(in, 2) % 0x800, size);
		break;
	case STEP_LOOP:
		vm_unlock(&m->vm);
		(void) loop_round(m->vm.loop, 0);
		vm_lock(&m->vm);
		break;
	case STEP_RING:
		if (size == 1)
			bring_up(m, in);
		else
			offer(m, in);
		break;
	case STEP_RESET:
		if (size == 8)
			dev_reset_all(&m->vm);
		break;
	default:
		host_data(m, in);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .p = data, .left = size };
	struct machine *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return 0;
	if (build(m) < 0)
		abort();
	vm_lock(&m->vm);
	for (int i = 0; i < STEPS_MAX && in.left > 0; i++)
		step(m, &in);
	vm_unlock(&m->vm);
	release(m);
	free(m);
	return 0;
}
