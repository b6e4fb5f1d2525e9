/* SPDX-License-Identifier: MIT */
/**
 * DOC: loading a kernel
 *
 * The input is the kernel's file.  Whatever is in it, it is refused with a message or loaded into guest memory,
 * and the processor begins inside of that.
 */
#include <stdlib.h>
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
	struct boot_config conf = { .kernel = fd, .initrd = -1, .kernel_name = "kernel", .cmdline = "quiet" };
	struct accel_start start;
	struct err err = { 0 };
	int r;

	if (fd < 0 || write(fd, data, size) != (ssize_t) size || gmem_init(&mem, GMEM_SIZE_MIN, 0, NULL) < 0)
		return 0;
	r = boot_load(&mem, &conf, BOOT_ACPI, 0, 0, &start, &err);
	if (r < 0 ? err.text[0] == '\0' : gmem_map(&mem, start.rip, 1) == NULL)
		abort();
	return 0;
}
