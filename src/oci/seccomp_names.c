/* SPDX-License-Identifier: MIT */
#include <seccomp.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/seccomp_parts.h"

/*
 * System calls since Linux 6.5.  Since 2019 a new system call has the same number on every
 * architecture, apart from the bases below.  A name that the library knows is never looked up here.
 */
static const struct {
	const char *name;
	int nr;
} new_calls[] = {
	{ "cachestat", 451 },	     { "fchmodat2", 452 },	 { "map_shadow_stack", 453 },
	{ "futex_wake", 454 },	     { "futex_wait", 455 },	 { "futex_requeue", 456 },
	{ "statmount", 457 },	     { "listmount", 458 },	 { "lsm_get_self_attr", 459 },
	{ "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 }, { "mseal", 462 },
	{ "setxattrat", 463 },	     { "getxattrat", 464 },	 { "listxattrat", 465 },
	{ "removexattrat", 466 },    { "open_tree_attr", 467 },	 { "file_getattr", 468 },
	{ "file_setattr", 469 },     { "listns", 470 },
};

/* What an architecture adds to the common number */
static int base_of(uint32_t arch)
{
	switch (arch) {
	case SCMP_ARCH_X32:
		return 0x40000000;
	case SCMP_ARCH_MIPS:
	case SCMP_ARCH_MIPSEL:
		return 4000;
	case SCMP_ARCH_MIPS64:
	case SCMP_ARCH_MIPSEL64:
		return 5000;
	case SCMP_ARCH_MIPS64N32:
	case SCMP_ARCH_MIPSEL64N32:
		return 6000;
	default:
		return 0;
	}
}

static int new_nr(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(new_calls); i++)
		if (strcmp(new_calls[i].name, name) == 0)
			return new_calls[i].nr;
	return -1;
}

bool seccomp_is_new(const char *name)
{
	return new_nr(name) >= 0 && seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR;
}

int seccomp_nr(uint32_t arch, const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(arch, name);

	if (nr == __NR_SCMP_ERROR) {
		nr = new_nr(name);
		return nr < 0 ? -1 : nr + base_of(arch);
	}
	return nr < 0 ? -1 : nr; /* below -1: the library's stand-in for "not on this architecture" */
}
