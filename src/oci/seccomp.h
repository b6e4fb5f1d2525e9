/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct err;
struct oci_seccomp;
struct oci_spec;

#define OCI_FILTER_LEN_MAX 4096 /* instructions the kernel takes, BPF_MAXINSNS */

/**
 * struct oci_filter - a compiled seccomp filter, ready to load
 * @prog: heap; the BPF program
 * @len: instructions
 * @flags: SECCOMP_FILTER_FLAG_*, NEW_LISTENER included where an action notifies
 */
struct oci_filter {
	struct sock_filter *prog;
	unsigned short len;
	uint32_t flags;
};

/**
 * oci_seccomp_compile() - profile to BPF, from the cache where possible
 * @seccomp: borrows
 * @cache_fd: directory of the cache, or -EBADF for none
 * @ret: filled; release with oci_filter_fini()
 *
 * The cache is keyed by the canonical form of the profile, which is stored in the file and compared
 * on load, so a collision or a damaged file only costs a compilation.  System calls newer than every
 * one named in the profile return ENOSYS where the default action refuses, so that programs fall back.
 * Context: parent, before the clone; allocates.
 * Return: 0; -EINVAL with a message naming the rule; -ENOMEM.
 */
int oci_seccomp_compile(const struct oci_seccomp *seccomp, int cache_fd, struct oci_filter *ret,
			struct err *err);

/**
 * oci_seccomp_check_names() - refuse names of system calls that nobody knows
 * oci_seccomp_compile() skips them.
 * Return: 0; -EINVAL with a message.
 */
int oci_seccomp_check_names(const struct oci_seccomp *seccomp, struct err *err);

/**
 * oci_seccomp_load() - install the filter on the calling thread
 * @listener_sock: connected socket that receives the notify descriptor, -EBADF if nothing notifies
 * @state: what is sent with it, the JSON of a container process state; NULL if nothing notifies
 *
 * Sends the descriptor from a thread that has no filter while the caller waits without a system call,
 * so none of the hand-over can be caught by the filter itself.
 * Context: child; needs CAP_SYS_ADMIN or no_new_privs.  Nothing but execve() is called after it.
 * Return: 0; -errno with a message.
 * Spec: runtime-spec 1.3 config-linux.md "Seccomp", "The Container Process State".
 */
int oci_seccomp_load(const struct oci_filter *filter, int listener_sock, const char *state,
		     struct err *err);

/**
 * oci_seccomp_connect() - connect to the agent that gets the notify descriptor
 * @seccomp: borrows; listenerPath, '@' in front means an abstract socket
 *
 * Context: parent; only for a filter whose flags hold SECCOMP_FILTER_FLAG_NEW_LISTENER.
 * Return: descriptor; -errno with a message.
 */
int oci_seccomp_connect(const struct oci_seccomp *seccomp, struct err *err);

/** oci_filter_fini() - release */
void oci_filter_fini(struct oci_filter *filter);
