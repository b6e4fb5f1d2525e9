/* SPDX-License-Identifier: MIT */
/**
 * DOC: loading a kernel
 *
 * The input is the kernel's file; it is the initramfs and the command line of some, too.  Whatever is in it, it is refused with a message or loaded into guest memory,
 * and the processor begins inside of that.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "fuzz.h"
#include "vmm/accel/accel.h"
#include "vmm/boot/boot.h"
#include "vmm/core/gmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(gmem_fini) struct gmem mem = { .fd = -1 };
	_cleanup_close_ int fd = memfd_create("kernel", MFD_CLOEXEC);
	struct boot_config conf = { .kernel = fd, .initrd = -1, .kernel_name = "kernel", .initrd_name = "initrd" };
	struct accel_start start;
	struct err err = { 0 };
	int r;

	_cleanup_free_ char *text = strndup((const char *) data, size);

	conf.cmdline = size & 2 ? text : "quiet";
	if (size & 1)
		conf.initrd = fd;
	if (text == NULL || fd < 0 || write(fd, data, size) != (ssize_t) size || gmem_init(&mem, GMEM_SIZE_MIN, 0, NULL) < 0)
		return 0;
	r = boot_load(&mem, &conf, BOOT_ACPI, 0, 0, &start, &err);
	if (r < 0 ? err.text[0] == '\0' : gmem_map(&mem, start.rip, 1) == NULL)
		abort();
	return 0;
}
