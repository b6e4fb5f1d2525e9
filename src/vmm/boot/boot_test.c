/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "vmm/accel/accel.h"
#include "vmm/boot/acpi.h"
#include "vmm/boot/aml.h"
#include "vmm/boot/boot.h"
#include "vmm/core/bytes.h"
#include "vmm/core/gmem.h"

static uint8_t sum(const char *p, size_t n)
{
	uint8_t s = 0;

	while (n-- > 0)
		s = (uint8_t) (s + (uint8_t) *p++);
	return s;
}

static void test_acpi(void **state)
{
	static const struct acpi_config conf = { .nr_cpus = 32, .ecam = 0xB0000000, .ecam_len = 1 << 20,
						 .window = { { 0xC0000000, 0xFEBFFFFF } } };
	_cleanup_(str_fini) struct str s = { 0 };
	uint64_t xsdt;
	uint32_t n;

	(void) state;
	assert_int_equal(acpi_build(&conf, BOOT_ACPI, &s), 0);
	assert_memory_equal(s.p, "RSD PTR ", 8);
	assert_int_equal(sum(s.p, 20), 0);
	assert_int_equal(sum(s.p, 36), 0);
	xsdt = get_le64(s.p + 24) - BOOT_ACPI;
	n = get_le32(s.p + xsdt + 4);
	assert_int_equal(n, 36 + 3 * 8);
	assert_int_equal(sum(s.p + xsdt, n), 0);
	for (uint32_t at = 36; at < n; at += 8) {
		uint64_t t = get_le64(s.p + xsdt + at) - BOOT_ACPI;

		assert_true(t < s.len && get_le32(s.p + t + 4) <= s.len - t);
		assert_int_equal(sum(s.p + t, get_le32(s.p + t + 4)), 0);
		if (memcmp(s.p + t, "APIC", 4) == 0)
			assert_int_equal(get_le32(s.p + t + 4), 36 + 8 + 32 * 8 + 12 + 6);
		if (memcmp(s.p + t, "FACP", 4) == 0) {
			uint64_t dsdt = get_le64(s.p + t + 140) - BOOT_ACPI;

			assert_memory_equal(s.p + dsdt, "DSDT", 4);
			assert_int_equal(sum(s.p + dsdt, get_le32(s.p + dsdt + 4)), 0);
		}
	}
}

static void test_aml_length(void **state)
{
	_cleanup_(str_fini) struct str body = { 0 }, s = { 0 };

	(void) state;
	while (body.len < 58)
		str_add(&body, "", 1);
	aml_device(&s, "DEV0", &body); /* 58 + 4 + 1: the longest of one byte */
	assert_int_equal((uint8_t) s.p[2], 63);
	assert_int_equal(s.len, 2 + 63);
	str_fini(&s);
	s = (struct str) { 0 };
	str_add(&body, "", 1);
	aml_device(&s, "DEV0", &body);
	assert_int_equal((uint8_t) s.p[2], 0x40 | (65 & 15));
	assert_int_equal((uint8_t) s.p[3], 65 >> 4);
	assert_int_equal(s.len, 2 + 65);
}

struct kernel {
	struct gmem mem;
	int fd;
	_Alignas(8) uint8_t head[4096];
};

static int boot(struct kernel *k, struct accel_start *start, struct err *err)
{
	struct boot_config conf = { .kernel = k->fd, .initrd = -1, .kernel_name = "k", .cmdline = "quiet" };

	assert_int_equal(pwrite(k->fd, k->head, sizeof(k->head), 0), sizeof(k->head));
	return boot_load(&k->mem, &conf, BOOT_ACPI, 0, 0, start, err);
}

static void make_bzimage(struct kernel *k)
{
	memset(k->head, 0, sizeof(k->head));
	k->head[0x1F1] = 1;
	put_le16(k->head + 0x1FE, 0xAA55);
	k->head[0x201] = 0x6A;
	memcpy(k->head + 0x202, "HdrS", 4);
	put_le16(k->head + 0x206, 0x20F);
	k->head[0x234] = 1;
	put_le16(k->head + 0x236, 3);
	put_le32(k->head + 0x238, 2047);
	put_le64(k->head + 0x258, 0x1000000);
	put_le32(k->head + 0x260, 0x800000);
}

static void make_elf(struct kernel *k)
{
	Elf64_Ehdr e = { .e_ident = ELFMAG "\2\1\1", .e_machine = EM_X86_64, .e_phoff = 64,
			 .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2 };
	Elf64_Phdr p[2] = { { .p_type = PT_LOAD, .p_offset = 1024, .p_filesz = 512, .p_memsz = 8192,
			      .p_paddr = 0x1000000 },
			    { .p_type = PT_NOTE, .p_offset = 512, .p_filesz = 20, .p_memsz = 20 } };

	memset(k->head, 0, sizeof(k->head));
	memcpy(k->head, &e, sizeof(e));
	memcpy(k->head + 64, p, sizeof(p));
	put_le32(k->head + 512, 4);
	put_le32(k->head + 516, 4);
	put_le32(k->head + 520, 18);
	memcpy(k->head + 524, "Xen", 4);
	put_le32(k->head + 528, 0x1000100);
}

static void test_bzimage(void **state)
{
	struct kernel *k = *state;
	struct accel_start start;
	struct err err = { 0 };

	make_bzimage(k);
	assert_int_equal(boot(k, &start, &err), 0);
	assert_int_equal(start.mode, ACCEL_MODE_LONG64);
	assert_int_equal(start.rip, 0x1000200);
	assert_int_equal(start.rsi, BOOT_ZERO_PAGE);
	assert_string_equal(gmem_map(&k->mem, BOOT_CMDLINE, 6), "quiet");
	put_le64(k->head + 0x258, 0); /* no favourite place: behind the first MiB */
	assert_int_equal(boot(k, &start, &err), 0);
	assert_int_equal(start.rip, 0x100200);
	put_le64(k->head + 0x258, UINT64_MAX - 5); /* it is nowhere */
	assert_int_equal(boot(k, &start, &err), -EFBIG);
	make_bzimage(k);
	put_le32(k->head + 0x260, (uint32_t) k->mem.size - 0x1000000 + 1); /* it does not fit there, although it would lower */
	assert_int_equal(boot(k, &start, &err), -EFBIG);
	assert_non_null(strstr(err.text, "needs"));
	put_le32(k->head + 0x260, (uint32_t) k->mem.size - 0x1000000);
	assert_int_equal(boot(k, &start, &err), 0);
	make_bzimage(k);
	k->head[0x1F1] = 255;
	assert_int_equal(boot(k, &start, &err), -ENOEXEC);
	make_bzimage(k);
	put_le16(k->head + 0x236, 0);
	assert_int_equal(boot(k, &start, &err), -ENOEXEC);
	make_bzimage(k);
	put_le32(k->head + 0x238, 3);
	assert_int_equal(boot(k, &start, &err), -E2BIG);
}

static void test_pvh(void **state)
{
	struct kernel *k = *state;
	struct accel_start start;
	struct err err = { 0 };
	Elf64_Phdr *p = (void *) (k->head + 64);

	make_elf(k);
	assert_int_equal(boot(k, &start, &err), 0);
	assert_int_equal(start.mode, ACCEL_MODE_PROTECTED32);
	assert_int_equal(start.rip, 0x1000100);
	assert_int_equal(get_le32(gmem_map(&k->mem, BOOT_PVH_INFO, 4)), 0x336EC578);
	p->p_paddr = UINT64_MAX - 100;
	assert_int_equal(boot(k, &start, &err), -EFBIG);
	make_elf(k);
	p->p_memsz = 1;
	assert_int_equal(boot(k, &start, &err), -ENOEXEC);
	make_elf(k);
	p->p_offset = UINT64_MAX;
	assert_int_equal(boot(k, &start, &err), -ENOEXEC);
	make_elf(k);
	p->p_paddr = 0x8000;
	assert_int_equal(boot(k, &start, &err), -ENOEXEC);
	make_elf(k);
	put_le32(k->head + 512, 0xFFFFFFFF); /* a note longer than all */
	assert_int_equal(boot(k, &start, &err), -ENOEXEC);
	make_elf(k);
	put_le32(k->head + 528, 0x20000000); /* an entry outside of the kernel */
	assert_int_equal(boot(k, &start, &err), -ENOEXEC);
	memset(k->head, 0, sizeof(k->head));
	assert_int_equal(boot(k, &start, &err), -ENOEXEC);
}

static int setup(void **state)
{
	static struct kernel k;

	k.fd = memfd_create("kernel", MFD_CLOEXEC);
	*state = &k;
	return k.fd < 0 ? -1 : gmem_init(&k.mem, GMEM_SIZE_MIN, 0, NULL);
}

static int teardown(void **state)
{
	struct kernel *k = *state;

	gmem_fini(&k->mem);
	return close(k->fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acpi),
		cmocka_unit_test(test_aml_length),
		cmocka_unit_test_setup_teardown(test_bzimage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pvh, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
