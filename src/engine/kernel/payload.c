/* SPDX-License-Identifier: MIT */
/**
 * DOC: kernel files
 *
 * A bzImage is a boot sector, set-up code, and code that unpacks the real kernel, which is an ELF file.  The
 * set-up header says where that lies.  Unpacked once here, no machine has to do it at its start.
 * Spec: Linux Documentation/x86/boot.rst (2.08 and later); ELF-64; Xen's notes for the PVH entry.
 */
#include "engine/kernel/payload.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "engine/kernel/kernel.h"

#define HEADER_END 0x250 /* bytes of a bzImage up to and with the payload's place */
#define SECTOR 512
#define PROTOCOL_MIN 0x0208 /* of the set-up header: it tells where the payload is */
#define SEGMENTS_MAX 64
#define NOTES_MAX 65536 /* bytes of a segment of notes */
#define NOTE_PVH_ENTRY 18
#define GREETING "Linux version "

static uint32_t le32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v)); /* x86 only */
	return v;
}

static uint16_t le16(const unsigned char *p)
{
	return (uint16_t) (p[0] | p[1] << 8);
}

static int read_part(int fd, const char *name, uint64_t at, void *buf, size_t n, struct err *err)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(fd, (char *) buf + done, n - done, (off_t) (at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? err_set(err, -errno, "read '%s'", name)
				       : err_msg(err, -ENOEXEC, "kernel '%s' is cut off", name);
		done += (size_t) got;
	}
	return 0;
}

static bool has_entry(const unsigned char *notes, size_t len)
{
	size_t at = 0;

	while (len - at >= sizeof(Elf64_Nhdr)) {
		size_t name = ((size_t) le32(notes + at) + 3) & ~(size_t) 3;
		size_t desc = ((size_t) le32(notes + at + 4) + 3) & ~(size_t) 3;
		uint32_t type = le32(notes + at + 8);

		at += sizeof(Elf64_Nhdr);
		if (name > len - at || desc > len - at - name)
			return false;
		if (type == NOTE_PVH_ENTRY && name == 4 && memcmp(notes + at, "Xen", 4) == 0 && desc >= 4)
			return true;
		at += name + desc;
	}
	return false;
}

int kernel_elf_check(int fd, const char *name, struct err *err)
{
	unsigned char notes[NOTES_MAX];
	Elf64_Phdr p[SEGMENTS_MAX];
	Elf64_Ehdr e;
	int r = read_part(fd, name, 0, &e, sizeof(e), err);

	if (r < 0)
		return r;
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e.e_ident[EI_DATA] != ELFDATA2LSB || e.e_machine != EM_X86_64)
		return err_msg(err, -ENOEXEC, "kernel '%s' is no 64-bit ELF file for x86", name);
	if (e.e_phentsize != sizeof(p[0]) || e.e_phnum == 0 || e.e_phnum > SEGMENTS_MAX)
		return err_msg(err, -ENOEXEC, "kernel '%s': %u program headers of %u bytes; 1 to %d of %zu are possible",
			       name, e.e_phnum, e.e_phentsize, SEGMENTS_MAX, sizeof(p[0]));
	r = read_part(fd, name, e.e_phoff, p, e.e_phnum * sizeof(p[0]), err);
	for (unsigned i = 0; r == 0 && i < e.e_phnum; i++) {
		size_t n = p[i].p_filesz < sizeof(notes) ? (size_t) p[i].p_filesz : sizeof(notes);

		if (p[i].p_type != PT_NOTE)
			continue;
		r = read_part(fd, name, p[i].p_offset, notes, n, err);
		if (r == 0 && has_entry(notes, n))
			return 0;
	}
	return r < 0 ? r
		     : err_msg(err, -ENOEXEC,
			       "kernel '%s' has no PVH entry: build it with CONFIG_PVH=y, or give its bzImage", name);
}

/* "6.1.0-1-amd64 (who@where) ...": up to what no release or line has */
static void set_version(struct kernel_image *ret, const char *text, size_t n)
{
	size_t len = 0, release;

	while (len < n && len < KERNEL_VERSION_MAX && text[len] >= ' ' && text[len] <= '~')
		len++;
	memcpy(ret->version, text, len);
	ret->version[len] = '\0';
	release = strcspn(ret->version, " ");
	if (release <= KERNEL_RELEASE_MAX) {
		memcpy(ret->release, ret->version, release);
		ret->release[release] = '\0';
	}
}

/* The line that the kernel prints first is somewhere in it, with "%" nowhere: that is a format, or another tool's. */
static int find_version(int fd, struct kernel_image *ret, struct err *err)
{
	const char *map, *p;
	size_t left = ret->size;

	map = mmap(NULL, ret->size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return err_set(err, -errno, "map the kernel's image");
	p = map;
	while (ret->release[0] == '\0' && (p = memmem(p, left, GREETING, strlen(GREETING))) != NULL) {
		p += strlen(GREETING);
		left = ret->size - (size_t) (p - map);
		if (left > 0 && *p >= '0' && *p <= '9')
			set_version(ret, p, left);
	}
	(void) munmap((void *) (uintptr_t) map, ret->size); /* what was mapped */
	return 0;
}

static int write_image(int out, const unsigned char *data, size_t n, struct kernel_image *ret, struct err *err)
{
	int r = fd_write_full(out, data, n);

	ret->size = n;
	return r < 0 ? err_set(err, r, "write the kernel's image") : 0;
}

/* The payload's last four bytes are its unpacked size; gzip's own format ends with them, other formats do not. */
static int unpack_bzimage(const unsigned char *data, size_t n, const char *name, int out, struct kernel_image *ret,
			  struct err *err)
{
	uint64_t setup, at, len;
	uint16_t text = le16(data + 0x20E);
	int r;

	if (le16(data + 0x206) < PROTOCOL_MIN)
		return err_msg(err, -ENOEXEC, "kernel '%s' has boot protocol %u.%02u, older than 2.08", name,
			       data[0x207], data[0x206]);
	setup = ((data[0x1F1] != 0 ? data[0x1F1] : 4) + 1ull) * SECTOR;
	at = setup + le32(data + 0x248);
	len = le32(data + 0x24C);
	if (at > n || len < 8 || len > n - at)
		return err_msg(err, -ENOEXEC, "kernel '%s': its payload of %llu bytes at %llu is not inside the file",
			       name, (unsigned long long) len, (unsigned long long) at);
	r = kernel_decompress(data + at, data[at] == 0x1F ? len : len - 4, name, out, ENG_KERNEL_IMAGE_MAX,
			      &ret->size, err);
	if (r < 0)
		return r;
	if ((uint32_t) ret->size != le32(data + at + len - 4))
		return err_msg(err, -EBADMSG, "kernel '%s': its payload has %llu bytes, its header says %u", name,
			       (unsigned long long) ret->size, le32(data + at + len - 4));
	ret->elf = kernel_elf_check(out, name, NULL) == 0;
	if (ret->elf)
		return 0;
	if (ftruncate(out, 0) < 0 || lseek(out, 0, SEEK_SET) < 0)
		return err_set(err, -errno, "write the kernel's image");
	if (text != 0 && text + 0x200u < n)
		set_version(ret, (const char *) data + 0x200 + text, n - 0x200 - text);
	return write_image(out, data, n, ret, err);
}

int kernel_unpack(int in, const char *name, int out, struct kernel_image *ret, struct err *err)
{
	_cleanup_free_ unsigned char *data = NULL;
	struct stat st;
	size_t n;
	int r;

	*ret = (struct kernel_image) { 0 };
	if (fstat(in, &st) < 0)
		return err_set(err, -errno, "read '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_msg(err, -ENOEXEC, "kernel '%s' is no regular file", name);
	if (st.st_size > ENG_KERNEL_FILE_MAX)
		return err_msg(err, -EFBIG, "kernel '%s' has %lld bytes, limit %u", name, (long long) st.st_size,
			       ENG_KERNEL_FILE_MAX);
	n = (size_t) st.st_size;
	if (n < HEADER_END)
		return err_msg(err, -ENOEXEC, "'%s' is no kernel: it has %zu bytes", name, n);
	data = malloc(n);
	if (data == NULL)
		return err_set(err, -ENOMEM, "read '%s'", name);
	r = read_part(in, name, 0, data, n, err);
	if (r < 0)
		return r;
	if (memcmp(data, ELFMAG, SELFMAG) == 0) {
		ret->elf = true;
		r = write_image(out, data, n, ret, err);
		if (r == 0)
			r = kernel_elf_check(out, name, err);
	} else if (le16(data + 0x1FE) == 0xAA55 && memcmp(data + 0x202, "HdrS", 4) == 0) {
		r = unpack_bzimage(data, n, name, out, ret, err);
	} else {
		r = err_msg(err, -ENOEXEC, "'%s' is no kernel: neither a bzImage nor ELF", name);
	}
	return r == 0 && ret->release[0] == '\0' ? find_version(out, ret, err) : r;
}
