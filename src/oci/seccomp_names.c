/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <seccomp.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/seccomp.h"
#include "oci/seccomp_parts.h"
#include "oci/spec.h"

#define X32_BIT 0x40000000

/*
 * System calls since Linux 6.5.  Since 2019 a new system call has the same number on every
 * architecture, and x32 sets its bit.  A name that the library knows is never looked up here.
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

/*
 * i386 has two ways to these: an argument of socketcall(2) or ipc(2), and for most a number of their own.
 * The library hides the number behind a negative one.
 */
#define NR_SOCKETCALL 102
#define NR_IPC 117

static const struct {
	const char *name;
	int mux, nr; /* @nr: -1 = none */
	uint32_t call;
} muxed[] = {
	{ "socket", NR_SOCKETCALL, 359, 1 },	   { "bind", NR_SOCKETCALL, 361, 2 },
	{ "connect", NR_SOCKETCALL, 362, 3 },	   { "listen", NR_SOCKETCALL, 363, 4 },
	{ "accept", NR_SOCKETCALL, -1, 5 },	   { "getsockname", NR_SOCKETCALL, 367, 6 },
	{ "getpeername", NR_SOCKETCALL, 368, 7 },  { "socketpair", NR_SOCKETCALL, 360, 8 },
	{ "send", NR_SOCKETCALL, -1, 9 },	   { "recv", NR_SOCKETCALL, -1, 10 },
	{ "sendto", NR_SOCKETCALL, 369, 11 },	   { "recvfrom", NR_SOCKETCALL, 371, 12 },
	{ "shutdown", NR_SOCKETCALL, 373, 13 },	   { "setsockopt", NR_SOCKETCALL, 366, 14 },
	{ "getsockopt", NR_SOCKETCALL, 365, 15 },  { "sendmsg", NR_SOCKETCALL, 370, 16 },
	{ "recvmsg", NR_SOCKETCALL, 372, 17 },	   { "accept4", NR_SOCKETCALL, 364, 18 },
	{ "recvmmsg", NR_SOCKETCALL, 337, 19 },	   { "sendmmsg", NR_SOCKETCALL, 345, 20 },
	{ "semop", NR_IPC, -1, 1 },		   { "semget", NR_IPC, 393, 2 },
	{ "semctl", NR_IPC, 394, 3 },		   { "semtimedop", NR_IPC, -1, 4 },
	{ "msgsnd", NR_IPC, 400, 11 },		   { "msgrcv", NR_IPC, 401, 12 },
	{ "msgget", NR_IPC, 399, 13 },		   { "msgctl", NR_IPC, 402, 14 },
	{ "shmat", NR_IPC, 397, 21 },		   { "shmdt", NR_IPC, 398, 22 },
	{ "shmget", NR_IPC, 395, 23 },		   { "shmctl", NR_IPC, 396, 24 },
};

static int new_nr(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(new_calls); i++)
		if (strcmp(new_calls[i].name, name) == 0)
			return new_calls[i].nr;
	return -1;
}

static size_t find_muxed(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_LEN(muxed) && strcmp(muxed[i].name, name) != 0)
		i++;
	return i;
}

int seccomp_nr(uint32_t arch, const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(arch, name);

	if (nr >= 0)
		return nr;
	if (nr == __NR_SCMP_ERROR) {
		nr = new_nr(name);
		return nr < 0 ? -1 : arch == SCMP_ARCH_X32 ? nr | X32_BIT : nr;
	}
	if (arch == SCMP_ARCH_X86) {
		size_t i = find_muxed(name);

		return i < ARRAY_LEN(muxed) ? muxed[i].nr : -1;
	}
	return -1; /* not on this architecture */
}

int oci_seccomp_check_names(const struct oci_seccomp *seccomp, struct err *err)
{
	for (size_t i = 0; i < seccomp->nr_rules; i++)
		for (size_t k = 0; k < seccomp->rules[i].names.n; k++) {
			const char *name = seccomp->rules[i].names.v[k];

			if (seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR && new_nr(name) < 0)
				return err_msg(err, -EINVAL, "invalid seccomp syscall '%.64s' in rule %zu", name, i);
		}
	return 0;
}

int seccomp_mux(uint32_t arch, const char *name, uint32_t *ret_call)
{
	size_t i = arch == SCMP_ARCH_X86 ? find_muxed(name) : ARRAY_LEN(muxed);

	if (i == ARRAY_LEN(muxed))
		return -1;
	*ret_call = muxed[i].call;
	return muxed[i].mux;
}
