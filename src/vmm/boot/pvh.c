/* SPDX-License-Identifier: MIT */
/**
 * DOC: ELF kernels with a PVH entry
 *
 * An uncompressed kernel (vmlinux) is entered without unpacking anything: in 32-bit mode, at an
 * address that a note of it names.
 * Spec: Xen docs/misc/pvh.pandoc and xen/include/public/arch-x86/hvm/start_info.h; ELF-64.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/accel/accel.h"
#include "vmm/boot/boot.h"
#include "vmm/core/bytes.h"
#include "vmm/core/gmem.h"

#define SEGMENTS_MAX 32 /* program headers */
#define NOTES_MAX 65536 /* bytes of a segment of notes */
#define NOTE_PHYS32_ENTRY 18
#define INFO_MAGIC 0x336EC578u
#define INFO_SIZE 56 /* bytes of start_info, version 1 */
#define MODULE_SIZE 32
#define RANGE_SIZE 24

static bool pvh_matches(const struct boot_load *b)
{
	return b->head_len >= sizeof(Elf64_Ehdr) && memcmp(b->head, ELFMAG, SELFMAG) == 0;
}

static int read_part(const struct boot_load *b, uint64_t offset, void *ret, size_t n, struct err *err)
{
	ssize_t got;

	if (offset > b->size || n > b->size - offset)
		return err_msg(err, -ENOEXEC, "kernel '%s': a header points behind the end of the file",
			       b->conf->kernel_name);
	got = pread(b->conf->kernel, ret, n, (off_t) offset);
	if (got < 0)
		return err_set(err, -errno, "read '%s'", b->conf->kernel_name);
	return (size_t) got == n ? 0 : err_msg(err, -EIO, "kernel '%s' became shorter", b->conf->kernel_name);
}

static int read_headers(const struct boot_load *b, Elf64_Phdr *ret, unsigned *ret_n, struct err *err)
{
	const char *name = b->conf->kernel_name;
	Elf64_Ehdr e;

	memcpy(&e, b->head, sizeof(e));
	if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_ident[EI_DATA] != ELFDATA2LSB || e.e_machine != EM_X86_64)
		return err_msg(err, -ENOEXEC, "kernel '%s' is ELF, but not 64-bit x86", name);
	if (e.e_phentsize != sizeof(Elf64_Phdr) || e.e_phnum == 0 || e.e_phnum > SEGMENTS_MAX)
		return err_msg(err, -ENOEXEC, "kernel '%s' has %u program headers of %u bytes; 1 to %d of %zu are possible",
			       name, e.e_phnum, e.e_phentsize, SEGMENTS_MAX, sizeof(Elf64_Phdr));
	*ret_n = e.e_phnum;
	return read_part(b, e.e_phoff, ret, e.e_phnum * sizeof(*ret), err);
}

/* Look for the entry in a segment of notes; 0 when it is not there. */
static uint64_t find_entry(const uint8_t *notes, size_t len)
{
	size_t at = 0;

	while (len - at >= 12) {
		size_t name = ((size_t) get_le32(notes + at) + 3) & ~(size_t) 3;
		size_t desc = ((size_t) get_le32(notes + at + 4) + 3) & ~(size_t) 3;
		uint32_t type = get_le32(notes + at + 8);

		at += 12;
		if (name > len - at || desc > len - at - name)
			return 0;
		if (type == NOTE_PHYS32_ENTRY && name == 4 && memcmp(notes + at, "Xen", 4) == 0 && desc >= 4)
			return desc >= 8 ? get_le64(notes + at + name) : get_le32(notes + at + name);
		at += name + desc;
	}
	return 0;
}

static int read_notes(const struct boot_load *b, const Elf64_Phdr *p, uint64_t *entry, struct err *err)
{
	uint8_t notes[NOTES_MAX];
	size_t n = p->p_filesz < sizeof(notes) ? (size_t) p->p_filesz : sizeof(notes);
	int r = read_part(b, p->p_offset, notes, n, err);

	if (r == 0 && *entry == 0)
		*entry = find_entry(notes, n);
	return r;
}

static int load_segment(const struct boot_load *b, const Elf64_Phdr *p, uint64_t *end, struct err *err)
{
	const char *name = b->conf->kernel_name;

	if (p->p_filesz > p->p_memsz || p->p_offset > b->size || p->p_filesz > b->size - p->p_offset)
		return err_msg(err, -ENOEXEC, "kernel '%s': a segment is longer than the file", name);
	if (p->p_paddr < BOOT_HIGH)
		return err_msg(err, -ENOEXEC, "kernel '%s': a segment at %#llx, below 1 MiB", name,
			       (unsigned long long) p->p_paddr);
	if (gmem_map(b->mem, p->p_paddr, p->p_memsz) == NULL || p->p_paddr > gmem_low_end(b->mem))
		return err_msg(err, -EFBIG, "kernel '%s' needs memory up to %#llx, the guest has %llu MiB", name,
			       (unsigned long long) (p->p_paddr + p->p_memsz),
			       (unsigned long long) b->mem->size >> 20);
	if (p->p_paddr + p->p_memsz > *end)
		*end = p->p_paddr + p->p_memsz;
	return boot_read(b->mem, b->conf->kernel, name, p->p_offset, p->p_paddr, p->p_filesz, err);
}

static int write_info(const struct boot_load *b)
{
	struct boot_range map[BOOT_RANGES_MAX];
	size_t n = boot_memory_map(b, map);
	uint8_t i[INFO_SIZE + MODULE_SIZE + BOOT_RANGES_MAX * RANGE_SIZE] = { 0 };
	uint8_t *module = i + INFO_SIZE, *ranges = module + MODULE_SIZE;

	put_le32(i, INFO_MAGIC);
	put_le32(i + 4, 1); /* version */
	put_le32(i + 12, b->initrd_len > 0);
	put_le64(i + 16, BOOT_PVH_INFO + INFO_SIZE);
	put_le64(i + 24, BOOT_CMDLINE);
	put_le64(i + 32, b->rsdp);
	put_le64(i + 40, BOOT_PVH_INFO + INFO_SIZE + MODULE_SIZE);
	put_le32(i + 48, (uint32_t) n);
	put_le64(module, b->initrd_gpa);
	put_le64(module + 8, b->initrd_len);
	for (size_t k = 0; k < n; k++) {
		put_le64(ranges + k * RANGE_SIZE, map[k].gpa);
		put_le64(ranges + k * RANGE_SIZE + 8, map[k].len);
		put_le32(ranges + k * RANGE_SIZE + 16, map[k].kind);
	}
	return gmem_write(b->mem, BOOT_PVH_INFO, i, sizeof(i));
}

static int pvh_load(struct boot_load *b, struct accel_start *ret, struct err *err)
{
	Elf64_Phdr p[SEGMENTS_MAX];
	uint64_t entry = 0, end = BOOT_HIGH;
	unsigned n = 0;
	int r = read_headers(b, p, &n, err);

	for (unsigned i = 0; i < n && r == 0; i++) {
		if (p[i].p_type == PT_NOTE)
			r = read_notes(b, &p[i], &entry, err);
		else if (p[i].p_type == PT_LOAD && p[i].p_memsz > 0)
			r = load_segment(b, &p[i], &end, err);
	}
	if (r < 0)
		return r;
	if (entry < BOOT_HIGH || entry >= end)
		return err_msg(err, -ENOEXEC, "kernel '%s' has no PVH entry (a note of Xen, type 18)", b->conf->kernel_name);
	r = boot_initrd(b, end, UINT32_MAX, err);
	if (r == 0)
		r = boot_cmdline(b, BOOT_CMDLINE_MAX, err);
	if (r == 0 && write_info(b) < 0)
		r = err_msg(err, -EFAULT, "no guest memory for the boot tables");
	if (r < 0)
		return r;
	ret->mode = ACCEL_MODE_PROTECTED32;
	ret->rip = entry;
	ret->rbx = BOOT_PVH_INFO;
	return 0;
}

static const struct boot_loader pvh = { .name = "PVH", .matches = pvh_matches, .load = pvh_load };
REGISTRY_ADD(boot_loaders, pvh);
