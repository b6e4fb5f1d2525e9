/* SPDX-License-Identifier: MIT */
#include "oci/spec_names.h"

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "oci/spec.h"

#define MPOL_WEIGHTED_INTERLEAVE_ 6 /* Linux 6.9, not in Debian 12's header */

#define TABLE(table, rows) const struct oci_names table = { rows, ARRAY_LEN(rows) }
#define ROW(name) { #name, name }

static const struct oci_name hooks[] = {
	{ "prestart", OCI_HOOK_PRESTART },
	{ "createRuntime", OCI_HOOK_CREATE_RUNTIME },
	{ "createContainer", OCI_HOOK_CREATE_CONTAINER },
	{ "startContainer", OCI_HOOK_START_CONTAINER },
	{ "poststart", OCI_HOOK_POSTSTART },
	{ "poststop", OCI_HOOK_POSTSTOP },
};
TABLE(oci_hook_names, hooks);

static const struct oci_name rlimits[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};
TABLE(oci_rlimit_names, rlimits);

static const struct oci_name policies[] = {
	{ "SCHED_OTHER", SCHED_NORMAL },
	ROW(SCHED_FIFO),
	ROW(SCHED_RR),
	ROW(SCHED_BATCH),
	ROW(SCHED_IDLE),
	ROW(SCHED_DEADLINE),
};
TABLE(oci_sched_names, policies);

static const struct oci_name sched_flags[] = {
	ROW(SCHED_FLAG_RESET_ON_FORK),
	ROW(SCHED_FLAG_RECLAIM),
	ROW(SCHED_FLAG_DL_OVERRUN),
	ROW(SCHED_FLAG_KEEP_POLICY),
	ROW(SCHED_FLAG_KEEP_PARAMS),
	ROW(SCHED_FLAG_UTIL_CLAMP_MIN),
	ROW(SCHED_FLAG_UTIL_CLAMP_MAX),
};
TABLE(oci_sched_flag_names, sched_flags);

static const struct oci_name io_classes[] = {
	ROW(IOPRIO_CLASS_RT),
	ROW(IOPRIO_CLASS_BE),
	ROW(IOPRIO_CLASS_IDLE),
};
TABLE(oci_ioprio_names, io_classes);

static const struct oci_name mpol_modes[] = {
	ROW(MPOL_BIND),
	ROW(MPOL_DEFAULT),
	ROW(MPOL_INTERLEAVE),
	ROW(MPOL_LOCAL),
	ROW(MPOL_PREFERRED),
	ROW(MPOL_PREFERRED_MANY),
	{ "MPOL_WEIGHTED_INTERLEAVE", MPOL_WEIGHTED_INTERLEAVE_ },
};
TABLE(oci_mpol_names, mpol_modes);

static const struct oci_name mpol_flags[] = {
	ROW(MPOL_F_NUMA_BALANCING),
	ROW(MPOL_F_RELATIVE_NODES),
	ROW(MPOL_F_STATIC_NODES),
};
TABLE(oci_mpol_flag_names, mpol_flags);

static const struct oci_name propagations[] = {
	{ "private", MS_PRIVATE },
	{ "rprivate", MS_PRIVATE },
	{ "rshared", MS_SHARED },
	{ "rslave", MS_SLAVE },
	{ "runbindable", MS_UNBINDABLE },
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "unbindable", MS_UNBINDABLE },
};
TABLE(oci_propagation_names, propagations);

static const struct oci_name seccomp_actions[] = {
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
};
TABLE(oci_seccomp_action_names, seccomp_actions);

static const struct oci_name seccomp_ops[] = {
	ROW(SCMP_CMP_EQ),
	ROW(SCMP_CMP_GE),
	ROW(SCMP_CMP_GT),
	ROW(SCMP_CMP_LE),
	ROW(SCMP_CMP_LT),
	ROW(SCMP_CMP_MASKED_EQ),
	ROW(SCMP_CMP_NE),
};
TABLE(oci_seccomp_op_names, seccomp_ops);

static const struct oci_name seccomp_arches[] = {
	{ "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_ARM", SCMP_ARCH_ARM },
	{ "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PARISC", SCMP_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64 },
	{ "SCMP_ARCH_PPC", SCMP_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 },
	{ "SCMP_ARCH_S390", SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X", SCMP_ARCH_S390X },
	{ "SCMP_ARCH_X32", SCMP_ARCH_X32 },
	{ "SCMP_ARCH_X86", SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 },
};
TABLE(oci_seccomp_arch_names, seccomp_arches);

static const struct oci_name seccomp_flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", 0 }, /* the container's process has one thread */
	ROW(SECCOMP_FILTER_FLAG_SPEC_ALLOW),
	ROW(SECCOMP_FILTER_FLAG_LOG),
	ROW(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV),
};
TABLE(oci_seccomp_flag_names, seccomp_flags);

bool oci_name_find(const struct oci_names *names, const char *name, uint32_t *ret)
{
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->v[i].name, name) != 0)
			continue;
		*ret = names->v[i].value;
		return true;
	}
	return false;
}
