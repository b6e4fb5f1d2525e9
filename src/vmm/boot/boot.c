/* SPDX-License-Identifier: MIT */
#include "vmm/boot/boot.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/accel/accel.h"
#include "vmm/core/gmem.h"
#include "vmm/dev/legacy/power.h"

int boot_read(const struct gmem *mem, int fd, const char *name, uint64_t offset, uint64_t gpa,
	      uint64_t len, struct err *err)
{
	uint8_t *p = gmem_map(mem, gpa, len);

	if (p == NULL)
		return err_msg(err, -EFBIG, "load '%s': %llu bytes at %#llx are not in guest memory", name,
			       (unsigned long long) len, (unsigned long long) gpa);
	while (len > 0) {
		ssize_t n = pread(fd, p, len, (off_t) offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -errno, "read '%s'", name);
		if (n == 0)
			return err_msg(err, -EIO, "load '%s': the file ends %llu bytes early", name,
				       (unsigned long long) len);
		p += n;
		offset += (uint64_t) n;
		len -= (uint64_t) n;
	}
	return 0;
}

int boot_cmdline(const struct boot_load *b, size_t max, struct err *err)
{
	size_t n = strlen(b->conf->cmdline) + 1;

	if (max == 0 || max > BOOT_CMDLINE_MAX)
		max = BOOT_CMDLINE_MAX;
	if (n > max)
		return err_msg(err, -E2BIG, "the kernel's command line has %zu bytes, '%s' takes %zu", n - 1,
			       b->conf->kernel_name, max - 1);
	return gmem_write(b->mem, BOOT_CMDLINE, b->conf->cmdline, n);
}

static int file_size(int fd, const char *name, uint64_t *ret, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, -errno, "stat '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_msg(err, -EINVAL, "'%s' is not a regular file", name);
	if (st.st_size <= 0 || (uint64_t) st.st_size > BOOT_FILE_MAX)
		return err_msg(err, -EFBIG, "'%s' has %lld bytes; 1 to %llu are possible", name,
			       (long long) st.st_size, BOOT_FILE_MAX);
	*ret = (uint64_t) st.st_size;
	return 0;
}

int boot_initrd(struct boot_load *b, uint64_t above, uint64_t max, struct err *err)
{
	uint64_t end = gmem_low_end(b->mem), size, at;
	int r;

	if (b->conf->initrd < 0)
		return 0;
	r = file_size(b->conf->initrd, b->conf->initrd_name, &size, err);
	if (r < 0)
		return r;
	if (max < UINT64_MAX && end > max + 1)
		end = max + 1;
	at = size < end ? (end - size) & ~(GMEM_ALIGN - 1) : 0;
	if (at < above)
		return err_msg(err, -EFBIG, "initramfs '%s' of %llu MiB does not fit: the kernel needs %llu MiB of %llu",
			       b->conf->initrd_name, (unsigned long long) size >> 20,
			       (unsigned long long) above >> 20, (unsigned long long) end >> 20);
	r = boot_read(b->mem, b->conf->initrd, b->conf->initrd_name, 0, at, size, err);
	if (r < 0)
		return r;
	b->initrd_gpa = at;
	b->initrd_len = size;
	return 0;
}

size_t boot_memory_map(const struct boot_load *b, struct boot_range ret[BOOT_RANGES_MAX])
{
	uint64_t low = gmem_low_end(b->mem), end = gmem_end(b->mem);
	size_t n = 0;

	ret[n++] = (struct boot_range) { 0, BOOT_LOW_END, BOOT_RANGE_RAM };
	ret[n++] = (struct boot_range) { BOOT_LOW_END, 0xA0000 - BOOT_LOW_END, BOOT_RANGE_RESERVED };
	ret[n++] = (struct boot_range) { BOOT_ACPI, BOOT_HIGH - BOOT_ACPI, BOOT_RANGE_RESERVED };
	ret[n++] = (struct boot_range) { BOOT_HIGH, low - BOOT_HIGH, BOOT_RANGE_RAM };
	if (b->ecam_len > 0)
		ret[n++] = (struct boot_range) { b->ecam, b->ecam_len, BOOT_RANGE_RESERVED };
	if (end > GMEM_HIGH_BASE)
		ret[n++] = (struct boot_range) { GMEM_HIGH_BASE, end - GMEM_HIGH_BASE, BOOT_RANGE_RAM };
	return n;
}

/*
 * Where a PC's processor begins after a reset, and where kernels jump to reset it when they know no
 * better way (Linux does so on hardware-reduced machines): real-mode code that writes the reset register.
 */
static int write_reset_vector(const struct gmem *mem)
{
	static const uint8_t code[] = {
		0xBA, POWER_RESET & 0xFF, POWER_RESET >> 8, /* mov dx, POWER_RESET */
		0xB0, POWER_RESET_VALUE, /* mov al, POWER_RESET_VALUE */
		0xEE, /* out dx, al */
		0xF4, /* hlt */
		0xEB, 0xFD, /* jmp to it */
	};

	return gmem_write(mem, BOOT_RESET_VECTOR, code, sizeof(code));
}

int boot_load(const struct gmem *mem, const struct boot_config *conf, uint64_t rsdp, uint64_t ecam,
	      uint64_t ecam_len, struct accel_start *ret, struct err *err)
{
	static const uint64_t gdt[] = { 0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF };
	static const uint64_t gdt32[] = { 0, 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF };
	struct boot_load b = { .mem = mem, .conf = conf, .rsdp = rsdp, .ecam = ecam, .ecam_len = ecam_len };
	struct accel_start start = { .gdt = BOOT_GDT };
	ssize_t n;
	int r = file_size(conf->kernel, conf->kernel_name, &b.size, err);

	if (r < 0)
		return r;
	n = pread(conf->kernel, b.head, sizeof(b.head), 0);
	if (n < 0)
		return err_set(err, -errno, "read '%s'", conf->kernel_name);
	b.head_len = (size_t) n;
	REGISTRY_FOREACH(it, boot_loaders) {
		if (!(*it)->matches(&b))
			continue;
		r = (*it)->load(&b, &start, err);
		if (r < 0)
			return r;
		r = write_reset_vector(mem);
		if (r == 0)
			r = gmem_write(mem, BOOT_GDT, start.mode == ACCEL_MODE_LONG64 ? gdt : gdt32, sizeof(gdt));
		if (r == 0)
			*ret = start;
		return r;
	}
	return err_msg(err, -ENOEXEC, "'%s' is neither a bzImage of Linux nor an ELF kernel with a PVH entry",
		       conf->kernel_name);
}
