/* SPDX-License-Identifier: MIT */
/**
 * DOC: filters of system calls
 *
 * A program for the kernel (classic BPF) per thread: architecture, number, for a few calls an argument.  What is not
 * allowed becomes SIGSYS, whose handler names the call and ends the process; a thread that blocks the signal, or
 * has no handler any more, is ended by the kernel.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "vmm/machine/confine_parts.h"

#define FILTER_MAX 1024 /* instructions */
#define X32_BIT 0x40000000u
#define KVM_IOCTLS 0xAE00u
#define IOCTL_TYPE 0xFF00u

struct program {
	struct sock_filter f[FILTER_MAX];
	unsigned n;
};

/* A program that becomes too long is not installed: n counts on. */
static void emit(struct program *p, uint16_t code, uint32_t k, unsigned yes, unsigned no)
{
	if (p->n < FILTER_MAX)
		p->f[p->n] = (struct sock_filter) { code, (uint8_t) yes, (uint8_t) no, k };
	p->n++;
}

static void load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset, 0, 0);
}

static void give(struct program *p, uint32_t verdict)
{
	emit(p, BPF_RET | BPF_K, verdict, 0, 0);
}

/* The low half of an argument; what the kernel takes as an int has no other. */
static size_t argument(unsigned i)
{
	return offsetof(struct seccomp_data, args) + 8ul * i;
}

/* The argument that was loaded is one of these, or not */
static void allow_values(struct program *p, const uint32_t *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, v[i], 0, 1);
		give(p, SECCOMP_RET_ALLOW);
	}
	give(p, SECCOMP_RET_TRAP);
}

static void emit_ioctl(struct program *p)
{
	static const uint32_t others[] = {
		0x5401, 0x5402, 0x5403, 0x5404, 0x5413, /* TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ */
		0x541B, 0x5421, /* FIONREAD, FIONBIO */
		0x400454D0, 0x400454D9, /* TUNSETOFFLOAD, TUNSETQUEUE */
	};

	load(p, argument(1));
	emit(p, BPF_ALU | BPF_AND | BPF_K, IOCTL_TYPE, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, KVM_IOCTLS, 0, 1);
	give(p, SECCOMP_RET_ALLOW);
	load(p, argument(1));
	allow_values(p, others, sizeof(others) / sizeof(others[0]));
}

/* Code that decides about a call by its arguments */
static void emit_rule(struct program *p, enum confine_rule rule)
{
	uint32_t self = (uint32_t) getpid();
	static const uint32_t unix_domain = 1, nothing = 0;

	switch (rule) {
	case RULE_ANY:
		give(p, SECCOMP_RET_ALLOW);
		break;
	case RULE_IOCTL:
		emit_ioctl(p);
		break;
	case RULE_NO_CODE: /* the third argument: PROT_EXEC */
		load(p, argument(2));
		emit(p, BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1);
		give(p, SECCOMP_RET_TRAP);
		give(p, SECCOMP_RET_ALLOW);
		break;
	case RULE_UNIX:
		load(p, argument(0));
		allow_values(p, &unix_domain, 1);
		break;
	case RULE_SELF:
		load(p, argument(0));
		allow_values(p, &self, 1);
		break;
	case RULE_OWN_LIMITS: /* the third argument, both halves: no new ones */
		load(p, argument(2) + 4);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		give(p, SECCOMP_RET_TRAP);
		load(p, argument(2));
		allow_values(p, &nothing, 1);
		break;
	}
}

static void build(struct program *p, enum confine_role role)
{
	unsigned n;
	const struct confine_call *c = confine_calls(&n);

	p->n = 0;
	load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	give(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
	emit(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	give(p, SECCOMP_RET_TRAP);
	for (unsigned i = 0; i < n; i++) {
		unsigned jump = p->n;

		if (!(c[i].roles & 1u << role))
			continue;
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, c[i].nr, 0, 0);
		emit_rule(p, (enum confine_rule) c[i].rule);
		if (p->n <= FILTER_MAX)
			p->f[jump].jf = (uint8_t) (p->n - jump - 1); /* rules are short */
	}
	give(p, SECCOMP_RET_TRAP);
}

/* Nothing here may make a call that is not allowed, nor wait for a lock. */
static void denied(int sig, siginfo_t *info, void *context)
{
	static const char before[] = "cleave-vmm: sandbox: a thread made system call '";
	static const char after[] = "', which is not allowed here\n";
	const char *name = confine_call_name((unsigned) info->si_syscall);
	char line[128];
	size_t n = 0;

	(void) sig;
	(void) context;
	memcpy(line, before, sizeof(before) - 1);
	n += sizeof(before) - 1;
	while (*name != '\0' && n < sizeof(line) - sizeof(after))
		line[n++] = *name++;
	memcpy(line + n, after, sizeof(after) - 1);
	n += sizeof(after) - 1;
	(void) !write(STDERR_FILENO, line, n); /* who does not read it has the exit status */
	_exit(CONFINE_STATUS);
}

int confine_thread(enum confine_role role, struct err *err)
{
	struct sigaction a = { .sa_sigaction = denied, .sa_flags = SA_SIGINFO };
	struct program p;
	struct sock_fprog prog = { .filter = p.f };
	sigset_t set;

	build(&p, role);
	if (p.n > FILTER_MAX)
		return err_msg(err, -E2BIG, "sandbox: the filter of role '%s' has %u instructions, limit %d",
			       confine_role_name(role), p.n, FILTER_MAX);
	prog.len = (unsigned short) p.n;
	(void) sigemptyset(&set);
	(void) sigaddset(&set, SIGSYS);
	(void) pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* valid arguments */
	if (sigaction(SIGSYS, &a, NULL) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return err_set(err, -errno, "sandbox: limit the system calls of role '%s'", confine_role_name(role));
	return 0;
}
