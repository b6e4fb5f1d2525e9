/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/core/bus.h"
#include "vmm/core/bytes.h"
#include "vmm/core/gmem.h"
#include "vmm/core/loop.h"
#include "vmm/core/vm.h"
#include "vmm/dev/pci/pci.h"
#include "vmm/dev/virtio/net.h"
#include "vmm/dev/virtio/virtio.h"

#define BAR PCI_WINDOW_BASE
#define DESC 0x1000ull
#define DRIVER 0x2000ull
#define DEVICE 0x3000ull
#define DATA 0x10000ull
#define SIZE 8
#define BUFFER 100u
#define F_MRG_RXBUF (1ull << 15)

/* A machine with one interface, whose receiving ring is split and up. */
struct host {
	struct vm vm;
	int tap[2];
};

static void negotiate(struct bus *b, uint64_t features)
{
	bus_write(b, BAR + 0x14, 1, VIO_STATUS_ACKNOWLEDGE | VIO_STATUS_DRIVER);
	for (uint32_t half = 0; half < 2; half++) {
		bus_write(b, BAR + 0x08, 4, half);
		bus_write(b, BAR + 0x0C, 4, (uint32_t) (features >> (32 * half)));
	}
	bus_write(b, BAR + 0x14, 1, VIO_STATUS_ACKNOWLEDGE | VIO_STATUS_DRIVER | VIO_STATUS_FEATURES_OK);
	bus_write(b, BAR + 0x16, 2, 0);
	bus_write(b, BAR + 0x18, 2, SIZE);
	bus_write(b, BAR + 0x20, 8, DESC);
	bus_write(b, BAR + 0x28, 8, DRIVER);
	bus_write(b, BAR + 0x30, 8, DEVICE);
	bus_write(b, BAR + 0x1C, 2, 1);
	bus_write(b, BAR + 0x14, 1,
		  VIO_STATUS_ACKNOWLEDGE | VIO_STATUS_DRIVER | VIO_STATUS_FEATURES_OK | VIO_STATUS_DRIVER_OK);
}

static void start(struct host *h)
{
	struct net_config conf = { .pairs = 1, .mac = { 2 }, .split = true };
	struct pci_bus *bus;

	memset(h, 0, sizeof(*h));
	assert_int_equal(vm_init(&h->vm, GMEM_SIZE_MIN, 0, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, h->tap), 0);
	conf.tap[0] = h->tap[0];
	assert_int_equal(pci_bus_add(&h->vm, &bus, NULL), 0);
	assert_int_equal(net_add(&h->vm, bus, &conf, NULL), 0);
	bus_write(&h->vm.mmio, PCI_ECAM_BASE + (1u << 15) + 4, 2, 6);
	negotiate(&h->vm.mmio, F_MRG_RXBUF | VIO_F_EVENT_IDX | VIO_F_VERSION_1);
}

static void stop(struct host *h)
{
	vm_fini(&h->vm);
	(void) close(h->tap[0]);
	(void) close(h->tap[1]);
}

/* The guest adds @n buffers to the @have there are; true when it has to tell the device of them. */
static bool add_buffers(struct host *h, uint16_t have, uint16_t n)
{
	uint8_t d[16], idx[2], event[2];

	for (uint16_t i = have; i < have + n; i++) {
		put_le64(d, DATA + i * 256ull);
		put_le32(d + 8, BUFFER);
		put_le16(d + 12, 2);
		put_le16(d + 14, 0);
		assert_int_equal(gmem_write(&h->vm.mem, DESC + i * 16ull, d, sizeof(d)), 0);
		put_le16(idx, i);
		assert_int_equal(gmem_write(&h->vm.mem, DRIVER + 4 + i * 2ull, idx, 2), 0);
	}
	put_le16(idx, (uint16_t) (have + n));
	assert_int_equal(gmem_write(&h->vm.mem, DRIVER + 2, idx, 2), 0);
	assert_int_equal(gmem_read(&h->vm.mem, DEVICE + 4 + 8 * SIZE, event, 2), 0);
	return (uint16_t) (have + n - get_le16(event) - 1) < n; /* virtio 1.2, 2.7.10 */
}

static unsigned used(struct host *h)
{
	uint8_t idx[2];

	for (int i = 0; i < 4; i++)
		(void) loop_round(h->vm.loop, 0);
	assert_int_equal(gmem_read(&h->vm.mem, DEVICE + 2, idx, 2), 0);
	return get_le16(idx);
}

/* A packet that needs more buffers than there are comes when the rest is added. */
static void test_wait_for_buffers(void **state)
{
	struct host h;
	uint8_t packet[350], part[BUFFER];

	(void) state;
	start(&h);
	for (size_t i = 0; i < sizeof(packet); i++)
		packet[i] = (uint8_t) i;
	assert_true(add_buffers(&h, 0, 1));
	bus_write(&h.vm.mmio, BAR + 0x3000, 2, 0);
	assert_int_equal(send(h.tap[1], packet, sizeof(packet), 0), sizeof(packet));
	assert_int_equal(used(&h), 0);
	assert_true(add_buffers(&h, 1, 1));
	bus_write(&h.vm.mmio, BAR + 0x3000, 2, 0);
	assert_int_equal(used(&h), 0);
	assert_true(add_buffers(&h, 2, 2));
	bus_write(&h.vm.mmio, BAR + 0x3000, 2, 0);
	assert_int_equal(used(&h), 4);
	assert_int_equal(gmem_read(&h.vm.mem, DATA + 256, part, sizeof(part)), 0);
	assert_memory_equal(part, packet + BUFFER, BUFFER);
	stop(&h);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_for_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
