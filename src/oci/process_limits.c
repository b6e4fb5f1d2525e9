/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "oci/init.h"
#include "oci/process.h"
#include "oci/process_parts.h"

static const char *const rlimit_names[] = {
	[RLIMIT_AS] = "RLIMIT_AS",
	[RLIMIT_CORE] = "RLIMIT_CORE",
	[RLIMIT_CPU] = "RLIMIT_CPU",
	[RLIMIT_DATA] = "RLIMIT_DATA",
	[RLIMIT_FSIZE] = "RLIMIT_FSIZE",
	[RLIMIT_LOCKS] = "RLIMIT_LOCKS",
	[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
	[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
	[RLIMIT_NICE] = "RLIMIT_NICE",
	[RLIMIT_NOFILE] = "RLIMIT_NOFILE",
	[RLIMIT_NPROC] = "RLIMIT_NPROC",
	[RLIMIT_RSS] = "RLIMIT_RSS",
	[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
	[RLIMIT_RTTIME] = "RLIMIT_RTTIME",
	[RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
	[RLIMIT_STACK] = "RLIMIT_STACK",
};

int oci_proc_open(int proc_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t) (flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, proc_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int) fd;
}

static int set_oom_score(const struct oci_process *process, int proc_fd, pid_t pid, struct err *err)
{
	char path[48] = "self/oom_score_adj", text[24];
	int n, r;

	if (!process->oom_score_adj.set)
		return 0;
	if (pid != 0)
		(void) snprintf(path, sizeof(path), "%d/oom_score_adj", (int) pid);
	n = snprintf(text, sizeof(text), "%lld", (long long) process->oom_score_adj.v);

	_cleanup_close_ int fd = oci_proc_open(proc_fd, path, O_WRONLY);
	r = fd < 0 ? fd : fd_write_full(fd, text, (size_t) n);
	return r < 0 ? err_set(err, r, "write process.oomScoreAdj %s", text) : 0;
}

static int set_rlimits(const struct oci_process *process, pid_t pid, struct err *err)
{
	for (size_t i = 0; i < process->nr_rlimits; i++) {
		const struct oci_rlimit *l = &process->rlimits[i];
		struct rlimit value = { .rlim_cur = l->soft, .rlim_max = l->hard };
		const char *name = l->type >= 0 && (size_t) l->type < ARRAY_LEN(rlimit_names) ?
					   rlimit_names[l->type] : "unknown";

		if (prlimit(pid, (__rlimit_resource_t) l->type, &value, NULL) < 0)
			return err_set(err, -errno,
				       "error setting rlimit type %d (%s, soft %llu, hard %llu)",
				       l->type, name, (unsigned long long) l->soft,
				       (unsigned long long) l->hard);
	}
	return 0;
}

int oci_process_quota(const struct oci_process *process, int proc_fd, pid_t pid, struct err *err)
{
	int r = set_oom_score(process, proc_fd, pid, err);

	return r < 0 ? r : set_rlimits(process, pid, err);
}

int oci_process_limits(const struct oci_init *init, bool new_keyring, struct err *err)
{
	const struct oci_linux *l = &init->spec->linux;
	const struct oci_process *p = init->process;
	int r;

	r = oci_affinity_final(init, err);
	if (r == 0)
		r = oci_scheduler_set(p, l->resources.cpu.cpus != NULL, err);
	if (r == 0)
		r = oci_ioprio_set(p, err);
	if (r == 0 && l->memory_policy != NULL)
		r = oci_mempolicy_set(l->memory_policy, err);
	if (r == 0 && l->personality_set && personality(l->personality) < 0)
		r = err_set(err, -errno, "set linux.personality 0x%lx", l->personality);
	if (r == 0 && new_keyring)
		r = oci_keyring_join(init, err);
	return r;
}
