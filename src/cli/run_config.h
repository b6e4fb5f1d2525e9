/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/opt.h"

struct arena;
struct eng_config;
struct engine;
struct err;
struct img_words;

/** struct run_opts - options of the verbs that make an instance, as typed */
struct run_opts {
	bool auto_remove, interactive, tty, read_only, detach, privileged, init, publish_all;
	bool oom_kill_disable, no_health, no_sig_proxy, quiet;
	/* what is run */
	const char *name, *workdir, *user, *entrypoint, *pull, *platform, *cidfile, *detach_keys;
	const char *arch, *os, *variant, *umask;
	uint64_t preserve_fds;
	/* isolation */
	bool vm, explain;
	const char *isolation, *kernel, *append, *accel;
	uint64_t vcpus;
	bool replace, env_host, http_proxy, unsetenv_all;
	struct opt_strings unsetenv;
	struct opt_strings env, env_file, label, label_file, annotation, attach;
	/* mounts */
	const char *tz, *image_volume;
	bool read_only_tmpfs;
	struct opt_strings volume, mount, tmpfs, volumes_from;
	/* names and namespaces */
	bool no_hosts, no_hostname;
	const char *hostname, *domainname, *pid, *ipc, *uts, *userns, *cgroupns;
	const char *mac_address, *ip, *ip6;
	struct opt_strings network_opt;
	struct opt_strings network, network_alias, link, add_host, dns, dns_search, dns_option;
	struct opt_strings publish, expose;
	/* privileges */
	struct opt_strings cap_add, cap_drop, security_opt, group_add, device, device_rule, sysctl;
	/* limits */
	const char *memory, *memory_swap, *memory_reservation, *cpus, *cpu_shares, *cpu_period;
	const char *cpu_quota, *cpuset_cpus, *cpuset_mems, *pids_limit, *oom_score_adj;
	const char *blkio_weight, *shm_size, *cgroup_parent, *swappiness, *kernel_memory;
	const char *cpu_rt_period, *cpu_rt_runtime;
	struct opt_strings ulimit, blkio_weight_device, device_read_bps, device_write_bps;
	struct opt_strings device_read_iops, device_write_iops;
	/* life */
	const char *restart, *stop_signal, *stop_timeout, *systemd, *log_driver;
	struct opt_strings log_opt;
	const char *health_cmd, *health_interval, *health_timeout, *health_retries;
	const char *health_start_period, *health_start_interval, *health_on_failure;
};

extern const struct opt run_table[];

/**
 * run_config() - what the options and the image say together
 * @argv: IMAGE and the command
 * @ret: filled; release with eng_config_fini()
 *
 * The embedded image is put into the store when it is asked for and not there.  Warns about what is
 * accepted without effect.
 * Return: 0; -ENOENT no such image; -EINVAL with a message naming the option.
 */
int run_config(struct engine *e, const struct run_opts *o, int argc, char **argv,
	       struct eng_config *ret, struct err *err);

/**
 * run_replace() - remove what has the name of --name, if --replace was given
 * Return: 0; -EINVAL there is no --name; -errno with a message.
 */
int run_replace(struct engine *e, const struct run_opts *o, struct err *err);

/** run_name() - that of --name, which may begin with a slash; NULL */
const char *run_name(const struct run_opts *o);

/** run_isolation() - name of the back end that was asked for; @c: of run_config() */
const char *run_isolation(const struct run_opts *o, const struct eng_config *c);

/** run_created_by() - note the command line, @words of main(), in the configuration; 0 or -errno with a message */
int run_created_by(struct eng_config *c, char *const *words, struct err *err);

/**
 * run_cidfile() - write the id of the instance to the file of --cidfile, if that was given
 * To be called before the instance is started.
 * Return: 0; -EEXIST it has content; -errno with a message.
 */
int run_cidfile(const struct run_opts *o, const char *id, struct err *err);

/**
 * run_env() - variables of --env-file and --env
 * @env: added to; strings live in @a
 * Return: 0; -EINVAL with a message; -errno.
 */
int run_env(struct arena *a, struct img_words *env, const struct opt_strings *files,
	    const struct opt_strings *entries, struct err *err);
