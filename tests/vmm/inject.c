/* SPDX-License-Identifier: MIT */
/*
 * inject [-32] THREAD NUMBER [ARGUMENT]...: let a thread of another process make a system call, as somebody would who
 * has taken it over.  An argument is a number, or a text behind "@".  Prints "result N" and lets the thread go on as
 * if nothing had happened, or "exit STATUS", "signal N" when that was the process's end.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#define STACK_AWAY 0x1000 /* bytes below the thread's stack pointer where texts go */
#define TEXT_MAX 256

static pid_t thread;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void put_text(unsigned long long at, const char *text)
{
	char copy[TEXT_MAX + 8] = { 0 };

	(void) snprintf(copy, TEXT_MAX, "%s", text);
	for (size_t i = 0; i < strlen(copy) + 1; i += 8) {
		long word;

		memcpy(&word, copy + i, 8);
		if (ptrace(PTRACE_POKEDATA, thread, at + i, word) < 0)
			die("write a text");
	}
}

/* Return: 1 it stopped; 0 it ended, which was printed */
static int stopped(int *ret_signal)
{
	int status;

	if (waitpid(thread, &status, __WALL) < 0)
		die("wait");
	if (WIFEXITED(status))
		printf("exit %d\n", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	*ret_signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
	return WIFSTOPPED(status);
}

int main(int argc, char **argv)
{
	int bits32 = argc > 1 && strcmp(argv[1], "-32") == 0, sig;
	unsigned char code[8];
	struct user_regs_struct old, r;
	unsigned long long *regs[6];
	long word;

	argv += bits32;
	argc -= bits32;
	if (argc < 3 || argc > 9)
		return 2;
	thread = (pid_t) strtol(argv[1], NULL, 10);
	if (ptrace(PTRACE_ATTACH, thread, 0, 0) < 0)
		die("attach");
	if (!stopped(&sig))
		return 1;
	if (ptrace(PTRACE_GETREGS, thread, 0, &old) < 0)
		die("read registers");
	r = old;
	regs[0] = bits32 ? &r.rbx : &r.rdi;
	regs[1] = bits32 ? &r.rcx : &r.rsi;
	regs[2] = &r.rdx;
	regs[3] = bits32 ? &r.rsi : &r.r10;
	regs[4] = bits32 ? &r.rdi : &r.r8;
	regs[5] = bits32 ? &r.rbp : &r.r9;
	r.rax = strtoull(argv[2], NULL, 0);
	r.orig_rax = ~0ull;
	for (int i = 3; i < argc; i++) {
		unsigned long long at = old.rsp - STACK_AWAY - (unsigned) i * TEXT_MAX;

		if (argv[i][0] == '@')
			put_text(at, argv[i] + 1);
		*regs[i - 3] = argv[i][0] == '@' ? at : strtoull(argv[i], NULL, 0);
	}
	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, thread, old.rip, 0);
	if (errno != 0)
		die("read code");
	memcpy(code, &word, 8);
	code[0] = bits32 ? 0xCD : 0x0F;
	code[1] = bits32 ? 0x80 : 0x05;
	code[2] = 0xCC; /* int3: a signal because of the call comes before it */
	{
		long call;

		memcpy(&call, code, 8);
		if (ptrace(PTRACE_POKETEXT, thread, old.rip, call) < 0 || ptrace(PTRACE_SETREGS, thread, 0, &r) < 0)
			die("write code");
	}
	sig = 0;
	do { /* another signal is the thread's: it gets it */
		if (ptrace(PTRACE_CONT, thread, 0, sig) < 0)
			die("continue");
		if (!stopped(&sig))
			return 0;
	} while (sig != SIGTRAP);
	if (ptrace(PTRACE_GETREGS, thread, 0, &r) < 0)
		die("read registers");
	printf("result %lld\n", (long long) r.rax);
	if (ptrace(PTRACE_POKETEXT, thread, old.rip, word) < 0 || ptrace(PTRACE_SETREGS, thread, 0, &old) < 0 ||
	    ptrace(PTRACE_DETACH, thread, 0, 0) < 0)
		die("restore");
	return 0;
}
