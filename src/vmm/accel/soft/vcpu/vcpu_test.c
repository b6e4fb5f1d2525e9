/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/accel/soft/vcpu/alarm.h"
#include "vmm/accel/soft/vcpu/clock.h"
#include "vmm/accel/soft/vcpu/confine.h"

static void test_clock(void **state)
{
	struct soft_clock c;
	uint64_t tsc, ns, guest;

	(void) state;
	clock_begin(&c);
	(void) usleep(20000);
	clock_fix(&c);
	assert_true(c.khz > 100000);
	tsc = clock_now();
	ns = clock_ns();
	guest = c.shift < 0 ? (tsc - c.tsc0) >> -c.shift : (tsc - c.tsc0) << c.shift;
	guest = (uint64_t) ((unsigned __int128) guest * c.scale >> 32);
	assert_true(guest + 100000 > ns - c.ns0 && guest < ns - c.ns0 + 100000);
	assert_int_equal(clock_until(&c, tsc), 1);
	ns = clock_until(&c, clock_now() + (uint64_t) c.khz * 1000);
	assert_true(ns > 900000000 && ns <= 1000000001);
}

static void test_alarm(void **state)
{
	struct alarm a = { 0 };
	uint32_t word = 1;

	(void) state;
	assert_int_equal(alarm_init(&a, &word, 4), 0);
	alarm_set(&a, 1000000);
	(void) sleep(5); /* until a signal comes */
	assert_int_equal(word, 5);
	assert_true(a.off);
	word = 0;
	alarm_set(&a, 5000000);
	alarm_set(&a, 0);
	(void) usleep(10000);
	assert_int_equal(word, 0);
	assert_false(a.off);
	alarm_fini(&a);
}

/* How a confined process ends that makes one system call, and then ends with 7, or with 6 if that failed. */
static int confined_to(uint64_t memory, long nr, long a, long b, long c, long d)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (vcpu_confine(memory) < 0)
			_exit(8);
		(void) syscall(SYS_exit_group, syscall(nr, a, b, c, d, -1, 0) == -1 ? 6 : 7);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int confined(long nr, long a, long b, long c, long d)
{
	return confined_to(UINT64_MAX, nr, a, b, c, d);
}

static void test_confine(void **state)
{
	static const long forbidden[] = { SYS_openat, SYS_execve, SYS_fork, SYS_clone, SYS_socket, SYS_kill, SYS_tgkill,
					  SYS_ptrace, SYS_mprotect, SYS_ioctl, SYS_process_vm_readv, SYS_prctl, SYS_dup,
					  SYS_sendmsg, SYS_pwrite64, SYS_ftruncate, SYS_setrlimit, SYS_io_uring_setup };
	const long anonymous = MAP_PRIVATE | MAP_ANONYMOUS;

	(void) state;
	assert_int_equal(confined(SYS_brk, 0, 0, 0, 0), 7);
	assert_int_equal(confined(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, anonymous), 7);
	assert_int_equal(confined_to(1 << 20, SYS_mmap, 0, 64 << 20, PROT_READ | PROT_WRITE, anonymous), 6);
	assert_int_equal(confined(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, anonymous), -SIGSYS);
	assert_int_equal(confined(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED), -SIGSYS);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		assert_int_equal(confined(forbidden[i], 0, 0, 0, 0), -SIGSYS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_alarm),
		cmocka_unit_test(test_confine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
