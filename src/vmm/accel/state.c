/* SPDX-License-Identifier: MIT */
#include "vmm/accel/state.h"

#include <string.h>

#define FOUR(n) (n), (n) + 1, (n) + 2, (n) + 3

const uint32_t accel_state_msr[ACCEL_STATE_MSRS] = {
	0x174, 0x175, 0x176, /* SYSENTER */
	0x277, 0x1A0, 0x48, 0x1D9, /* PAT, MISC_ENABLE, SPEC_CTRL, DEBUGCTL */
	FOUR(0xC0000081), /* STAR, LSTAR, CSTAR, FMASK */
	0xC0000102, 0xC0000103, /* KERNEL_GS_BASE, TSC_AUX */
	/* types of memory: variable, fixed, default */
	FOUR(0x200), FOUR(0x204), FOUR(0x208), FOUR(0x20C),
	0x250, 0x258, 0x259, FOUR(0x268), FOUR(0x26C),
	0x2FF,
	0x6E0, /* TSC deadline */
	/* KVM's: time of day, time, stolen time; page faults that others serve, ends of interrupts: zero where there are none */
	0x4B564D00, 0x4B564D01, 0x4B564D03, 0x4B564D02, 0x4B564D04, 0x4B564D06,
};

const struct accel_state_part accel_state_part[ACCEL_STATE_PARTS] = {
	{ 2, 576, 256 }, { 5, 1088, 64 }, { 6, 1152, 512 }, { 7, 1664, 1024 },
};

bool accel_state_uses(const struct accel_state *s, const struct accel_state_part *p)
{
	const uint8_t *data = s->xsave + p->at;

	return data[0] != 0 || memcmp(data, data + 1, p->size - 1) != 0;
}
