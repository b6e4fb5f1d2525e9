/* SPDX-License-Identifier: MIT */
/*
 * What strangers speak to is nobody, and may call little of the system.
 */
#pragma once

#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#if defined(__x86_64__)
#define CONFINE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CONFINE_ARCH AUDIT_ARCH_AARCH64
#endif

#define CONFINE_LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define CONFINE_ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define CONFINE_DENY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define CONFINE_IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))

/* A filter is CONFINE_BEGIN, a CONFINE_CALL for each call that is allowed, CONFINE_END: all else ends the process. */
#define CONFINE_BEGIN CONFINE_LOAD(arch), CONFINE_IF(CONFINE_ARCH, 1, 0), CONFINE_DENY, CONFINE_LOAD(nr)
#define CONFINE_CALL(name) CONFINE_IF(__NR_##name, 0, 1), CONFINE_ALLOW
/* Of sockets those of IP are allowed. */
#define CONFINE_END                                                                                                   \
	CONFINE_IF(__NR_socket, 0, 3), CONFINE_LOAD(args[0]), CONFINE_IF(AF_INET, 2, 0), CONFINE_IF(AF_INET6, 1, 0), \
		CONFINE_DENY, CONFINE_ALLOW

/**
 * confine_identity() - become nobody
 * @capabilities: bits below 32 that are kept; all others are given up
 * Return: 0; -errno.
 */
int confine_identity(uint32_t capabilities);

/** confine_calls() - allow @n instructions' worth of system calls, and no privileges by execve(2), from now on; 0 or -errno */
int confine_calls(struct sock_filter *filter, size_t n);
