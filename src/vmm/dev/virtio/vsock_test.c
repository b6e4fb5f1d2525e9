/* SPDX-License-Identifier: MIT */
/* A guest's driver in a few lines: it connects to the host, and nothing that is sent may be lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/core/bus.h"
#include "vmm/core/bytes.h"
#include "vmm/core/gmem.h"
#include "vmm/core/loop.h"
#include "vmm/core/vm.h"
#include "vmm/dev/pci/pci.h"
#include "vmm/dev/virtio/virtio.h"
#include "vmm/dev/virtio/vsock.h"
#include "vmm/dev/virtio/vsock_parts.h"

#define BAR PCI_WINDOW_BASE
#define RINGS 0x1000ull /* a ring's three areas are a page each */
#define RX 0u
#define TX 1u
#define SIZE 16u
#define BUFFER 4096u
#define DATA 0x100000ull
#define CID 7u
#define HOST_PORT 1025u
#define GUEST_PORT 9u
#define PACKET 2000u

static char dir[] = "/tmp/vsock_test.XXXXXX";

/* A machine with one device; @conn: the host's side of the guest's connection */
struct host {
	struct vm vm;
	int listener, ready, conn;
	uint16_t avail[2], seen;
	uint32_t sent, credit_alloc, credit_count;
};

static uint64_t area(unsigned ring, unsigned part)
{
	return RINGS + (ring * 3ull + part) * 0x1000;
}

static void start_ring(struct bus *b, unsigned ring)
{
	bus_write(b, BAR + 0x16, 2, ring);
	bus_write(b, BAR + 0x18, 2, SIZE);
	bus_write(b, BAR + 0x20, 8, area(ring, 0));
	bus_write(b, BAR + 0x28, 8, area(ring, 1));
	bus_write(b, BAR + 0x30, 8, area(ring, 2));
	bus_write(b, BAR + 0x1C, 2, 1);
}

static void negotiate(struct bus *b, uint64_t features)
{
	const uint8_t status = VIO_STATUS_ACKNOWLEDGE | VIO_STATUS_DRIVER | VIO_STATUS_FEATURES_OK;

	bus_write(b, BAR + 0x14, 1, VIO_STATUS_ACKNOWLEDGE | VIO_STATUS_DRIVER);
	for (uint32_t half = 0; half < 2; half++) {
		bus_write(b, BAR + 0x08, 4, half);
		bus_write(b, BAR + 0x0C, 4, (uint32_t) (features >> (32 * half)));
	}
	bus_write(b, BAR + 0x14, 1, status);
	start_ring(b, RX);
	start_ring(b, TX);
	bus_write(b, BAR + 0x14, 1, status | VIO_STATUS_DRIVER_OK);
}

static int listen_at(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void) snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", name);
	(void) unlink(name);
	assert_int_equal(bind(fd, (const struct sockaddr *) &addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void put(struct host *h, uint64_t gpa, uint64_t v, unsigned size)
{
	uint8_t b[8];

	put_le64(b, v);
	assert_int_equal(gmem_write(&h->vm.mem, gpa, b, size), 0);
}

static uint16_t get16(struct host *h, uint64_t gpa)
{
	uint8_t b[2];

	assert_int_equal(gmem_read(&h->vm.mem, gpa, b, 2), 0);
	return get_le16(b);
}

static unsigned run(struct host *h)
{
	unsigned events = 0;

	for (int i = 0; i < 20; i++)
		events += (unsigned) loop_round(h->vm.loop, 0);
	return events;
}

/* Hand a buffer to the device, which is told if it wants to be. */
static void give(struct host *h, unsigned ring, uint32_t len)
{
	uint16_t at = h->avail[ring] % SIZE, event;

	put(h, area(ring, 0) + at * 16ull, DATA + (ring * SIZE + at) * BUFFER, 8);
	put(h, area(ring, 0) + at * 16ull + 8, len, 4);
	put(h, area(ring, 0) + at * 16ull + 12, ring == RX ? 2 : 0, 2);
	put(h, area(ring, 1) + 4 + at * 2ull, at, 2);
	event = get16(h, area(ring, 2) + 4 + 8 * SIZE);
	put(h, area(ring, 1) + 2, ++h->avail[ring], 2);
	if ((uint16_t) (h->avail[ring] - event - 1) < 1) /* virtio 1.2, 2.7.10 */
		bus_write(&h->vm.mmio, BAR + 0x3000 + 4ull * ring, 2, ring);
}

static void say(struct host *h, unsigned op, uint32_t flags, const void *data, uint32_t len)
{
	uint64_t at = DATA + (TX * SIZE + h->avail[TX] % SIZE) * BUFFER;
	uint8_t head[VSOCK_HEADER] = { 0 };

	put_le64(head, CID);
	put_le64(head + 8, VSOCK_HOST_CID);
	put_le32(head + 16, GUEST_PORT);
	put_le32(head + 20, HOST_PORT);
	put_le32(head + 24, len);
	put_le16(head + 28, 1);
	put_le16(head + 30, (uint16_t) op);
	put_le32(head + 32, flags);
	put_le32(head + 36, 1u << 20);
	assert_int_equal(gmem_write(&h->vm.mem, at, head, sizeof(head)), 0);
	assert_int_equal(gmem_write(&h->vm.mem, at + sizeof(head), data, len), 0);
	give(h, TX, VSOCK_HEADER + len);
	(void) run(h);
}

/* The next message to the guest; 0 there is none.  Its buffer is the device's again if @again. */
static unsigned hear(struct host *h, bool again, void *ret_data, uint32_t *ret_len)
{
	uint64_t at = DATA + (h->seen % SIZE) * BUFFER;
	uint8_t head[VSOCK_HEADER];

	(void) run(h);
	if (get16(h, area(RX, 2) + 2) == h->seen)
		return 0;
	h->seen++;
	assert_int_equal(gmem_read(&h->vm.mem, at, head, sizeof(head)), 0);
	h->credit_alloc = get_le32(head + 36);
	h->credit_count = get_le32(head + 40);
	if (ret_data != NULL) {
		*ret_len = get_le32(head + 24);
		assert_true(*ret_len <= BUFFER - VSOCK_HEADER);
		assert_int_equal(gmem_read(&h->vm.mem, at + VSOCK_HEADER, ret_data, *ret_len), 0);
	}
	if (again)
		give(h, RX, BUFFER);
	return get_le16(head + 30);
}

static void start(struct host *h)
{
	char name[] = "v_1025";
	struct pci_bus *bus;

	memset(h, 0, sizeof(*h));
	assert_int_equal(vm_init(&h->vm, GMEM_SIZE_MIN, 0, NULL), 0);
	h->listener = listen_at("v");
	h->ready = listen_at(name);
	assert_int_equal(pci_bus_add(&h->vm, &bus, NULL), 0);
	assert_int_equal(vsock_add(&h->vm, bus, CID, "v", h->listener, NULL), 0);
	bus_write(&h->vm.mmio, PCI_ECAM_BASE + (1u << 15) + 4, 2, 6);
	negotiate(&h->vm.mmio, VIO_F_EVENT_IDX | VIO_F_VERSION_1);
	(void) run(h);
	give(h, RX, BUFFER);
	say(h, VSOCK_REQUEST, 0, "", 0);
	h->conn = accept4(h->ready, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(h->conn >= 0);
	assert_int_equal(hear(h, false, NULL, NULL), VSOCK_RESPONSE);
}

static void stop(struct host *h)
{
	vm_fini(&h->vm);
	(void) close(h->conn);
	(void) close(h->ready);
	(void) close(h->listener);
}

static uint8_t byte_at(uint32_t i)
{
	return (uint8_t) (i * 2654435761u >> 24);
}

/* Send until the device keeps what the host's side does not take. */
static void fill(struct host *h)
{
	uint8_t data[PACKET];

	for (int i = 0; i < 5000; i++) {
		for (uint32_t k = 0; k < PACKET; k++)
			data[k] = byte_at(h->sent + k);
		say(h, VSOCK_RW, 0, data, PACKET);
		h->sent += PACKET;
		give(h, RX, BUFFER);
		say(h, VSOCK_CREDIT_REQUEST, 0, "", 0);
		assert_int_equal(hear(h, false, NULL, NULL), VSOCK_CREDIT_UPDATE);
		if (h->sent - h->credit_count > h->credit_alloc / 2)
			return;
	}
	fail_msg("%s", "the host's side takes everything");
}

/* All that the guest has sent, then the end: whatever it said of that, the device must not say it sooner. */
static void check_all(struct host *h)
{
	uint8_t data[PACKET];
	uint32_t got = 0;
	ssize_t n;

	while ((n = read(h->conn, data, sizeof(data))) != 0) {
		assert_true(n > 0); /* there is more, or the end */
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(data[i], byte_at(got + (uint32_t) i));
		got += (uint32_t) n;
		(void) run(h);
	}
	assert_int_equal(got, h->sent);
}

static void test_end_comes_after_data(void **state)
{
	struct host h;

	(void) state;
	start(&h);
	fill(&h);
	say(&h, VSOCK_SHUTDOWN, 2, "", 0);
	check_all(&h);
	stop(&h);
}

static void test_close_comes_after_data(void **state)
{
	struct host h;
	unsigned op;

	(void) state;
	start(&h);
	fill(&h);
	say(&h, VSOCK_SHUTDOWN, 2, "", 0);
	say(&h, VSOCK_SHUTDOWN, 3, "", 0);
	give(&h, RX, BUFFER);
	check_all(&h);
	while ((op = hear(&h, true, NULL, NULL)) == VSOCK_CREDIT_UPDATE)
		;
	assert_int_equal(op, VSOCK_RST);
	stop(&h);
}

static void test_reset_comes_after_data(void **state)
{
	struct host h;

	(void) state;
	start(&h);
	fill(&h);
	say(&h, VSOCK_RST, 0, "", 0);
	give(&h, RX, BUFFER);
	check_all(&h);
	stop(&h);
}

/* More than the guest was told that there is room for, and more after the end. */
static void test_guest_breaks_rules(void **state)
{
	static const uint8_t data[BUFFER - VSOCK_HEADER];
	struct host h;
	unsigned op = 0;

	(void) state;
	start(&h);
	for (int i = 0; i < 5000 && op != VSOCK_RST; i++) {
		if (h.avail[RX] == h.seen)
			give(&h, RX, BUFFER);
		say(&h, VSOCK_RW, 0, data, sizeof(data));
		op = hear(&h, false, NULL, NULL);
	}
	assert_int_equal(op, VSOCK_RST);
	stop(&h);
	start(&h);
	say(&h, VSOCK_SHUTDOWN, 2, "", 0);
	give(&h, RX, BUFFER);
	say(&h, VSOCK_RW, 0, data, 10);
	assert_int_equal(hear(&h, false, NULL, NULL), VSOCK_RST);
	stop(&h);
}

/* While the guest has no buffer, data waits and nothing turns round; it comes when there is one. */
static void test_wait_for_buffers(void **state)
{
	uint8_t data[BUFFER];
	uint32_t len, got = 0;
	struct host h;

	(void) state;
	start(&h);
	for (uint32_t i = 0; i < 3000; i++)
		data[i] = byte_at(i);
	assert_int_equal(send(h.conn, data, 3000, 0), 3000);
	(void) run(&h);
	assert_int_equal(run(&h), 0);
	give(&h, RX, 1000);
	assert_int_equal(hear(&h, true, data, &len), VSOCK_RW);
	assert_int_equal(len, 1000 - VSOCK_HEADER);
	for (got = len; got < 3000; got += len) {
		assert_int_equal(hear(&h, true, data, &len), VSOCK_RW);
		for (uint32_t i = 0; i < len; i++)
			assert_int_equal(data[i], byte_at(got + i));
	}
	assert_int_equal(got, 3000);
	assert_int_equal(shutdown(h.conn, SHUT_WR), 0);
	assert_int_equal(hear(&h, false, NULL, NULL), VSOCK_SHUTDOWN);
	stop(&h);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_comes_after_data),   cmocka_unit_test(test_close_comes_after_data),
		cmocka_unit_test(test_reset_comes_after_data), cmocka_unit_test(test_guest_breaks_rules),
		cmocka_unit_test(test_wait_for_buffers),
	};
	int r;

	if (mkdtemp(dir) == NULL || chdir(dir) < 0)
		return 1;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	(void) unlink("v");
	(void) unlink("v_1025");
	(void) rmdir(dir);
	return r;
}
