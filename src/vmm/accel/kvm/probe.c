/* SPDX-License-Identifier: MIT */
/**
 * DOC: can this host's KVM run an ordinary guest?
 *
 * There are hosts whose /dev/kvm serves guests of its own kind only and emulates others, one
 * instruction at a time, until it meets one that it does not know.  So a small 64-bit guest executes
 * such an instruction, POPCNT, and then writes to a port: only a processor gets that far.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "vmm/accel/kvm/kvm_internal.h"

#define TABLES 0x9000 /* guest address of three levels of page tables */
#define CODE 0x1000
#define PORT 0x80
#define TRIES 16 /* exits without meaning before the port is written */

static void prepare(const struct gmem *mem, struct accel_start *ret)
{
	static const uint8_t code[] = {
		0xB9, 0x07, 0x00, 0x00, 0x00, /* mov ecx, 7 */
		0xF3, 0x0F, 0xB8, 0xC1, /* popcnt eax, ecx */
		0xE6, PORT, /* out PORT, al */
		0xF4, /* hlt */
	};
	static const uint64_t gdt[] = { 0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF };
	uint8_t *low = mem->region[0].host;
	uint64_t table[3] = { (TABLES + 0x1000) | 3, (TABLES + 0x2000) | 3, 0x83 };

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		memcpy(low + TABLES + i * 0x1000, &table[i], sizeof(table[i]));
	memcpy(low + CODE, code, sizeof(code));
	memcpy(low + 0x500, gdt, sizeof(gdt));
	*ret = (struct accel_start) { .mode = ACCEL_MODE_LONG64, .rip = CODE, .cr3 = TABLES, .gdt = 0x500 };
}

static int run(struct accel *a, const struct accel_start *start, struct err *err)
{
	struct accel_vcpu *v;
	struct accel_exit e;
	int r = kvm_vcpu_new(a, 0, &v, err);

	if (r == 0)
		r = kvm_vcpu_start(v, start, err);
	for (int i = 0; i < TRIES && r == 0; i++) {
		r = kvm_vcpu_run(v, &e, err);
		if (r == 0 && e.kind == ACCEL_EXIT_PIO)
			return e.addr == PORT && e.data[0] == 3 ? 0 :
				err_msg(err, -EIO, "a guest computed something wrong");
		if (r == 0 && e.kind != ACCEL_EXIT_KICKED)
			return err_msg(err, -EIO, "a guest of four instructions crashed");
	}
	return r < 0 ? r : err_msg(err, -EIO, "a guest of four instructions did not get to their end");
}

static int try(struct err *err)
{
	_cleanup_(gmem_fini) struct gmem mem = { .fd = -EBADF };
	static const struct accel_config conf = { .nr_cpus = 1 };
	struct accel_start start;
	struct accel *a = NULL;
	int r = gmem_init(&mem, GMEM_SIZE_MIN, 0, err);

	if (r == 0)
		r = kvm_open(&mem, &conf, &a, err);
	if (r < 0)
		return r;
	prepare(&mem, &start);
	r = run(a, &start, err);
	kvm_close(a);
	return r;
}

int kvm_probe(bool again, struct err *err)
{
	struct err why = { 0 };
	int dev = kvm_dev_open(err), r;

	if (dev < 0)
		return dev;
	(void) close(dev); /* it was only opened */
	r = again ? 0 : kvm_answer_read(err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = try(&why);
	if (r == 0)
		kvm_answer_keep("yes");
	if (r >= 0)
		return 0;
	if (access("/sys/module/kvm_pvm", F_OK) == 0)
		(void) err_wrap(&why, -EOPNOTSUPP,
				"this host's KVM is of the PVM kind and cannot run an ordinary guest; use a host "
				"with VMX or SVM");
	else
		(void) err_wrap(&why, -EOPNOTSUPP, "this host's KVM cannot run an ordinary guest");
	if (r == -EIO) /* the guest failed, and not something around it */
		kvm_answer_keep(why.text);
	return err_msg(err, -EOPNOTSUPP, "%s", why.text);
}
